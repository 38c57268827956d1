#!/usr/bin/env bash
# Runs all tests: Rust's, then those of the integrations and of the training package, each in a virtual environment of its
# own.
#     ./test.sh
set -euo pipefail
cd "$(dirname "$0")"

# Vendors' slides are read through OpenSlide. With it here, tests that need it may not skip.
openslide=${CARGO_TARGET_DIR:-target}/openslide
if ! [ -d "$openslide/openslide_bin" ]; then
    python3 -m pip install --quiet --disable-pip-version-check --target "$openslide" openslide-bin==4.0.1.2
fi
FTUSEG_OPENSLIDE=$(realpath "$openslide/openslide_bin")
export FTUSEG_OPENSLIDE FTUSEG_REQUIRE_OPENSLIDE=1

# What a run writes of its objects is read by the libraries that people use.
interop=${CARGO_TARGET_DIR:-target}/interop-venv
if ! cmp -s tests/interop/requirements.txt "$interop/made-for.txt"; then
    rm -rf "$interop"
    python3 -m venv "$interop"
    "$interop/bin/python" -m pip install --quiet --disable-pip-version-check -r tests/interop/requirements.txt
    cp tests/interop/requirements.txt "$interop/made-for.txt"
fi
FTUSEG_INTEROP_PYTHON=$(realpath -s "$interop/bin/python")
export FTUSEG_INTEROP_PYTHON
cargo test --workspace

# The package for Python.
bindings/python/test.sh "${CARGO_TARGET_DIR:-target}/debug/ftuseg"
for adapter in napari lazyslide; do
    "integrations/$adapter/test.sh" "${CARGO_TARGET_DIR:-target}/debug/ftuseg" "${CARGO_TARGET_DIR:-target}"/python-wheels/*.whl
done

# The package for Java, over the C library that Cargo built for its tests.
bindings/java/test.sh "${CARGO_TARGET_DIR:-target}/debug/ftuseg" "${CARGO_TARGET_DIR:-target}/debug/deps"

# The integrations, with the real tools where they can be had.
integrations/test.sh "${CARGO_TARGET_DIR:-target}/debug/ftuseg"

python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    echo "the training package needs Python 3.11 or newer; this is $(python3 --version)" >&2
    exit 1
}
venv=${CARGO_TARGET_DIR:-target}/models-venv
# The environment is made again when what the package needs has changed.
if ! cmp -s models/pyproject.toml "$venv/made-for.toml"; then
    rm -rf "$venv"
    python3 -m venv "$venv"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check "./models[test]"
    cp models/pyproject.toml "$venv/made-for.toml"
fi
PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=models "$venv/bin/python" -m pytest -q models/tests
