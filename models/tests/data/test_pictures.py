"""Pictures are rescaled in place and read from the cache only while nothing has changed."""

from __future__ import annotations

import numpy as np
import pytest

from ftuseg_models.data import pictures, public_sets, split
from ftuseg_models.errors import DataError


def test_rescaling_keeps_the_mask_in_place(picture):
    half = pictures.rescale(picture, 5.0)
    assert half.image.shape == (60, 60, 3) and half.mpp == 5.0
    assert abs(half.mask.mean() - picture.mask.mean()) < 0.01
    red = half.image[:, :, 0].astype(int) - half.image[:, :, 1] > 70
    assert (red == (half.mask > 0)).mean() > 0.98


def test_the_cache_returns_what_was_put_in(tmp_path, picture):
    calls = []

    def source():
        calls.append(1)
        yield picture
        yield pictures.Picture("8", "s", "lung", picture.image, None, 2.5)

    first = pictures.cached(tmp_path, "key", 2.5, source)
    again = pictures.cached(tmp_path, "key", 2.5, source)
    assert len(calls) == 1
    for a, b in zip(first, again, strict=True):
        assert (a.image == b.image).all() and a.organ == b.organ and a.target == b.target and a.whole == b.whole
        assert (a.mask is None) == (b.mask is None)
    pictures.cached(tmp_path, "key", 4.0, source)
    assert len(calls) == 2


def test_the_state_of_a_folder_changes_with_its_files(tmp_path):
    (tmp_path / "a.png").write_bytes(b"1")
    before = pictures.state_of(tmp_path, 1)
    assert before == pictures.state_of(tmp_path, 1)
    assert before != pictures.state_of(tmp_path, 2)
    (tmp_path / "a.png").write_bytes(b"12")
    assert before != pictures.state_of(tmp_path, 1)


def test_a_glomerulus_gives_the_scale():
    y, x = np.mgrid[:512, :680]
    mask = ((x - 200) ** 2 + (y - 200) ** 2 < 95**2) | ((x - 500) ** 2 + (y - 300) ** 2 < 30**2)
    assert public_sets.glomerulus_mpp(mask) == pytest.approx(1.0, abs=0.02)
    assert public_sets.glomerulus_mpp(np.zeros((9, 9))) == 1.0


def test_a_set_without_masks_says_which_is_missing(tmp_path, picture):
    from PIL import Image

    (tmp_path / "images").mkdir()
    Image.fromarray(picture.image).save(tmp_path / "images" / "one.png")
    with pytest.raises(DataError, match="one.png"):
        list(public_sets.READERS["glas"](tmp_path))


def cores(numbers):
    return [
        pictures.Picture(str(n), "s", ("kidney", "lung")[n % 2], np.zeros((1, 1, 3)), None, 1.0, plain=n % 4 < 2)
        for n in numbers
    ]


def test_the_split_does_not_depend_on_order_and_takes_plain_cores_first():
    chosen = split.choose(cores(range(20)), {"kidney": 3, "lung": 2}, 5)
    assert chosen == split.choose(cores(reversed(range(20))), {"kidney": 3, "lung": 2}, 5)
    assert sorted(int(i) % 2 for i in chosen) == [0, 0, 0, 1, 1]
    assert all(int(i) % 4 < 2 for i in chosen)
    assert chosen != split.choose(cores(range(20)), {"kidney": 3, "lung": 2}, 6)


def test_one_core_always_stays_and_two_choices_never_meet():
    assert len(split.choose(cores([0, 2]), {"kidney": 9}, 1)) == 1
    first = split.choose(cores(range(20)), {"kidney": 3}, 5)
    second = split.choose(cores(range(20)), {"kidney": 3}, 5, frozenset(first))
    assert len(second) == 3 and not first & second
