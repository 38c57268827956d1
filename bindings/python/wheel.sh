#!/usr/bin/env bash
# Builds the wheel, if wanted with a bundle in it, into target/wheels. Needs Rust and maturin (pip install maturin).
#     bindings/python/wheel.sh                    # finds a bundle as the command does
#     bindings/python/wheel.sh models/bundle      # brings this one along (about 100 MB)
set -euo pipefail
bundle=${1:+$(realpath "$1")}
cd "$(dirname "$0")"
inside=python/ftuseg/bundle
rm -rf "$inside"
trap 'rm -rf "$inside"' EXIT
if [ -n "$bundle" ]; then
    [ -f "$bundle/bundle.toml" ] || {
        echo "$bundle holds no bundle.toml, so it is no bundle" >&2
        exit 1
    }
    mkdir "$inside"
    # The manifest, the networks, and what is known of their training images; not the pictures.
    for file in "$bundle"/*.toml "$bundle"/*.onnx "$bundle"/*.csv "$bundle"/*.md; do
        if [ -f "$file" ]; then cp "$file" "$inside"; fi
    done
fi
maturin build ${FTUSEG_WHEEL_PROFILE:+--profile "$FTUSEG_WHEEL_PROFILE"}
