"""The configuration: a TOML file that says where the data is and how long each stage trains."""

from __future__ import annotations

import math
import tomllib
from dataclasses import dataclass, field, fields, replace
from pathlib import Path

from . import ORGANS
from .errors import ConfigError


@dataclass(frozen=True)
class KaggleFolder:
    """A folder in Kaggle's layout: `train.csv` and `train_images/ID.tiff`."""

    path: Path
    target: bool = True
    """Real cores of the domain that the models are for. Only these can be held out."""
    weight: float = 1.0
    """Share of the crops that are not from target folders (ignored for target folders)."""
    copies: bool = False
    """Additional pictures of target cores, named `CORE_SOURCE`: used for training with their core, never for measuring."""
    suffix: str = ""
    """Appended to every id of the folder after a `_`, for copies that have the id of their core."""


@dataclass(frozen=True)
class OtherSet:
    """A folder with `images/` and `masks/` of another public set; `kind` names its reader in `data/public_sets.py`."""

    kind: str
    path: Path
    weight: float = 1.0
    test: str = ""
    """Images whose names start with this are never trained on; `report` measures on them."""


@dataclass(frozen=True)
class Stage:
    """One training run."""

    minutes: float = 40.0
    """Wall time. The learning rate follows the elapsed share, across interruptions."""
    crops: int = 0
    """Instead of `minutes`: the run ends after `crops` / `batch` steps, however busy the machine is. A step of fewer, larger
    crops (`grow`) counts the same as any other, since it takes as long."""
    batch: int = 8
    """Crops per step, over all workers."""
    crop: int = 256
    """Side of a crop in px at the target um/px."""
    grow: tuple[tuple[float, int], ...] = ()
    """Side of the crops during the run: pairs of progress (0..1) and px, see `random_crops.MaskBatches`. Empty: `crop`."""
    learning_rate: float = 1.5e-3
    weight_decay: float = 1e-2
    ema: float = 0.99
    """Decay of the averaged weights, the ones that are exported."""
    keep: float = 0.0
    """Share of the initial weights that is mixed into the exported ones. On images unlike the training data this can recover
    what a long run has lost (Wortsman et al., Robust fine-tuning of zero-shot models, 2022)."""
    target_share: float = 0.7
    """Share of the crops that come from the target cores, organs drawn evenly."""
    organ_share: float = 0.8
    """For an organ's model: share of the crops that show this organ."""
    on_mask: float = 0.6
    """Share of the crops that are centred near an FTU; the others lie anywhere on tissue."""
    stain: float = 1.0
    """Strength of the stain augmentation. Short runs do better with less."""
    drop: float = 0.2
    """Drop-path rate of the EfficientNet's deepest block."""
    width: float = 1.0
    """Width of the standard U-Net: 1.0 has 64 to 1024 channels."""
    dilated: bool = False
    """Give the standard U-Net a bottleneck of parallel dilated convolutions, the improvement that the paper suggests."""
    encoder_rate: float = 1.0
    """Learning rate of the encoder as a share of `learning_rate`: pretrained weights should move less than new ones."""
    recolour: float = 0.0
    """Share of the crops whose two stains are replaced by those of another staining (see `augmentation.recolour`)."""
    settled: bool = True
    """Re-estimate the statistics of batch normalisation at the end. Networks trained from scratch gain by it; some that
    started from pretrained weights lose."""
    scales: tuple[float, float] = (0.7, 1.4)
    """Smallest and largest magnification of a crop."""
    cutmix: float = 0.0
    """Share of the crops that get a rectangle of another crop of the same organ (Yun et al. 2019)."""
    cutout: float = 0.0
    """Share of the crops that lose one to three rectangles, image and mask (DeVries and Taylor 2017)."""
    unknown: float = 0.2
    """Share of the crops whose organ is withheld from a `conditioned` network, so that it also works where the organ is
    uncertain."""
    organ_weights: dict[str, float] = field(default_factory=dict)
    """Relative frequency of an organ's target cores; 1 for organs that are not listed."""
    start_from: str = "baseline"
    """What an organ's model starts from: the `baseline`, or what the baseline itself started from (`start`)."""
    early_stop: bool = False
    """For an organ's model: keep the weights from the point of the run where they score best on a quarter of the organ's
    training cores, which are set aside for this. The models to ship set nothing aside; they stop where those of the folds
    were best, on average."""
    loss: str = "dice+ce"
    """`dice+ce`, `ce+lovasz` (Berman et al. 2018, the Lovasz hinge three times the cross-entropy), or `dice` alone as in
    the paper."""
    workers: int = 1
    """Processes that share each batch. On a busy CPU, processes lose less time than threads."""
    loaders: int = 0
    """Processes that prepare crops in advance; for a GPU, use as many as there are CPU cores."""


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
    overlap: int = 48
    """px by which neighbouring tiles overlap in the engine."""
    encoder: str = "b0"
    """Encoder of the EfficientNet U-Nets: `b0`, `lite0` to `lite4`, or any name that segmentation_models_pytorch knows,
    with `tu-` in front of timm's."""
    decoder: tuple[int, ...] = ()
    """Channels of the EfficientNet U-Nets' decoder, deepest first; empty: 256, 128, 64, 32, 16. The decoder takes most of the
    time."""
    conditioned: bool = False
    """Tell the EfficientNet U-Net its organ (see `networks/organ_conditioning.py`): one training run, one file per organ."""
    weights: str = ""
    """What the first stage's encoder starts from: nothing (random weights), `imagenet`, or the path of a file."""
    fold_by: str = "core"
    """What is never on both sides of the cross-validation: a `core`, or a whole `figure` (cores of nearly the same size in
    px were cut out of the same figure, and share its resampling and its colours)."""
    pseudo_rounds: int = 0
    """How many times the baseline labels the pictures without masks and continues training on them, with the budget of the
    stage `pseudo` (see `training/pseudo_labels.py`)."""
    router_mpp: float = 4.0
    router_tile: int = 224
    router_limit: float = 0.5
    """Confidence under which the engine sends a piece of tissue to the baseline."""
    router_network: str = "mobilenet"
    """`mobilenet` is trained from scratch for hours; `trunk` uses the baseline's encoder and takes minutes."""
    router_other: bool = False
    """Let a `trunk` router say that tissue is none of the organs (see `networks/other_tissue.py`): one more output."""
    router_cell: int = 96
    """Side of a routing cell, px at `router_mpp`: the engine cuts tissue into these; the tile adds context."""
    threads: int = 0
    """torch threads of one process; 0 leaves the choice to torch."""
    device: str = "auto"
    """`auto`, `cpu` or `cuda`."""
    precision: str = "auto"
    """`fp32` or `bf16`; `auto` is bf16 on CUDA and on CPUs that have it in hardware, else fp32."""
    folds: int = 3
    """Parts of the cross-validation. Every target core is held out in exactly one of them."""
    shares: tuple[float, float, float] = ()
    """Proportions of training, validation and test, such as the paper's 7:2:1. Replaces `holdout`."""
    finish_from: int | Path | None = None
    """What `--final` starts from: a part of the cross-validation, or a bundle's folder; None is where the folds start."""
    continues: Path | None = None
    """Work folder of another configuration: each fold's baseline continues from that of the same fold there. It may be
    `conditioned` where the other one is not. For the models to ship, `finish_from` comes first."""
    baselines: Path | None = None
    """Work folder of another configuration whose folds' baselines this one takes as they are."""
    shared: Path | None = None
    """Folder of what both kinds of folds share, if it is not `work`."""
    previous: Path | None = None
    """An earlier bundle's folder: the report compares its results with the new ones, core by core."""
    final: bool = False
    """Train on all target cores: the models to ship, after the folds have shown how good the recipe is."""
    fold: int | None = None
    """The fold whose cores are held out, from 0; None holds out `holdout`."""
    holdout: dict[str, int] = field(default_factory=lambda: dict(zip(ORGANS, (3, 3, 2, 2, 2))))
    """Number of target cores per organ that are held out where neither a fold nor `shares` decides."""
    validation: dict[str, int] = field(default_factory=lambda: dict(zip(ORGANS, (2, 2, 1, 1, 0))))
    """Number of target cores per organ that a `mobilenet` router is not trained on but calibrated on."""
    kaggle: tuple[KaggleFolder, ...] = ()
    sets: tuple[OtherSet, ...] = ()
    stages: dict[str, Stage] = field(default_factory=dict)

    def stage(self, name: str) -> Stage:
        """The settings of stage `name`; the organs' models share the stage `organs` unless they have their own.

        Where the models to ship start from trained weights, they use the stage `final`.
        """
        stage = self._own_stage(name)
        if self.finishes(name) and "final" in self.stages and name not in ("router", "start"):
            # another budget and learning rate, but the same network
            return replace(self.stages["final"], width=stage.width, dilated=stage.dilated, drop=stage.drop, loss=stage.loss)
        return stage

    def finishes(self, name: str) -> bool:
        """Whether a model to ship continues from the weights that `finish_from` names. One that stops early does not continue
        from a fold's: training on is what it loses by."""
        anew = isinstance(self.finish_from, int) and self._own_stage(name).early_stop
        return self.final and self.finish_from is not None and not anew

    def _own_stage(self, name: str) -> Stage:
        if name in self.stages:
            return self.stages[name]
        if name in ORGANS and "organs" in self.stages:
            return self.stages["organs"]
        return Stage()

    @property
    def runs(self) -> Path:
        """Folder of the checkpoints; each fold has its own."""
        if self.final:
            return self.work / "final"
        return self.work if self.fold is None else self.work / f"fold-{self.fold}"

    def baseline_of_round(self, number: int) -> Path:
        """The checkpoint of the baseline after this many rounds of pseudo-labels."""
        if number:
            return self.runs / f"baseline-{number}.pt"
        return (replace(self, work=self.baselines) if self.baselines else self).runs / "baseline.pt"

    def checkpoint(self, name: str) -> Path:
        """The checkpoint of a network. An organ without its own uses the conditioned baseline's; the baseline's is that of
        the last round of pseudo-labels."""
        own = self.runs / f"{name}.pt"
        if name == "baseline" or (self.conditioned and name in ORGANS and not own.exists()):
            rounds = (self.baseline_of_round(number) for number in range(self.pseudo_rounds, 0, -1))
            return next((path for path in rounds if path.exists()), self.baseline_of_round(0))
        return own

    @property
    def common(self) -> Path:
        """Folder of the caches and of the stage `start`, which sees no target core."""
        return self.shared or self.work

    def with_other_folds(self) -> Config:
        """The same configuration with folds of the other kind, by core or by figure, in a folder of their own."""
        other = "core" if self.fold_by == "figure" else "figure"
        beside = {"work": self.work, "continues": self.continues, "baselines": self.baselines}
        folders = {key: folder / f"by-{other}" for key, folder in beside.items() if folder}
        return replace(self, fold_by=other, shared=self.common, **folders)

    def of_fold(self, fold: int | None) -> Config:
        """The same configuration for one fold."""
        if fold is not None and not 0 <= fold < self.folds:
            raise ConfigError(f"there is no fold {fold}: `folds` is {self.folds}, they count from 0")
        if fold is not None and self.shares:
            raise ConfigError(f"there is no fold {fold}: `shares` makes one split; leave `--fold` out")
        return replace(self, fold=fold, final=False)

    def to_ship(self) -> Config:
        """The same configuration for the models that are trained on all cores."""
        return replace(self, fold=None, final=True)


