"""The folders of the package know only those before them."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import ftuseg_models

ROOT = Path(ftuseg_models.__file__).parent
FOLDERS = ("data", "networks", "onnx_graphs", "training", "measuring", "exporting")
"""Each may import itself and the folders before it."""
COMMON = ("", "atomic_files", "config", "errors")
"""What stands beside the folders and may be imported by all of them."""


def imported(file: Path) -> set[str]:
    """The first part of the name of every module of the package that a file imports."""
    package = file.relative_to(ROOT).parts[:-1]
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {name.name.split(".")[1] for name in node.names if name.name.startswith("ftuseg_models.")}
        if isinstance(node, ast.ImportFrom):
            module = tuple((node.module or "").split(".")) if node.module else ()
            if node.level:
                module = (*package[: len(package) + 1 - node.level], *module)
            elif module[:1] == ("ftuseg_models",):
                module = module[1:]
            else:
                continue
            # `from .. import name` takes a name of the package or one of its modules
            names = [name.name for name in node.names if (ROOT / name.name).is_dir() or (ROOT / f"{name.name}.py").exists()]
            found |= {module[0]} if module else set(names) or {""}
    return found


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_folder_imports_only_the_folders_before_it(folder):
    allowed = {*COMMON, *FOLDERS[: FOLDERS.index(folder) + 1]}
    files = sorted((ROOT / folder).glob("*.py"))
    assert len(files) > 2
    for file in files:
        assert imported(file) <= allowed, f"{file.name} imports {sorted(imported(file) - allowed)}"


def test_every_folder_has_its_place_in_the_order_and_says_what_it_is_for():
    packages = {file.parent.name for file in ROOT.glob("*/__init__.py")}
    assert packages == set(FOLDERS)
    for folder in FOLDERS:
        assert ast.get_docstring(ast.parse((ROOT / folder / "__init__.py").read_text(encoding="utf-8")))


def test_what_all_may_import_imports_no_folder():
    for name in COMMON[1:]:
        assert imported(ROOT / f"{name}.py") <= set(COMMON)
