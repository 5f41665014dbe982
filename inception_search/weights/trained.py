"""The trained model of a trial: its network with the weights that the search kept."""

from __future__ import annotations

from typing import Any

from inception_search.backend.network_module import NetworkModule
from inception_search.errors import InceptionSearchError, WeightsError
from inception_search.spec.document import network_from_data
from inception_search.spec.network import Network, Preprocess
from inception_search.spec.transform import remake, shrink
from inception_search.spec.yaml_reader import read_yaml
from inception_search.store.record import TrialRecord
from inception_search.store.run_folder import RunFolder
from inception_search.weights.checkpoint import Checkpoint, read_checkpoint
from inception_search.weights.model_file import filled

SHOWN = 10  # trials that an error names


def trained_model(run: RunFolder, record: TrialRecord) -> NetworkModule:
    """The model that ``record``'s trial of ``run`` trained, in evaluation mode on the CPU.

    Raises :class:`WeightsError` where its weights are not kept or are damaged.
    """
    checkpoint = trained_weights(run, record)
    module = filled(trained_network(run, record, checkpoint), checkpoint)
    names = data_facts(run).get("class_names")
    if isinstance(names, list) and len(names) == module.num_classes:
        module.classes = tuple(map(str, names))
    return module


def trained_weights(run: RunFolder, record: TrialRecord) -> Checkpoint:
    """The weights of a trial; :class:`WeightsError` where they are not kept, with the trials whose weights are."""
    file = run.checkpoint_file(record.number)
    if record.state != "complete" or not file.is_file():
        kept = sorted(int(path.stem) for path in run.checkpoints_folder.glob("*.safetensors") if path.stem.isdecimal())
        shown = ", ".join(map(str, kept[:SHOWN])) + (f" and {len(kept) - SHOWN} more" if len(kept) > SHOWN else "")
        why = "" if record.state == "complete" else f": it is {record.state}"
        raise WeightsError(
            f"no weights are kept of trial {record.number}{why}",
            expected=f"a trial whose weights are kept: {shown}" if kept else None,
            mend=None if kept else f"no file is left in {run.checkpoints_folder}; compile the network and train it",
        ).at(file=str(run.path))
    return read_checkpoint(file)


def trained_network(run: RunFolder, record: TrialRecord, checkpoint: Checkpoint) -> Network:
    """The network that the weights are of: at the width and depth of the training, with what it expects of images."""
    factors = {name: record.fidelity.get(name, 1.0) for name in ("width", "depth")}
    network = shrink(network_from_data(record.network), **factors)  # type: ignore[arg-type]
    if not any(name.startswith("aux.") for name in checkpoint.tensors):
        network = remake(network, aux={})  # the study trained without them
    facts = data_facts(run)
    mean, std = facts.get("mean"), facts.get("std")
    if not mean or not std or len(mean) != network.input.channels:
        return network  # a study of an earlier version, which did not record them
    return remake(network, preprocess=Preprocess(mean=tuple(mean), std=tuple(std)))


def data_facts(run: RunFolder) -> dict[str, Any]:
    """What study.yaml says of the images: ``class_names``, ``mean``, ``std`` ...; empty where it says nothing."""
    try:
        found = read_yaml(run.study_text(), str(run.study_file))["facts"]["data"]
    except (InceptionSearchError, KeyError, TypeError):
        return {}
    return found if isinstance(found, dict) else {}
