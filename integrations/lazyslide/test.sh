#!/usr/bin/env bash
# Tests the adapter with the real wsidata, in a virtual environment below target/, with a wheel of the package for Python:
# bindings/python/test.sh builds one.
#     integrations/lazyslide/test.sh target/debug/ftuseg target/python-wheels/*.whl
set -euo pipefail
FTUSEG_PROGRAM=$(realpath "${1:?name the program, for example target/debug/ftuseg}")
wheel=$(realpath "${2:?name the wheel of the package for Python}")
cd "$(dirname "$0")"
target=${CARGO_TARGET_DIR:-../../target}
target=$(realpath "$target")
venv=$target/lazyslide-venv
# The environment is made again when what the tests need has changed.
if ! cmp -s tests/requirements.txt "$venv/made-for.txt"; then
    rm -rf "$venv"
    python3 -m venv "$venv"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --requirement tests/requirements.txt
    cp tests/requirements.txt "$venv/made-for.txt"
fi
# Built from a copy, so that nothing is left in the sources.
rm -rf "$target/lazyslide-adapter"
cp -r . "$target/lazyslide-adapter"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --force-reinstall "$wheel" "$target/lazyslide-adapter"
export FTUSEG_PROGRAM PYTHONDONTWRITEBYTECODE=1
"$venv/bin/python" -m pytest -q -p no:cacheprovider --rootdir tests tests
