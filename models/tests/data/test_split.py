"""Folds keep together what belongs together."""

from __future__ import annotations

import csv
import dataclasses
from dataclasses import dataclass

import numpy as np
import pytest
import tifffile
from PIL import Image

from ftuseg_models import ORGANS, config
from ftuseg_models.data import kaggle, split, target_cores, training_data
from ftuseg_models.errors import DataError


@dataclass(frozen=True)
class Core:
    """What the split looks at."""

    id: str
    organ: str
    side: int
    measurable: bool = True
    plain: bool = True

    @property
    def core(self) -> str:
        return self.id.split("_")[0]


SIDES = (216, 217, 234, 264, 266, 328, 345, 346, 365, 508, 810)


def some_cores() -> list[Core]:
    return [Core(str(i), ORGANS[i % 5], SIDES[i % len(SIDES)], measurable=i % 7 != 0) for i in range(80)]


def test_a_figure_is_a_chain_of_nearly_equal_sides():
    groups = [sorted({c.side for c in group}) for group in split.figures(some_cores())]
    assert groups == [[216, 217], [234], [264, 266], [328], [345, 346], [365], [508], [810]]


def test_folds_by_figure_hold_every_measurable_core_out_once_and_never_split_a_figure():
    cores_ = some_cores()
    parts = split.figure_folds(cores_, 3, 1)
    assert sorted(i for part in parts for i in part) == sorted(c.id for c in cores_ if c.measurable)
    for group in split.figures(cores_):
        ids = {c.id for c in group if c.measurable}
        assert sum(bool(ids & part) for part in parts) == 1
    for organ in ORGANS:
        counts = [sum(c.organ == organ and c.id in part for c in cores_) for part in parts]
        assert min(counts) >= 2, (organ, counts)
    assert parts == split.figure_folds(list(reversed(cores_)), 3, 1)


def add(folder, identity, organ, side, way):
    """One more picture in a Kaggle folder."""
    image = np.full((side, side, 3), 200, dtype=np.uint8)
    mask = np.zeros((side, side), dtype=np.uint8)
    mask[4:20, 4:20] = 1
    tifffile.imwrite(folder / "train_images" / f"{identity}.tiff", image, photometric="rgb")
    with open(folder / "train.csv", "a", newline="", encoding="utf-8") as file:
        csv.writer(file).writerow([identity, organ, side, side, 300.0 / side, kaggle.rle_encode(mask), way])


