#!/bin/sh
# Azurite, Microsoft's emulator of Azure Blob Storage: target/tools/azurite/node_modules/.bin.
# The package named in azurite.txt is kept in the folder once it is there: its stamp.
. "$(dirname "$0")/lib.sh"

folder=$tools_dir/azurite
cmp -s "$setup_dir/azurite.txt" "$folder/installed.txt" && exit 0
{ have node && have npm; } || apt_install nodejs npm
step "installing $(cat "$setup_dir/azurite.txt")"
rm -rf "${folder:?}"
mkdir -p "$folder"
# Telemetry, optional databases and the like are not built: only the blob service runs.
quietly npm install --prefix "$folder" --no-save --no-audit --no-fund --ignore-scripts \
    --omit=optional --omit=dev "$(cat "$setup_dir/azurite.txt")"
cp "$setup_dir/azurite.txt" "$folder/installed.txt"
