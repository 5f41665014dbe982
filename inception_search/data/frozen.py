"""The part of a dataset that a search may see, as a file trial processes map into memory.

Train and validation images only: the test images never reach a trial, not even its disk.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
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
    """What :class:`~inception_search.data.loader.DeviceData` needs of a dataset, without a test split."""

    name: str
    classes: tuple[str, ...]
    shape: tuple[int, int, int]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    augmentation: Augmentation
    splits: Mapping[str, Split]


def freeze(dataset: Dataset, path: Path) -> None:
    """Write the train and validation splits of ``dataset``, and its facts, to ``path``."""
    tensors = {}
    for name in SEEN:
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
    save_file(tensors, path, metadata={"dataset": json.dumps(facts)})


def thaw(path: Path) -> FrozenData:
    """Read what :func:`freeze` wrote. Raises DataError when the file is not that."""
    try:
        with safe_open(path, framework="pt") as file:
            facts = json.loads(file.metadata()["dataset"])
            splits = {
                name: Split(file.get_tensor(f"{name}.images"), file.get_tensor(f"{name}.labels")) for name in SEEN
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
