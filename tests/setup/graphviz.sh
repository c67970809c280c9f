#!/bin/sh
# Graphviz, which draws the diagrams in DataJoint's own tests.
. "$(dirname "$0")/lib.sh"

have dot || apt_install graphviz
