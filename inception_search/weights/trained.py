"""The trained model of a trial: its network with the weights that the search or ``finalize`` saved."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from inception_search.backend.network_module import NetworkModule
from inception_search.errors import InceptionSearchError, WeightsError
from inception_search.spec.documents.parse import network_from_data
from inception_search.spec.documents.yaml_reader import read_yaml
from inception_search.spec.network import Network, Preprocess
from inception_search.spec.safetensors_header import classes_in
from inception_search.spec.transform import remake, shrink
from inception_search.store.final_training import FinalTraining
from inception_search.store.record import TrialRecord
from inception_search.store.run_folder import RunFolder
from inception_search.weights.checkpoint import Checkpoint, read_checkpoint
from inception_search.weights.model_file import document_in, filled

SHOWN = 10  # trials that an error names


class Trained(NamedTuple):
    """The result of a training: the network with its image normalisation, the weights and the class names."""

    network: Network
    checkpoint: Checkpoint
    classes: tuple[str, ...] | None

    def model(self) -> NetworkModule:
        """The model in evaluation mode on the CPU; raises :class:`WeightsError` if its weights are damaged."""
        module = filled(self.network, self.checkpoint)
        if self.classes is not None and len(self.classes) == module.num_classes:
            module.classes = self.classes
        return module


def trained(run: RunFolder, record: TrialRecord, final: FinalTraining | None = None) -> Trained:
    """The trained network of the trial ``record`` of ``run``, or that of the final training ``final``.

    Raises :class:`WeightsError` if its weights were not kept or are damaged.
    """
    checkpoint = read_checkpoint(_kept(run, record) if final is None else _kept_final(run, final))
    network = document_in(checkpoint)
    facts = {} if network is not None else _data_facts(run)
    if network is None:  # version 0.1 saved the weights without the document
        whole = _as_searched(record) if final is None else final.network(record)
        network = _with_facts(whole, checkpoint, facts)
    names = classes_in(checkpoint.metadata) or tuple(map(str, facts.get("class_names") or ()))
    return Trained(network, checkpoint, names or None)


def _kept(run: RunFolder, record: TrialRecord) -> Path:
    """The weight file of a trial; raises :class:`WeightsError`, listing the trials with weights, if it has none."""
    file = run.checkpoint_file(record.number)
    if record.state == "complete" and file.is_file():
        return file
    kept = sorted(int(path.stem) for path in run.checkpoints_folder.glob("*.safetensors") if path.stem.isdecimal())
    shown = ", ".join(map(str, kept[:SHOWN])) + (f" and {len(kept) - SHOWN} more" if len(kept) > SHOWN else "")
    why = "" if record.state == "complete" else f": it is {record.state}"
    raise WeightsError(
        f"no weights are kept of trial {record.number}{why}",
        expected=f"a trial whose weights are kept: {shown}" if kept else None,
        hint=None if kept else f"no file is left in {run.checkpoints_folder}; train the network again",
    ).at(file=str(run.path))


def _kept_final(run: RunFolder, final: FinalTraining) -> Path:
    """The weight file of a final training; raises :class:`WeightsError` if it is missing."""
    if final.file.is_file():
        return final.file
    hint = f"restore {final.file}, or train again: move finals.jsonl away, then inception-search finalize {run.path}"
    rule = f"the weights of the final training of trial {final.trial} with seed {final.seed} are missing"
    raise WeightsError(rule, hint=hint).at(file=str(run.path))


def _as_searched(record: TrialRecord) -> Network:
    """The network of a trial at the width and depth at which the search trained it."""
    factors = {name: record.fidelity.get(name, 1.0) for name in ("width", "depth")}
    return shrink(network_from_data(record.network), **factors)  # type: ignore[arg-type]


def _with_facts(network: Network, checkpoint: Checkpoint, facts: dict[str, Any]) -> Network:
    """``network`` with the study's image normalisation, and without auxiliary classifiers unless they were trained."""
    if not any(name.startswith("aux.") for name in checkpoint.tensors):
        network = remake(network, aux={})
    mean, std = facts.get("mean"), facts.get("std")
    if not mean or not std or len(mean) != network.input.channels:
        return network  # a study of an earlier version, which did not record them
    return remake(network, preprocess=Preprocess(mean=tuple(mean), std=tuple(std)))


def _data_facts(run: RunFolder) -> dict[str, Any]:
    """Facts about the images in study.yaml: ``class_names``, ``mean``, ``std`` ...; empty if it has none."""
    try:
        found = read_yaml(run.study_text(), str(run.study_file))["facts"]["data"]
    except (InceptionSearchError, KeyError, TypeError):
        return {}
    return found if isinstance(found, dict) else {}
