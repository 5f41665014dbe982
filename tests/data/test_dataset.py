"""Splits, datasets, their statistics and fingerprint."""

from __future__ import annotations

import json

import pytest
import torch

from inception_search.data.dataset import Dataset, Split
from inception_search.errors import DataError
from tests.data.datasets_on_disk import random_images


def split(count: int = 12, shape: tuple[int, ...] = (2, 5, 4), classes: int = 3, seed: int = 0) -> Split:
    return Split(torch.from_numpy(random_images(count, shape, seed)), torch.arange(count) % classes)


def dataset(**parts: Split) -> Dataset:
    splits = {"train": split(12), "validation": split(6, seed=1), "test": split(3, seed=2)} | parts
    return Dataset(name="made", classes=("a", "b", "c"), **splits)


def test_statistics_are_those_of_the_train_split_alone() -> None:
    data = dataset()
    scaled = data.train.images.double() / 255
    assert data.mean == pytest.approx(scaled.mean((0, 2, 3)).tolist())
    assert data.std == pytest.approx(scaled.std((0, 2, 3), correction=0).tolist())
    assert dataset(test=split(9, seed=7), validation=split(9, seed=8)).mean == data.mean


def test_a_constant_channel_has_standard_deviation_one() -> None:
    images = torch.full((3, 1, 4, 4), 255, dtype=torch.uint8)
    constant = Split(images, torch.arange(3))
    data = dataset(train=constant, validation=constant, test=constant)
    assert (data.mean, data.std) == ((1.0,), (1.0,))


def test_describe_is_json_and_says_what_the_data_is() -> None:
    data = dataset()
    assert json.loads(json.dumps(data.describe())) == {
        "name": "made",
        "fingerprint": data.fingerprint,
        "sizes": {"train": 12, "validation": 6, "test": 3},
        "classes": 3,
        "shape": [2, 5, 4],
    }


def test_fingerprint_is_the_same_for_equal_data_in_another_memory_order() -> None:
    parts = dataset().splits
    other = {n: Split(s.images.to(memory_format=torch.channels_last), s.labels) for n, s in parts.items()}
    assert dataset(**other).fingerprint == dataset().fingerprint
    assert len(dataset().fingerprint) == 16


@pytest.mark.parametrize("name", ["train", "validation", "test"])
def test_fingerprint_changes_with_one_pixel_and_with_one_label(name: str) -> None:
    old = dataset().splits[name]
    images, labels = old.images.clone(), old.labels.clone()
    images[0, 0, 0, 0] ^= 1
    labels[0] = 1
    seen = {dataset().fingerprint}
    seen.add(dataset(**{name: Split(images, old.labels)}).fingerprint)
    seen.add(dataset(**{name: Split(old.images, labels)}).fingerprint)
    assert len(seen) == 3


BAD_SPLITS = [
    (torch.zeros(2, 1, 4, 4), torch.zeros(2).long(), "float32 of shape (2, 1, 4, 4)'; expected uint8 (N, C, H, W)"),
    (torch.zeros(2, 4, 4).byte(), torch.zeros(2).long(), "(2, 4, 4)"),
    (torch.zeros(2, 1, 4, 4).byte(), torch.zeros(3).long(), "labels do not fit the images"),
    (torch.zeros(2, 1, 4, 4).byte(), torch.zeros(2), "expected int64 (2,)"),
]


@pytest.mark.parametrize(("images", "labels", "words"), BAD_SPLITS)
def test_a_split_refuses_other_types(images: torch.Tensor, labels: torch.Tensor, words: str) -> None:
    with pytest.raises(DataError) as caught:
        Split(images, labels)
    assert words in str(caught.value)


BAD_DATASETS = [
    ({"test": split(0)}, "made.test: the split is empty"),
    ({"validation": split(4, shape=(2, 5, 5))}, "made.validation: images of a different shape, got (2, 5, 5)"),
    ({"train": split(4, classes=4)}, "made.train: label out of range, got 3; expected 0..2"),
    ({"test": Split(split(1).images, torch.tensor([-1]))}, "made.test: label out of range, got -1"),
]


@pytest.mark.parametrize(("parts", "words"), BAD_DATASETS)
def test_a_dataset_refuses_splits_that_do_not_fit(parts: dict[str, Split], words: str) -> None:
    with pytest.raises(DataError) as caught:
        dataset(**parts)
    assert words in str(caught.value)
