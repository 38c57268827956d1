#!/usr/bin/env bash
# Tests the adapter with the real LazySlide and wsidata, with a wheel of the package for Python.
#     integrations/lazyslide/test.sh target/debug/ftuseg target/python-wheels/*.whl
set -euo pipefail
source "$(dirname "$0")/../python-adapter.sh" lazyslide "$@"
MPLBACKEND=agg "$venv/bin/python" -m pytest -q -p no:cacheprovider --rootdir tests tests
