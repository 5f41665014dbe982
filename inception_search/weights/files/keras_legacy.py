"""The ``.h5`` layout of Keras 1 and 2, which Keras 3 can still write: one group for each layer, under its name.

The groups lie in the root, or in ``model_weights`` next to the optimizer's. The names of variables vary with the
version: ``kernel`` (Keras 3.0), ``conv2d_3/kernel`` (3.3 and newer), ``conv2d_3/kernel:0`` (2),
``sequential/conv2d_3/kernel`` (3, inside a Sequential model), ``conv2d_3_1/kernel:0`` (built twice in a TensorFlow
graph), ``convolution2d_3_W`` (1). All are returned as ``conv2d_3/kernel``, sorted by class and number.

Attributes also list these names. Their presence identifies the layout; their values are not read.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from inception_search.errors import WeightsError
from inception_search.weights.files.contents import Contents
from inception_search.weights.files.hdf5_file import CheckedHdf5
from inception_search.weights.files.keras_order import placed

if TYPE_CHECKING:
    import h5py
    import torch

_KERAS_1 = {"W": "kernel", "b": "bias", "running_mean": "moving_mean", "running_std": "moving_variance"}
_HINT = "save the weights again with Keras: model.save_weights('name.weights.h5')"


def legacy_group(file: CheckedHdf5) -> h5py.Group | None:
    """The group that contains the layers, or None if the file has another layout."""
    import h5py

    for group in (file.root, file.child(file.root, "model_weights") if "model_weights" in file.root else None):
        if isinstance(group, h5py.Group) and _lists(group, "layer_names"):
            return group
    return None


def read_legacy(file: CheckedHdf5, group: h5py.Group) -> Contents:
    """The weights of the layers in ``group``; raises WeightsError."""
    tensors: dict[str, torch.Tensor] = {}
    _layers(file, group, "", tensors)
    return Contents("keras", tensors, left_out=("optimizer_weights",) if "optimizer_weights" in file.root else ())


def _layers(file: CheckedHdf5, group: h5py.Group, outer: str, tensors: dict[str, torch.Tensor]) -> None:
    import h5py

    for name in sorted(file.names(group), key=placed):
        inside = file.child(group, name)
        if not isinstance(inside, h5py.Group):
            raise WeightsError("the layer is not a group", path=outer + name, hint=_HINT)
        if not _lists(inside, "weight_names"):  # the name of a layer has a slash in it
            _layers(file, inside, f"{outer}{name}/", tensors)
            continue
        for weight, dataset in _datasets(file, inside, ""):
            full = f"{outer}{name}/{_variable(outer + name, weight)}"
            if full in tensors:
                raise WeightsError("two variables have the same name", path=full, hint=_HINT)
            tensors[full] = file.read(dataset)


def _datasets(file: CheckedHdf5, group: h5py.Group, outer: str) -> list[tuple[str, h5py.Dataset]]:
    import h5py

    found: list[tuple[str, h5py.Dataset]] = []
    for name in file.names(group):
        inside = file.child(group, name)
        is_group = isinstance(inside, h5py.Group)
        found += _datasets(file, inside, f"{outer}{name}/") if is_group else [(outer + name, inside)]
    return found


def _lists(group: h5py.Group, attribute: str) -> bool:
    """Whether ``group`` has an attribute with names; Keras splits long lists into numbered attributes."""
    return attribute in group.attrs or f"{attribute}0" in group.attrs


def _variable(layer: str, weight: str) -> str:
    """The name of a variable without the names of its layer and enclosing models, and without ``:0``."""
    parts = re.sub(r":\d+$", "", weight).split("/")
    own = re.compile(rf"{re.escape(layer)}(_\d+)?")
    place = next((i for i, part in enumerate(parts[:-1]) if own.fullmatch(part)), -1)
    *outer, last = parts[place + 1 :]
    last = last.removeprefix(f"{layer}_")
    return "/".join([*outer, _KERAS_1.get(last, last)])
