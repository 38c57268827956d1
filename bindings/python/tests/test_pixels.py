"""Px in memory: whatever their strides, they are the slide that their file is."""

import ftuseg
import numpy as np
import pytest
import tifffile


@pytest.fixture(scope="module")
def flat(engine, pixels, tmp_path_factory):
    """What is found in a file of these px alone, without smaller levels."""
    file = tmp_path_factory.mktemp("flat") / "flat.tif"
    tifffile.imwrite(file, pixels, photometric="rgb")
    return engine.segment(file, mpp=2.0)


def layouts(pixels):
    height, width, _ = pixels.shape
    yield "as it is", pixels
    yield "upside down twice", pixels[::-1].copy()[::-1]
    yield "BGR", pixels[..., ::-1].copy()[..., ::-1]
    yield "columns first", np.asfortranarray(pixels)
    yield "planes", np.ascontiguousarray(pixels.transpose(2, 0, 1)).transpose(1, 2, 0)
    opaque = np.full((height, width, 4), 255, np.uint8)
    opaque[..., :3] = pixels
    yield "RGBA", opaque
    yield "RGBA without A", opaque[..., :3]
    larger = np.zeros((height + 7, width * 2, 3), np.uint8)
    larger[3 : 3 + height, ::2] = pixels
    yield "every second of a larger one", larger[3 : 3 + height, ::2]
    read_only = pixels.copy()
    read_only.setflags(write=False)
    yield "read only", read_only
    yield "what becomes an array", memoryview(pixels)


def test_any_layout_is_the_same_slide(engine, flat, pixels):
    assert flat.mask.any()
    for name, array in layouts(pixels):
        result = engine.segment(array, mpp=2.0)
        assert result.id == "pixels"
        assert result.mask.tobytes() == flat.mask.tobytes(), name
        assert result.rle() == flat.rle()
        assert result.mpp == (2.0, 2.0)
    assert result.overlay() == flat.overlay()
    named = engine.segment(pixels, mpp=2.0, id="flat")
    assert named.geojson() == flat.geojson()
    assert list(named.objects) == list(flat.objects)


def test_a_region_is_that_of_the_whole(engine, found, slides, pixels):
    whole = found["two-organs"].mask
    region = (128, 64, 300, 250)
    x, y, width, height = region
    for slide, mpp in ((slides["two-organs"], None), (pixels, 2.0)):
        part = engine.segment(slide, mpp=mpp, region=region).mask
        inside = part[y : y + height, x : x + width].copy()
        # Holes and small objects are judged by what was run; the rest is the same.
        differing = inside != whole[y : y + height, x : x + width]
        assert inside.any() and differing.mean() < 0.01
        outside = part.copy()
        outside[y : y + height, x : x + width] = 0
        assert not outside.any()


def test_what_is_handed_out_is_kept_and_locked(found):
    result = found["kidney-1"]
    for array in (result.mask, result.instances):
        with pytest.raises(ValueError):
            array[0, 0] = 1
    assert result.mask is result.mask and result.instances is result.instances
    assert result.objects is result.objects


@pytest.mark.parametrize(
    "slide, word",
    [
        (np.zeros((20, 20), np.uint8), "[20, 20]"),
        (np.zeros((20, 20, 2), np.uint8), "20, 2]"),
        (np.zeros((20, 20, 3), np.uint16), "uint16"),
        (np.zeros((0, 20, 3), np.uint8), "20 x 0"),
        (3.5, "float"),
        (b"slide.svs", "bytes"),
        (None, "NoneType"),
    ],
)
def test_what_is_no_slide_is_refused(engine, slide, word):
    with pytest.raises(ftuseg.UsageError) as refused:
        engine.segment(slide, mpp=2.0)
    assert word in str(refused.value)


def test_blocks_that_reach_too_far_are_refused(found):
    result = found["kidney-1"]
    for block in [(0, 0, 2**21, 1), (2**32 - 1, 0, 2, 1)]:
        with pytest.raises(ftuseg.UsageError):
            result.read_mask(*block)
    with pytest.raises(ftuseg.UsageError):
        result.read_mask(0, 0, 1, 1, level=40)
    with pytest.raises(OverflowError):
        result.read_mask(-1, 0, 1, 1)
    assert result.read_mask(0, 0, 0, 5).shape == (5, 0)
