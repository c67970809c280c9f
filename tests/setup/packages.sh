#!/bin/sh
# packages.sh: the environment `lab` with the packages of tests/packages in it: target/tools/lab. They are
# installed anew when a file of them has changed.
. "$(dirname "$0")/lib.sh"

"$setup_dir/python.sh" lab
environment=$tools_dir/lab
packages=$root_dir/tests/packages

checksums() {
    (cd "$packages" && find . -type f ! -path '*/__pycache__/*' -exec cksum {} + | sort -k 3)
}
complete() {
    checksums | cmp -s - "$environment/packages.txt"
}

complete && exit 0
# Tests that run side by side may all find them changed: the first installs.
exec 9>"$tools_dir/packages.lock"
flock 9
complete && exit 0
step "installing tests/packages"
# A build leaves files beside the sources.
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
cp -R "$packages"/*/ "$copy"
quietly "$environment/bin/python" -m pip install --disable-pip-version-check -q --no-index --no-deps \
    --no-build-isolation --force-reinstall "$copy"/*/
checksums >"$environment/packages.txt"
