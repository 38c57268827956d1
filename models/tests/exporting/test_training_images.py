"""The looks of training images: exact means, and the same whatever the size."""

import numpy as np
import pytest

from ftuseg_models import config
from ftuseg_models.exporting import training_images
from ftuseg_models.exporting.training_images import CELLS, look


def test_cells_are_exact_means():
    # columns of 0 and 255: each cell of 2.5 px holds its share of both; src/bundle/training_images.rs expects the same
    columns = np.where(np.arange(CELLS * 5 // 2) % 5 < 2, 0, 255).astype(np.uint8)
    image = np.broadcast_to(columns[None, :, None], (CELLS, len(columns), 3))
    assert look(image)[0, :4].tolist() == [51, 255, 51, 255]


@pytest.mark.parametrize("size", [24, 25, 100, 731])
def test_a_flat_image_is_flat_at_any_size(size):
    assert (look(np.full((size, 2 * size, 3), 200, np.uint8)) == 200).all()


def test_every_image_of_the_training_stands_in_the_table(config_file, tmp_path):
    settings = config.load(config_file)
    training_images.write(settings, tmp_path)
    lines = (tmp_path / training_images.NAME).read_text().splitlines()
    assert lines[0] == "image,look" and len(lines) > 3
    names = [line.rsplit(",", 1)[0] for line in lines[1:]]
    assert len(set(names)) == len(names)
    assert all(len(line.rsplit(",", 1)[1]) == 2 * CELLS * CELLS for line in lines[1:])
    assert any(name.startswith(settings.kaggle[0].path.name) for name in names)
