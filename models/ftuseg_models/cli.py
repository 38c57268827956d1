"""The command line: one command per step."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from . import ORGANS, bundle, calibrate, config as configuration, evaluate, stages, train, trunk
from .kaggle import DataError


def _names(what: str) -> list[str]:
    if what == "organs":
        return list(ORGANS)
    if what == "all":
        return ["baseline", "router", "unet", *ORGANS]
    return [what]


def main(arguments: list[str] | None = None) -> int:
    """Run one command; 0 when it worked, 2 when it could not start."""
    parser = argparse.ArgumentParser(prog="ftuseg-models", description=__doc__)
    parser.add_argument("--config", type=Path, default=Path("config.toml"))
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("train", help="train one model, the five organs' models, or all")
    one.add_argument("what", choices=["router", "baseline", "unet", "organs", "all", *ORGANS])
    commands.add_parser("calibrate", help="find the router's temperature and the smallest objects, on training cores")
    out = commands.add_parser("export", help="write the bundle: ONNX files and bundle.toml")
    out.add_argument("--out", type=Path, help="folder; the configuration's `bundle` if not given")
    out.add_argument("--stand-in", action="store_true", help="organs not trained yet take the baseline's weights")
    measure = commands.add_parser("evaluate", help="measure the bundle's files on the held-out cores")
    measure.add_argument("--out", type=Path, help="folder of the bundle; the configuration's `bundle` if not given")
    options = parser.parse_args(arguments)
    try:
        settings = configuration.load(options.config)
        if options.command == "train":
            for name in _names(options.what):
                job = stages.job(settings, name)
                by_trunk = name == "router" and settings.router_network == "trunk"
                (trunk.run if by_trunk else train.run)(job)
        elif options.command == "calibrate":
            print(json.dumps(calibrate.run(settings), indent=2))
        elif options.command == "export":
            bundle.export_all(settings, options.out or settings.bundle, options.stand_in)
        elif options.command == "evaluate":
            metrics = evaluate.run(settings, options.out or settings.bundle)
            for name, values in metrics["models"].items():
                print(name, ", ".join(f"{v['organ']} {v['mean']:.3f} (n={v['n']})" for v in values))
            print("router", metrics.get("router"))
    except (configuration.ConfigError, DataError, FileNotFoundError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0
