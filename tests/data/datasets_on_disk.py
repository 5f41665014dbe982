"""Writers of small datasets in the forms they are published in."""

from __future__ import annotations

import gzip
import pickle
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

CIFAR_CLASSES = ("airplane", "automobile", "bird")
FASHION_FILES = {
    "train": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
    "test": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
}


def random_images(count: int, shape: Sequence[int], seed: int = 0) -> np.ndarray:
    """uint8 (count, *shape)."""
    return np.random.RandomState(seed).randint(0, 256, (count, *shape), dtype=np.uint8)


def labels_in_turn(count: int, classes: int) -> np.ndarray:
    """0, 1, ..., classes-1, 0, 1, ... uint8 (count,)."""
    return (np.arange(count) % classes).astype(np.uint8)


def idx_bytes(values: np.ndarray) -> bytes:
    header = bytes([0, 0, 8, values.ndim]) + b"".join(struct.pack(">I", size) for size in values.shape)
    return header + values.tobytes()


def write_fashion_mnist(folder: Path, train: int = 120, test: int = 20, zipped: bool = True) -> Path:
    """The four idx files with ``train`` and ``test`` images."""
    folder.mkdir(parents=True, exist_ok=True)
    for seed, (split, count) in enumerate({"train": train, "test": test}.items()):
        parts = (random_images(count, (28, 28), seed), labels_in_turn(count, 10))
        for name, values in zip(FASHION_FILES[split], parts, strict=True):
            content = idx_bytes(values)
            if zipped:
                (folder / f"{name}.gz").write_bytes(gzip.compress(content))
            else:
                (folder / name).write_bytes(content)
    return folder


def cifar_batches(records: int, classes: int) -> dict[str, tuple[np.ndarray, list[int]]]:
    """Pixels (records, 3072) and labels of the five training batches and the test batch."""
    names = [f"data_batch_{i}" for i in range(1, 6)] + ["test_batch"]
    labels = labels_in_turn(records, classes).tolist()
    return {name: (random_images(records, (3072,), seed), labels) for seed, name in enumerate(names)}


def write_cifar_python(folder: Path, records: int = 30, protocol: int = 2) -> Path:
    """``cifar-10-batches-py`` as Python 3 and numpy pickle it today."""
    folder.mkdir(parents=True)
    for name, (data, labels) in cifar_batches(records, len(CIFAR_CLASSES)).items():
        write_pickle(folder / name, {"data": data, "labels": labels, "batch_label": name}, protocol)
    meta = {"label_names": list(CIFAR_CLASSES), "num_cases_per_batch": records, "num_vis": 3072}
    write_pickle(folder / "batches.meta", meta, protocol)
    return folder


def write_pickle(path: Path, value: Any, protocol: int = 2) -> None:
    path.write_bytes(pickle.dumps(value, protocol=protocol))


def write_cifar_python2(folder: Path, records: int = 30) -> Path:
    """``cifar-10-batches-py`` opcode by opcode as the published files have it: Python 2 strings, old numpy."""
    folder.mkdir(parents=True)
    for name, (data, labels) in cifar_batches(records, len(CIFAR_CLASSES)).items():
        parts = {"batch_label": _string(name.encode()), "labels": _list(map(_int, labels)), "data": _array(data)}
        (folder / name).write_bytes(_dict(parts))
    names = _list(_string(name.encode()) for name in CIFAR_CLASSES)
    (folder / "batches.meta").write_bytes(_dict({"num_cases_per_batch": _int(records), "label_names": names}))
    return folder


def _dict(parts: Mapping[str, bytes]) -> bytes:
    items = b"".join(_string(key.encode()) + value for key, value in parts.items())
    return b"\x80\x02}q\x01(" + items + b"u."


def _list(parts: Any) -> bytes:
    return b"](" + b"".join(parts) + b"e"


def _int(value: int) -> bytes:
    return b"J" + struct.pack("<i", value)


def _string(value: bytes) -> bytes:
    return b"T" + struct.pack("<i", len(value)) + value


def _array(values: np.ndarray) -> bytes:
    made = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\n" + _int(0) + b"\x85" + _string(b"b") + b"\x87R"
    dtype = b"cnumpy\ndtype\n" + _string(b"u1") + _int(0) + _int(1) + b"\x87R"
    dtype += b"(" + _int(3) + _string(b"|") + b"NNN" + _int(-1) + _int(-1) + _int(0) + b"tb"
    shape = b"(" + b"".join(map(_int, values.shape)) + b"t"
    return made + b"(" + _int(1) + shape + dtype + b"\x89" + _string(values.tobytes()) + b"tb"


def write_cifar_binary(folder: Path, records: int = 30) -> Path:
    """``cifar-10-batches-bin``: records of a label and 3072 pixels."""
    folder.mkdir(parents=True)
    for name, (data, labels) in cifar_batches(records, len(CIFAR_CLASSES)).items():
        flat = np.concatenate([np.array(labels, dtype=np.uint8)[:, None], data], axis=1)
        (folder / f"{name}.bin").write_bytes(flat.tobytes())
    (folder / "batches.meta.txt").write_text("\n".join(CIFAR_CLASSES) + "\n\n")
    return folder


def write_pictures(
    folder: Path, counts: Mapping[str, int], *, mode: str = "RGB", size: tuple[int, int] = (20, 16), ending: str = "png"
) -> Path:
    """``folder/<class>/<number>.<ending>``: random pictures, ``size`` is (width, height)."""
    from PIL import Image

    channels = len(mode)
    for label, (name, count) in enumerate(counts.items()):
        (folder / name).mkdir(parents=True)
        for i, pixels in enumerate(random_images(count, (size[1], size[0], channels), seed=label)):
            Image.fromarray(pixels.squeeze(), mode=None).save(folder / name / f"{i:03}.{ending}")
    return folder
