"""The tables of the report, in Markdown."""

from __future__ import annotations

from pathlib import Path

from .. import ORGANS
from . import cross_validation
from .comparisons import INT8_LOSS, OTHER, Way, difference, grouped, int8_loss, routed_name
from .confidence_intervals import Interval, of_organs, of_values
from .cross_validation import MeasuredCore
from .model_choice import ModelChoice, candidates, networks_of
from .paper import PAPER_MB, PAPER_MEAN, PAPER_N, PAPER_PRINTED, PAPER_TRUE
from .thresholds import Chooser

NAMES = dict(zip(ORGANS, ("kidney", "prostate", "large intestine", "spleen", "lung")))

MOST_MB = 100
"""Size that the files of a bundle should have together at most."""


def table(head: list[str], rows: list[list[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def organ_table(cores: list[MeasuredCore], all_ways: list[Way], seed: int) -> str:
    """Mean Dice of every way per organ and over all."""
    columns = [(way, grouped(cores, way.dice)) for way in all_ways]
    columns = [(way, values) for way, values in columns if values]
    rows = []
    for organ in ORGANS:
        cells = [str(of_values(v[organ], seed)) if v.get(organ) else "-" for _, v in columns]
        rows.append([NAMES[organ], *cells])
    rows.append(["**mean of the organs' means**", *(str(of_organs(v, seed)) for _, v in columns)])
    rows.append(["mean of all images", *(str(of_values(sum(v.values(), []), seed)) for _, v in columns)])
    return table(["organ", *(way.title for way, _ in columns)], rows)


def difference_table(cores: list[MeasuredCore], a: Way, b: Way, seed: int) -> str:
    """The paired difference of two ways."""
    values = difference(cores, a, b)
    if not values:
        return "Not measured yet.\n"
    rows = []
    for organ in ORGANS:
        if organ in values:
            won = sum(v > 0 for v in values[organ])
            rows.append([NAMES[organ], signed(of_values(values[organ], seed)), f"{won} of {len(values[organ])}"])
    everything = sum(values.values(), [])
    won = sum(v > 0 for v in everything)
    rows.append(["**mean of the organs' means**", signed(of_organs(values, seed)), f"{won} of {len(everything)}"])
    return table(["organ", f"{a.title} less {b.title}", "cores won"], rows)


def signed(value: Interval) -> str:
    """An interval of differences."""
    return f"{value.mean:+.3f} [{value.low:+.3f}, {value.high:+.3f}] (n = {value.n})"


def confusion(cores: list[MeasuredCore], limit: float) -> str:
    """The router's confusion matrix, by core."""
    cores = [core for core in cores if core.votes]
    if not cores:
        return "Not measured yet.\n"
    rows, right = [], 0
    for organ in ORGANS:
        sent = [routed_name(core, limit) for core in cores if core.organ == organ]
        right += sent.count(organ)
        rows.append([NAMES[organ], *(str(sent.count(name)) for name in (*ORGANS, "baseline", OTHER)), str(len(sent))])
    head = ["true organ", *(NAMES[organ] for organ in ORGANS), f"baseline (under {limit:g})", "none of these", "n"]
    places = range(len(ORGANS))
    called = sum(ORGANS[max(places, key=lambda i: core.votes[i])] == core.organ for core in cores)
    said = f"{right} of {len(cores)} cores ({right / len(cores):.1%}) are sent to their own organ's network; "
    said += f"the router's first guess is right for {called}."
    if any(len(core.votes) > len(ORGANS) for core in cores):
        refused = sum(routed_name(core, limit) == OTHER for core in cores)
        said += f" It refuses {refused} ({refused / len(cores):.1%}) as none of the organs; nothing is found in them."
    return table(head, rows) + f"\n{said}\n"


def thresholds_table(model_choice: ModelChoice) -> str:
    """The settings of each organ, and the thresholds that the cores choose for each other."""
    rows = []
    for organ in ORGANS:
        best = model_choice.best(organ)
        if best is None:
            continue
        chooser = model_choice.chooser
        cores = [core for core in chooser.deciding(best, organ) if core.has(best)]
        final = chooser.final(best, organ)
        others = sorted(chooser.without(best, core, organ).threshold for core in cores)
        rows.append(
            [
                NAMES[organ],
                said_of(best),
                f"{final.threshold:g}",
                f"{others[0]:g} to {others[-1]:g}",
                f"{final.min_area_um2:g}",
                "yes" if final.fill_holes else "no",
                str(len(cores)),
            ]
        )
    head = ["organ", "network", "threshold", "chosen without one core", "smallest object, um2", "holes filled", "n"]
    return table(head, rows) if rows else "Not measured yet.\n"


def sizes(folder: Path) -> str:
    """The sizes of the bundle's files next to the paper's Table 1."""
    rows = [["paper's U-Net", f"{PAPER_MB['U-Net']:.1f}"]]
    rows.append(["paper's EfficientNet U-Net", f"{PAPER_MB['EfficientNet U-Net']:.1f}"])
    files = sorted(folder.glob("*.onnx"))
    rows += [[path.name, f"{path.stat().st_size / 1e6:.1f}"] for path in files]
    total = sum(path.stat().st_size for path in files) / 1e6
    rows.append(["all files of the bundle", f"{total:.1f}"])
    over = f"\nThat is more than the {MOST_MB} MB that a bundle should have.\n" if total > MOST_MB else ""
    return table(["file", "MB"], rows) + over


def int8_table(cores: list[MeasuredCore], chooser: Chooser) -> str:
    """What the int8 variants lose."""
    rows = []
    for name in (*ORGANS, *cross_validation.SINGLE):
        loss = int8_loss(cores, chooser, name)
        if loss is not None:
            rows.append([name, f"{loss['dice']:+.4f}", str(loss["n"]), "yes" if loss["dice"] <= INT8_LOSS else "no"])
    return table(["network", "mean Dice lost", "n", f"at most {INT8_LOSS:g}"], rows) if rows else "Not measured yet.\n"


def serving_table(cores: list[MeasuredCore], serving: ModelChoice, seed: int) -> str:
    """The Dice of each candidate for an organ, and which is chosen."""
    rows = []
    for organ in ORGANS:
        asked = [core for core in cores if core.organ == organ]
        cells = []
        for server in candidates(organ):
            values = grouped(asked, lambda core: serving.chooser.dice(core, server, organ=organ))
            cells.append(str(of_values(values[organ], seed)) if values else "-")
        best = serving.best(organ)
        rows.append([NAMES[organ], *cells, "-" if best is None else said_of(best)])
    return table(["organ", "own network", "baseline", "mean of both", "the bundle uses"], rows)


def said_of(server: str) -> str:
    """What serves an organ, in words."""
    names = [NAMES.get(name, name) for name in networks_of(server)]
    return names[0] if len(names) == 1 else f"the mean of {' and '.join(names)}"


def paper_table(cores: list[MeasuredCore], routed: Way) -> str:
    """The paper's Table 2 as printed and with the true counts, next to ours on other images."""
    ours = grouped(cores, routed.dice)
    rows = []
    for organ in ORGANS:
        cells = [f"{part[name][organ]:.1f}" for part in (PAPER_PRINTED, PAPER_TRUE) for name in part]
        mine = f"{100 * sum(ours[organ]) / len(ours[organ]):.1f} (n = {len(ours[organ])})" if ours.get(organ) else "-"
        rows.append([NAMES[organ], *cells, str(PAPER_N[organ]), mine])
    true_means = [f"{sum(part.values()) / 5:.1f}" for part in PAPER_TRUE.values()]
    own = f"{100 * of_organs(ours, 0).mean:.1f} (n = {sum(map(len, ours.values()))})" if ours else "-"
    printed = [f"{mean:.1f}" for mean in PAPER_MEAN.values()]
    rows.append(["mean", *printed, *true_means, str(sum(PAPER_N.values())), own])
    head = ["organ", "U-Net, as printed", "EfficientNet, as printed", "U-Net, true counts", "EfficientNet, true counts"]
    return table([*head, "paper's n", f"ours, {routed.title}"], rows)
