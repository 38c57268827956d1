#!/bin/sh
# Prints the home of a JDK of 22 or newer, the first of: JAVA_HOME, the javac on the PATH, those of the system. Without
# one it says so and fails.
set -eu
tried=
for javac in "${JAVA_HOME:-/nonexistent}/bin/javac" "$(command -v javac || echo /nonexistent)" \
    /usr/lib/jvm/*/bin/javac /Library/Java/JavaVirtualMachines/*/Contents/Home/bin/javac; do
    [ -x "$javac" ] || continue
    version=$("$javac" -version 2>&1) || continue
    version=${version#javac }
    case ${version%%[.-]*} in
        '' | *[!0-9]*) continue ;;
    esac
    if [ "${version%%[.-]*}" -ge 22 ]; then
        dirname -- "$(dirname -- "$(readlink -f -- "$javac")")"
        exit 0
    fi
    tried="$tried $version"
done
echo "there is no JDK of 22 or newer (found:${tried:- none}); name one in JAVA_HOME" >&2
exit 1
