"""What a network is registered from: a document, and the file of its trained weights if there is one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

import torch

from inception_search.backend.build import build
from inception_search.canonical.catalogue import is_file, is_model, names
from inception_search.errors import ConfigError, WeightsError
from inception_search.hub.repository import local
from inception_search.items import Trial, final_of, item, load, record_of, trial_named
from inception_search.lowering import lower
from inception_search.spec.documents.parse import parse_network
from inception_search.spec.network import Network
from inception_search.spec.transform import remake
from inception_search.store.run_folder import RunFolder
from inception_search.timm_bridge.package import CONFIG, DOCUMENT, FACTS, WEIGHTS, architecture, timm_name
from inception_search.weights.checkpoint import Checkpoint, read_checkpoint
from inception_search.weights.trained import trained


class Source(NamedTuple):
    """A registered network, without auxiliary classifiers.

    Args:
        network: the document.
        file: the file of its weights, which ``pretrained=True`` loads; None without weights.
        classes: the names of the classes.
    """

    network: Network
    file: str | None = None
    classes: tuple[str, ...] | None = None


def source_of(named: Network | str | Path, prefix: str) -> tuple[str, Source]:
    """The name that timm gets, and the source; raises the errors of :func:`load` and of reading the weights."""
    if isinstance(named, Network):
        return timm_name(named.name, prefix), Source(remake(named, aux={}))
    here = local(named)
    if here != named:  # its config.json has this name
        network = remake(load(here), aux={})
        return architecture(network), _with_weights(network, read_checkpoint(here))
    shipped = str(named).partition("@")[0] in names()
    if not shipped and is_file(Path(named, CONFIG)):  # a folder here may have the name of a shipped network
        return _exported(Path(named))
    trial = trial_named(named)
    if trial is not None:
        return timm_name(_trial_name(trial), prefix), _of_trial(trial, load(named))
    network = remake(load(named), aux={})
    if is_model(named):
        return timm_name(network.name, prefix), _with_weights(network, read_checkpoint(named))
    return timm_name(str(named) if shipped else item(named).stem, prefix), Source(network)


def _trial_name(trial: Trial) -> str:
    number = "" if trial.number is None else f"_{trial.number}"
    return f"{trial.run.resolve().name}{'_final' if trial.final else ''}{number}"


def _of_trial(trial: Trial, network: Network) -> Source:
    """The network of a trial, with its weights if they were kept and belong to the network at its full size."""
    try:
        found = trained(RunFolder.open(trial.run), record_of(trial), final_of(trial))
    except WeightsError:
        return Source(remake(network, aux={}))
    same = _with_weights(remake(found.network, aux={}), found.checkpoint, found.classes)
    full, reduced = (_shapes(remake(each, aux={}, head=same.network.head)) for each in (network, same.network))
    return same if full == reduced else Source(remake(network, aux={}))


def _with_weights(network: Network, checkpoint: Checkpoint, classes: tuple[str, ...] | None = None) -> Source:
    from inception_search.spec.safetensors_header import classes_in

    file = None if checkpoint.file is None else str(Path(checkpoint.file).absolute())
    return Source(network, file, classes or classes_in(checkpoint.metadata) or None)


def _shapes(network: Network) -> dict[str, torch.Size]:
    with torch.device("meta"):
        state = build(lower(network), name=network.name, init=False).state_dict()
    return {key: value.shape for key, value in state.items()}


def _exported(folder: Path) -> tuple[str, Source]:
    """The network of a folder that ``export`` wrote for timm, or of one with a copy of its files."""
    file = folder / CONFIG
    try:
        config = json.loads(file.read_text(encoding="utf-8"))
        name, text = config["architecture"], config[FACTS][DOCUMENT]
        own = config[FACTS]["layout"] == "timm"
    except (OSError, ValueError, KeyError, TypeError) as error:
        hint = "name a folder that export wrote for timm"
        raise ConfigError("the folder has no document of a network", path=str(file), hint=hint) from error
    if own:
        hint = f'timm.create_model("local-dir:{folder}", pretrained=True) loads it without register_timm'
        raise ConfigError("timm has this architecture itself", path=str(file), found=name, hint=hint)
    network = parse_network(text, str(file))
    weights = folder / WEIGHTS
    return name, _with_weights(network, read_checkpoint(weights)) if is_file(weights) else Source(network)
