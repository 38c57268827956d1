"""Finds functional tissue units in histology slides: glomeruli, glands, crypts, white pulp, alveoli.

    import ftuseg

    engine = ftuseg.Engine()
    found = engine.segment("slide.svs")
    print(len(found.objects), found.organs)

For research use; not a medical device.
"""

from pathlib import Path as _Path

from . import errors
from ._native import (
    Doubt,
    Engine,
    Objects,
    OrganMap,
    Result,
    __version__,
    set_program_folder as _set_program_folder,
)
from .errors import (
    BackendError,
    BundleError,
    Cancelled,
    FormatError,
    FtusegError,
    InternalError,
    IoError,
    LimitError,
    NoModelError,
    NoResolutionError,
    UnsupportedError,
    UsageError,
)

__all__ = [
    "BackendError",
    "BundleError",
    "Cancelled",
    "Doubt",
    "Engine",
    "FormatError",
    "FtusegError",
    "InternalError",
    "IoError",
    "LimitError",
    "NoModelError",
    "NoResolutionError",
    "Objects",
    "OrganMap",
    "Result",
    "UnsupportedError",
    "UsageError",
    "__version__",
    "errors",
]

_set_program_folder(_Path(__file__).resolve().parent)
