"""The two published forms of CIFAR-10 on disk: pickled batches and flat binary records.

The number of records comes from the files; all six batches must have the same number.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from inception_search.data.dataset import Split
from inception_search.data.safe_pickle import read_pickle
from inception_search.errors import DataError, Place

_SHAPE = (3, 32, 32)
_PIXELS = 3 * 32 * 32
_MOST_CLASSES = 256  # a label is a byte
_LARGEST_META = 1 << 16  # bytes of the text file of class names
_HINT = "unpack the published archive again"


@dataclass(frozen=True)
class Form:
    """One published form: the folder of its archive, its files, and the functions that read them."""

    folder: str
    train: tuple[str, ...]
    test: str
    meta: str
    read: Callable[[Path], Split]
    read_classes: Callable[[Path], tuple[str, ...]]

    @property
    def files(self) -> tuple[str, ...]:
        """The names of all required files."""
        return (*self.train, self.test, self.meta)


def read_folder(folder: Path, form: Form) -> tuple[tuple[str, ...], Split, Split]:
    """Class names, all training images (3, 32, 32) and the test images in ``folder``; raises DataError."""
    missing = [name for name in form.files if not (folder / name).is_file()]
    if missing:
        rule = f"CIFAR-10 is incomplete: missing {', '.join(missing)}"
        raise DataError(rule, place=Place(str(folder)), hint=_HINT)
    classes = form.read_classes(folder / form.meta)
    batches = [form.read(folder / name) for name in (*form.train, form.test)]
    for name, batch in zip((*form.train, form.test), batches, strict=True):
        _check(folder / name, batch, len(batches[0]), len(classes))
    *train, test = batches
    return classes, _joined(train), test


def _joined(splits: list[Split]) -> Split:
    return Split(torch.cat([s.images for s in splits]), torch.cat([s.labels for s in splits]))


def _check(path: Path, batch: Split, records: int, classes: int) -> None:
    if len(batch) != records:
        expected = f"{records} as in the first batch"
        rule = "the batch has a different number of records"
        raise DataError(rule, place=Place(str(path)), found=len(batch), expected=expected, hint=_HINT)
    found = int(batch.labels.max())
    if found >= classes:
        raise DataError(
            "label out of range",
            place=Place(str(path)),
            found=found,
            expected=f"0..{classes - 1}",
            hint=_HINT,
        )


def _read_python(path: Path) -> Split:
    content = read_pickle(path)
    data, labels = content.get("data"), content.get("labels")
    if not isinstance(data, np.ndarray) or data.shape[1:] != (_PIXELS,) or not len(data):
        found = getattr(data, "shape", type(data).__name__)
        raise _bad(path, "the batch has no array 'data' of images", found, f"(N, {_PIXELS})")
    if not isinstance(labels, list) or not all(type(x) is int and 0 <= x < 256 for x in labels):
        raise _bad(path, "the batch has no list 'labels' of numbers 0..255", type(labels).__name__, None)
    if len(labels) != len(data):
        found = f"{len(labels)} labels for {len(data)} images"
        raise _bad(path, "the numbers of labels and images differ", found, None)
    return Split(torch.from_numpy(data.copy()).reshape(-1, *_SHAPE), torch.tensor(labels))


def _read_python_classes(path: Path) -> tuple[str, ...]:
    labels = read_pickle(path).get("label_names")
    if not isinstance(labels, list) or not 0 < len(labels) <= _MOST_CLASSES:
        found = f"{len(labels)} names" if isinstance(labels, list) else type(labels).__name__
        raise _bad(path, "the file has no list 'label_names'", found, f"1 to {_MOST_CLASSES} names")
    if not all(isinstance(label, str) for label in labels):
        raise _bad(path, "the list 'label_names' has entries that are not names", None, "only texts")
    return tuple(labels)


def _read_binary(path: Path) -> Split:
    content = np.fromfile(path, dtype=np.uint8)
    if not len(content) or len(content) % (1 + _PIXELS):
        expected = f"a multiple of {1 + _PIXELS}"
        raise _bad(path, "the file does not hold whole records", f"{len(content)} bytes", expected)
    records = torch.from_numpy(content).reshape(-1, 1 + _PIXELS)
    return Split(records[:, 1:].reshape(-1, *_SHAPE), records[:, 0].to(torch.int64))


def _read_binary_classes(path: Path) -> tuple[str, ...]:
    with path.open("rb") as file:
        lines = file.read(_LARGEST_META).decode("utf-8", errors="replace").split()
    if not 0 < len(lines) <= _MOST_CLASSES:
        raise _bad(path, "the file names no classes", f"{len(lines)} names", f"1 to {_MOST_CLASSES} names")
    return tuple(lines)


def _bad(path: Path, rule: str, found: object, expected: str | None) -> DataError:
    return DataError(rule, place=Place(str(path)), found=found, expected=expected, hint=_HINT)


PYTHON_FORM = Form(
    folder="cifar-10-batches-py",
    train=tuple(f"data_batch_{i}" for i in range(1, 6)),
    test="test_batch",
    meta="batches.meta",
    read=_read_python,
    read_classes=_read_python_classes,
)
BINARY_FORM = Form(
    folder="cifar-10-batches-bin",
    train=tuple(f"data_batch_{i}.bin" for i in range(1, 6)),
    test="test_batch.bin",
    meta="batches.meta.txt",
    read=_read_binary,
    read_classes=_read_binary_classes,
)
FORMS = (PYTHON_FORM, BINARY_FORM)
