"""The package timm, imported with clear errors, and the facts that it keeps of a network."""

from __future__ import annotations

import hashlib
import re
from typing import Any

from inception_search.backend.timm_interface import CLASSIFIER, pretrained_cfg
from inception_search.canonical.catalogue import list_models, load
from inception_search.errors import MissingRequirementError, raw
from inception_search.extras import install
from inception_search.lowering import lower
from inception_search.spec.documents.to_yaml import network_text
from inception_search.spec.network import Network

PREFIX = "ins_"
CONFIG, WEIGHTS = "config.json", "model.safetensors"  # the files of a folder that timm reads
FACTS, DOCUMENT = "inception_search", "document"  # our facts in the config, and the document among them


def timm_package() -> Any:
    """The package timm; raises :class:`MissingRequirementError` if it cannot be imported."""
    try:
        import timm
    except ImportError as error:
        rule = f"models of timm need {error.name or 'timm'}, which is not installed"
        raise MissingRequirementError(rule, hint=install("timm")) from None
    except Exception as error:  # a torchvision that does not belong to this torch raises RuntimeError
        hint = "install versions of torch and torchvision that belong together"
        raise MissingRequirementError("timm cannot be imported", found=raw(str(error)), hint=hint) from error
    return timm


def timm_name(name: str, prefix: str = PREFIX) -> str:
    """``name`` as timm writes names: letters, digits and ``_``, after ``prefix``."""
    return prefix + re.sub(r"[^A-Za-z0-9]+", "_", name).strip("_")


def architecture(network: Network) -> str:
    """The name under which a file refers to ``network``: the same for every process.

    A shipped network has its own name. That of any other network ends in a checksum of its document.
    """
    if network.name in list_models() and load(network.name) == network:
        return timm_name(network.name)
    checksum = hashlib.sha256(network_text(network).encode()).hexdigest()[:8]
    return f"{timm_name(network.name)}_{checksum}"


def config_of(network: Network, classes: tuple[str, ...] | None = None) -> dict[str, Any]:
    """The fields of timm's ``PretrainedCfg`` for ``network``; timm's defaults apply to those that are missing."""
    facts = pretrained_cfg(network)
    order = facts.pop("input_space", "RGB")
    if facts["classifier"] is not None and any(
        node.path == f"{CLASSIFIER}.conv" for node in lower(network, aux=False).nodes
    ):
        facts["classifier"] = f"{CLASSIFIER}.conv"  # timm replaces the tensors of this layer for other classes
    if order != "RGB":
        facts["notes"] = (f"images are {order}, and timm gives RGB: use inception_search.prepare_images",)
    if classes is not None:
        facts["label_names"] = classes
    del facts["tag"]  # of a dialect; timm's tags are of weights
    return facts
