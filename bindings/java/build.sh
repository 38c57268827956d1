#!/bin/sh
# Builds the package, ftuseg.jar, into a folder. Needs a JDK of 22 or newer, and nothing else.
#     bindings/java/build.sh target/java
set -eu
out=${1:?name the folder to write ftuseg.jar into}
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
jdk=$("$here/find-jdk.sh")
# It has one place where it stands.
version=$(sed -n '/^\[workspace.package\]/,/^\[/s/^version = "\(.*\)"/\1/p' "$here/../../Cargo.toml")

mkdir -p -- "$out"
work=$(mktemp -d "$out/building-XXXXXX")
trap 'rm -rf -- "$work"' EXIT
"$jdk/bin/javac" --release 22 -encoding UTF-8 -Xlint:all -Xdoclint:all,-missing -Werror -d "$work/classes" "$here"/src/ftuseg/*.java
printf 'Automatic-Module-Name: ftuseg\nImplementation-Title: ftuseg\nImplementation-Version: %s\n' \
    "$version" >"$work/manifest"
# The same sources give the same bytes.
"$jdk/bin/jar" --create --file "$work/ftuseg.jar" --manifest "$work/manifest" --date 2020-01-01T00:00:00Z -C "$work/classes" ftuseg
mv -f -- "$work/ftuseg.jar" "$out/ftuseg.jar"
echo "built ftuseg.jar $version in $out"
