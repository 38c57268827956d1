# shellcheck shell=bash
# What the tests of the adapters for Python share, to be sourced. Makes the adapter's virtual environment below target/, as
# its tests/requirements.txt has it, and installs the package's wheel and the adapter there.
#     source python-adapter.sh NAME PROGRAM WHEEL
# Leaves the adapter's folder as the working folder, the environment's folder in `venv`, and the program in FTUSEG_PROGRAM.
adapter=$1
FTUSEG_PROGRAM=$(realpath "${2:?name the program, for example target/debug/ftuseg}")
wheel=$(realpath "${3:?name the wheel of the package for Python: bindings/python/test.sh builds one}")
integrations=$(realpath "$(dirname "${BASH_SOURCE[0]}")")
target=$(realpath "${CARGO_TARGET_DIR:-$integrations/../target}")
cd "$integrations/$adapter"
venv=$target/$adapter-venv
pip=("$venv/bin/python" -m pip install --quiet --disable-pip-version-check)
# The environment is made again when what the tests need has changed.
if ! cat tests/requirements*.txt | cmp -s - "$venv/made-for.txt"; then
    rm -rf "$venv"
    python3 -m venv "$venv"
    "${pip[@]}" --requirement tests/requirements.txt
    # Packages that want more than the tests do.
    if [ -f tests/requirements-alone.txt ]; then "${pip[@]}" --no-deps --requirement tests/requirements-alone.txt; fi
    cat tests/requirements*.txt >"$venv/made-for.txt"
fi
# Built from a copy, so that nothing is left in the sources.
rm -rf "$target/$adapter-adapter"
cp -r . "$target/$adapter-adapter"
"${pip[@]}" --no-deps --force-reinstall "$wheel" "$target/$adapter-adapter"
export FTUSEG_PROGRAM PYTHONDONTWRITEBYTECODE=1
