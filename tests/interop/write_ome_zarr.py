"""Writes OME-Zarr images with ome-zarr, spatialdata and zarr-python, for ftuseg to read.

    python write_ome_zarr.py DIR

Beside the stores lies what is in them: `levels.csv` with path, level, width, height and um/px, and the px of each level as
`NUMBER.LEVEL.rgb`, a byte a sample. Prints how many stores there are.
"""

import csv
import json
import sys
import warnings
from pathlib import Path

import numpy as np
import zarr
from ome_zarr.format import FormatV04, FormatV05
from ome_zarr.writer import write_image, write_multiscale, write_multiscales_metadata

warnings.filterwarnings("ignore")

import spatialdata  # noqa: E402
from spatialdata.models import Image2DModel  # noqa: E402

OUT = Path(sys.argv[1])
ROWS = []
COUNT = 0
C = {"name": "c", "type": "channel"}
T = {"name": "t", "type": "time"}
Z = {"name": "z", "type": "space", "unit": "micrometer"}


def space(unit="micrometer"):
    return [{"name": name, "type": "space", "unit": unit} for name in "yx"]


def picture(height, width, seed):
    """Channel, y and x: smooth, with noise, in places white."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width]
    rgb = np.stack([200 - x * 90 / width, 150 + y * 60 / height, 120 + 80 * np.sin(x / 17) * np.cos(y / 23)])
    rgb += rng.normal(0, 6, rgb.shape)
    rgb[:, (x // 60 + y // 60) % 3 == 0] = 255
    return np.clip(np.rint(rgb), 0, 255).astype(np.uint8)


def done(path):
    """Reads a store with zarr-python and puts its px down, and its um/px."""
    global COUNT
    group = zarr.open_group(OUT / path, mode="r")
    told = dict(group.attrs)
    (told,) = told.get("ome", told)["multiscales"]
    unit = {"micrometer": 1, "nanometer": 1e-3, None: None}[told["axes"][-1].get("unit")]
    mpp = unit and told["datasets"][0]["coordinateTransformations"][0]["scale"][-1] * unit
    for number, one in enumerate(told["datasets"]):
        level = np.asarray(group[one["path"]][:])
        level = level.reshape(3, *level.shape[-2:])
        (OUT / f"{COUNT}.{number}.rgb").write_bytes(np.ascontiguousarray(np.moveaxis(level, 0, -1)).tobytes())
        ROWS.append([path, COUNT, number, level.shape[2], level.shape[1], mpp])
    COUNT += 1


def by_ome_zarr():
    for name, fmt in [("v04", FormatV04()), ("v05", FormatV05())]:
        image = picture(411, 523, 1)
        path = f"by-ome-zarr-{name}.ome.zarr"
        group = zarr.open_group(OUT / path, mode="w", zarr_format=fmt.zarr_format)
        write_image(image, group, fmt=fmt, axes=[C, *space()], scale_factors=[2, 4])
        done(path)
        path = f"five-axes-{name}.zarr"
        group = zarr.open_group(OUT / path, mode="w", zarr_format=fmt.zarr_format)
        levels = [image[np.newaxis, :, np.newaxis], image[np.newaxis, :, np.newaxis, ::2, ::2]]
        scales = [[{"type": "scale", "scale": [1, 1, 1, 250 * n, 250 * n]}] for n in (1, 2)]
        axes = [T, C, dict(Z), *space("nanometer")]
        write_multiscale(levels, group, fmt=fmt, axes=axes, coordinate_transformations=scales, storage_options={"chunks": (1, 1, 1, 100, 120)})
        done(path)


def by_spatialdata():
    image = Image2DModel.parse(picture(300, 400, 2), dims=("c", "y", "x"), c_coords=["r", "g", "b"], scale_factors=[2, 2])
    spatialdata.SpatialData(images={"slide": image}).write(OUT / "store.zarr")
    done("store.zarr/images/slide")


def by_zarr():
    """Ways to store that the others do not use by themselves."""
    blosc = zarr.codecs.BloscCodec
    ways = [
        dict(compressors=[zarr.codecs.ZstdCodec(level=19, checksum=True)]),
        dict(compressors=[zarr.codecs.GzipCodec()], shards=(3, 300, 300)),
        dict(compressors=[zarr.codecs.ZstdCodec()], shards=(3, 500, 600), fill_value=255),
        dict(compressors=[zarr.codecs.ZstdCodec(), zarr.codecs.Crc32cCodec()], chunk_key_encoding={"name": "default", "separator": "."}),
        dict(compressors=None, filters=[zarr.codecs.TransposeCodec(order=(1, 2, 0))]),
    ]
    for name in ["blosclz", "lz4", "lz4hc", "zlib", "zstd"]:
        ways += [dict(compressors=[blosc(cname=name, shuffle=shuffle)]) for shuffle in ["noshuffle", "shuffle", "bitshuffle"]]
    for number, way in enumerate(ways):
        path = f"by-zarr-{number}.zarr"
        image = picture(401, 557, 10 + number)
        group = zarr.open_group(OUT / path, mode="w", zarr_format=3)
        for level, px in enumerate([image, image[:, ::2, ::2]]):
            group.create_array(str(level), shape=px.shape, dtype="u1", chunks=(3, 100, 100), **way)[:] = px
        write_multiscales_metadata(group, datasets(0.5), fmt=FormatV05(), axes=[C, *space()])
        done(path)
    from numcodecs import GZip, Zlib, Zstd

    for number, (codec, order) in enumerate([(Zlib(), "F"), (GZip(), "C"), (Zstd(), "F"), (None, "F")]):
        path = f"by-zarr-2-{number}.zarr"
        image = picture(201, 257, 40 + number)
        group = zarr.open_group(OUT / path, mode="w", zarr_format=2)
        for level, px in enumerate([image, image[:, ::2, ::2]]):
            group.create_array(str(level), shape=px.shape, dtype="u1", chunks=(2, 64, 100), compressors=codec, order=order)[:] = px
        write_multiscales_metadata(group, datasets(0.5), fmt=FormatV04(), axes=[C, *space()])
        done(path)


def datasets(mpp):
    return [
        {"path": str(n), "coordinateTransformations": [{"type": "scale", "scale": [1.0, mpp * 2**n, mpp * 2**n]}]}
        for n in (0, 1)
    ]


def main():
    by_ome_zarr()
    by_spatialdata()
    by_zarr()
    with open(OUT / "levels.csv", "w", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(["path", "number", "level", "width", "height", "mpp"])
        rows.writerows(ROWS)
    print(COUNT)


main()
