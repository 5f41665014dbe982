"""Fashion-MNIST: 60000 + 10000 greyscale images of clothes, 28x28, from its four idx files."""

from __future__ import annotations

import gzip
import math
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, cast

import torch
from torch import Tensor

from inception_search.data.augment import Augmentation
from inception_search.data.dataset import Dataset, Split, resize
from inception_search.data.partition import limit_split, stratified_parts
from inception_search.errors import DataError, Place

_UNSIGNED_BYTE = 0x08
_LARGEST = 1 << 30  # bytes of payload; a header with a larger size is refused


def read_idx(path: Path, dimensions: int) -> Tensor:
    """The uint8 tensor in the idx file ``path``, which must have ``dimensions`` dimensions.

    Raises DataError naming the file if the header, the sizes or the compressed stream are damaged.
    """
    try:
        with _open(path) as stream:
            return _read(stream, path, dimensions)
    except (OSError, EOFError, zlib.error) as error:
        raise _bad(path, f"cannot be read ({error})") from error


def _open(path: Path) -> IO[bytes]:
    return cast(IO[bytes], gzip.open(path)) if path.suffix == ".gz" else path.open("rb")


def _read(stream: IO[bytes], path: Path, dimensions: int) -> Tensor:
    header = stream.read(4 + 4 * dimensions)
    magic = bytes([0, 0, _UNSIGNED_BYTE, dimensions])
    if header[:4] != magic or len(header) < 4 + 4 * dimensions:
        raise _bad(path, "is not an idx file of the expected kind", header[:4].hex(), f"the magic {magic.hex()}")
    sizes = [int.from_bytes(header[i : i + 4], "big") for i in range(4, len(header), 4)]
    size = math.prod(sizes)
    if not 0 < size <= _LARGEST:
        raise _bad(path, "has impossible sizes in its header", sizes, f"1..{_LARGEST} values")
    payload = stream.read(size + 1)
    if len(payload) != size:
        found = f"more than {size} bytes" if len(payload) > size else f"{len(payload)} bytes"
        raise _bad(path, f"does not have the {size} bytes of its header", found)
    return torch.frombuffer(bytearray(payload), dtype=torch.uint8).reshape(sizes)


def _bad(path: Path, rule: str, found: object = None, expected: str | None = None) -> DataError:
    hint = "fetch the file again"
    return DataError(f"the file {rule}", place=Place(str(path)), found=found, expected=expected, hint=hint)


AUGMENTATION = Augmentation(shift=1 / 14, flip=True)
DEFAULT_ROOT = Path("/usr/share/datasets/fashion-mnist")
FILES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)
CLASSES = (
    *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"),
    *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
)
_VALIDATION = 1 / 12  # 5000 of the 60000
# The folders with the files below a torchvision root.
_BELOW = ("", "FashionMNIST/raw", "raw")
_HINT = (
    "install the Debian package (apt install dataset-fashion-mnist) or name the folder that holds the files, in which "
    "torchvision or Kaggle has put them (--data-root)"
)


def load(*, root: Path | None, image_size: int | None, seed: int, download: bool, limit: int | None) -> Dataset:
    """Clothes as (1, 28, 28), or resized: 55000 training and 5000 validation images by ``seed``, 10000 test images.

    The files are those of the system package, or those in ``root``: gzipped or not, with the published names, as stored
    by torchvision (``FashionMNIST/raw`` below ``root``) or with Kaggle's names. They cannot be downloaded. Raises
    DataError if files are missing or do not match their headers.
    """
    train_images, train_labels, test_images, test_labels = _find(root or DEFAULT_ROOT, download)
    whole = _read_split(train_images, train_labels, image_size)
    test = _read_split(test_images, test_labels, image_size)
    train, validation = stratified_parts(whole.labels, (1 - _VALIDATION, _VALIDATION), seed)
    return Dataset(
        name="fashion_mnist",
        classes=CLASSES,
        train=limit_split(whole.take(train), limit, seed),
        validation=whole.take(validation),
        test=test,
        augmentation=AUGMENTATION,
    )


def _find(root: Path, download: bool) -> list[Path]:
    """The four files in the order of FILES, from the first folder in or below ``root`` that contains any."""
    folders = [root / below for below in _BELOW]
    for folder in folders:
        found = [next((p for p in _spellings(folder, name) if p.is_file()), None) for name in FILES]
        if any(found):
            break
    else:
        folder, found = root, [None] * len(FILES)
    missing = [f"{name}.gz" for name, path in zip(FILES, found, strict=True) if path is None]
    if missing:
        rule = f"Fashion-MNIST is not there: missing {', '.join(missing)}"
        hint = f"it cannot be downloaded (--download): {_HINT}" if download else _HINT
        raise DataError(rule, place=Place(str(folder)), hint=hint)
    return [path for path in found if path is not None]


def _spellings(folder: Path, name: str) -> Iterator[Path]:
    """The possible paths of a file: ``train-images-idx3-ubyte``, Kaggle's ``train-images.idx3-ubyte``, or with ``.gz``.

    Some unpacking programs put a file into a folder with its own name.
    """
    for spelling in (name, name.replace("-idx", ".idx")):
        yield folder / f"{spelling}.gz"
        yield folder / spelling
        yield folder / spelling / name
        yield folder / spelling / spelling


def _read_split(images_file: Path, labels_file: Path, image_size: int | None) -> Split:
    images, labels = read_idx(images_file, 3), read_idx(labels_file, 1)
    _check(images, labels, images_file, labels_file)
    return Split(resize(images[:, None], image_size), labels.to(torch.int64))


def _check(images: Tensor, labels: Tensor, images_file: Path, labels_file: Path) -> None:
    if tuple(images.shape[1:]) != (28, 28):
        found = f"{images.shape[1]}x{images.shape[2]}"
        raise DataError(
            "images of the wrong size",
            place=Place(str(images_file)),
            found=found,
            expected="28x28",
            hint=_HINT,
        )
    if len(images) != len(labels):
        raise DataError(
            "the numbers of labels and images differ",
            place=Place(str(labels_file)),
            found=f"{len(labels)} labels for {len(images)} images",
            hint=_HINT,
        )
    if int(labels.max()) >= len(CLASSES):
        raise DataError("label out of range", place=Place(str(labels_file)), found=int(labels.max()), expected="0..9")
