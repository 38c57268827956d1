"""Writes RESULTS.md: how good the networks are on cores that they have never seen, next to the paper's figures."""

from __future__ import annotations

from pathlib import Path

import torch

from ..atomic_files import read_json, write_json, write_text
from ..config import Config
from ..data import training_data
from ..errors import DataError
from ..networks.inference import torch_probability
from ..training import checkpoints, jobs
from ..training.metrics import dice
from . import calibration, confidence_intervals, cross_validation, fold_kinds, previous_results
from .comparisons import INT8_LOSS, grouped, ways
from .confidence_intervals import of_organs, of_values
from .figures import summary
from .model_choice import BOTH_COST, ModelChoice
from .paper import GOAL
from .tables import confusion, difference_table, int8_table, organ_table, paper_table, serving_table, sizes, thresholds_table


@torch.no_grad()
def test_sets(config: Config) -> str:
    """Dice on the other sets' images that both the configuration and the checkpoints keep out of training."""
    lines, seen = [], 0
    for run in cross_validation.runs(config)[:1]:
        pictures = training_data.load_data(run, run.mpp).test
        for name in ("baseline", "largeintestine"):
            path = run.checkpoint(name)
            asked = [p for p in pictures if name == "baseline" or p.organ == name]
            if not asked or not path.exists():
                continue
            unseen = checkpoints.kept_out(path)
            seen += sum(f"{p.set}:{p.id}" not in unseen for p in asked)
            asked = [p for p in asked if f"{p.set}:{p.id}" in unseen]
            if asked:
                network = jobs.trained(run, name)
                values = [dice(torch_probability(network, p, run.tile) > 0.5, p.mask) for p in asked]
                sets = ", ".join(sorted({p.set for p in asked}))
                lines.append(f"- {name} ({cross_validation.name_of(run)}) on {sets}: {of_values(values, run.seed)}")
    if lines:
        return f"Threshold 0.5, at the networks' {config.mpp:g} um/px.\n\n" + "\n".join(lines) + "\n"
    if seen:
        return "These networks have been trained on the images that the configuration keeps out, so there is no figure.\n"
    return "The configuration keeps none out (`test` of a set does), so there is no figure.\n"


def run(config: Config, bundle_folder: Path, out: Path) -> None:
    """Write the report to `out`.

    Where nothing was measured, the report of the bundle that the training started from is kept, and only the sizes of the
    files are updated.
    """
    try:
        chooser = calibration.chooser(config)
    except DataError:
        old = config.finish_from / "RESULTS.md" if isinstance(config.finish_from, Path) else None
        if old is None or not old.exists():
            raise
        write_text(out, with_sizes(old.read_text(encoding="utf-8"), bundle_folder))
        write_json(out.with_suffix(".json"), read_json(old.with_suffix(".json")))
        return
    cores = [core for core in chooser.cores if core.part == "test"]
    done = sorted({core.fold for core in cores})
    serving = ModelChoice(chooser)
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
    previous = []
    if config.previous is not None:
        before = previous_results.comparison(cores, headline, config.previous, bundle_folder, seed)
        previous = ["## The bundle before\n", "Each was measured by its own folds.\n", before]
    beside = fold_kinds.comparison(config, cores, headline) if not config.shares else ""
    kinds = []
    if beside:
        kinds = [
            "## Folds by figure and by core\n",
            "Cores that were cut out of one figure share its resampling and its colours. Folds by core have them on both "
            "sides, folds by figure do not; slides from elsewhere are like the latter.\n",
            beside,
        ]
    parts = [
        "# How good the models are\n",
        "Written by `ftuseg-models report`; nothing here is typed by hand.\n",
        f"{len(cores)} real cores, measured in {folds} ({', '.join(done)}), each by networks that have never seen it. Dice at "
        f"the core's own size. Threshold, smallest object and holes were chosen by {deciding}. "
        f"Brackets are 95 % bootstrap intervals ({confidence_intervals.ROUNDS} rounds; for means of organs' means, images "
        "are drawn within each organ).\n",
        f"The mean of the organs' means, {headline.title}, is **{reached}**. The goal was {GOAL}.\n",
        "## Dice\n",
        organ_table(cores, all_ways, seed),
        "With the mean over the eight rotations and reflections (`--tta d4`):\n",
        organ_table(cores, ways(serving, config, ":d4"), seed),
        f"On the {len(plain)} cores that were cut out cleanly (the others were un-blended from a figure, and a light rim "
        "can betray the mask):\n",
        organ_table(plain, all_ways, seed),
        *kinds,
        "## Five networks or one?\n",
        difference_table(cores, true_organ, baseline, seed),
        difference_table(cores, by_router, baseline, seed),
        difference_table(cores, shipped, baseline, seed),
        "## What serves an organ in the bundle\n",
        "An organ's own network, the baseline, or the mean of the two, whichever is best on held-out cores; the mean, which "
        f"takes two runs, only where it gains {BOTH_COST:g}. In the columns 'as the bundle does it' each core's was chosen by "
        "the other cores, and so were the thresholds.\n",
        serving_table(cores, serving, seed),
        "## Thresholds\n",
        "The settings of the bundle, chosen on all cores. The figures above were measured with what the other cores choose for "
        "each core; the table shows the range of these thresholds.\n",
        thresholds_table(serving),
        "## The router\n",
        confusion(cores, config.router_limit),
        *previous,
        "## The paper's figures\n",
        "Percent, on other images than ours. The paper's evaluation divides every organ's sum by 10, but it scored 10, "
        "10, 6, 6 and 5 images; both are shown.\n",
        paper_table(cores, headline),
        "## Sizes\n",
        sizes(bundle_folder),
        "## int8\n",
        f"Dice in fp32 less Dice in int8, on held-out cores. A variant is shipped if it loses at most {INT8_LOSS:g} and "
        "also gives nearly the same answer as its network on a drawn tile, which looks like none of these cores.\n",
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
