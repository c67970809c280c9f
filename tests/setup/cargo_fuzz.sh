#!/bin/sh
# cargo-fuzz, and the C++ compiler that libFuzzer is built with.
. "$(dirname "$0")/lib.sh"

have c++ || apt_install g++
cargo fuzz --version >/dev/null 2>&1 && exit 0
step "building cargo-fuzz"
quietly cargo install --locked cargo-fuzz --version 0.13.2
