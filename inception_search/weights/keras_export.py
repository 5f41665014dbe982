"""Writing Keras 3's ``.weights.h5``, which ``keras.applications``' two Inception networks load.

The file has a group for each layer, by class and by place in ``model.layers``, with its variables in their order;
:mod:`.files.keras_order` knows which layer is where.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import TYPE_CHECKING

from inception_search.errors import MissingRequirementError, WeightsError, raw
from inception_search.extras import install
from inception_search.weights.files.keras_order import own_names, placed

if TYPE_CHECKING:
    import torch

_VARIABLES = (("kernel", "bias"), ("gamma", "beta", "moving_mean", "moving_variance"))  # in Keras' order


def keras_weights(tensors: Mapping[str, torch.Tensor]) -> bytes:
    """The content of a ``.weights.h5`` file with ``tensors``, which have Keras' names and layouts.

    Raises :class:`WeightsError` if they are not those of Keras' InceptionV3 or InceptionResNetV2, and
    :class:`MissingRequirementError` if h5py is not installed.
    """
    try:
        import h5py
    except ImportError:
        raise MissingRequirementError("writing Keras' weights needs h5py", hint=install("keras")) from None
    groups = _groups(tensors)
    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        for group, layer in groups.items():
            variables = file.create_group(f"layers/{group}/vars")
            for i, name in enumerate(_variables(layer, tensors)):
                variables[str(i)] = tensors[name].numpy()
    return content.getvalue()


def _groups(tensors: Mapping[str, torch.Tensor]) -> dict[str, str]:
    """The name of the group of each layer: group name to layer name."""
    layers = {name.rpartition("/")[0] for name in tensors}
    by_stem: dict[str, list[str]] = {}
    for layer in sorted(layers, key=placed):
        by_stem.setdefault(_stem(layer, tensors), []).append(layer)
    groups = [f"{stem}_{i}" if i else stem for stem, members in by_stem.items() for i in range(len(members))]
    named = {group: config.name for group, config in own_names(groups, []).items()}
    if set(named.values()) != layers:
        found, expected = raw(", ".join(list(tensors)[:4])), "the tensors of Keras' InceptionV3 or InceptionResNetV2"
        hint = "write what export_weights(module, 'keras') returns"
        raise WeightsError("only Keras' own networks have a .weights.h5", found=found, expected=expected, hint=hint)
    return named


def _stem(layer: str, tensors: Mapping[str, torch.Tensor]) -> str:
    """The class of a layer in snake case, derived from its variables."""
    if f"{layer}/beta" in tensors:
        return "batch_normalization"
    kernel = tensors.get(f"{layer}/kernel")
    return "dense" if kernel is not None and kernel.ndim == 2 else "conv2d"


def _variables(layer: str, tensors: Mapping[str, torch.Tensor]) -> list[str]:
    """The names of a layer's tensors in Keras' order of variables."""
    return [f"{layer}/{variable}" for kind in _VARIABLES for variable in kind if f"{layer}/{variable}" in tensors]
