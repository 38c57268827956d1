"""Trains, measures and exports the models of ftuseg: one command per step, or `run` for all of them."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from . import ORGANS, config as configuration
from .config import Config
from .errors import ConfigError, DataError
from .exporting import bundle, model_cards
from .measuring import calibration, cross_validation, recipes, report
from .training import checkpoints, jobs, loop, pseudo_labels, router_head


def _names(what: str, config: Config) -> list[str]:
    if what == "organs":
        return list(ORGANS)
    if what == "all":
        start = ["start"] if jobs.starts(config) else []
        baseline = [] if config.baselines else ["baseline"]
        # a conditioned network serves all organs, except those with a stage of their own
        organs = [organ for organ in ORGANS if not config.conditioned or organ in config.stages]
        pseudo = ["pseudo"] if config.pseudo_rounds else []
        return [*start, *baseline, *pseudo, *organs, "router", "unet"]
    return [what]


def _train(config: Config, what: str) -> None:
    if what == "baseline" and config.baselines:
        raise ConfigError(f"the baselines are those of {config.baselines}, as `baselines` says: train them there")
    for name in _names(what, config):
        if name == "pseudo":
            pseudo_labels.run(config)
            continue
        job = jobs.job(config, name)
        by_trunk = name == "router" and config.router_network == "trunk"
        if by_trunk:
            router_head.run(job, config.router_cell if config.router_other else None)
        else:
            loop.run(job)


def _run(config: Config, out: Path, samples: Path | None = None, both_folds: bool = False) -> None:
    """Every fold, then the models to ship, then the pages about them."""
    for kind in [config, config.with_other_folds()] if both_folds and not config.shares else [config]:
        for part in [kind] if config.shares else [kind.of_fold(fold) for fold in range(config.folds)]:
            _train(part, "all")
        cross_validation.run(kind)
    ship = config.to_ship()
    _train(ship, "all")
    calibration.run(ship)
    bundle.export_all(ship, out)
    report.run(config, out, out / "RESULTS.md")
    model_cards.run(ship, out, samples)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = argparse.ArgumentParser(prog="ftuseg-models", description=__doc__)
    top.add_argument("--config", type=Path, default=Path("config.toml"))
    top.add_argument("--data", type=Path, help="folder that the data's paths are relative to, instead of the configuration's")
    top.add_argument("--work", type=Path, help="folder for caches and checkpoints, instead of the configuration's")
    which = top.add_mutually_exclusive_group()
    which.add_argument("--fold", type=int, help="a fold of the cross-validation, from 0: hold its cores out")
    which.add_argument("--final", action="store_true", help="the models to ship: train on all cores")
    top.add_argument(
        "--other-folds", action="store_true", help="the folds of the other kind than `fold_by` says: the report compares both"
    )
    commands = top.add_subparsers(dest="command", required=True)
    one = commands.add_parser("train", help="train one model, the five organs' models, or all")
    one.add_argument("what", choices=["start", "router", "baseline", "pseudo", "unet", "organs", "all", *ORGANS])
    measure = commands.add_parser("measure", help="run every trained fold's networks on the cores that it held out")
    measure.add_argument("--no-int8", action="store_true", help="skip the int8 variants")
    pack = commands.add_parser("pack", help="copy a run's checkpoints with weights in fp16 and without the training's state")
    pack.add_argument("--out", type=Path, required=True, help="folder for the copies")
    commands.add_parser("calibrate", help="find thresholds, smallest objects and the router's temperature")
    for name, about in (
        ("export", "write the bundle: ONNX files and bundle.toml"),
        ("report", "write RESULTS.md from what was measured"),
        ("run", "everything: every fold, the models to ship, the bundle and its pages"),
    ):
        command = commands.add_parser(name, help=about)
        command.add_argument("--out", type=Path, help="the bundle's folder; the configuration's `bundle` if not given")
        if name == "export":
            command.add_argument("--stand-in", action="store_true", help="the baseline serves organs without a network")
        if name == "run":
            command.add_argument("--samples", type=Path, help="a folder that `ftuseg samples` drew, for the pages' pictures")
            command.add_argument(
                "--both-folds", action="store_true", help="train and measure folds by core as well as by figure"
            )
        if name == "report":
            command.add_argument("--page", type=Path, help="the page; RESULTS.md in the bundle's folder if not given")
    compare = commands.add_parser("compare", help="a table of several measured recipes, with paired differences to the first")
    compare.add_argument("recipes", nargs="+", type=Path, help="their configurations; each is measured in its own `work`")
    card = commands.add_parser("cards", help="write CARDS.md with pictures of drawn cores")
    card.add_argument("--out", type=Path, help="the bundle's folder; the configuration's `bundle` if not given")
    card.add_argument("--samples", type=Path, help="a folder that `ftuseg samples` drew: the page shows what is found in it")
    return top


def main(arguments: list[str] | None = None) -> int:
    """Run one command; 0 when it worked, 2 when it could not start."""
    options = parser().parse_args(arguments)
    try:
        if options.command == "compare":
            print(recipes.comparison([(path.stem, configuration.load(path, options.data)) for path in options.recipes]))
            return 0
        settings = configuration.load(options.config, options.data, options.work)
        if options.other_folds:
            settings = settings.with_other_folds()
        settings = settings.to_ship() if options.final else settings.of_fold(options.fold)
        out = getattr(options, "out", None) or settings.bundle
        if options.command == "train":
            _train(settings, options.what)
        elif options.command == "measure":
            print(f"{cross_validation.run(settings, not options.no_int8)} cores measured")
        elif options.command == "pack":
            for path in sorted(settings.runs.glob("*.pt")):
                checkpoints.pack(path, out / path.name)
                print(out / path.name)
        elif options.command == "calibrate":
            print(json.dumps(calibration.run(settings), indent=2))
        elif options.command == "export":
            bundle.export_all(settings, out, options.stand_in)
        elif options.command == "report":
            page = options.page or out / "RESULTS.md"
            report.run(settings, out, page)
            print(page)
        elif options.command == "cards":
            model_cards.run(settings, out, options.samples)
            print(out / "CARDS.md")
        else:
            _run(settings, out, options.samples, options.both_folds)
    except (ConfigError, DataError, FileNotFoundError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0
