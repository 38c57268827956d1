"""Writes CARDS.md: what each model of a bundle is, what it was trained on, and where it fails, with drawn pictures."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import numpy as np
from PIL import Image
from scipy import ndimage

from .. import ORGANS
from ..atomic_files import read_json, write_text
from ..config import Config, KaggleFolder
from ..data.target_cores import read_cores
from ..measuring.comparisons import SERVED
from ..measuring.tables import NAMES, table
from ..measuring.thresholds import Choice, clean
from ..networks.encoders import title
from ..onnx_graphs import sessions
from ..training.metrics import dice
from ..training.previous_bundle import min_area_um2
from .bundle_toml import origin

TRUTH, FOUND = (0, 160, 0), (220, 0, 200)
"""Green and magenta: apart for most colour-blind eyes, and neither is a stain."""
SIDE = 480
"""Side of a picture, px."""


def _outline(mask: np.ndarray) -> np.ndarray:
    """The inner edge of a mask, two px wide."""
    return mask & ~ndimage.binary_erosion(mask, iterations=2)


def _enlarged(mask: np.ndarray, side: int) -> np.ndarray:
    grey = Image.fromarray(mask.astype(np.uint8) * 255).resize((side, side), Image.Resampling.BILINEAR)
    return np.asarray(grey) > 127


def picture(image: np.ndarray, truth: np.ndarray, found: np.ndarray) -> Image.Image:
    """The image with the truth's outlines in green and what was found in magenta."""
    shown = np.array(Image.fromarray(image).resize((SIDE, SIDE), Image.Resampling.BILINEAR))
    shown[_outline(_enlarged(truth, SIDE))] = TRUTH
    shown[_outline(_enlarged(found, SIDE))] = FOUND
    # few colours are enough for outlines, and keep the file small
    return Image.fromarray(shown).quantize(96)


def _sets(config: Config) -> str:
    """What the networks were trained on."""
    names = [f"`{folder.path.name}`" for folder in config.kaggle]
    names += [f"`{other.path.name}`" + (f" without {other.test}*" if other.test else "") for other in config.sets]
    return ", ".join(names)


def _draw(config: Config, out: Path, members: list[dict], samples: list, folder: Path) -> str:
    """Draw what an organ's models find together on its drawn cores; returns the lines that show the pictures."""
    opened = [sessions.open_session(out / one["file"], config.threads) for one in members]
    entry = members[0]
    choice = Choice(entry["threshold"], min_area_um2(entry), entry["fill_holes"])
    rows = []
    for core in [core for core in samples if core.organ == entry["organ"]]:
        answers = [sessions.probability(session, core, entry["mpp"], entry["tile"]) for session in opened]
        found = np.mean(answers, axis=0) >= choice.threshold
        found = clean(found, core.mpp, choice)
        name = f"{core.id}.png"
        picture(core.image, core.mask > 0, found).save(folder / name, optimize=True)
        rows.append(f"![{core.id}]({folder.name}/{name})\n\nDrawn core {core.id}: Dice {dice(found, core.mask):.3f}.\n")
    return "\n".join(rows)


def _worst(results: dict, organ: str) -> str:
    """The held-out core with the worst result for the organ."""
    cores = [core for core in results.get("cores", []) if core["organ"] == organ]
    cores = [core for core in cores if core.get(SERVED) is not None]
    if not cores:
        return "No held-out core was measured.\n"
    worst = min(cores, key=lambda core: core[SERVED])
    return f"Of the {len(cores)} held-out cores the worst is {worst['id']} with a Dice of {worst[SERVED]:.3f}.\n"


def run(config: Config, out: Path, samples: Path | None = None) -> None:
    """Write `out/CARDS.md` and its pictures. `samples` is a folder that `ftuseg samples` drew; without it there are none."""
    described = tomllib.loads((out / "bundle.toml").read_text(encoding="utf-8"))
    results = read_json(out / "RESULTS.json")
    drawn = list(read_cores(KaggleFolder(samples, target=False))) if samples is not None else []
    folder = out / "pictures"
    folder.mkdir(exist_ok=True)
    for old in folder.glob("*.png"):
        old.unlink()
    parts = [
        f"# The models of {described['name']} {described['version']}\n",
        "Written by `ftuseg-models cards`. For research use only; no medical device.\n",
        f"{title(config.encoder)} U-Nets; {origin(config)}. Training data: {_sets(config)} (public sets for research use; "
        "most state no licence, so the weights are for research use too). The target cores show healthy tissue.\n",
    ]
    if drawn:
        parts.append(
            "Pictures: cores that `ftuseg samples` draws, with the truth in green and what the model found in magenta. "
            "Drawn tissue is not what the models are for; it shows what they look for and what misleads them.\n"
        )
    for entry in described["model"]:
        shown = ("role", "file", "parameters", "mpp", "tile", "threshold")
        rows = [[key, str(entry[key])] for key in shown] + [["smallest object, um2", f"{min_area_um2(entry):g}"]]
        parts += [f"## {entry['name']}\n", table(["", ""], rows)]
        for figure in entry.get("dice", []):
            parts.append(f"- {NAMES[figure['organ']]}: mean Dice {figure['mean']:.3f} (n = {figure['n']}, {figure['set']})")
        parts.append("")
        if entry.get("organ") in ORGANS:
            members = [one for one in described["model"] if one.get("organ") == entry["organ"]]
            if len(members) > 1:
                both = " and ".join(one["name"] for one in members)
                parts.append(f"The bundle uses the mean of {both}; the Dice is that of the mean.\n")
            if entry is members[0]:
                parts += ["Known failures:\n", _worst(results, entry["organ"]), _draw(config, out, members, drawn, folder)]
    if "router" in described:
        router = described["router"]
        accuracy = router.get("accuracy")
        parts.append("## router\n")
        rows = [[key, json.dumps(router[key])] for key in ("file", "parameters", "mpp", "tile", "cell", "limit", "fallback")]
        parts.append(table(["", ""], rows))
        if accuracy:
            parts.append(f"Right for {accuracy['value']:.1%} (n = {accuracy['n']}, {accuracy['set']}).\n")
    write_text(out / "CARDS.md", "\n".join(parts))
