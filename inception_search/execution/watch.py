"""Whether the weights or layers of a model have changed since they were packed; cheap enough for every call."""

from __future__ import annotations

from collections.abc import Iterable
from operator import attrgetter, is_
from typing import Any

from torch import Tensor, nn

from inception_search.backend.as_documented import Layers, has_hooks
from inception_search.backend.bound_tensors import place
from inception_search.backend.network_module import NetworkModule
from inception_search.backend.writes import counters, watch_steps
from inception_search.errors import ConfigError

_version, _training = attrgetter("_version"), attrgetter("training")


class Watch:
    """The tensors and layers of a model as they are now.

    A write through ``.data``, which torch does not count, is not seen.

    Args:
        model: the model.
        keys: the ``state_dict`` keys of the tensors that matter.
    """

    def __init__(self, model: NetworkModule, keys: Iterable[str]) -> None:
        self.model, self.code = model, model.code
        self.keys = sorted(keys)
        layers = [place(model, key) for key in self.keys]
        layers += counters(layers)
        tables: list[tuple[dict[str, Any], str]] = []
        for layer, name in layers:
            tables.append((layer._parameters if name in layer._parameters else layer._buffers, name))
        for module in model.modules():
            tables += [(module._modules, name) for name in module._modules]
        self.tables, self.names = [table for table, _ in tables], [name for _, name in tables]
        self.values: list[Any] = list(map(dict.get, self.tables, self.names))
        self.tensors: list[Tensor] = self.values[: len(layers)]
        if any(tensor.is_inference() for tensor in self.tensors):
            hint = "compile the model outside of torch.inference_mode(), or give a copy: copy.deepcopy(model)"
            rule = "weights made in torch.inference_mode() cannot be watched for changes"
            raise ConfigError(rule, path="model", hint=hint)
        watch_steps(self.tensors)
        self.layers = Layers(model)
        self.moded = [layer for layer in model.modules() if _depends_on_mode(layer)]
        self.addresses, self.versions = self._addresses(), self._versions()

    def changed(self) -> bool:
        """Whether a tensor, a layer or the calls are others than before."""
        same = all(map(is_, self.values, map(dict.get, self.tables, self.names))) and self.model.code is self.code
        if self.layers.hooked() or has_hooks(self.model):
            return True  # the check of the model raises the error
        return not (same and self.versions == self._versions() and self.addresses == self._addresses())

    def training(self) -> bool:
        """Whether the model, or a layer whose output depends on it, is in training mode."""
        return self.model.training or any(map(_training, self.moded))

    def _addresses(self) -> list[int]:
        return list(map(Tensor.data_ptr, self.tensors))

    def _versions(self) -> list[int]:
        return list(map(_version, self.tensors))


def _depends_on_mode(layer: nn.Module) -> bool:
    return isinstance(layer, nn.modules.batchnorm._BatchNorm | nn.modules.dropout._DropoutNd)
