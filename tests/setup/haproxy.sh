#!/bin/sh
# HAProxy, the plain TCP relay that the benchmark compares with.
. "$(dirname "$0")/lib.sh"

have haproxy && exit 0
apt_install_service haproxy.service haproxy
