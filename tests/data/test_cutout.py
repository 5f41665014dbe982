"""Cutout: one square of each image erased, each on its own."""

from __future__ import annotations

import pytest
import torch
from torch import Generator

from inception_search.data.augment import Augmentation, augment, cutout
from inception_search.data.catalogue import load_data
from inception_search.data.loader import DeviceData


def test_by_hand() -> None:
    images = torch.ones(3, 4, 5, 2)
    found = cutout(images, torch.tensor([1, 0, 3]), torch.tensor([2, 0, 4]), (2, 3))
    expected = torch.ones(3, 4, 5, 2)
    expected[0, 0:2, 1:4] = 0
    expected[1, 0:1, 0:2] = 0  # beyond the corner there is nothing to erase
    expected[2, 2:4, 3:5] = 0
    assert torch.equal(found, expected)


@pytest.mark.parametrize(("height", "width", "share"), [(8, 8, 0.5), (9, 7, 0.3), (32, 32, 0.25), (4, 4, 0.99)])
def test_every_image_loses_a_rectangle_of_at_most_the_size(height: int, width: int, share: float) -> None:
    images = torch.ones(200, height, width, 1)
    gone = augment(images, Augmentation(cutout=share), Generator().manual_seed(0))[..., 0] == 0
    rows, columns = gone.any(2).sum(1), gone.any(1).sum(1)
    assert torch.equal(gone.sum((1, 2)), rows * columns)
    assert int(rows.max()) == round(share * height)
    assert int(columns.max()) == round(share * width)
    assert int(rows.min()) >= round(share * height) // 2
    assert len({tuple(image.flatten().tolist()) for image in gone}) > 10


def test_every_pixel_may_be_erased() -> None:
    images = torch.ones(2000, 6, 6, 1)
    erased = (augment(images, Augmentation(cutout=0.3), Generator().manual_seed(0)) == 0).sum((0, 3))
    assert int(erased.min()) > 0


def test_types_are_kept_and_a_square_of_no_pixel_draws_nothing() -> None:
    images = torch.randint(1, 255, (4, 8, 8, 3), dtype=torch.uint8)
    draw = Generator().manual_seed(0)
    state = draw.get_state()
    assert torch.equal(augment(images, Augmentation(cutout=0.05), draw), images)
    assert torch.equal(draw.get_state(), state)
    assert augment(images, Augmentation(cutout=0.5), draw).dtype == torch.uint8


def test_batches_are_cut_on_top_of_what_the_dataset_allows() -> None:
    data = DeviceData(load_data("digits", limit=50, image_size=8), "cpu")
    batch = data.train_batches

    def images(**options: object) -> torch.Tensor:
        return next(batch(50, Generator().manual_seed(0), **options))[0]  # type: ignore[arg-type]

    assert not torch.equal(images(), images(cutout=0.5))
    assert torch.equal(images(augment=False), images(augment=False, cutout=0.5))


def test_digits_are_shifted_and_never_mirrored() -> None:
    assert load_data("digits", limit=50).augmentation == Augmentation(shift=1 / 8, flip=False)