CHOICES = {
    "precision": ("auto", "fp32", "bf16"),
    "router_network": ("mobilenet", "trunk"),
    "loss": ("dice+ce", "ce+lovasz", "dice"),
    "fold_by": ("core", "figure"),
    "start_from": ("baseline", "start"),
}
"""Keys that accept only certain words."""

STAGE_NAMES = ("start", "final", "baseline", "pseudo", "unet", "router", "organs", *ORGANS)


MOST_EXTENDED = 8
"""Configurations that may extend one another in a row."""


def _build(kind: type, table: dict, where: str):
    """A dataclass from a TOML table; an unknown key is an error that names it."""
    # these are set by the command line, not by the file
    known = {f.name for f in fields(kind)} - {"final", "fold", "shared"}
    for key in table:
        if key not in known:
            raise ConfigError(f"{where}: unknown key `{key}`; known are {', '.join(sorted(known))}")
    if "grow" in table:
        grow = table["grow"]
        fits = isinstance(grow, list) and all(
            isinstance(g, list) and len(g) == 2 and 0 <= g[0] < 1 and g[1] >= 32 and g[1] % 32 == 0 for g in grow
        )
        if not fits or [g[0] for g in grow] != sorted(g[0] for g in grow):
            raise ConfigError(f"{where}: `grow` is a list of [progress, side]: 0 <= progress < 1, rising; side divides by 32")
        table = {**table, "grow": tuple((float(g[0]), int(g[1])) for g in grow)}
    for key in ("crop", "tile", "router_tile"):
        side = table.get(key, 32)
        if not (isinstance(side, int) and side >= 32 and side % 32 == 0):
            raise ConfigError(f"{where}: `{key}` is a side in px that divides by 32, not {side!r}")
    rounds = table.get("pseudo_rounds", 0)
    if not (isinstance(rounds, int) and 0 <= rounds <= 9):
        raise ConfigError(f"{where}: `pseudo_rounds` is a whole number from 0 to 9, not {rounds!r}")
    for key in ("minutes", "batch", "workers", "mpp", "router_mpp", "folds"):
        number = table.get(key, 1)
        if not (isinstance(number, (int, float)) and 0 < number < math.inf):
            raise ConfigError(f"{where}: `{key}` is a number above 0, not {number!r}")
    if "decoder" in table:
        channels = table["decoder"]
        if not (isinstance(channels, list) and len(channels) == 5 and all(isinstance(c, int) and c > 0 for c in channels)):
            raise ConfigError(f"{where}: `decoder` is a list of five numbers of channels, such as [256, 128, 64, 32, 16]")
        table = {**table, "decoder": tuple(channels)}
    crops = table.get("crops", 0)
    if not (isinstance(crops, int) and crops >= 0):
        raise ConfigError(f"{where}: `crops` is a whole number, not {crops!r}")
    if "scales" in table:
        scales = table["scales"]
        if not (isinstance(scales, list) and len(scales) == 2 and 0 < scales[0] <= scales[1]):
            raise ConfigError(f"{where}: `scales` is the least and the largest enlargement, such as [0.7, 1.4]")
        table = {**table, "scales": tuple(map(float, scales))}
    for organ, weight in table.get("organ_weights", {}).items():
        if organ not in ORGANS or not (isinstance(weight, (int, float)) and 0 <= weight < math.inf):
            known = ", ".join(ORGANS)
            raise ConfigError(f"{where}: `organ_weights`: `{organ}` = {weight!r}; organs are {known}, weights 0 or more")
    for key, choices in CHOICES.items():
        if key in table and table[key] not in choices:
            raise ConfigError(f"{where}: `{key}` is one of {', '.join(choices)}, not `{table[key]}`")
    return kind(**table)


