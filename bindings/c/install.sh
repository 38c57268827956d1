#!/bin/sh
# Builds the C library and installs it, with its header, its pkg-config file and its CMake module:
#     bindings/c/install.sh --prefix ~/.local
# Files appear whole: each is put under another name first. (cargo-c does much the same, but first it has to be built
# itself, together with Cargo, which takes longer than the library.)
set -eu

usage() {
    cat <<USAGE
usage: install.sh [--prefix DIR] [--libdir NAME] [--destdir DIR] [--profile NAME] [--built DIR]
  --prefix DIR    where it is to be used [default: /usr/local]
  --libdir NAME   the folder for libraries below the prefix [default: lib]
  --destdir DIR   put all files below DIR, to make a package of them
  --profile NAME  the profile of Cargo to build with [default: release]
  --built DIR     install the libraries that lie in DIR, instead of building them
USAGE
}

prefix=/usr/local libdir=lib destdir= profile=release built=
while [ $# -gt 0 ]; do
    case $1 in
        --help | -h) usage; exit 0 ;;
        --prefix | --libdir | --destdir | --profile | --built)
            [ $# -ge 2 ] || { usage >&2; exit 2; }
            case $1 in
                --prefix) prefix=$2 ;;
                --libdir) libdir=$2 ;;
                --destdir) destdir=$2 ;;
                --profile) profile=$2 ;;
                --built) built=$2 ;;
            esac
            shift 2
            ;;
        *) usage >&2; exit 2 ;;
    esac
done
case $prefix in
    /*) ;;
    *) prefix=$PWD/$prefix ;;
esac
# What would end the line, or mean something, in the pkg-config file.
case $prefix$libdir in
    *[!A-Za-z0-9_./+@~,:=-]*) echo "install.sh: the folder $prefix/$libdir has a letter that pkg-config cannot have in a path" >&2; exit 2 ;;
esac

here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
root=$(CDPATH= cd -- "$here/../.." && pwd)
if [ -z "$built" ]; then
    (cd "$root" && cargo build --profile "$profile" --package ftuseg-c)
    # What Cargo calls "dev" lies in "debug".
    built=${CARGO_TARGET_DIR:-$root/target}/$([ "$profile" = dev ] && echo debug || echo "$profile")
fi
# Both have one place where they stand.
version=$(sed -n '/^\[workspace.package\]/,/^\[/s/^version = "\(.*\)"/\1/p' "$root/Cargo.toml")
abi=$(sed -n 's/^#define FTUSEG_ABI_VERSION \([0-9]*\).*/\1/p' "$here/include/ftuseg.h")

case $(uname -s) in
    Darwin) from=libftuseg_c.dylib name=libftuseg.$abi.dylib link=libftuseg.dylib static_libs="-liconv -lm" ;;
    *) from=libftuseg_c.so name=libftuseg.so.$abi link=libftuseg.so static_libs="-lgcc_s -lutil -lrt -lpthread -lm -ldl -lc" ;;
esac
[ -f "$built/$from" ] || { echo "install.sh: there is no $built/$from" >&2; exit 1; }

# put MODE FROM TO
put() {
    mkdir -p -- "$(dirname -- "$3")"
    cp -- "$2" "$3.part$$"
    chmod "$1" "$3.part$$"
    mv -f -- "$3.part$$" "$3"
}
base=$destdir$prefix
put 755 "$built/$from" "$base/$libdir/$name"
ln -sf "$name" "$base/$libdir/$link"
if [ -f "$built/libftuseg_c.a" ]; then
    put 644 "$built/libftuseg_c.a" "$base/$libdir/libftuseg.a"
fi
put 644 "$here/include/ftuseg.h" "$base/include/ftuseg.h"
put 644 "$here/include/ftuseg.hpp" "$base/include/ftuseg.hpp"
put 644 "$here/cmake/FindFtuseg.cmake" "$base/share/ftuseg/cmake/FindFtuseg.cmake"
filled=$(mktemp)
trap 'rm -f "$filled"' EXIT
sed -e "s|@PREFIX@|$prefix|" -e "s|@LIBDIR@|$libdir|" -e "s|@VERSION@|$version|" -e "s|@STATIC_LIBS@|$static_libs|" \
    "$here/ftuseg.pc.in" >"$filled"
put 644 "$filled" "$base/$libdir/pkgconfig/ftuseg.pc"
echo "installed libftuseg $version (interface $abi) below $base"
