"""The ``.h5`` layout of Keras 1 and 2, which Keras 3 still writes: attributes list layers and their variables.

A group (the root, or ``model_weights`` beside the optimizer's) has the attribute ``layer_names``, and the group of
each layer the attribute ``weight_names``. The names of variables vary with the version: ``kernel`` (Keras 3.0),
``conv2d_3/kernel`` (3.3 and newer), ``conv2d_3/kernel:0`` (2), ``sequential/conv2d_3/kernel`` (3, inside a Sequential
model), ``conv2d_3_1/kernel:0`` (built twice in a TensorFlow graph), ``convolution2d_3_W`` (1). All come back as
``conv2d_3/kernel``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from inception_search.errors import WeightsError
from inception_search.weights.files.contents import Contents
from inception_search.weights.files.hdf5_file import CheckedHdf5

if TYPE_CHECKING:
    import h5py
    import torch

_LIST = "layer_names"
_KERAS_1 = {"W": "kernel", "b": "bias", "running_mean": "moving_mean", "running_std": "moving_variance"}


def legacy_group(file: CheckedHdf5) -> h5py.Group | None:
    """The group that lists the layers, or None if the file is of another layout."""
    import h5py

    for group in (file.root, file.child(file.root, "model_weights") if "model_weights" in file.root else None):
        if isinstance(group, h5py.Group) and (_LIST in group.attrs or f"{_LIST}0" in group.attrs):
            return group
    return None


def read_legacy(file: CheckedHdf5, group: h5py.Group) -> Contents:
    """The weights of the layers that ``group`` lists, in its order; raises WeightsError."""
    import h5py

    tensors: dict[str, torch.Tensor] = {}
    for layer in file.texts(group, _LIST) or []:
        inside = file.child(group, layer)
        if not isinstance(inside, h5py.Group):
            raise WeightsError("the layer is not a group", path=layer)
        for weight in file.texts(inside, "weight_names") or []:
            dataset = file.child(inside, weight)
            name = f"{layer}/{_variable(layer, weight)}"
            if not isinstance(dataset, h5py.Dataset) or name in tensors:
                raise WeightsError("the variable is there twice or is no dataset", path=name)
            tensors[name] = file.read(dataset)
    left_out = tuple(name for name in file.root if name == "optimizer_weights")
    return Contents("keras", tensors, left_out=left_out)


def _variable(layer: str, weight: str) -> str:
    """The name of a variable without those of its layer and of what is around that, and without ``:0``."""
    parts = re.sub(r":\d+$", "", weight).split("/")
    own = re.compile(rf"{re.escape(layer)}(_\d+)?")
    place = next((i for i, part in enumerate(parts[:-1]) if own.fullmatch(part)), -1)
    *outer, last = parts[place + 1 :]
    last = last.removeprefix(f"{layer}_")
    return "/".join([*outer, _KERAS_1.get(last, last)])