def _read(path: Path, depth: int = 0) -> dict:
    """The tables of a configuration file, laid over those of the file that it `extends`."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"cannot read the configuration {path}: {error.strerror}") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: {error}") from error
    if "extends" not in table:
        return table
    if depth == MOST_EXTENDED:
        raise ConfigError(f"{path}: `extends` leads through more than {MOST_EXTENDED} files; does one extend itself?")
    below = _read(path.resolve().parent / table.pop("extends"), depth + 1)
    return _laid_over(below, table)


def _laid_over(below: dict, table: dict) -> dict:
    """Two configurations as one: tables are merged key by key, anything else of `table` replaces what lies below."""
    merged = dict(below)
    for key, value in table.items():
        both = isinstance(value, dict) and isinstance(below.get(key), dict)
        merged[key] = _laid_over(below[key], value) if both else value
    return merged


def load(path: Path, data: Path | None = None, work: Path | None = None) -> Config:
    """Read a configuration file. Relative paths in it are relative to the file's folder, also those that stand in a file that
    it `extends`.

    `data` replaces that folder for the data sets, `work` the folder for caches and checkpoints.
    """
    path = Path(path)
    table = _read(path)
    base = path.resolve().parent

    def place(table: dict, where: str) -> dict:
        if "path" not in table:
            raise ConfigError(f"{where}: `path` is missing")
        return {**table, "path": (Path(data or base) / table["path"]).resolve()}

    for key in ("work", "bundle"):
        if key not in table:
            raise ConfigError(f"{path}: `{key}` is missing (a folder)")
        table[key] = (base / table[key]).resolve()
    if work is not None:
        table["work"] = Path(work).resolve()
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
    if "shares" in table:
        shares = table["shares"]
        if not (isinstance(shares, list) and len(shares) == 3 and all(s >= 0 for s in shares) and shares[0] > 0):
            raise ConfigError(f"{path}: `shares` is a list of three parts, such as [7, 2, 1]")
        table["shares"] = tuple(map(float, shares))
    if table.get("weights") not in (None, "", "imagenet"):
        table["weights"] = str((base / table["weights"]).resolve())
    for key in ("previous", "continues", "baselines"):
        if key in table:
            table[key] = (base / table[key]).resolve()
    finish_from = table.get("finish_from")
    if isinstance(finish_from, str):
        table["finish_from"] = (base / finish_from).resolve()
    elif finish_from is not None and not 0 <= finish_from < table.get("folds", 3):
        raise ConfigError(f"{path}: `finish_from` = {finish_from} is not one of the folds, which count from 0")
    if isinstance(finish_from, int) and "shares" in table:
        raise ConfigError(f"{path}: `finish_from` names a fold, and with `shares` there are none")
    return _build(Config, table, str(path))
