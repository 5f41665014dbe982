"""The ``.weights.h5`` layout of late Keras 2 and of Keras 3: groups ``layers/<class>_<n>/vars/<i>``.

``<n>`` counts the layers of a class in the order of ``model.layers``; :mod:`.keras_order` finds their own names.
``<i>`` counts a layer's variables, trainable ones first. Their ranks identify them. One or two variables, the first
not a vector, are ``kernel`` and ``bias``. Three vectors are a BatchNormalization without scale (``beta``,
``moving_mean``, ``moving_variance``), four are one with scale (``gamma`` first). Others keep their numbers.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from inception_search.errors import WeightsError
from inception_search.weights.files.contents import Contents
from inception_search.weights.files.hdf5_file import CheckedHdf5
from inception_search.weights.files.keras_order import LayerConfig, own_names, placed

if TYPE_CHECKING:
    import h5py
    import torch

_CONTAINERS = ("layers", "_layer_checkpoint_dependencies")  # the second: Keras 2.13
_TRAINING = frozenset({"optimizer", "seed_generator", "_metrics", "_compile_metrics", "_loss_tracker"})
_NORM = ("beta", "moving_mean", "moving_variance")
_HINT = "save the weights again with Keras: model.save_weights('name.weights.h5')"


def read_numbered(file: CheckedHdf5, configs: list[LayerConfig]) -> Contents:
    """The weights below the root, with layers in the order of ``model.layers``; raises WeightsError.

    ``configs`` are the layers of the archive's ``config.json``, if it has one.
    """
    reading = _Reading(file)
    reading.group(file.root, (), configs)
    return Contents("keras", reading.tensors, left_out=tuple(reading.left_out))


class _Reading:
    def __init__(self, file: CheckedHdf5) -> None:
        self.file = file
        self.tensors: dict[str, torch.Tensor] = {}
        self.left_out: list[str] = []

    def group(self, group: h5py.Group, path: tuple[str, ...], configs: list[LayerConfig]) -> None:
        """Read the variables of the layer or model at ``path``, then those of its inner layers."""
        for name in sorted(self.file.names(group), key=placed):
            inside = self._subgroup(group, name)
            if name in _TRAINING:
                self.left_out.append("/".join((*path, name)))
            elif name == "vars":
                self._variables(inside, path)
            elif name in _CONTAINERS:
                self._layers(inside, path, configs)
            else:
                self.group(inside, (*path, name), [])

    def _layers(self, container: h5py.Group, path: tuple[str, ...], configs: list[LayerConfig]) -> None:
        layers = {name: self._subgroup(container, name) for name in self.file.names(container)}
        for name, config in own_names(list(layers), configs).items():
            self.group(layers[name], (*path, config.name), config.layers)

    def _variables(self, group: h5py.Group, path: tuple[str, ...]) -> None:
        import h5py

        keys = sorted(self.file.names(group), key=lambda key: (len(key), key))
        values = []
        for key in keys:
            dataset = self.file.child(group, key)
            if not isinstance(dataset, h5py.Dataset):
                raise WeightsError("the variable is not a dataset", path="/".join((*path, key)), hint=_HINT)
            values.append(self.file.read(dataset))
        for key, value in zip(_names(keys, [value.ndim for value in values]), values, strict=True):
            name = "/".join((*path, key))
            if name in self.tensors:
                raise WeightsError("two variables have the same name", path=name, hint=_HINT)
            self.tensors[name] = value

    def _subgroup(self, group: h5py.Group, name: str) -> h5py.Group:
        import h5py

        inside = self.file.child(group, name)
        if not isinstance(inside, h5py.Group):
            raise WeightsError("the HDF5 file is not in a layout of Keras", path=name, hint=_HINT)
        return inside


def _names(keys: list[str], ranks: Sequence[int]) -> list[str]:
    if not all(re.fullmatch(r"\d+", key) for key in keys):
        return keys
    if ranks in ([1, 1, 1], [1, 1, 1, 1]):
        return ["gamma", *_NORM][-len(ranks) :]
    if len(ranks) in (1, 2) and ranks[0] >= 2 and ranks[1:] in ([], [1]):
        return ["kernel", "bias"][: len(ranks)]
    return keys
