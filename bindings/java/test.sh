#!/usr/bin/env bash
# Builds the package and tests it against the command and the C library that Cargo built. Without a JDK of 22 or newer it
# says so, and tests nothing.
#     bindings/java/test.sh target/debug/ftuseg target/debug/deps
set -euo pipefail
program=$(realpath "${1:?name the program, for example target/debug/ftuseg}")
built=$(realpath "${2:?name the folder with the C library, for example target/debug/deps}")
target=$(realpath "${CARGO_TARGET_DIR:-$(dirname "$0")/../../target}")
cd "$(dirname "$0")"
if ! jdk=$(./find-jdk.sh 2>&1); then
    echo "the package for Java was not tested: $jdk" >&2
    exit 0
fi
bundle=$(realpath ../../models/bundle)
work=$target/java
rm -rf "$work"
mkdir -p "$work"

./build.sh "$work"
../c/install.sh --prefix "$work/installed" --built "$built"
"$jdk/bin/javac" --release 22 -Xlint:all,-serial -Werror -cp "$work/ftuseg.jar" -d "$work/classes" tests/*.java examples/*.java

# A slide without smaller levels, so that its px in memory are all that is in its file.
"$program" samples --out "$work/samples" --size 700 --mpp 2
"$jdk/bin/java" tests/ToPng.java "$work/samples/two-organs.tif" "$work/slide.png"
"$program" segment "$work/slide.png" --out "$work/command" --mpp 2 --bundle "$bundle" --backend onnxruntime

run() { # CLASS ARGUMENT ...
    "$jdk/bin/java" --enable-native-access=ALL-UNNAMED -cp "$work/ftuseg.jar:$work/classes" "$@"
}
# The library is named, as where it lies in a folder of its own.
FTUSEG_LIBRARY=$(echo "$work"/installed/lib/libftuseg.?*.?*)
export FTUSEG_LIBRARY
run Checks "$bundle" "$work"

# It is found by the system, as where it is installed.
unset FTUSEG_LIBRARY
LD_LIBRARY_PATH=$work/installed/lib DYLD_LIBRARY_PATH=$work/installed/lib \
    run Segment "$work/samples/two-organs.tif" "$work/example" "bundle=$bundle" backend=onnxruntime
"$program" segment "$work/samples/two-organs.tif" --out "$work/of-example" --bundle "$bundle" --backend onnxruntime --write mask,geojson
cmp "$work/example/mask.tif" "$work/of-example/slides/two-organs/mask.tif"
cmp "$work/example/objects.geojson" "$work/of-example/slides/two-organs/objects.geojson"

# It is not there, or is another one.
expect() { # WORD COMMAND ...
    local word=$1 said
    shift
    if said=$("$@" 2>&1) || [[ $said != *"$word"* ]]; then
        echo "no error with \"$word\", but: $said" >&2
        exit 1
    fi
}
expect "bindings/c/install.sh" run -Dftuseg.library="$work/nowhere.so" Segment slide out
expect "bindings/c/install.sh" run -Dftuseg.library="$work/slide.png" Segment slide out
