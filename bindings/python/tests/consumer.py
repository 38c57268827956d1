"""A small program that uses the package, for mypy to read."""

import threading
from pathlib import Path

import ftuseg
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm


def glomeruli(file: Path) -> list[float]:
    engine = ftuseg.Engine(device="cpu", threads=4)
    with tqdm(unit="tile") as bar:
        found = engine.segment(file, progress=bar)
    areas: list[float] = [row["area_um2"] for row in found.objects]
    return areas


def part(px: NDArray[np.uint8], stop: threading.Event) -> NDArray[np.uint32]:
    def tell(done: int, planned: int) -> None:
        print(f"{done} of {planned}")

    try:
        found = ftuseg.Engine().segment(
            px, mpp=0.5, region=(0, 0, 512, 512), progress=tell, cancel=stop
        )
    except ftuseg.Cancelled:
        return np.zeros(px.shape[:2], np.uint32)
    except ftuseg.FtusegError as error:
        raise SystemExit(f"{error.kind}: {error}") from error
    labels: dict[str, int] = found.labels
    mask: NDArray[np.uint8] = found.mask
    print(labels, mask.sum(), found.organ_map.names, [doubt.text for doubt in found.warnings])
    return found.instances
