"""The engine of ftuseg."""

from collections.abc import Callable, Iterator, Sequence
from os import PathLike
from pathlib import Path
from typing_extensions import CapsuleType
from typing import Any, Protocol, TypeAlias, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "Doubt",
    "Engine",
    "Objects",
    "OrganMap",
    "Result",
    "__version__",
    "run_command",
    "set_program_folder",
]

__version__: str

class _Bar(Protocol):
    """A bar of tqdm, or what is like one."""

    n: Any
    total: Any
    def update(self, n: Any = ..., /) -> Any: ...

class _Flag(Protocol):
    """A `threading.Event`, or what is like one."""

    def is_set(self) -> bool: ...

_Progress: TypeAlias = Callable[[int, int], object] | _Bar

@final
class Doubt:
    """Something that looks doubtful about a slide or its result."""

    @property
    def kind(self) -> str:
        """Its kind, as in the records: "unsure", "no-tissue", ..."""

    @property
    def text(self) -> str:
        """A sentence for people."""

@final
class OrganMap:
    """The cells that were routed, each with the organ that it went to."""

    @property
    def cells(self) -> NDArray[np.uint8]:
        """`[rows, columns]`: for each cell a place in `names`."""

    @property
    def names(self) -> list[str]:
        """ "glass", and then the organs, the one with the largest share of the tissue first."""

    @property
    def cell_px(self) -> float:
        """The side of a cell, full-size px. Column c begins at px round(c * cell_px)."""

@final
class Objects:
    """The objects that were found, as a table: one row an object, in the order of their numbers.

    pandas, polars, pyarrow and whatever else knows the Arrow C interface take it without a copy:
    `pandas.DataFrame.from_arrow(objects)`, `polars.DataFrame(objects)`, `pyarrow.table(objects)`.
    """

    @property
    def column_names(self) -> list[str]:
        """The names of the columns, which docs/objects.md describes."""

    def __len__(self) -> int: ...
    def __getitem__(self, index: int, /) -> dict[str, Any]: ...
    def __iter__(self) -> Iterator[dict[str, Any]]: ...
    def __arrow_c_schema__(self) -> CapsuleType: ...
    def __arrow_c_array__(
        self, requested_schema: object | None = None
    ) -> tuple[CapsuleType, CapsuleType]: ...
    def __arrow_c_stream__(self, requested_schema: object | None = None) -> CapsuleType: ...

@final
class Result:
    """A segmented slide. It needs neither its engine nor, but for a picture, its slide."""

    @property
    def id(self) -> str:
        """The slide's id."""

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the slide at full size, px."""

    @property
    def mpp(self) -> tuple[float, float] | None:
        """um per px from left to right and from top to bottom, as used; None where they were not known."""

    @property
    def labels(self) -> dict[str, int]:
        """The value of each organ in `mask`, of those that tissue was sent to."""

    @property
    def organs(self) -> list[dict[str, Any]]:
        """What each organ got and what was found there, as in the record, the largest share first."""

    @property
    def mask(self) -> NDArray[np.uint8]:
        """Labels at full size, `[height, width]`: 0 background, else see `labels`. Not to be written to."""

    @property
    def instances(self) -> NDArray[np.uint32]:
        """Each px's object, `[height, width]`: 0 background, else its `id` in `objects`. Not to be written to."""

    @property
    def objects(self) -> Objects:
        """The objects as a table."""

    @property
    def organ_map(self) -> OrganMap:
        """Which organ each part of the slide is."""

    @property
    def warnings(self) -> list[Doubt]:
        """What looks doubtful about the slide or the result."""

    @property
    def record(self) -> dict[str, Any]:
        """What was done, by whom, and what came of it: the command's slide.json, without a folder's name."""

    def read_mask(
        self, x: int, y: int, width: int, height: int, level: int = 0
    ) -> NDArray[np.uint8]:
        """A block of the labels; each level has half the px of the one before along each side."""

    def outlines(self) -> list[list[NDArray[np.uint32]]]:
        """The rings of each object, `[corners, 2]` of x and y: the outer one, then one for each hole."""

    def geojson(self, objects_as: str = "detection") -> str:
        """All objects as GeoJSON, as QuPath reads it: detections, or annotations."""

    def rle(self, organ: str | None = None) -> str:
        """Kaggle's run-length encoding of one organ, or of all that was found."""

    def overlay(self, side: int = 1600) -> bytes:
        """The slide with the outlines of what was found, as PNG; `side` is its longest side, px."""

    def _repr_png_(self) -> bytes: ...

@final
class Engine:
    """A bundle of networks on a runtime. Many threads may use one engine at once.

    All that is not said is as the command does it; `ftuseg segment --help` says what each option means. Lines for people
    (what is fetched, what is passed over) go to the logger `ftuseg`.
    """

    def __new__(
        cls,
        bundle: str | PathLike[str] | None = None,
        device: str = "auto",
        *,
        threads: int | None = None,
        route: str = "tile",
        tissue: str = "auto",
        overlap: int | None = None,
        blend: str = "gaussian",
        tta: str = "none",
        split: str = "none",
        precision: str = "auto",
        backend: str = "auto",
        runtime: str | PathLike[str] | None = None,
        offline: bool = False,
        batch: int | None = None,
        max_models: int | None = None,
    ) -> Engine: ...
    @property
    def runtime(self) -> str:
        """What runs the networks, for people."""

    @property
    def bundle(self) -> str:
        """The bundle's name and version."""

    @property
    def bundle_folder(self) -> Path:
        """The bundle's folder."""

    def segment(
        self,
        slide: str | PathLike[str] | ArrayLike,
        *,
        mpp: float | None = None,
        organ: str | None = None,
        region: tuple[int, int, int, int] | None = None,
        id: str | None = None,
        progress: _Progress | None = None,
        cancel: _Flag | None = None,
    ) -> Result:
        """Segments a slide in a file, or px in memory: uint8 `[height, width, 3 or 4]`, RGB or RGBA.

        `mpp` is um per px. `organ` is the slide's, for the route "given". `region` is x, y, width and height of the part
        that is wanted, full-size px. `progress` is a function of the tiles done and planned, which cancels by returning
        False, or a bar of tqdm. `cancel` is a `threading.Event` that another thread sets. Ctrl-C cancels, too.

        An array of any strides is read where it lies, and must not change meanwhile.
        """

def run_command(arguments: Sequence[str]) -> int:
    """Runs the command `ftuseg`, whose arguments begin with its name, and returns its exit code."""

def set_program_folder(folder: str | PathLike[str]) -> None:
    """Says where the package lies: a bundle that came with it is there, in the folder `bundle`."""
