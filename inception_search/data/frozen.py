"""The part of a dataset for a search, as a file that trial processes map into memory.

The file contains only training and validation images, so that trials of a search cannot read test images. The test
images are written to a separate file when finished networks are tested.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from inception_search.data.augment import Augmentation
from inception_search.data.dataset import Dataset, Split
from inception_search.errors import DataError, Place

SEEN = ("train", "validation")


@dataclass(frozen=True, eq=False)
class FrozenData:
    """Some splits of a dataset, with the interface for :class:`~inception_search.data.loader.DeviceData`."""

    name: str
    classes: tuple[str, ...]
    shape: tuple[int, int, int]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    augmentation: Augmentation
    splits: Mapping[str, Split]


def freeze(dataset: Dataset, path: Path, splits: Sequence[str] = SEEN) -> None:
    """Write ``splits`` of ``dataset`` (train and validation), and its facts, to ``path``."""
    tensors = {}
    for name in splits:
        split = dataset.splits[name]
        tensors[f"{name}.images"] = split.images.contiguous()
        tensors[f"{name}.labels"] = split.labels.contiguous()
    facts = {
        "name": dataset.name,
        "classes": dataset.classes,
        "shape": dataset.shape,
        "mean": dataset.mean,
        "std": dataset.std,
        "augmentation": asdict(dataset.augmentation),
    }
    path.unlink(missing_ok=True)  # otherwise a link at this path would be followed
    save_file(tensors, path, metadata={"dataset": json.dumps(facts)})


def thaw(path: Path, names: Sequence[str] = SEEN) -> FrozenData:
    """Read the splits ``names`` from a file of :func:`freeze`. Raises DataError for any other file."""
    try:
        with safe_open(path, framework="pt") as file:
            facts = json.loads(file.metadata()["dataset"])
            splits = {
                name: Split(file.get_tensor(f"{name}.images"), file.get_tensor(f"{name}.labels")) for name in names
            }
    except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
        raise DataError(f"not a frozen dataset: {error}", place=Place(str(path))) from None
    return FrozenData(
        name=facts["name"],
        classes=tuple(facts["classes"]),
        shape=tuple(facts["shape"]),
        mean=tuple(facts["mean"]),
        std=tuple(facts["std"]),
        augmentation=Augmentation(**facts["augmentation"]),
        splits=splits,
    )
