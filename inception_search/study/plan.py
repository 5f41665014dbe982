"""What a search is made of."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from inception_search.data.class_weights import weights_of
from inception_search.errors import ConfigError, DataError, Place, RunFolderError, raw
from inception_search.space.space import Space
from inception_search.store.provenance import fingerprint, versions
from inception_search.store.run_folder import RunFolder
from inception_search.study.config import StudyConfig

if TYPE_CHECKING:
    from inception_search.data.dataset import Dataset


@dataclass(frozen=True)
class Plan:
    """What a search is made of, all of it found and checked before the run folder is touched."""

    config: StudyConfig
    space: Space
    dataset: Dataset
    device: str

    def facts(self) -> dict[str, Any]:
        """What a study must find again when it goes on, and what it was begun with."""
        return {
            "data": {**self.dataset.describe(), **self._images()},
            "space": fingerprint(self.space.text),
            "device": self.device,
            "versions": versions(),
        }

    def _images(self) -> dict[str, Any]:
        """What a trained network must be given, and what its outputs stand for."""
        data = self.dataset
        return {"class_names": list(data.classes), "mean": list(data.mean), "std": list(data.std)}


def make_plan(config: StudyConfig, space: Space) -> Plan:
    """Load and check what ``config`` names. Raises UnknownNameError, ConfigError or DataError."""
    from inception_search.data.catalogue import load_data
    from inception_search.training.devices import pick_device

    device = str(pick_device(config.device))
    with _errors_of_options(config):
        dataset = load_data(
            config.data,
            root=config.data_root,
            image_size=config.image_size,
            download=config.download,
            limit=config.train_images,
            validation_images=config.validation_images,
        )
    weights_of(config.class_weights, dataset.classes, [1] * len(dataset.classes))  # refuses names of no class
    return Plan(config, space, dataset, device)


@contextmanager
def _errors_of_options(config: StudyConfig) -> Iterator[None]:
    """Errors of reading the images under the names of the options of a study.

    Python and torch each have an error of their own for images that do not fit in memory.
    """
    try:
        yield
    except ConfigError as error:
        if error.path != "root":
            raise
        raise ConfigError(error.rule, path="data_root", mend="write data_root=FOLDER") from None
    except (MemoryError, RuntimeError) as error:
        if not isinstance(error, MemoryError) and "memory" not in str(error):
            raise
        raise DataError(
            "the images do not fit in memory", path="image_size", found=config.image_size, mend="use smaller images"
        ) from None


def check_same(run: RunFolder, plan: Plan, facts: dict[str, Any]) -> None:
    """Refuse to go on with other images or another space: their trials cannot be compared."""
    data = facts.get("data")
    for words, begun, now, mend in (
        (
            "on other data",
            data.get("fingerprint") if isinstance(data, dict) else None,
            plan.dataset.fingerprint,
            "restore the dataset and its options, or start a new run",
        ),
        (
            "with another space",
            facts.get("space"),
            fingerprint(plan.space.text),
            "restore space.yaml, or start a new run",
        ),
    ):
        if begun not in (None, now):
            raise RunFolderError(
                f"the study was begun {words}",
                place=Place(str(run.path)),
                found=raw(f"fingerprint {now}"),
                expected=f"fingerprint {begun}",
                mend=mend,
            )
