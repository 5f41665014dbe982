"""The images that proxies look at."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from inception_search.data.catalogue import load_data
from inception_search.data.frozen import freeze
from inception_search.errors import DataError
from inception_search.proxies.batch import ProxyBatch, proxy_batch

DIGITS = load_data("digits", image_size=8, limit=200)


def test_it_is_the_same_from_a_dataset_and_from_the_file_of_a_study(tmp_path: Path) -> None:
    freeze(DIGITS, tmp_path / "data.safetensors")
    for source in (tmp_path / "data.safetensors", str(tmp_path / "data.safetensors")):
        mine, theirs = proxy_batch(source, 16, seed=3), proxy_batch(DIGITS, 16, seed=3)
        assert torch.equal(mine.images, theirs.images)
        assert torch.equal(mine.labels, theirs.labels)


def test_images_are_normalised_training_images() -> None:
    before = torch.random.get_rng_state()
    batch = proxy_batch(DIGITS, 10_000)
    assert batch.images.shape == (len(DIGITS.train), 1, 8, 8)
    assert batch.images.dtype == torch.float32
    assert float(batch.images.mean()) == pytest.approx(0, abs=1e-3)
    assert float(batch.images.std()) == pytest.approx(1, abs=1e-3)
    assert torch.equal(batch.labels.sort().values, DIGITS.train.labels.sort().values)  # each once
    assert torch.equal(torch.random.get_rng_state(), before)


def test_a_seed_is_a_draw() -> None:
    assert len(proxy_batch(DIGITS)) == 64
    first, again, other = (proxy_batch(DIGITS, 32, seed).images for seed in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_parts_are_all_of_it() -> None:
    batch = proxy_batch(DIGITS, 11)
    parts = batch.parts(4)
    assert [len(part) for part in parts] == [3, 3, 3, 2]
    assert torch.equal(torch.cat([part.images for part in parts]), batch.images)


IMAGES, LABELS = torch.zeros(4, 1, 8, 8), torch.zeros(4, dtype=torch.int64)


@pytest.mark.parametrize(
    ("images", "labels", "words"),
    [
        (IMAGES.double(), LABELS, "float32"),
        (IMAGES[0], LABELS, "float32"),
        (IMAGES, LABELS[:3], "labels"),
        (IMAGES, LABELS.float(), "labels"),
        (IMAGES[:1], LABELS[:1], "at least 2"),
    ],
)
def test_what_is_no_batch(images: torch.Tensor, labels: torch.Tensor, words: str) -> None:
    with pytest.raises(DataError, match=words):
        ProxyBatch(images, labels)


def test_too_few_images(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="at least 2"):
        proxy_batch(DIGITS, 1)
    with pytest.raises(DataError, match="not a frozen dataset"):
        proxy_batch(tmp_path / "nothing")
