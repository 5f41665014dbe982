"""The file that carries a dataset's visible splits to another process."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from inception_search.data.catalogue import load_data
from inception_search.data.frozen import freeze, thaw
from inception_search.data.loader import DeviceData
from inception_search.errors import DataError


def test_the_batches_are_those_of_the_dataset(tmp_path: Path) -> None:
    data = load_data("digits", limit=100, image_size=8)
    freeze(data, tmp_path / "data.safetensors")
    thawed = DeviceData(thaw(tmp_path / "data.safetensors"), "cpu")
    resident = DeviceData(data, "cpu")
    assert thawed.augmentation == resident.augmentation
    assert (thawed.name, thawed.classes, thawed.shape) == (resident.name, resident.classes, resident.shape)
    passes = (x.train_batches(16, torch.Generator().manual_seed(0)) for x in (thawed, resident))
    for (images, labels), (others, their_labels) in zip(*passes, strict=True):
        assert torch.equal(images, others)
        assert torch.equal(labels, their_labels)


def test_the_test_images_are_not_in_the_file(tmp_path: Path) -> None:
    freeze(load_data("digits", limit=20, image_size=8), tmp_path / "data.safetensors")
    with pytest.raises(DataError, match="there is no such split, got 'test'; expected one of train, validation"):
        DeviceData(thaw(tmp_path / "data.safetensors"), "cpu", splits=("test",))


@pytest.mark.parametrize("content", [b"", b"text", b"\xff" * 64])
def test_another_file_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(DataError, match="file: not a frozen dataset"):
        thaw(tmp_path / "file")
