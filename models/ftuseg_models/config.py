"""Reads the TOML file that says where the data lies and how long each stage trains."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field, fields
from pathlib import Path

from . import ORGANS


class ConfigError(ValueError):
    """The configuration file holds something that cannot be used; the message says what and where."""


@dataclass(frozen=True)
class KaggleFolder:
    """A folder in Kaggle's layout: `train.csv` and `train_images/ID.tiff`."""

    path: Path
    target: bool = True
    """Real cores of the domain that the models are for. Only these can be held out."""
    weight: float = 1.0
    """Share of the crops that are not from target folders (ignored for target folders)."""


@dataclass(frozen=True)
class OtherSet:
    """A folder with `images/` and `masks/` of another public set; `kind` names its reader in `sources.py`."""

    kind: str
    path: Path
    weight: float = 1.0


@dataclass(frozen=True)
class Stage:
    """One training run."""

    minutes: float = 40.0
    """Wall time. The learning rate follows the share of it that has passed, also over interruptions."""
    batch: int = 8
    """Crops in one step, over all workers."""
    crop: int = 256
    """Side of a crop in px at the target um/px."""
    grow: bool = False
    """Begin with smaller crops of shrunken pictures (see `crops.MaskBatches`)."""
    learning_rate: float = 1.5e-3
    weight_decay: float = 1e-2
    ema: float = 0.99
    """Decay of the averaged weights, the ones that are exported."""
    target_share: float = 0.7
    """Share of the crops that come from the target cores, organs drawn evenly."""
    organ_share: float = 0.8
    """For an organ's model: share of the crops that show this organ."""
    on_mask: float = 0.6
    """Share of the crops whose middle lies near an FTU; the others lie anywhere on tissue."""
    stain: float = 1.0
    """Strength of the variation of stains. A short run learns more with less."""
    drop: float = 0.2
    """Share of the EfficientNet's deepest block that is skipped at random."""
    width: float = 1.0
    """Width of the standard U-Net: 1.0 has 64 to 1024 channels."""
    workers: int = 1
    """Processes that each compute their part of a batch. On a busy CPU, processes lose less than threads."""


@dataclass(frozen=True)
class Config:
    """Everything a run needs to know."""

    work: Path
    """Folder for caches, checkpoints and logs."""
    bundle: Path
    """Folder that `export` writes."""
    seed: int = 20221122
    mpp: float = 2.5
    """um/px at which the segmentation models work."""
    tile: int = 512
    """Side of the exported segmentation models' input, px."""
    router_mpp: float = 4.0
    router_tile: int = 224
    router_limit: float = 0.5
    """Confidence under which the engine sends a piece of tissue to the baseline."""
    router_network: str = "mobilenet"
    """`mobilenet` trains from scratch and needs hours; `trunk` stands on the baseline's encoder and needs minutes."""
    router_cell: int = 96
    """Side of a routing cell, px at `router_mpp`: the engine cuts tissue into these; the tile adds context."""
    threads: int = 0
    """torch threads of one process; 0 leaves torch's own choice."""
    device: str = "auto"
    """`auto`, `cpu` or `cuda`."""
    precision: str = "auto"
    """`fp32` or `bf16`; `auto` is bf16 on CUDA and on CPUs that have it in hardware, else fp32."""
    holdout: dict[str, int] = field(default_factory=lambda: dict(zip(ORGANS, (3, 3, 2, 2, 2))))
    """Target cores per organ that no training ever sees."""
    validation: dict[str, int] = field(default_factory=lambda: dict(zip(ORGANS, (2, 2, 1, 1, 0))))
    """Target cores per organ that the router does not train on: its temperature is found on them."""
    kaggle: tuple[KaggleFolder, ...] = ()
    sets: tuple[OtherSet, ...] = ()
    stages: dict[str, Stage] = field(default_factory=dict)

    def stage(self, name: str) -> Stage:
        """The settings of stage `name`; the organs' models share the stage `organs` unless they have their own."""
        if name in self.stages:
            return self.stages[name]
        if name in ORGANS and "organs" in self.stages:
            return self.stages["organs"]
        return Stage()


STAGE_NAMES = ("baseline", "unet", "router", "organs", *ORGANS)


def _build(kind: type, table: dict, where: str):
    """A dataclass from a TOML table; an unknown key is an error that names it."""
    known = {f.name for f in fields(kind)}
    for key in table:
        if key not in known:
            raise ConfigError(f"{where}: unknown key `{key}`; known are {', '.join(sorted(known))}")
    return kind(**table)


def load(path: Path) -> Config:
    """Read a configuration file. Relative paths in it are relative to the file's folder."""
    path = Path(path)
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"cannot read the configuration {path}: {error.strerror}") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: {error}") from error
    base = path.resolve().parent

    def place(table: dict, where: str) -> dict:
        if "path" not in table:
            raise ConfigError(f"{where}: `path` is missing")
        return {**table, "path": (base / table["path"]).resolve()}

    for key in ("work", "bundle"):
        if key not in table:
            raise ConfigError(f"{path}: `{key}` is missing (a folder)")
        table[key] = (base / table[key]).resolve()
    table["kaggle"] = tuple(
        _build(KaggleFolder, place(t, f"{path}: [[kaggle]]"), f"{path}: [[kaggle]]") for t in table.get("kaggle", [])
    )
    table["sets"] = tuple(
        _build(OtherSet, place(t, f"{path}: [[sets]]"), f"{path}: [[sets]]") for t in table.get("sets", [])
    )
    stages = table.get("stages", {})
    for name in stages:
        if name not in STAGE_NAMES:
            raise ConfigError(f"{path}: unknown stage `{name}`; known are {', '.join(STAGE_NAMES)}")
    table["stages"] = {name: _build(Stage, t, f"{path}: [stages.{name}]") for name, t in stages.items()}
    for part in ("holdout", "validation"):
        for organ in table.get(part, {}):
            if organ not in ORGANS:
                raise ConfigError(f"{path}: [{part}]: `{organ}` is not an organ; known are {', '.join(ORGANS)}")
    if table.get("router_network", "mobilenet") not in ("mobilenet", "trunk"):
        raise ConfigError(f"{path}: `router_network` is `mobilenet` or `trunk`, not `{table['router_network']}`")
    return _build(Config, table, str(path))
