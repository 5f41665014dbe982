"""Stratified choices, and resizing."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from inception_search.data.dataset import Split, resize
from inception_search.data.partition import limit_split, stratified_parts, stratified_sample
from inception_search.errors import ConfigError, DataError
from tests.data.datasets_on_disk import random_images

class_sizes = st.lists(st.integers(3, 40), min_size=1, max_size=6)


def labels_of(sizes: list[int]) -> torch.Tensor:
    return torch.cat([torch.full((size,), label) for label, size in enumerate(sizes)])


@given(class_sizes, st.integers(0, 2**40))
def test_parts_hold_every_image_once_and_every_class_in_proportion(sizes: list[int], seed: int) -> None:
    labels = labels_of(sizes)
    parts = stratified_parts(labels, (0.6, 0.2, 0.2), seed)
    assert torch.cat(parts).sort().values.tolist() == list(range(len(labels)))
    for part, share in zip(parts, (0.6, 0.2, 0.2), strict=True):
        assert part.tolist() == sorted(part.tolist())
        for label, size in enumerate(sizes):
            count = int((labels[part] == label).sum())
            assert count >= 1
            assert abs(count - share * size) <= 1.5


@given(class_sizes, st.integers(0, 100), st.integers(0, 200))
def test_a_sample_has_the_size_asked_for_and_every_class_in_proportion(sizes: list[int], seed: int, extra: int) -> None:
    labels = labels_of(sizes)
    wanted = len(sizes) + extra
    sample = stratified_sample(labels, wanted, seed)
    size = min(wanted, len(labels))
    assert len(set(sample.tolist())) == len(sample) == size
    for label, whole in enumerate(sizes):
        count = int((labels[sample] == label).sum())
        assert count >= 1
        assert abs(count - size * whole / len(labels)) <= len(sizes)


def test_the_seed_decides() -> None:
    labels = labels_of([50, 50])
    first, again, other = (stratified_parts(labels, (0.5, 0.5), seed)[0].tolist() for seed in (1, 1, 2))
    assert first == again != other
    # A literal: a seed must name the same images in every version and on every machine.
    assert stratified_parts(labels_of([5, 4]), (0.5, 0.5), 0)[1].tolist() == [1, 2, 7, 8]
    assert stratified_sample(labels_of([5, 4]), 4, 0).tolist() == [3, 4, 5, 6]


def test_a_class_too_small_to_be_split_is_refused() -> None:
    with pytest.raises(DataError, match=r"a class has too few images to be split in 3, got 1; expected at least 3"):
        stratified_parts(labels_of([5, 2]), (0.6, 0.2, 0.2), 0)


def test_a_limit_below_one_image_per_class_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"limit: too few training images, got 2; expected at least 3"):
        stratified_sample(labels_of([5, 5, 5]), 2, 0)


def test_no_limit_or_a_large_one_leaves_the_split_as_it_is() -> None:
    split = Split(torch.zeros(6, 1, 2, 2, dtype=torch.uint8), torch.arange(6) % 2)
    assert limit_split(split, None, 0) is split
    assert limit_split(split, 6, 0) is split
    assert len(limit_split(split, 3, 0)) == 3


def test_resize_leaves_images_of_the_right_size_alone() -> None:
    images = torch.from_numpy(random_images(2, (1, 8, 8)))
    assert resize(images, 8) is images
    assert resize(images, None) is images


def test_doubling_is_bilinear_by_hand() -> None:
    images = torch.tensor([[[[0, 100], [100, 200]]]], dtype=torch.uint8)
    expected = [[0, 25, 75, 100], [25, 50, 100, 125], [75, 100, 150, 175], [100, 125, 175, 200]]
    assert resize(images, 4)[0, 0].tolist() == expected


@pytest.mark.parametrize("size", [5, 12, 31])
def test_resize_keeps_a_flat_image_flat_and_the_mean_about_where_it_was(size: int) -> None:
    flat = torch.full((1, 3, 16, 16), 77, dtype=torch.uint8)
    assert (resize(flat, size) == 77).all()
    images = torch.from_numpy(random_images(4, (3, 16, 16)))
    assert resize(images, size).shape == (4, 3, size, size)
    assert resize(images, size).float().mean() == pytest.approx(images.float().mean(), abs=4)
