#!/bin/sh
# python.sh [dj0] [dj013] [dj2] [seaweedfs] [lab]: Python environments, each with what NAME.txt lists, at
# target/tools/NAME; without names the two DataJoint clients. One that is complete is left alone;
# several are made at the same time.
. "$(dirname "$0")/lib.sh"

# A list of packages that was installed is kept in the environment: its stamp.
complete() {
    cmp -s "$setup_dir/$1.txt" "$tools_dir/$1/installed.txt"
}

python_is_enough() {
    "$1" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 10))' >/dev/null 2>&1
}

make_environment() {
    step "making the Python environment $1"
    rm -rf "${tools_dir:?}/$1"
    quietly "$python" -m venv "$tools_dir/$1"
    quietly "$tools_dir/$1/bin/python" -m pip install --disable-pip-version-check -q \
        -r "$setup_dir/$1.txt"
    cp "$setup_dir/$1.txt" "$tools_dir/$1/installed.txt"
}

# What is missing of the names given.
find_missing() {
    missing=
    for name; do
        complete "$name" || missing="$missing $name"
    done
}

[ $# -gt 0 ] || set -- dj0 dj2
find_missing "$@"
[ -n "$missing" ] || exit 0
# Tests that run side by side may all find that one is missing: the first makes it.
mkdir -p "$tools_dir"
exec 9>"$tools_dir/python.lock"
flock 9
find_missing "$@"
[ -n "$missing" ] || exit 0

python=python3
if ! python_is_enough "$python"; then
    apt_install python3 python3-venv
    python=/usr/bin/python3
fi
jobs=
for name in $missing; do
    make_environment "$name" &
    jobs="$jobs $!"
done
failed=0
for job in $jobs; do
    wait "$job" || failed=1
done
exit "$failed"
