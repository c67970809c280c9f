#!/bin/sh
# Chromium, which the page is looked at with, and Prometheus' own check of its format.
. "$(dirname "$0")/lib.sh"

have chromium || apt_install chromium
have promtool || apt_install_service prometheus.service prometheus
