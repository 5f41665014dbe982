"""The table of objectives, and the conversion of a trial's values to losses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from inception_search.errors import ConfigError, unknown_name
from inception_search.store.record import TrialRecord


@dataclass(frozen=True)
class Objective:
    """One number of a trial; ``beforehand`` is True if it is known before training."""

    maximise: bool
    beforehand: bool
    words: str

    @property
    def learned(self) -> bool:
        """Whether it measures the quality of a network, not its cost."""
        return not self.beforehand and self is not OBJECTIVES["seconds"]


OBJECTIVES: dict[str, Objective] = {
    "accuracy": Objective(True, False, "validation accuracy, 0..1"),
    "balanced_accuracy": Objective(True, False, "mean over classes of the validation accuracy on their images, 0..1"),
    "macro_f1": Objective(True, False, "mean over classes of the F1 score on the validation images, 0..1"),
    "loss": Objective(False, False, "validation cross-entropy, nats"),
    "params": Objective(False, True, "parameters"),
    "macs": Objective(False, True, "multiply-adds for one image"),
    "activation_bytes": Objective(False, True, "bytes of all op outputs for one image"),
    "latency": Objective(False, True, "milliseconds for one image on the search's device"),
    "seconds": Objective(False, False, "seconds of training"),
}


def check_objectives(names: tuple[str, ...]) -> None:
    """Raise ConfigError for an unknown or repeated name, or if none of the objectives is learned from training."""
    for name in names:
        if name not in OBJECTIVES:
            raise unknown_name("objective", name, OBJECTIVES, path="objectives")
    if not names or len(set(names)) < len(names):
        expected = "different names of " + ", ".join(OBJECTIVES)
        raise ConfigError("not a list of objectives", path="objectives", found=list(names), expected=expected)
    if not any(OBJECTIVES[name].learned for name in names):
        hint = "add accuracy, balanced_accuracy, macro_f1 or loss, or limit the costs instead, e.g. with max_macs"
        raise ConfigError("nothing would be learned from training", path="objectives", found=list(names), hint=hint)


def numbers(metrics: Mapping[str, Any], cost: Mapping[str, float], seconds: float) -> dict[str, float]:
    """The value of every known objective after an epoch with these ``metrics``."""
    measured = {name: metrics.get(f"validation_{name}") for name in OBJECTIVES}  # None if an older curve lacks it
    learned = {name: value for name, value in measured.items() if value is not None}
    return {name: float(value) for name, value in {**cost, **learned, "seconds": seconds}.items() if name in OBJECTIVES}


def objective_values(record: TrialRecord) -> dict[str, float]:
    """The values of all objectives in a record; older records have only the accuracy."""
    accuracy = record.value  # older records have no other value
    if accuracy is None and record.curve:
        accuracy = record.curve[-1].validation_accuracy
    return {**({} if accuracy is None else {"accuracy": accuracy}), **record.objectives}


def losses(names: Iterable[str], values: Mapping[str, float]) -> tuple[float, ...]:
    """The values of the objectives ``names`` as losses: smaller is better for all."""
    return tuple(-values[name] if OBJECTIVES[name].maximise else values[name] for name in names)


def directions(names: Iterable[str]) -> list[Literal["maximize", "minimize"]]:
    """Optuna's direction of each objective."""
    return ["maximize" if OBJECTIVES[name].maximise else "minimize" for name in names]
