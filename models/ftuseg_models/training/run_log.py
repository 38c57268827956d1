"""The logs of training runs: one per run, and a status page for all of them."""

from __future__ import annotations

import json
import time
from pathlib import Path

from ..atomic_files import write_json, write_text


def say(folder: Path, name: str, text: str) -> None:
    """Add a line to the run's log and print it."""
    line = f"{time.strftime('%H:%M:%S')} {name}: {text}"
    with open(folder / f"{name}.log", "a", encoding="utf-8") as log:
        log.write(line + "\n")
    print(line, flush=True)
    _page(folder)


def note(folder: Path, name: str, progress: float, step: int, crops: int, loss: float, minutes: float) -> None:
    """Record a run's progress and update the page. `minutes` is the time used so far."""
    left = max(0.0, minutes / max(progress, 1e-6) * (1 - progress))
    entry = {"progress": progress, "step": step, "crops": crops, "loss": loss, "left": left, "at": time.time()}
    write_json(folder / f"{name}.progress.json", entry)
    if progress >= 1.0 or step % 20 < 2:
        say(folder, name, f"{progress:6.1%} step {step} crops {crops} loss {loss:.3f}, {left:.1f} min left")
    else:
        _page(folder)


def _page(folder: Path) -> None:
    """`STATUS.md`: one line per run, and what each logged about its quality."""
    lines = ["# Training", "", "| run | progress | crops | loss | minutes left | as of |", "|---|---|---|---|---|---|"]
    words = []
    for path in sorted(folder.glob("*.progress.json"), key=lambda p: p.stat().st_mtime):
        name = path.name.removesuffix(".progress.json")
        e = json.loads(path.read_text(encoding="utf-8"))
        at = time.strftime("%H:%M:%S", time.localtime(e["at"]))
        lines.append(f"| {name} | {e['progress']:.1%} | {e['crops']} | {e['loss']:.3f} | {e['left']:.1f} | {at} |")
        log = folder / f"{name}.log"
        if log.exists():
            words += [w for w in log.read_text(encoding="utf-8").splitlines() if "Dice" in w or "right" in w]
    write_text(folder / "STATUS.md", "\n".join([*lines, "", *(f"- {w}" for w in words)]) + "\n")