@pytest.fixture
def with_copies(config_file, kaggle_folder, tmp_path):
    """The small data set, with a grey core and a folder of further pictures."""
    add(kaggle_folder, "50", "lung", 128, "gray")
    copies = tmp_path / "copies"
    (copies / "train_images").mkdir(parents=True)
    (copies / "train.csv").write_text((kaggle_folder / "train.csv").read_text().splitlines()[0] + "\n")
    for number in range(15):
        add(copies, f"{number}_other", ORGANS[number // 3], 200, "plain")
    text = config_file.read_text().replace('[[kaggle]]\npath = "cores"\n', '[[kaggle]]\npath = "cores"\n[[kaggle]]\npath = "copies"\ncopies = true\n')
    config_file.write_text(text)
    return config.load(config_file)


@pytest.mark.parametrize("fold_by", ["core", "figure"])
def test_further_pictures_train_only_where_their_core_does(with_copies, fold_by):
    settings = dataclasses.replace(with_copies, fold_by=fold_by)
    held = []
    for fold in range(3):
        data = training_data.load_data(settings.of_fold(fold), 2.5)
        out = {p.id for p in data.held_out}
        held += out
        assert out == set(target_cores.held_out_ids(settings.of_fold(fold)))
        assert not out & {p.id.split("_")[0] for p in data.training}
        assert all(p.measurable for p in data.held_out)
        if fold_by == "figure":
            sides = {c.side for c in target_cores.target_cores(settings) if c.id in out}
            assert not sides & {c.side for c in target_cores.target_cores(settings) if c.id in {p.id for p in data.training}}
        else:
            assert "50" in {p.id for p in data.training}
    assert sorted(held, key=int) == [str(i) for i in range(15)]


def test_the_models_to_ship_see_all(with_copies):
    data = training_data.load_data(with_copies.to_ship(), 2.5)
    assert len(data.training) == 15 + 1 + 15 and not data.held_out


def test_an_id_in_two_folders_is_refused(with_copies, tmp_path):
    add(tmp_path / "copies", "3", "kidney", 64, "plain")
    with pytest.raises(DataError, match="core 3 is there twice"):
        training_data.load_data(with_copies.of_fold(0), 2.5)


def test_pictures_with_their_cores_own_ids_become_copies_by_a_suffix(with_copies, kaggle_folder, tmp_path):
    folder = config.KaggleFolder(tmp_path / "copies", copies=True, suffix="better")
    add(tmp_path / "copies", "3", "kidney", 64, "plain")
    settings = dataclasses.replace(with_copies, kaggle=(with_copies.kaggle[0], folder))
    assert "3_better" in {core.id for core in target_cores.target_cores(settings)}
    for fold in range(3):
        data = training_data.load_data(settings.of_fold(fold), 2.5)
        seen, apart = {p.id for p in data.training}, {p.id for p in data.held_out}
        assert "3_better" not in apart and ("3_better" in seen) == ("3" in seen)


def test_parts_of_cores_train_only_where_their_core_does(config_file, tmp_path):
    folder = tmp_path / "parts"
    for name in ("images", "masks", "ignore"):
        (folder / name).mkdir(parents=True)
    rows = ["file,id,organ,pixel_size"]
    for number in range(15):
        core = 3 + number if number < 12 else 900  # and one of a core that is not there
        Image.fromarray(np.full((40, 40, 3), 90, np.uint8)).save(folder / "images" / f"{core}_x{number}.png")
        Image.fromarray(np.full((40, 40), 255, np.uint8)).save(folder / "masks" / f"{core}_x{number}.png")
        rows.append(f"{core}_x{number},{core},{ORGANS[number // 3]},1.25")
    away = np.zeros((40, 40), np.uint8)
    away[:10] = 255
    Image.fromarray(away).save(folder / "ignore" / "900_x14.png")
    (folder / "patches.csv").write_text("\n".join(rows))
    config_file.write_text(config_file.read_text() + '[[sets]]\nkind = "core_parts"\npath = "parts"\nweight = 0.5\n')
    settings = config.load(config_file)
    for fold in range(3):
        data = training_data.load_data(settings.of_fold(fold), 2.5)
        parts = [p for p in data.training if p.set == "core_parts"]
        held = {p.id for p in data.held_out}
        assert parts and not held & {p.id.split("_")[0] for p in parts} and data.weights["core_parts"] == 0.5
        assert {p.id for p in parts if p.id.startswith("900")} == {f"900_900_x{n}" for n in (12, 13, 14)}
        last = next(p for p in parts if p.id.endswith("x14"))
        assert last.image.shape == (20, 20, 3) and last.mask[8:].all() and not last.mask[:4].any() and (last.image[:4] == 255).all()
    assert len([p for p in training_data.load_data(settings.to_ship(), 2.5).training if p.set == "core_parts"]) == 15
    (folder / "patches.csv").write_text("file,id,organ,pixel_size\n3_x0,3,liver,1.25")
    with pytest.raises(DataError, match="liver"):
        training_data.load_data(settings.of_fold(0), 2.5)


def test_cores_that_tell_when_to_stop_are_not_trained_on_nor_held_out():
    cores = [*some_cores(), Core("4_other", "lung", 1000), Core("9_other", "lung", 1001)]
    settings = config.Config(work=None, bundle=None, fold_by="figure", fold=0)
    never = frozenset(split.unseen(cores, settings))
    chosen, left_out = split.apart_for_stopping(cores, "lung", settings, never)
    lung = {c.id for c in cores if c.organ == "lung"} - never
    assert chosen and chosen <= left_out < lung and not left_out & never
    for group in split.figures([c for c in cores if c.id in lung]):
        ids = {c.id for c in group}
        assert not ids & chosen or ids <= left_out
    # further pictures of what is kept apart are left out, too
    assert {c.id for c in cores if c.core in chosen and c.id in lung} <= left_out
    # a quarter of the organ's cores
    assert len(chosen) == max(1, round(sum(c.measurable for c in cores if c.id in lung) / 4))


def test_an_organs_run_with_an_early_stop_never_sees_its_judges(with_copies):
    settings = with_copies.of_fold(0)
    pictures = training_data.load_data(settings, settings.mpp).training
    seen, judges = training_data.apart_for_stopping(settings, pictures, "lung")
    assert judges and all(p.target and p.organ == "lung" for p in judges)
    ids = {p.id for p in judges}
    assert not any(p.id.split("_")[0] in ids for p in seen)
    assert {p.organ for p in seen} == set(ORGANS)
