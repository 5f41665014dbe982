"""Validation sets of another size: which images they are made of, and which sizes there can be."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from inception_search.data.catalogue import load_data
from inception_search.data.dataset import Dataset, Split
from inception_search.errors import ConfigError
from tests.data import datasets_on_disk as disk


@pytest.fixture(scope="module")
def whole() -> Dataset:
    return load_data("digits")


def rows(*splits: Split) -> list[bytes]:
    """Every image of these splits, in an order of their own."""
    return sorted(image.numpy().tobytes() for split in splits for image in split.images)


def shares(labels: Tensor) -> Tensor:
    return torch.bincount(labels, minlength=10) / len(labels)


def test_more_are_the_own_ones_and_what_training_leaves_over(whole: Dataset) -> None:
    own, extra = len(whole.validation), 300
    bigger = load_data("digits", limit=400, validation_images=own + extra)
    assert rows(bigger.train) == rows(load_data("digits", limit=400).train)
    assert torch.equal(bigger.validation.images[:own], whole.validation.images)
    assert len(bigger.validation) == own + extra
    added = bigger.validation.take(torch.arange(own, own + extra))
    every = load_data("digits", limit=400, validation_images=own + len(whole.train) - 400)
    assert rows(every.train, every.validation) == rows(whole.train, whole.validation)
    assert set(rows(added)) <= set(rows(whole.train))
    assert (shares(added.labels) - shares(whole.train.labels)).abs().max() < 0.02
    assert rows(bigger.test) == rows(whole.test)


def test_fewer_are_a_stratified_sample_of_the_own_ones(whole: Dataset) -> None:
    smaller = load_data("digits", validation_images=50)
    assert rows(smaller.train) == rows(whole.train)
    assert len(smaller.validation) == 50
    assert set(rows(smaller.validation)) <= set(rows(whole.validation))
    assert set(smaller.validation.labels.tolist()) == set(range(10))


def test_its_own_size_changes_nothing(whole: Dataset) -> None:
    same = load_data("digits", limit=400, validation_images=len(whole.validation))
    assert same.fingerprint == load_data("digits", limit=400).fingerprint


def test_the_seed_decides_which() -> None:
    options = {"limit": 400, "validation_images": 500}
    first, again, other = (load_data("digits", seed=seed, **options).fingerprint for seed in (1, 1, 2))
    assert first == again != other


def test_pictures_in_folders_have_it_too(tmp_path: Path) -> None:
    root = disk.write_pictures(tmp_path / "animals", {"cat": 20, "dog": 30})
    plain = load_data("image_folder", root=root, limit=10)
    bigger = load_data("image_folder", root=root, limit=10, validation_images=len(plain.validation) + 12)
    assert len(bigger.validation) == len(plain.validation) + 12
    assert not set(rows(bigger.validation)) & set(rows(bigger.train, bigger.test))


@pytest.mark.parametrize(
    ("limit", "size", "words"),
    [
        (None, 1000, r"too many validation images, got 1000; expected at most (\d+): \1 of the dataset, and 0"),
        (400, 9, "too few validation images, got 9; expected at least 10, one for each class"),
        (400, 0, "validation_images cannot be used, got 0; expected 1 or more"),
        (5, 500, "too few training images, got 5"),
    ],
)
def test_sizes_there_cannot_be(limit: int | None, size: int, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        load_data("digits", limit=limit, validation_images=size)
