#!/usr/bin/env bash
# Tests the plugin in a napari without a screen, in a virtual environment below target/, with a wheel of the package for
# Python: bindings/python/test.sh builds one.
#     integrations/napari/test.sh target/debug/ftuseg target/python-wheels/*.whl
set -euo pipefail
FTUSEG_PROGRAM=$(realpath "${1:?name the program, for example target/debug/ftuseg}")
wheel=$(realpath "${2:?name the wheel of the package for Python}")
cd "$(dirname "$0")"
target=${CARGO_TARGET_DIR:-../../target}
target=$(realpath "$target")
venv=$target/napari-venv
# The environment is made again when what the tests need has changed.
if ! cmp -s tests/requirements.txt "$venv/made-for.txt"; then
    rm -rf "$venv"
    python3 -m venv "$venv"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --requirement tests/requirements.txt
    cp tests/requirements.txt "$venv/made-for.txt"
fi
export FTUSEG_PROGRAM PYTHONDONTWRITEBYTECODE=1 QT_QPA_PLATFORM=offscreen
# Built from a copy, so that nothing is left in the sources.
rm -rf "$target/napari-plugin"
cp -r . "$target/napari-plugin"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --force-reinstall "$wheel" "$target/napari-plugin"
if ! said=$("$venv/bin/python" -c 'from qtpy.QtWidgets import QApplication; QApplication([])' 2>&1); then
    echo "Qt does not start here, so the plugin for napari was not tested: ${said##*$'\n'}" >&2
    exit 0
fi
"$venv/bin/python" -m pytest -q -p no:cacheprovider --rootdir tests tests
