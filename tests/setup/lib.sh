# Sourced by the scripts beside it: what they share. They install only what is missing, say
# nothing unless they install something, and show a command's output only when it fails.
#
# CODEC_PROXY_TOOLS names the folder for the Python environments (target/tools of the checkout
# when unset), so that several checkouts can share one.

set -eu

setup_dir=$(cd "$(dirname "$0")" && pwd)
root_dir=$(cd "$setup_dir/../.." && pwd)
tools_dir=${CODEC_PROXY_TOOLS:-$root_dir/target/tools}

# have COMMAND: is it on the PATH, or where Debian keeps what only root runs?
have() {
    command -v "$1" >/dev/null 2>&1 || [ -x "/usr/sbin/$1" ]
}

# step WORDS...: tells what is being installed.
step() {
    printf 'setup: %s\n' "$*" >&2
}

# quietly COMMAND...: runs it; its output is shown only if it fails.
quietly() {
    quietly_log=$(mktemp)
    if "$@" >"$quietly_log" 2>&1 </dev/null; then
        rm -f "$quietly_log"
    else
        quietly_code=$?
        printf 'setup: this failed with code %s: %s\n' "$quietly_code" "$*" >&2
        cat "$quietly_log" >&2
        rm -f "$quietly_log"
        exit "$quietly_code"
    fi
}

# as_root COMMAND...: runs it with the rights to install packages.
as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif have sudo; then
        sudo "$@"
    else
        printf 'setup: root (or sudo) is needed for: %s\n' "$*" >&2
        exit 1
    fi
}

# apt_install PACKAGE...: never removes a package to make room. The package lists are fetched
# only if the machine's own do not do (an image often ships without, or with old ones).
apt_install() {
    if ! have apt-get; then
        printf 'setup: please install: %s (this script knows only Debian and Ubuntu)\n' "$*" >&2
        exit 1
    fi
    step "installing $*"
    apt_get install --no-install-recommends --no-remove "$@" >/dev/null 2>&1 </dev/null && return
    quietly apt_get update
    quietly apt_get install --no-install-recommends --no-remove "$@"
}

# Waits for another package manager that holds the lock, as a machine does just after its boot.
apt_get() {
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 "$@"
}

# apt_install_service UNIT PACKAGE...: installs a server's programs without its service: that is
# neither started now nor at the next boot.
apt_install_service() {
    service_unit=$1
    shift
    # Debian asks this file whether a package may start its service; 101 says no.
    service_policy=/usr/sbin/policy-rc.d
    if [ ! -e "$service_policy" ]; then
        trap 'as_root rm -f "$service_policy"' EXIT
        printf '#!/bin/sh\nexit 101\n' | as_root tee "$service_policy" >/dev/null
        as_root chmod 755 "$service_policy"
    fi
    apt_install "$@"
    if [ -d /run/systemd/system ]; then
        quietly as_root systemctl disable "$service_unit"
    fi
}
