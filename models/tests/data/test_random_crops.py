"""Crops are drawn from the right pictures, in place with their masks, and varied."""

from __future__ import annotations

import collections
import dataclasses

import numpy as np
import pytest
import torch

from ftuseg_models import ORGANS, UNKNOWN_ORGAN
from ftuseg_models.config import Stage
from ftuseg_models.data import augmentation, random_crops


def is_red(image: torch.Tensor) -> torch.Tensor:
    return image[0] - image[1] > 0.3


@pytest.mark.parametrize("seed", range(6))
def test_image_and_mask_move_together(picture, seed):
    rng = np.random.default_rng(seed)
    x, y = random_crops.centre(picture, rng, 1.0)
    image, mask = random_crops.cut(picture, x, y, 64, rng.uniform(0, 6), rng.uniform(0.7, 1.4), bool(seed % 2))
    assert mask.sum() > 20
    assert (is_red(image) == (mask[0] > 0)).float().mean() > 0.97


def test_a_plain_cut_is_the_picture_itself(picture):
    image, mask = random_crops.cut(picture, 59.5, 59.5, 40, 0.0, 1.0, False)
    expected = torch.from_numpy(picture.image[40:80, 40:80]).permute(2, 0, 1).float() / 255
    assert torch.allclose(image, expected, atol=1e-5)
    assert (mask[0].numpy() == picture.mask[40:80, 40:80]).all()
    mirrored, _ = random_crops.cut(picture, 59.5, 59.5, 40, 0.0, 1.0, True)
    assert torch.allclose(mirrored, expected.flip(2), atol=1e-5)


def test_beyond_a_core_is_glass_and_beyond_a_cut_out_is_more_tissue(picture):
    whole, _ = random_crops.cut(picture, 0, 0, 64, 0.0, 1.0, False)
    assert whole[:, :30, :30].min() > 0.99
    full = dataclasses.replace(picture, image=np.full_like(picture.image, 100), whole=False)
    part, _ = random_crops.cut(full, 0, 0, 64, 0.0, 1.0, False)
    assert part.max() < 0.5


def test_glass_stays_bright_and_everything_in_range():
    rng = np.random.default_rng(1)
    for _ in range(20):
        image = torch.ones(3, 32, 32)
        image[:, 8:24, 8:24] = torch.tensor([0.6, 0.3, 0.5])[:, None, None]
        varied = augmentation.vary_look(image, rng)
        assert varied.shape == image.shape and varied.min() >= 0 and varied.max() <= 1
        assert varied[:, :6, :6].mean() > varied[:, 12:20, 12:20].mean()
    assert np.allclose(augmentation.vary_stain(np.ones((4, 4, 3)), rng, 0.0), 1.0)


def make_pool(picture, **rest):
    pictures = [
        dataclasses.replace(picture, id=f"{organ}{n}", organ=organ)
        for organ, count in zip(ORGANS, (9, 5, 3, 2, 1))
        for n in range(count)
    ]
    other = [dataclasses.replace(picture, id=f"o{n}", set="other", target=False) for n in range(50)]
    return random_crops.Pool(pictures + other, {"other": 1.0}, **rest)


def test_organs_are_drawn_evenly_and_sets_in_their_share(picture):
    pool, rng = make_pool(picture, target_share=0.7), np.random.default_rng(0)
    drawn = [pool.draw(rng) for _ in range(4000)]
    share = np.mean([p.target for p in drawn])
    assert share == pytest.approx(0.7, abs=0.03)
    organs = collections.Counter(p.organ for p in drawn if p.target)
    for organ in ORGANS:
        assert organs[organ] / sum(organs.values()) == pytest.approx(0.2, abs=0.04)


def test_focus_shows_its_organ_and_some_others(picture):
    pool, rng = make_pool(picture, target_share=0.7, focus="spleen", focus_share=0.8), np.random.default_rng(0)
    drawn = [pool.draw(rng).organ for _ in range(2000)]
    assert np.mean([organ == "spleen" for organ in drawn]) == pytest.approx(0.8, abs=0.03)
    assert set(drawn) == set(ORGANS)


def test_a_growing_run_keeps_its_pixels_and_ends_with_large_crops(picture):
    grow = ((0.0, 64), (0.5, 96), (0.9, 192))
    batches = random_crops.MaskBatches(make_pool(picture, target_share=0.7), Stage(crop=128, grow=grow), 128)
    shapes = [tuple(batches.draw(np.random.default_rng(0), 8, p)[0].shape) for p in (0.0, 0.49, 0.5, 0.95, 1.0)]
    assert shapes == [(32, 3, 64, 64)] * 2 + [(14, 3, 96, 96)] + [(4, 3, 192, 192)] * 2
    images, masks = random_crops.MaskBatches(make_pool(picture, target_share=0.7), Stage(crop=128), 128).draw(np.random.default_rng(0), 3)
    assert images.shape == (3, 3, 128, 128) and masks.shape == (3, 1, 128, 128)
    assert set(masks.unique().tolist()) <= {0.0, 1.0}


def test_router_batches_name_the_organ(picture):
    pool = random_crops.Pool([dataclasses.replace(picture, organ="spleen")], {}, 0.7)
    images, organs = random_crops.OrganBatches(pool, 64).draw(np.random.default_rng(0), 2)
    assert images.shape == (2, 3, 64, 64) and organs.tolist() == [3, 3]


