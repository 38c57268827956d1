"""Writes RESULTS.md: what the networks are worth on cores that they never saw, and what the paper had."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Callable

import torch

from . import ORGANS, calibrate, carried, measured, networks, stages, statistics, train
from .config import Config
from .files import read_json, write_json, write_text
from .kaggle import DataError
from .measured import Measured
from .metrics import dice, torch_probability
from .serving import BOTH_COST, Serving, candidates, networks_of
from .statistics import Interval, of_organs, of_values
from .thresholds import Chooser

NAMES = dict(zip(ORGANS, ("kidney", "prostate", "large intestine", "spleen", "lung")))

PAPER_N = dict(zip(ORGANS, (10, 10, 6, 6, 5)))
"""Images that the paper scored."""
PAPER_PRINTED = {
    "U-Net": dict(zip(ORGANS, (93.4, 75.5, 50.7, 47.4, 11.4))),
    "EfficientNet U-Net": dict(zip(ORGANS, (83.8, 73.8, 49.1, 43.3, 4.1))),
}
"""The paper's Table 2, percent. Its sums were divided by 10 for every organ."""
PAPER_MEAN = {"U-Net": 64.5, "EfficientNet U-Net": 59.8}
PAPER_TRUE = {
    "U-Net": dict(zip(ORGANS, (93.4, 75.5, 84.4, 79.1, 22.7))),
    "EfficientNet U-Net": dict(zip(ORGANS, (83.8, 73.8, 81.9, 72.2, 8.2))),
}
"""The same sums divided by the true counts."""
PAPER_MB = {"U-Net": 124.3, "EfficientNet U-Net": 25.4}
INT8_LOSS = 0.005
"""Mean Dice that an int8 variant may lose and still be shipped."""
GOAL = 0.77
"""The paper's own goal for the mean Dice."""

SERVED = "as the bundle does it: by the true organ"
"""The way in which what answers for an organ was decided by the other cores."""


@dataclass
class Way:
    """One way of segmenting a core."""

    title: str
    dice: Callable[[Measured], float | None]


def routed_name(core: Measured, limit: float) -> str:
    """The network that the router sends a core to; the baseline where its confidence is under the limit."""
    best = max(range(len(ORGANS)), key=lambda place: core.votes[place])
    return ORGANS[best] if core.votes[best] >= limit else "baseline"


def ways(serving: Serving, config: Config, variant: str = "") -> list[Way]:
    """The ways that are compared: one network for all, one per organ, and what the bundle does. `variant`: empty or `:d4`."""
    chooser = serving.chooser

    def sent(core: Measured) -> str | None:
        return routed_name(core, config.router_limit) if core.votes else None

    def by_router(core: Measured) -> float | None:
        name = sent(core)
        return None if name is None else chooser.dice(core, name, variant)

    def shipped(core: Measured) -> float | None:
        name = sent(core)
        return None if name is None else serving.dice(core, name, variant)

    return [
        Way(unet_title(config), lambda core: chooser.dice(core, "unet", variant)),
        Way("baseline: one EfficientNet-B0 U-Net", lambda core: chooser.dice(core, "baseline", variant)),
        Way("routed by the true organ", lambda core: chooser.dice(core, core.organ, variant)),
        Way("routed by the router", by_router),
        Way(SERVED, lambda core: serving.dice(core, core.organ, variant)),
        Way("as the bundle does it: by the router", shipped),
    ]


def unet_title(config: Config) -> str:
    """The standard U-Net with its width, since a narrow one is another network."""
    width = config.stage("unet").width
    return "standard U-Net" if width == 1 else f"standard U-Net at {width:g} of its width"


