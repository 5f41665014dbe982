"""Fashion-MNIST from idx files: sound ones, and every way they can be unsound."""

from __future__ import annotations

import gzip
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from inception_search.data.catalogue import load_data
from inception_search.data.fashion_mnist import DEFAULT_ROOT
from inception_search.errors import DataError
from tests.data.datasets_on_disk import idx_bytes, labels_in_turn, random_images, write_fashion_mnist


@pytest.mark.parametrize("zipped", [True, False])
def test_images_come_out_as_they_were_written(tmp_path: Path, zipped: bool) -> None:
    data = load_data("fashion_mnist", root=write_fashion_mnist(tmp_path, zipped=zipped))
    assert data.describe()["sizes"] == {"train": 110, "validation": 10, "test": 20}
    assert torch.equal(data.test.images, torch.from_numpy(random_images(20, (28, 28), 1))[:, None])
    assert data.test.labels.tolist() == labels_in_turn(20, 10).tolist()
    assert data.classes[7] == "Sneaker"


def test_the_published_files_where_they_are_installed() -> None:
    if not DEFAULT_ROOT.is_dir():
        pytest.skip(f"no {DEFAULT_ROOT}")
    data = load_data("fashion_mnist")
    assert data.describe()["sizes"] == {"train": 55000, "validation": 5000, "test": 10000}
    assert torch.bincount(data.validation.labels).tolist() == [500] * 10
    # The mean and deviation everyone quotes for the 60000, here of 55000 of them.
    assert data.mean == pytest.approx((0.2860,), abs=1e-3)
    assert data.std == pytest.approx((0.3530,), abs=1e-3)


def test_missing_files_are_named_with_the_folder_and_the_hint(tmp_path: Path) -> None:
    write_fashion_mnist(tmp_path)
    (tmp_path / "t10k-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(DataError) as caught:
        load_data("fashion_mnist", root=tmp_path)
    text = str(caught.value)
    assert text.startswith(f"{tmp_path}: Fashion-MNIST is not there: missing t10k-labels-idx1-ubyte.gz; ")
    assert "apt install dataset-fashion-mnist" in text


LAYOUTS: dict[str, tuple[str, str, str]] = {
    # folder of the files, name of a file by its published name, folder that is named
    "torchvision": ("data/FashionMNIST/raw", "{}", "data"),
    "torchvision, its own folder": ("data/FashionMNIST/raw", "{}", "data/FashionMNIST"),
    "torchvision, the raw folder": ("data/FashionMNIST/raw", "{}", "data/FashionMNIST/raw"),
    "Kaggle": ("data", "kaggle", "data"),
    "Kaggle, a folder for each file": ("data", "kaggle/kaggle", "data"),
}


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_layouts_of_torchvision_and_kaggle(tmp_path: Path, layout: str, zipped: bool) -> None:
    where, spelling, root = LAYOUTS[layout]
    by_unpacking = "/" in spelling  # makes a folder for each file
    folder = write_fashion_mnist(tmp_path / where, zipped=zipped and not by_unpacking)
    for file in sorted(folder.iterdir()):
        goal = folder / spelling.format(file.name).replace("kaggle", file.name.replace("-idx", ".idx"))
        content = file.read_bytes()
        file.unlink()
        goal.parent.mkdir(parents=True, exist_ok=True)
        goal.write_bytes(content)
    published = load_data("fashion_mnist", root=write_fashion_mnist(tmp_path / "published"))
    assert load_data("fashion_mnist", root=tmp_path / root).fingerprint == published.fingerprint


def test_a_download_that_cannot_be_is_told_of(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"it cannot be downloaded \(--download\): install the Debian package"):
        load_data("fashion_mnist", root=tmp_path, download=True)


IMAGES, LABELS = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"
GOOD_IMAGES, GOOD_LABELS = idx_bytes(random_images(120, (28, 28))), idx_bytes(labels_in_turn(120, 10))
UNSOUND: dict[str, tuple[str, bytes, str]] = {
    "labels where images belong": (IMAGES, GOOD_LABELS, "got '00000801'; expected the magic 00000803"),
    "floats": (LABELS, b"\0\0\x0d\x01" + GOOD_LABELS[4:], "is not an idx file of the expected kind"),
    "nothing at all": (IMAGES, b"", "is not an idx file of the expected kind"),
    "header cut off": (IMAGES, GOOD_IMAGES[:12], "is not an idx file of the expected kind"),
    "payload cut off": (IMAGES, GOOD_IMAGES[:-1], "does not have the 94080 bytes of its header"),
    "payload too long": (LABELS, GOOD_LABELS + b"\0", "got 'more than 120 bytes'"),
    "no records": (LABELS, b"\0\0\x08\x01\0\0\0\0", "impossible sizes in its header, got [0]"),
    "sizes past belief": (IMAGES, b"\0\0\x08\x03" + b"\xff" * 12, "impossible sizes in its header"),
    "another size": (IMAGES, idx_bytes(random_images(120, (32, 32))), "got '32x32'; expected 28x28"),
    "one label less": (LABELS, idx_bytes(labels_in_turn(119, 10)), "got '119 labels for 120 images'"),
    "label 10": (LABELS, idx_bytes(labels_in_turn(120, 11)), "label out of range, got 10; expected 0..9"),
}


@pytest.mark.parametrize("case", UNSOUND)
@pytest.mark.parametrize("zipped", [True, False])
def test_unsound_content(tmp_path: Path, case: str, zipped: bool) -> None:
    name, content, words = UNSOUND[case]
    write_fashion_mnist(tmp_path, zipped=zipped)
    file = tmp_path / (f"{name}.gz" if zipped else name)
    file.write_bytes(gzip.compress(content) if zipped else content)
    with pytest.raises(DataError) as caught:
        load_data("fashion_mnist", root=tmp_path)
    assert str(caught.value).startswith(f"{file}: ")
    assert words in str(caught.value)


def flip_in_the_middle(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 0xFF]) + content[middle + 1 :]


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "not gzip": lambda content: b"plain text",
    "cut in half": lambda content: content[: len(content) // 2],
    "a byte flipped": flip_in_the_middle,
    "checksum wrong": lambda content: content[:-8] + struct.pack("<I", 1) + content[-4:],
}


@pytest.mark.parametrize("case", DAMAGE)
def test_damaged_gzip(tmp_path: Path, case: str) -> None:
    write_fashion_mnist(tmp_path)
    file = tmp_path / f"{IMAGES}.gz"
    compressible = np.zeros((120, 28, 28), dtype=np.uint8)
    compressible[:, 10] = random_images(120, (28,))
    file.write_bytes(DAMAGE[case](gzip.compress(idx_bytes(compressible))))
    with pytest.raises(DataError, match="the file") as caught:
        load_data("fashion_mnist", root=tmp_path)
    assert str(caught.value).startswith(f"{file}: ")
    assert "fetch the file again" in str(caught.value)