def test_batches_for_settling_show_whole_target_cores_of_the_focus(picture):
    pool = make_pool(picture, target_share=0.5, focus="lung")
    rng = np.random.default_rng(3)
    assert {pool.draw_target(rng).id for _ in range(20)} == {"lung0"}
    assert {p.organ for p in (make_pool(picture, target_share=0.5).draw_target(rng) for _ in range(60))} == set(ORGANS)
    images = random_crops.MaskBatches(pool, Stage(crop=64), 160).as_run(rng, 3)
    height, width = picture.image.shape[:2]
    assert images.shape == (3, 3, 160, 160) and max(height, width) < 160
    # a core lies in the middle of glass
    edge = (160 - max(height, width)) // 2
    assert images[:, :, : edge - 1].min() > images[:, :, 60:100, 60:100].min() + 0.2
    assert images[:, :, :3].std() < images[:, :, 60:100, 60:100].std()
    without = random_crops.Pool([p for p in pool.pictures if not p.target], {"other": 1.0}, 0.5)
    assert without.draw_target(rng) is None
    assert random_crops.MaskBatches(without, Stage(crop=64), 160).as_run(rng, 3).shape == (3, 3, 64, 64)


def test_another_staining_keeps_glass_and_shapes_and_changes_colours():
    rng = np.random.default_rng(4)
    image = np.ones((20, 30, 3))
    image[:, :10] = np.exp(-0.8 * np.asarray(augmentation.HAEMATOXYLIN_DAB[0]))
    image[:, 10:20] = np.exp(-0.8 * np.asarray(augmentation.HAEMATOXYLIN_DAB[1]))
    seen = set()
    for _ in range(20):
        found = augmentation.recolour(image, rng)
        assert found.shape == image.shape and found.min() >= 0 and found.max() <= 1
        assert np.allclose(found[:, 20:], 1.0)
        assert np.ptp(found[:, :10], axis=(0, 1)).max() < 1e-9
        brown, blue = found[0, 12], found[0, 2]
        # eosin and PAS let red through and hold green back; DAB holds blue back most
        assert brown[0] > brown[1] and np.abs(brown - image[0, 12]).max() > 0.05
        assert blue.max() < 0.95
        seen.add(tuple(found[0, 12].round(3)))
    assert len(seen) == 20


def test_a_share_of_the_crops_gets_another_staining(picture):
    plain = random_crops.random_crop(picture, np.random.default_rng(1), 32, stain=0.0)[0]
    other = random_crops.random_crop(picture, np.random.default_rng(1), 32, stain=0.0, recoloured=1.0)[0]
    assert not torch.allclose(plain, other, atol=0.05)


def test_a_batch_tells_the_organs_and_hides_some(picture):
    stage = Stage(crop=32, unknown=0.3, target_share=1.0)
    batches = random_crops.MaskBatches(make_pool(picture, target_share=1.0), stage, 64, tells=True)
    rows = torch.cat([batches.draw(np.random.default_rng(seed), 20)[2] for seed in range(10)])
    assert len(rows) == 200 and 0.2 < (rows == UNKNOWN_ORGAN).float().mean() < 0.4
    assert set(rows.tolist()) == set(range(len(ORGANS) + 1))


def test_an_organ_can_be_drawn_more_often(picture):
    pool = make_pool(picture, target_share=1.0, organ_weights={"lung": 6.0, "kidney": 0.0})
    drawn = collections.Counter(pool.draw(np.random.default_rng(seed)).organ for seed in range(400))
    assert drawn["kidney"] == 0 and 0.55 < drawn["lung"] / 400 < 0.8


def test_a_rectangle_of_another_crop_brings_its_mask():
    rng = np.random.default_rng(0)
    mine, other = (torch.zeros(3, 48, 48), torch.zeros(1, 48, 48)), (torch.ones(3, 48, 48), torch.ones(1, 48, 48))
    random_crops.paste(mine, other, rng)
    assert torch.equal(mine[0][:1], mine[1]) and 0.1 <= mine[1].mean() <= 0.45


def test_what_is_cut_out_is_one_colour_and_no_ftu():
    image, mask = torch.zeros(3, 48, 48), torch.ones(1, 48, 48)
    augmentation.cut_out((image, mask), np.random.default_rng(0))
    assert 0 < (mask == 0).float().mean() < 0.25
    assert ((image.sum(dim=0) > 0) == (mask[0] == 0)).all()


def test_mixing_and_cutting_keep_to_the_organ(picture):
    pool = make_pool(picture, target_share=0.7)
    for seed in range(20):
        rng = np.random.default_rng(seed)
        first = pool.draw(rng)
        like = pool.draw_like(first, rng)
        assert (like.organ, like.target) == (first.organ, first.target)
    stage = Stage(crop=64, cutmix=1.0, cutout=1.0)
    images, masks = random_crops.MaskBatches(pool, stage, 64).draw(np.random.default_rng(0), 4)
    assert images.shape == (4, 3, 64, 64) and set(masks.unique().tolist()) <= {0.0, 1.0}
