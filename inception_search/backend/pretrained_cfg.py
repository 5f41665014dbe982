"""The facts of a network under the names that timm gives them, for code written for timm."""

from __future__ import annotations

from typing import Any

from inception_search.backend.forward_parts import CLASSIFIER
from inception_search.graph.ops import Conv, GlobalPool
from inception_search.graph.types import FeatureMap
from inception_search.lowering import lower
from inception_search.spec.network import Network, Preprocess


def pretrained_cfg(network: Network) -> dict[str, Any]:
    """``architecture``, ``input_size`` (C, H, W), ``num_classes``, ``first_conv``, ``classifier``, ``pool_size`` ...

    ``mean`` and ``std`` are of pixels from 0 to 1; ``crop_pct`` and ``crop_mode`` say how an image is brought to
    ``input_size``: a centre crop, or ``squash`` (resized whole). ``input_space`` is ``RGB`` or ``BGR``: timm knows
    RGB only. A document that does not say what its weights expect has none of these.
    """
    graph = lower(network, aux=False)
    facts: dict[str, Any] = {
        "architecture": network.name.partition("@")[0],
        "tag": network.dialect,
        "num_classes": 0 if network.head.classifier == "none" else network.head.classes,
        "input_size": tuple(network.input.shape),
        "first_conv": next(
            (node.path for node in graph.nodes if node.inputs == (0,) and isinstance(node.op, Conv)), None
        ),
        "classifier": None if network.head.classifier == "none" else CLASSIFIER,
    }
    pooled = next((graph.input_types(node)[0] for node in graph.nodes if isinstance(node.op, GlobalPool)), None)
    if isinstance(pooled, FeatureMap):
        facts["pool_size"] = (pooled.height, pooled.width)
    preprocess = network.preprocess
    return facts if preprocess is None else facts | _image_facts(preprocess, network)


def _image_facts(facts: Preprocess, network: Network) -> dict[str, Any]:
    return {
        "mean": tuple(value / facts.scale for value in facts.mean),
        "std": tuple(value / facts.scale for value in facts.std),
        "interpolation": facts.interpolation,
        "input_space": facts.order.upper(),
        **_crop(facts.resize, min(network.input.height, network.input.width)),
    }


def _crop(resize: int | None, side: int) -> dict[str, Any]:
    """timm divides by ``crop_pct`` and rounds down: half a pixel more makes that ``resize`` exactly."""
    if resize is None:
        return {"crop_pct": 1.0, "crop_mode": "squash"}
    return {"crop_pct": side / (resize + 0.5), "crop_mode": "center"}
