#!/bin/sh
# The sources of DataJoint 2.3.5 with their tests, at target/tools/suite2/sources. Those of 0.14 on
# PyPI lack conftest.py and the schemas that its tests import, so they are not to be had here.
. "$(dirname "$0")/lib.sh"

"$setup_dir/python.sh" suite2
sources=$tools_dir/suite2/sources
[ -e "$sources/tests/conftest.py" ] && exit 0
step "fetching the tests of DataJoint 2.3.5"
rm -rf "${sources:?}" "$sources.new"
mkdir "$sources.new"
quietly "$tools_dir/suite2/bin/python" -m pip download --disable-pip-version-check -q --no-deps \
    --no-binary datajoint --dest "$sources.new" datajoint==2.3.5
quietly tar -xzf "$sources.new"/datajoint-2.3.5.tar.gz -C "$sources.new" --strip-components=1
mv "$sources.new" "$sources"
