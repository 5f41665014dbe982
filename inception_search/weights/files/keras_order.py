"""Names of layers that a Keras file stores by class and position in ``model.layers``.

``model.layers`` is sorted by depth, so the branches of a module are interleaved: the group ``conv2d_12`` of an
InceptionV3 contains the layer ``conv2d_15``. The ``config.json`` of a ``.keras`` file lists the layers in the same
order with their names. Without it, the two networks of ``keras.applications`` are recognised by their numbers of
layers. This file contains their orders, which are equal in Keras 2.15 to 3.15. Layers of other networks keep the
names of their groups.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

_SNAKES = (r"(.)([A-Z][a-z]+)", r"([a-z])([A-Z])")  # Keras' own two steps from Conv2D to conv2d


@dataclass(frozen=True)
class LayerConfig:
    """A layer's name, the stem of its group's name (``conv2d``), and its inner layers."""

    name: str
    stem: str = ""
    layers: list[LayerConfig] = field(default_factory=list)


class _Block(NamedTuple):
    """``repeat`` equal modules in sequence: the creation index of each layer, in the order of ``model.layers``.

    ``last`` names a convolution without normalization at the end of each module.
    """

    order: tuple[int, ...]
    repeat: int = 1
    last: str = ""


_STEM = _Block((0, 1, 2, 3, 4))
_INCEPTION_V3 = (
    _STEM,
    _Block((3, 1, 4, 0, 2, 5, 6), 3),  # mixed0 to mixed2
    _Block((1, 2, 0, 3)),
    _Block((4, 5, 1, 6, 2, 7, 0, 3, 8, 9), 4),  # mixed4 to mixed7
    _Block((2, 3, 0, 4, 1, 5)),
    _Block((4, 1, 5, 2, 3, 6, 7, 0, 8), 2),  # mixed9 and mixed10
)
_INCEPTION_RESNET_V2 = (
    _STEM,
    _Block((3, 1, 4, 0, 2, 5, 6)),  # mixed_5b
    _Block((3, 1, 4, 0, 2, 5), 10, "block35_{}_conv"),
    _Block((1, 2, 0, 3)),  # mixed_6a
    _Block((1, 2, 0, 3), 20, "block17_{}_conv"),
    _Block((4, 0, 2, 5, 1, 3, 6)),  # mixed_7a
    _Block((1, 2, 0, 3), 10, "block8_{}_conv"),
)


def layer_configs(config: Any) -> list[LayerConfig]:
    """The layers of a model from its ``config.json``; entries of unknown form are omitted."""
    inner = config.get("config") if isinstance(config, dict) else None
    layers = inner.get("layers") if isinstance(inner, dict) else None
    return [_layer_config(layer) for layer in layers if isinstance(layer, dict)] if isinstance(layers, list) else []


def own_names(groups: list[str], configs: list[LayerConfig]) -> dict[str, LayerConfig]:
    """The config of the layer in each group; ``groups`` are in the order of ``model.layers`` within each class."""
    groups = sorted(groups, key=placed)
    by_stem: dict[str, list[str]] = {}
    for group in groups:
        by_stem.setdefault(placed(group)[0], []).append(group)
    found = {group: LayerConfig(group) for group in groups}
    for known in (_known_network(by_stem), configs):
        known_by_stem: dict[str, list[LayerConfig]] = {}
        for layer in known:
            known_by_stem.setdefault(layer.stem, []).append(layer)
        for stem, members in by_stem.items():
            layers = known_by_stem.get(stem, [])
            if len(layers) == len(members):  # matched by rank, because some versions of Keras skip numbers
                found.update(zip(members, layers, strict=True))
    return found


def placed(group: str) -> tuple[str, int]:
    """Stem and number of a group's name: ``("conv2d", 3)`` for ``conv2d_3``, ``("conv2d", 0)`` for ``conv2d``."""
    stem, _, number = group.rpartition("_")
    return (stem, int(number)) if stem and number.isdecimal() and len(number) < 10 else (group, 0)


def _layer_config(layer: dict[str, Any]) -> LayerConfig:
    inner = layer.get("config")
    name = inner.get("name") if isinstance(inner, dict) else None
    stem = re.sub(r"\W+", "", str(layer.get("class_name")))
    for pattern in _SNAKES:
        stem = re.sub(pattern, r"\1_\2", stem)
    return LayerConfig(str(name or layer.get("name")), stem.lower(), layer_configs(layer))


def _known_network(by_stem: dict[str, list[str]]) -> list[LayerConfig]:
    """Layers of the known network with these numbers of layers per class; empty if no network matches."""
    counts = (len(by_stem.get("conv2d", ())), len(by_stem.get("batch_normalization", ())))
    if counts == (94, 94):
        convs, norms = list(_convolutions(_INCEPTION_V3)), []
    elif counts == (244, 204):
        convs, norms = [*_convolutions(_INCEPTION_RESNET_V2), "conv_7b"], ["conv_7b_bn"]
    else:
        return []
    norms = [name.replace("conv2d", "batch_normalization") for name in convs if name.startswith("conv2d")] + norms
    layers = [LayerConfig(name, "conv2d") for name in convs]
    return [*layers, *(LayerConfig(name, "batch_normalization") for name in norms), LayerConfig("predictions", "dense")]


def _convolutions(blocks: Iterable[_Block]) -> Iterable[str]:
    first = 0
    for block in blocks:
        for repeat in range(1, block.repeat + 1):
            for place in block.order:
                yield f"conv2d_{first + place}" if first + place else "conv2d"
            if block.last:
                yield block.last.format(repeat)
            first += len(block.order)
