#!/usr/bin/env bash
# Builds the wheel as it is developed, installs it into a virtual environment below target/, and tests it there.
#     bindings/python/test.sh target/debug/ftuseg
set -euo pipefail
FTUSEG_PROGRAM=$(realpath "${1:?name the program, for example target/debug/ftuseg}")
cd "$(dirname "$0")"

target=${CARGO_TARGET_DIR:-../../target}
mkdir -p "$target"
target=$(realpath "$target")
venv=$target/python-venv
# The environment is made again when what the tests need has changed.
if ! cmp -s tests/requirements.txt "$venv/made-for.txt"; then
    rm -rf "$venv"
    python3 -m venv "$venv"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --requirement tests/requirements.txt
    cp tests/requirements.txt "$venv/made-for.txt"
fi
rm -rf "$target/python-wheels"
"$venv/bin/maturin" build --quiet --profile dev --interpreter "$venv/bin/python" --out "$target/python-wheels"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --force-reinstall "$target"/python-wheels/*.whl

# Where nothing shadows the installed package.
export FTUSEG_PROGRAM FTUSEG_TEST_VENV=$venv PYTHONDONTWRITEBYTECODE=1
tests=$PWD/tests config=$PWD/pyproject.toml
cd "$target"
"$venv/bin/python" -m mypy --config-file "$config" --cache-dir "$target/mypy-cache" "$tests/consumer.py"
"$venv/bin/python" -m mypy.stubtest --mypy-config-file "$config" ftuseg
"$venv/bin/python" -m pytest -q --config-file "$config" --rootdir "$tests" "$tests"
