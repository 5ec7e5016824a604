#!/bin/sh
# Builds a program for the development image and lays it into target/image, which Dockerfile.dev is built in.
#
#   sh dev/build.sh kpulse        (or echo-sink)
#
# On Linux that is cargo. A Mac builds for Linux, which takes a linker for Linux: that is what cargo-zigbuild brings.
set -eu
program=${1:?which program: kpulse or echo-sink}
cd "$(dirname "$0")/.."
. dev/clock.sh
target=${CARGO_TARGET_DIR:-target}
image=target/image
begin=$(now)

# Both packages are named whichever is built, so that their dependencies are compiled once, with the same features.
build() { cargo "$@" --profile dev-image --package kpulse-bin --package kpulse-testkit --bin "$program"; }
case $(uname -s) in
Darwin)
    triple=$(uname -m | sed s/arm64/aarch64/)-unknown-linux-musl
    command -v cargo-zigbuild >/dev/null || {
        echo "cargo-zigbuild is missing: brew install zig && cargo install --locked cargo-zigbuild && rustup target add $triple" >&2
        exit 1
    }
    build zigbuild --target "$triple"
    built=$target/$triple/dev-image/$program
    ;;
*)
    # The compiler brings a fast linker for x86-64 only.
    if test "$(uname -m)" = aarch64; then
        for linker in mold lld; do
            command -v "ld.$linker" >/dev/null || continue
            export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUSTFLAGS="-C link-arg=-fuse-ld=$linker"
            break
        done
    fi
    build build
    built=$target/dev-image/$program
    ;;
esac

mkdir -p "$image"
# What did not change need not be carried into the cluster.
if ! cmp -s "$built" "$image/$program"; then
    # In one step, so that nobody takes half of it.
    cp "$built" "$image/.$program.new"
    mv "$image/.$program.new" "$image/$program"
fi
took=$(($(now) - begin))
printf '%s' "$took" >"$image/.$program.took"
echo "build $(seconds "$took")s"
