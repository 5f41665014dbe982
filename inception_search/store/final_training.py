"""The networks in the latest table of ``finalize``: which is best, and where its weights are."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean
from typing import Any, Self

from inception_search.errors import ConfigError, DocumentError, Place, RunFolderError, raw
from inception_search.spec.documents.parse import network_from_data
from inception_search.spec.network import Network
from inception_search.spec.transform import set_classes, set_input, shrink
from inception_search.store.disk import typed_errors
from inception_search.store.jsonl import read_lines
from inception_search.store.record import TrialRecord
from inception_search.store.run_folder import RunFolder


@dataclass(frozen=True)
class FinalTraining:
    """One complete final training: the network of ``trial`` with one ``seed``."""

    trial: int
    seed: int
    validation: float
    """The validation result (accuracy, balanced accuracy or macro F1), 0..1."""
    macs: int
    file: Path
    """The weight file."""
    fidelity: Mapping[str, Any] = field(repr=False)
    data: Mapping[str, Any] = field(repr=False)

    @classmethod
    def of(cls, record: Mapping[str, Any], run: Path, quality: str) -> Self:
        """The training of a line of ``finals.jsonl`` in the folder ``run``, with its result in ``quality``."""
        file = weight_file(run, record["recipe"], record["trial"], record["seed"])
        value, macs = record[f"validation_{quality}"] or 0.0, record["cost"].get("macs", 0)
        return cls(record["trial"], record["seed"], value, macs, file, record["fidelity"], record["data"])

    def network(self, record: TrialRecord) -> Network:
        """The network of the trial ``record`` with the image size, classes, width and depth of the final training."""
        channels, height, width = self.data["shape"]
        whole = set_input(network_from_data(record.network), channels=channels, height=height, width=width)
        factors = {name: self.fidelity.get(name, 1.0) for name in ("width", "depth")}
        return shrink(set_classes(whole, self.data["classes"]), **factors)


def id_of(setting: Any) -> str:
    """A short id of plain JSON data. The names of weight files begin with the id of their recipe."""
    return hashlib.sha256(json.dumps(setting, sort_keys=True).encode()).hexdigest()[:12]


def weight_file(run: Path, recipe: str, trial: int, seed: int) -> Path:
    """The weight file of one final training in the run folder ``run``."""
    return run / "finals" / "checkpoints" / f"{recipe}-{trial}-{seed}.safetensors"


def best_training(trainings: Iterable[FinalTraining]) -> FinalTraining | None:
    """The best training of the best network, both by validation result; None without trainings.

    Networks are ranked by their mean over seeds, then by fewest multiply-adds.
    """
    networks: dict[int, list[FinalTraining]] = {}
    for training in trainings:
        networks.setdefault(training.trial, []).append(training)
    best = max(networks.values(), key=lambda seeds: (fmean(s.validation for s in seeds), -seeds[0].macs), default=[])
    return max(best, key=lambda training: training.validation, default=None)


def final_training(run: RunFolder, trial: int | None = None) -> FinalTraining:
    """The best final training in the latest table of ``run``, or the best one of ``trial``.

    Raises :class:`RunFolderError` if no final training is finished, :class:`ConfigError` for a trial without one,
    :class:`DocumentError` for files that cannot be read.
    """
    known = _trainings(run)
    found = best_training(known if trial is None else [each for each in known if each.trial == trial])
    if found is not None:
        return found
    if not known:
        hint = f"inception-search finalize {run.path}"
        raise RunFolderError("no final training of the study is finished", place=Place(str(run.path)), hint=hint)
    trials = ", ".join(str(number) for number in sorted({each.trial for each in known}))
    hint = f"name one of these trials, or the best one with {str(run.path) + ':final'!r}"
    rule = "no final training of this trial"
    raise ConfigError(rule, path=str(run.path), found=trial, expected=raw(f"one of {trials}"), hint=hint)


def _trainings(run: RunFolder) -> list[FinalTraining]:
    """The complete trainings in ``finals.json``; empty if the file does not exist."""
    table_file, records_file = run.path / "finals.json", run.path / "finals.jsonl"
    if not table_file.is_file():
        return []
    try:
        with typed_errors(table_file):
            table = json.loads(table_file.read_text(encoding="utf-8"))
        recipe, seeds = id_of(table["recipe"]), set(table["seeds"])
        networks = {row["arch_id"] for row in table["rows"]}
        found: dict[tuple[str, int], FinalTraining] = {}
        records = (json.loads(text) for _, text in read_lines(records_file))
        for record in (each for each in records if each["state"] == "complete"):
            key = (record["arch_id"], record["seed"])
            if record["recipe"] == recipe and key[0] in networks and key[1] in seeds and key not in found:
                found[key] = FinalTraining.of(record, run.path, table["quality"])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        rule, hint = "the final trainings cannot be read", f"write them again: inception-search finalize {run.path}"
        what = raw(f"{type(error).__name__}: {error}")
        raise DocumentError(rule, place=Place(str(table_file)), found=what, hint=hint) from None
    return list(found.values())
