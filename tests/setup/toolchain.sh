#!/bin/sh
# What the build needs: a C compiler (for ring), make, git, curl and a Rust new enough for the
# `rust-version` of Cargo.toml. cargo-nextest is used when it is there and never installed:
# `cargo test` runs the same tests.
. "$(dirname "$0")/lib.sh"

# Is there a cargo of at least the version that Cargo.toml asks for?
rust_is_enough() {
    have cargo || return 1
    wanted=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' "$root_dir/Cargo.toml")
    found=$(cargo --version | cut -d' ' -f2)
    [ "$(printf '%s\n%s\n' "$wanted" "$found" | sort -V | head -n 1)" = "$wanted" ]
}

packages=
have gcc || packages="$packages gcc libc6-dev"
have make || packages="$packages make"
have git || packages="$packages git"
have pkg-config || packages="$packages pkg-config"
rust_is_enough || have curl || packages="$packages curl"
[ -e /etc/ssl/certs/ca-certificates.crt ] || packages="$packages ca-certificates"
[ -z "$packages" ] || apt_install $packages

if ! rust_is_enough; then
    step "installing Rust with rustup"
    installer=$(mktemp)
    quietly curl --proto '=https' --tlsv1.2 -fsSL https://sh.rustup.rs -o "$installer"
    quietly sh "$installer" -y --profile minimal -c rustfmt -c clippy
    rm -f "$installer"
fi
