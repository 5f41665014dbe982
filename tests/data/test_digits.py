"""The digits of scikit-learn."""

from __future__ import annotations

import torch
from sklearn.datasets import load_digits

from inception_search.data.catalogue import load_data


def test_sizes_classes_and_shape() -> None:
    data = load_data("digits")
    assert data.describe()["sizes"] == {"train": 1079, "validation": 359, "test": 359}
    assert data.shape == (1, 16, 16)
    assert data.classes == tuple("0123456789")


def test_at_eight_pixels_every_published_image_is_there_unchanged() -> None:
    data = load_data("digits", image_size=8)
    published = load_digits()
    wanted = {((image * 255 + 8) // 16).astype("uint8").tobytes() for image in published.images}
    images = torch.cat([split.images for split in data.splits.values()])
    assert {image.numpy().tobytes() for image in images} == wanted
    assert images.max() == 255