def table(head: list[str], rows: list[list[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def grouped(cores: list[Measured], value: Callable[[Measured], float | None]) -> dict[str, list[float]]:
    """The values by organ, of the cores that have one."""
    values: dict[str, list[float]] = {}
    for core in cores:
        found = value(core)
        if found is not None:
            values.setdefault(core.organ, []).append(found)
    return values


def organ_table(cores: list[Measured], all_ways: list[Way], seed: int) -> str:
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


def difference(cores: list[Measured], a: Way, b: Way) -> dict[str, list[float]]:
    """Dice with `a` less Dice with `b`, core by core."""

    def value(core: Measured) -> float | None:
        one, other = a.dice(core), b.dice(core)
        return None if one is None or other is None else one - other

    return grouped(cores, value)


def difference_table(cores: list[Measured], a: Way, b: Way, seed: int) -> str:
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


def confusion(cores: list[Measured], limit: float) -> str:
    """The router's confusion matrix, by core."""
    cores = [core for core in cores if core.votes]
    if not cores:
        return "Not measured yet.\n"
    rows, right = [], 0
    for organ in ORGANS:
        sent = [routed_name(core, limit) for core in cores if core.organ == organ]
        right += sent.count(organ)
        rows.append([NAMES[organ], *(str(sent.count(name)) for name in (*ORGANS, "baseline")), str(len(sent))])
    head = ["true organ", *(NAMES[organ] for organ in ORGANS), f"baseline (under {limit:g})", "n"]
    called = sum(ORGANS[max(range(5), key=lambda i: core.votes[i])] == core.organ for core in cores)
    said = f"{right} of {len(cores)} cores ({right / len(cores):.1%}) are sent to their own organ's network; "
    return table(head, rows) + f"\n{said}the router's first guess is right for {called}.\n"


def paper_table(cores: list[Measured], routed: Way) -> str:
    """The paper's Table 2 as printed and with the true counts, beside ours on other images."""
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


def sizes(folder: Path) -> str:
    """The sizes of the bundle's files beside the paper's Table 1."""
    rows = [["paper's U-Net", f"{PAPER_MB['U-Net']:.1f}"]]
    rows.append(["paper's EfficientNet U-Net", f"{PAPER_MB['EfficientNet U-Net']:.1f}"])
    files = sorted(folder.glob("*.onnx"))
    rows += [[path.name, f"{path.stat().st_size / 1e6:.1f}"] for path in files]
    rows.append(["all files of the bundle", f"{sum(path.stat().st_size for path in files) / 1e6:.1f}"])
    return table(["file", "MB"], rows)


def int8_table(cores: list[Measured], chooser: Chooser) -> str:
    """What the int8 variants lose."""
    rows = []
    for name in (*ORGANS, *measured.SINGLE):
        loss = int8_loss(cores, chooser, name)
        if loss is not None:
            rows.append([name, f"{loss['dice']:+.4f}", str(loss["n"]), "yes" if loss["dice"] <= INT8_LOSS else "no"])
    return table(["network", "mean Dice lost", "n", f"at most {INT8_LOSS:g}"], rows) if rows else "Not measured yet.\n"


def int8_loss(cores: list[Measured], chooser: Chooser, name: str) -> dict | None:
    """Mean Dice that a network loses in int8, over the organs' means, with n; None where it was not measured."""
    values = difference(
        [core for core in cores if core.part == "test" and (name in measured.SINGLE or core.organ == name)],
        Way("", lambda core: chooser.dice(core, name)),
        Way("", lambda core: chooser.dice(core, name, ":int8")),
    )
    if not values:
        return None
    return {"dice": round(of_organs(values, 0).mean, 4), "n": sum(map(len, values.values()))}


@torch.no_grad()
def test_sets(config: Config) -> str:
    """Dice on the other sets' images that were kept out of training: of the configuration and of the checkpoints."""
    lines, seen = [], 0
    for run in measured.runs(config)[:1]:
        pictures = stages.load_data(run, run.mpp).test
        for name in ("baseline", "largeintestine"):
            path = run.checkpoint(name)
            asked = [p for p in pictures if name == "baseline" or p.organ == name]
            if not asked or not path.exists():
                continue
            unseen = train.kept_out(path)
            seen += sum(f"{p.set}:{p.id}" not in unseen for p in asked)
            asked = [p for p in asked if f"{p.set}:{p.id}" in unseen]
            if asked:
                network = stages.trained(run, name)
                values = [dice(torch_probability(network, p, run.tile) > 0.5, p.mask) for p in asked]
                sets = ", ".join(sorted({p.set for p in asked}))
                lines.append(f"- {name} ({measured.name_of(run)}) on {sets}: {of_values(values, run.seed)}")
    if lines:
        return f"Threshold 0.5, at the networks' {config.mpp:g} um/px.\n\n" + "\n".join(lines) + "\n"
    if seen:
        return "These networks have been trained on the images that the configuration keeps out, so there is no figure.\n"
    return "The configuration keeps none out (`test` of a set does), so there is no figure.\n"


def run(config: Config, bundle_folder: Path, out: Path) -> None:
    """Write the report to `out`.

    Where nothing was measured, the report of the bundle that the training went on from stays, and only the sizes of the
    files in it are renewed.
    """
    try:
        chooser = calibrate.chooser(config)
    except DataError:
        old = config.finish_from / "RESULTS.md" if isinstance(config.finish_from, Path) else None
        if old is None or not old.exists():
            raise
        write_text(out, with_sizes(old.read_text(encoding="utf-8"), bundle_folder))
        write_json(out.with_suffix(".json"), read_json(old.with_suffix(".json")))
        return
    cores = [core for core in chooser.cores if core.part == "test"]
    done = sorted({core.fold for core in cores})
    serving = Serving(chooser)
    all_ways = ways(serving, config)
    unet, baseline, true_organ, by_router, served, shipped = all_ways
    seed = config.seed
    order = (shipped, served, by_router, true_organ, baseline, unet)
    headline = next((way for way in order if grouped(cores, way.dice)), None)
    if headline is None:
        raise DataError("the measured cores have no network's answers: train a baseline, then `measure`")
    reached = of_organs(grouped(cores, headline.dice), seed)
    plain = [core for core in cores if core.plain]
    deciding = "cores that are measured nowhere" if config.shares else "the other cores, for each core"
    folds = f"{len(done)} of {config.folds} folds" if not config.shares else "one split"
    parts = [
        "# What the models are worth\n",
        "Written by `ftuseg-models report`; nothing here is typed by hand.\n",
        f"{len(cores)} real cores, measured in {folds} ({', '.join(done)}), each by networks that never saw it. Dice at "
        f"the core's own size. Threshold, smallest object and holes were decided by {deciding}. "
        f"Brackets are 95 % bootstrap intervals ({statistics.ROUNDS} rounds; for means of organs' means, images are drawn "
        "within each organ).\n",
        f"The mean of the organs' means, {headline.title}, is **{reached}**. The goal was {GOAL}.\n",
        "## Dice\n",
        organ_table(cores, all_ways, seed),
        "With the mean of the eight turns and mirrorings (`--tta d4`):\n",
        organ_table(cores, ways(serving, config, ":d4"), seed),
        f"On the {len(plain)} cores that were cut out cleanly (the others were un-blended from a figure, and a light rim "
        "can betray the mask):\n",
        organ_table(plain, all_ways, seed),
        "## Five networks or one?\n",
        difference_table(cores, true_organ, baseline, seed),
        difference_table(cores, by_router, baseline, seed),
        difference_table(cores, shipped, baseline, seed),
        "## What answers for an organ in the bundle\n",
        "An organ's own network, the baseline, or the mean of the two: what is best on held-out cores; the mean, which takes "
        f"two runs, only where it gains {BOTH_COST:g}. In the columns 'as the bundle does it' each core's was decided by the "
        "other cores, and so were the thresholds.\n",
        serving_table(cores, serving, seed),
        "## The router\n",
        confusion(cores, config.router_limit),
        "## The paper's figures\n",
        "Percent, on other images than ours. The paper's evaluation divides every organ's sum by 10, but it scored 10, "
        "10, 6, 6 and 5 images; both are shown.\n",
        paper_table(cores, headline),
        "## Sizes\n",
        sizes(bundle_folder),
        "## int8\n",
        f"Dice in fp32 less Dice in int8, on held-out cores. A variant is shipped where it loses at most {INT8_LOSS:g} and answers "
        "nearly as its network does on a drawn tile, too, which looks like none of these cores.\n",
        int8_table(cores, chooser),
        "## Other sets' test images\n",
        test_sets(config),
    ]
    write_text(out, "\n".join(parts))
    write_json(out.with_suffix(".json"), summary(cores, all_ways))


def with_sizes(page: str, folder: Path) -> str:
    """A report with the sizes of the files that are in `folder` now."""
    before, head, rest = page.partition("\n## Sizes\n")
    _, following, after = rest.partition("\n## ")
    return f"{before}{head}\n{sizes(folder)}{following}{after}"


def serving_table(cores: list[Measured], serving: Serving, seed: int) -> str:
    """What each candidate is worth for an organ, and which is taken."""
    rows = []
    for organ in ORGANS:
        asked = [core for core in cores if core.organ == organ]
        cells = []
        for server in candidates(organ):
            values = grouped(asked, lambda core: serving.chooser.dice(core, server, organ=organ))
            cells.append(str(of_values(values[organ], seed)) if values else "-")
        best = serving.best(organ)
        rows.append([NAMES[organ], *cells, "-" if best is None else said_of(best)])
    return table(["organ", "own network", "baseline", "mean of both", "the bundle takes"], rows)


def said_of(server: str) -> str:
    """What answers for an organ, in words."""
    names = [NAMES.get(name, name) for name in networks_of(server)]
    return names[0] if len(names) == 1 else f"the mean of {' and '.join(names)}"


def summary(cores: list[Measured], all_ways: list[Way]) -> dict:
    """Every core's Dice, for whoever wants to work with the figures."""
    rows = []
    for core in cores:
        row = {"id": core.id, "organ": core.organ, "fold": core.fold, "plain": core.plain}
        row |= {way.title: None if (v := way.dice(core)) is None else round(v, 4) for way in all_ways}
        row["votes"] = [round(v, 4) for v in core.votes]
        rows.append(row)
    return {"cores": rows}


def _stated(values: dict[str, list[float]], about: str) -> list[dict]:
    """Mean Dice by organ as a bundle states it; organs without a value are left out."""
    return [
        {"mean": round(sum(values[o]) / len(values[o]), 4), "n": len(values[o]), "organ": o, "set": about}
        for o in ORGANS
        if values.get(o)
    ]


def figures(config: Config) -> dict:
    """What `bundle.toml` states: Dice by network and organ, the router's accuracy, what int8 loses, each with n.

    Where nothing was measured, it is what a bundle states that the training went on from; without one it is empty.
    """
    try:
        chooser = calibrate.chooser(config)
    except DataError:
        return carried.figures(config)
    cores = [core for core in chooser.cores if core.part == "test"]
    folds = ", ".join(sorted({core.fold for core in cores}))
    longer = carried.OTHER_FILES if config.finish_from is not None else ""
    about = f"HPA cores held out in {folds}, by that fold's networks{longer}"
    models: dict[str, list[dict]] = {}
    losses: dict[str, dict] = {}
    for name in (*ORGANS, *measured.SINGLE):
        asked = [core for core in cores if name in measured.SINGLE or core.organ == name]
        values = grouped(asked, lambda core: chooser.dice(core, name))
        if values:
            models[name] = _stated(values, about)
        loss = int8_loss(cores, chooser, name)
        if loss is not None:
            losses[name] = loss | {"set": about}
    serving, served = Serving(chooser), {}
    for organ in ORGANS:
        server = serving.best(organ)
        if server is not None:
            values = grouped(cores, lambda core: serving.dice(core, organ) if core.organ == organ else None).get(organ, [])
            served[organ] = {"by": server, "dice": _stated({organ: values}, about)}
    result: dict = {"models": models, "int8": losses, "serving": served}
    voted = [core for core in cores if core.votes]
    if voted:
        right = sum(routed_name(core, config.router_limit) == core.organ for core in voted)
        result["router"] = {"value": round(right / len(voted), 4), "n": len(voted), "set": about}
    return result
