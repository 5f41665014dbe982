"""The part of a dataset that a search may see, as a file trial processes map into memory.

Train and validation images only: the test images never reach a trial of a search, not even its disk. They are written
to a file of their own when finished networks are tested.
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
    """What :class:`~inception_search.data.loader.DeviceData` needs of a dataset: some of its splits."""

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
    path.unlink(missing_ok=True)  # a link in its place would be followed
    save_file(tensors, path, metadata={"dataset": json.dumps(facts)})


def thaw(path: Path, wanted: Sequence[str] = SEEN) -> FrozenData:
    """Read what :func:`freeze` wrote. Raises DataError when the file is not that."""
    try:
        with safe_open(path, framework="pt") as file:
            facts = json.loads(file.metadata()["dataset"])
            splits = {
                name: Split(file.get_tensor(f"{name}.images"), file.get_tensor(f"{name}.labels")) for name in wanted
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
