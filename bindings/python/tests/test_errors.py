"""Errors are exceptions by kind, and say what happened and to which file."""

import ftuseg
import pytest
from conftest import BUNDLE


def raised(error, call, *words):
    with pytest.raises(error) as caught:
        call()
    assert isinstance(caught.value, ftuseg.FtusegError)
    assert caught.value.kind == error.kind
    for word in words:
        assert word in str(caught.value), caught.value


def test_files(engine, slides, tmp_path):
    nothing = tmp_path / "nothing.tif"
    raised(ftuseg.IoError, lambda: engine.segment(nothing), str(nothing))
    with pytest.raises(OSError):
        engine.segment(str(nothing))
    noise = tmp_path / "noise.tif"
    noise.write_bytes(b"II*\0" + bytes(100))
    raised(ftuseg.FormatError, lambda: engine.segment(noise), str(noise))
    raised(
        ftuseg.UsageError,
        lambda: engine.segment(slides["kidney-1"], region=(0, 0, 5000, 5)),
        "5000",
    )


def test_requests(engine, slides, pixels):
    raised(ftuseg.NoResolutionError, lambda: engine.segment(pixels), "um/px")
    for mpp in (0.0, -1.0, float("nan"), 1e9):
        raised(ftuseg.UsageError, lambda: engine.segment(pixels, mpp=mpp), "um")
    with pytest.raises(ValueError):
        engine.segment(pixels, mpp=0.0)
    raised(ftuseg.UsageError, lambda: engine.segment(pixels, mpp=2.0, organ="heart"), "heart")
    given = ftuseg.Engine(BUNDLE, threads=1, route="given", offline=True)
    raised(ftuseg.UsageError, lambda: given.segment(slides["kidney-1"]), "organ")
    kidney = given.segment(slides["kidney-1"], organ="kidney")
    assert list(kidney.labels) == ["kidney"]


def test_results(found):
    raised(ftuseg.UsageError, lambda: found["kidney-1"].rle("heart"), "heart")
    raised(ftuseg.UsageError, lambda: found["kidney-1"].geojson(objects_as="cell"), "cell")
    for side in (0, 2**20):
        raised(ftuseg.UsageError, lambda: found["kidney-1"].overlay(side), str(side))


def test_engines(tmp_path):
    raised(ftuseg.BundleError, lambda: ftuseg.Engine(tmp_path), str(tmp_path))
    for option, value in {
        "device": "gpu",
        "route": "organ=heart",
        "tissue": "maybe",
        "blend": "mean",
        "tta": "all",
        "split": "all",
        "precision": "fp64",
        "backend": "torch",
        "threads": 0,
        "batch": 257,
        "max_models": 0,
    }.items():
        raised(ftuseg.UsageError, lambda: ftuseg.Engine(BUNDLE, **{option: value}), option)
    no_library = tmp_path / "libonnxruntime.so"
    no_library.write_bytes(b"no library")
    raised(
        ftuseg.BackendError,
        lambda: ftuseg.Engine(BUNDLE, runtime=no_library, offline=True),
        str(no_library),
    )


def test_an_unknown_kind_is_an_internal_error():
    assert type(ftuseg.errors.of_kind("of tomorrow", "x")) is ftuseg.InternalError
