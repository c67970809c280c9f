#!/bin/sh
# MariaDB's programs: `mariadbd` to run private servers from, `mariadb` as a client. A machine
# that has them is left as it is.
. "$(dirname "$0")/lib.sh"

have mariadbd && have mariadb-install-db && have mariadb && exit 0
apt_install_service mariadb.service mariadb-server mariadb-client
