#!/usr/bin/env bash
# Tests the plugin in a napari without a screen, with a wheel of the package for Python.
#     integrations/napari/test.sh target/debug/ftuseg target/python-wheels/*.whl
set -euo pipefail
source "$(dirname "$0")/../python-adapter.sh" napari "$@"
export QT_QPA_PLATFORM=offscreen
if ! said=$("$venv/bin/python" -c 'from qtpy.QtWidgets import QApplication; QApplication([])' 2>&1); then
    echo "Qt does not start here, so the plugin for napari was not tested: ${said##*$'\n'}" >&2
    exit 0
fi
"$venv/bin/python" -m pytest -q -p no:cacheprovider --rootdir tests tests
