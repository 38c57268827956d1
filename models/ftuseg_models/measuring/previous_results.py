"""Compares the results with those of an earlier bundle, core by core."""

from __future__ import annotations

import tomllib
from pathlib import Path

from .. import ORGANS
from ..atomic_files import read_json
from .comparisons import SHIPPED, Way, grouped
from .confidence_intervals import of_organs, of_values
from .cross_validation import MeasuredCore
from .tables import NAMES, signed, table


def _version(folder: Path) -> str | None:
    """Name and version of the bundle in a folder; None where no bundle states them."""
    try:
        table = tomllib.loads((folder / "bundle.toml").read_text(encoding="utf-8"))
        return f"{table['name']} {table['version']}"
    except (OSError, tomllib.TOMLDecodeError, KeyError):
        return None


def comparison(cores: list[MeasuredCore], way: Way, folder: Path, new: Path, seed: int) -> str:
    """The figures of the bundle in `folder` as its report states them, and the paired difference on the cores of both.

    Both were measured by cross-validation; cores that only one of them has count only for that one. A bundle is never
    compared with itself, as where the new one in `new` has already replaced the one before.
    """
    version = _version(folder)
    if version is not None and version == _version(new):
        return f"`{folder.name}` is {version} itself, so there is nothing to compare.\n"
    rows = read_json(folder / "RESULTS.json").get("cores", [])
    before = {row["id"]: (row["organ"], row[SHIPPED]) for row in rows if row.get(SHIPPED) is not None}
    if not before:
        return f"`{folder.name}` states no results core by core.\n"
    old = {organ: [dice for of, dice in before.values() if of == organ] for organ in ORGANS}
    old = {organ: values for organ, values in old.items() if values}
    now = grouped(cores, way.dice)
    both = grouped([core for core in cores if core.id in before], lambda core: _gain(core, way, before))

    def row(name: str, parts: list) -> list[str]:
        return [name, *(str(part) if part is not None else "-" for part in parts)]

    lines = [
        row(
            NAMES[organ],
            [
                of_values(old[organ], seed) if organ in old else None,
                of_values(now[organ], seed) if organ in now else None,
                signed(of_values(both[organ], seed)) if organ in both else None,
            ],
        )
        for organ in ORGANS
    ]
    means = [of_organs(values, seed) if values else None for values in (old, now)]
    lines.append(row("**mean of the organs' means**", [*means, signed(of_organs(both, seed)) if both else None]))
    return table(["organ", version or "the bundle before", "now", "now less before, the same cores"], lines)


def _gain(core: MeasuredCore, way: Way, before: dict[str, tuple[str, float]]) -> float | None:
    """Dice of a core now less its Dice before; None where it was not measured now."""
    now = way.dice(core)
    return None if now is None else now - before[core.id][1]
