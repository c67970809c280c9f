#!/bin/sh
# Everything the client matrix needs: the drivers as Debian, PyPI, npm and crates.io have them, and what is compiled
# of its programs, in target/tools/matrix-built. Cheap when all is there.
. "$(dirname "$0")/lib.sh"

matrix=$root_dir/tests/clients/matrix
built=$tools_dir/matrix-built

# Debian's packages. Each installs a file that tells whether it is there.
packages=
wants() {
    [ -e "$1" ] || packages="$packages $2"
}
multiarch=/usr/lib/$(gcc -print-multiarch)
wants /usr/bin/php php-cli
wants /usr/share/doc/php-mysql php-mysql
wants /usr/bin/perl perl
wants /usr/share/doc/libdbd-mysql-perl libdbd-mysql-perl
wants /usr/share/doc/libdbd-mariadb-perl libdbd-mariadb-perl
wants /usr/bin/ruby ruby
wants /usr/share/doc/ruby-mysql2 ruby-mysql2
wants /usr/share/java/mariadb-java-client.jar libmariadb-java
wants /usr/bin/javac default-jdk-headless
wants /usr/bin/go golang-go
wants /usr/share/gocode/src/github.com/go-sql-driver/mysql golang-github-go-sql-driver-mysql-dev
wants /usr/bin/mariadb_config libmariadb-dev
wants "$multiarch/odbc/libmaodbc.so" odbc-mariadb
wants /usr/include/sql.h unixodbc-dev
[ -z "$packages" ] || apt_install $packages
{ have node && have npm; } || apt_install nodejs npm

# RMariaDB is not in every Debian. CODEC_PROXY_TESTS_RSCRIPT names an Rscript that has it.
if [ -z "${CODEC_PROXY_TESTS_RSCRIPT:-}" ] && ! [ -d /usr/lib/R/site-library/RMariaDB ] \
    && apt-cache show r-cran-rmariadb >/dev/null 2>&1; then
    apt_install r-cran-rmariadb
fi

"$setup_dir/python.sh" matrix matrix-aiomysql

# The drivers for Node.
folder=$tools_dir/matrix-node
if ! cmp -s "$setup_dir/matrix-node.txt" "$folder/installed.txt"; then
    step "installing $(tr '\n' ' ' <"$setup_dir/matrix-node.txt")"
    rm -rf "${folder:?}"
    mkdir -p "$folder"
    # Words are wanted: a package each.
    quietly npm install --prefix "$folder" --no-save --no-audit --no-fund --ignore-scripts \
        $(cat "$setup_dir/matrix-node.txt")
    cp "$setup_dir/matrix-node.txt" "$folder/installed.txt"
fi

# The programs that are compiled, if they are older than their sources.
mkdir -p "$built/java"
fresh() {
    [ -e "$1" ] && [ -z "$(find "$2" -type f -newer "$1" | head -n 1)" ]
}
fresh "$built/libmariadb" "$matrix/c" || quietly gcc -std=c11 -Wall -Wextra -Werror -O1 \
    -o "$built/libmariadb" "$matrix/c/libmariadb.c" $(mariadb_config --cflags --libs)
fresh "$built/odbc" "$matrix/c" || quietly gcc -std=c11 -Wall -Wextra -Werror -O1 \
    -o "$built/odbc" "$matrix/c/odbc.c" -lodbc
fresh "$built/go" "$matrix/go" || quietly env GO111MODULE=off GOPATH=/usr/share/gocode \
    go build -ldflags "-X main.version=$(dpkg-query -W -f '${source:Upstream-Version}' \
    golang-github-go-sql-driver-mysql-dev)" -o "$built/go" "$matrix/go/main.go"
fresh "$built/java/WithConnectorJ.class" "$matrix/java" || quietly javac -d "$built/java" \
    "$matrix/java/WithConnectorJ.java"
if ! fresh "$built/sqlx" "$matrix/rust/src"; then
    step "building the programs in Rust"
    quietly cargo build --locked --manifest-path "$matrix/rust/Cargo.toml" --target-dir "$built/rust"
    cp "$built/rust/debug/sqlx" "$built/rust/debug/mysql_async" "$built/"
fi
