"""Folders that ``timm.create_model("local-dir:FOLDER", pretrained=True)`` reads, checked by loading them so."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from inception_search.backend.build import build
from inception_search.backend.network_module import NetworkModule
from inception_search.canonical.catalogue import load
from inception_search.errors import WeightsError
from inception_search.exports.format import Format, Run, outputs_of
from inception_search.exports.job import Job
from inception_search.lowering import lower
from inception_search.spec.documents.to_yaml import network_text
from inception_search.spec.network import Network
from inception_search.spec.stem import stem_stride
from inception_search.spec.transform import remake, set_classes
from inception_search.timm_bridge.package import (
    CONFIG,
    DOCUMENT,
    FACTS,
    WEIGHTS,
    architecture,
    config_of,
    timm_package,
)
from inception_search.timm_bridge.register import register_source
from inception_search.timm_bridge.source import Source
from inception_search.weights.dialect_check import what_differs
from inception_search.weights.export import export_weights, write_weights
from inception_search.weights.model_file import save_model

TIMMS_OWN = ("inception_v3", "inception_v4", "inception_resnet_v2")
REGISTER = 'call inception_search.register_timm("FOLDER") before timm.create_model("local-dir:FOLDER", pretrained=True)'


class TimmFormat(Format):
    """``config.json`` and ``model.safetensors``, in timm's own layout where timm has the architecture."""

    suffix, files = "", (CONFIG, WEIGHTS)
    summary = "timm: a folder with config.json and model.safetensors for local-dir:"

    def require(self) -> None:
        """The package timm."""
        timm_package()

    def write(self, job: Job, path: Path) -> None:
        """Write both files."""
        model, name = without_aux(job.model), job.model.network.name.partition("@")[0]
        path.mkdir()
        own = _timms_tensors(model)
        if own is None:
            save_model(model, path / WEIGHTS)
            config = config_file(model.network, model.classes)
        else:
            write_weights(own, path / WEIGHTS)
            config = _native(name, model)
        _write(path, config | {FACTS: {**config[FACTS], **_named(job.metadata)}})

    def load(self, job: Job, path: Path) -> Run:
        """Load the folder with ``timm.create_model``."""
        config = _read(path)
        if config[FACTS]["layout"] != "timm":
            network = without_aux(job.model).network
            register_source(config["architecture"], Source(network, None, job.model.classes))
        model = timm_package().create_model(f"local-dir:{path.resolve()}", pretrained=True)
        return outputs_of(model.eval())

    def runtime(self) -> str:
        """The package timm with its version."""
        return f"timm {timm_package().__version__}"

    def annotate(self, job: Job, path: Path, facts: dict[str, str]) -> None:
        """Add to the facts in config.json."""
        config = _read(path)
        _write(path, config | {FACTS: {**config[FACTS], **_named(facts)}})


def without_aux(model: NetworkModule) -> NetworkModule:
    """``model`` without its auxiliary classifiers, on copies of its weights; ``model`` itself if it has none."""
    if not model.network.aux:
        return model
    network = remake(model.network, aux={})
    plain = build(lower(network), name=network.name, init=False)
    plain.remember(network=network)
    plain.load_state_dict({key: value for key, value in model.state_dict().items() if not key.startswith("aux.")})
    plain.classes = model.classes
    return plain.eval()


def config_file(network: Network, classes: tuple[str, ...] | None) -> dict[str, Any]:
    """The content of config.json for weights with our names; the network has no auxiliary classifiers."""
    facts = {"layout": "inception-search", "use": REGISTER, DOCUMENT: network_text(network)}
    return _config(architecture(network), network, classes, config_of(network, classes), facts)


def _native(name: str, model: NetworkModule) -> dict[str, Any]:
    """The content of config.json for an architecture of timm."""
    network, theirs = model.network, timm_package().models.get_pretrained_cfg(name)
    cfg = config_of(network, model.classes) | {"first_conv": theirs.first_conv, "classifier": theirs.classifier}
    facts = {"layout": "timm", "use": 'timm.create_model("local-dir:FOLDER", pretrained=True)'}
    config = _config(name, network, model.classes, cfg, facts | {DOCUMENT: network_text(network)})
    return config | ({"model_args": {"drop_rate": network.head.dropout}} if network.head.dropout else {})


def _config(
    name: str, network: Network, classes: tuple[str, ...] | None, cfg: dict[str, Any], facts: dict[str, str]
) -> dict[str, Any]:
    labels = {} if classes is None else {"label_names": list(classes)}
    pretrained = {key: value for key, value in cfg.items() if key not in ("architecture", "label_names")}
    config = {"architecture": name, "num_classes": cfg["num_classes"], "global_pool": network.head.pool, **labels}
    return config | {"pretrained_cfg": pretrained, FACTS: facts}


def _timms_tensors(model: NetworkModule) -> dict[str, Tensor] | None:
    """The weights in timm's layout; None unless timm has exactly this architecture."""
    network = model.network
    name = network.name.partition("@")[0]
    if name not in TIMMS_OWN or what_differs(network, name, ("timm",)) is not None:
        return None
    theirs = set_classes(load(f"{name}@timm"), model.num_classes)
    same_head = remake(network.head, dropout=0.0) == remake(theirs.head, dropout=0.0)
    if not same_head or stem_stride(network) != stem_stride(theirs):
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return export_weights(model, "timm")
    except WeightsError:
        return None


def _named(facts: Mapping[str, str]) -> dict[str, str]:
    """Facts under short names; the document is in the config already."""
    return {key.partition(".")[2] or key: value for key, value in facts.items() if not key.endswith(DOCUMENT)}


def _read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((path / CONFIG).read_text(encoding="utf-8"))
    return found


def _write(path: Path, config: Mapping[str, Any]) -> None:
    (path / CONFIG).write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8", newline="\n")
