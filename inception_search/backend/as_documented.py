"""Whether a compiled network still has the layers and the calls of its document, so that a rewrite of it is exact."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from operator import is_

import torch
from torch import Tensor, nn

from inception_search.backend.network_module import NetworkModule
from inception_search.errors import shorten
from inception_search.graph.graph import Node
from inception_search.graph.op import Op
from inception_search.graph.ops import BatchNorm, Conv, Linear
from inception_search.graph.torch_modules import TfConv2d
from inception_search.graph.types import Type


def is_as_documented(model: NetworkModule, *, hooks: bool = False) -> bool:
    """Whether a compiled network still has the layers and the calls of its document; ``hooks`` on them are allowed."""
    return difference_from_document(model, hooks=hooks) is None


def difference_from_document(model: NetworkModule, *, hooks: bool = False) -> str | None:
    """What about a compiled network is not as its document says, for an error; None if all is."""
    graph = model.recall("graph")
    if graph is None or model.code != model.recall("code"):
        return "another graph of calls"
    layers = dict(model.named_modules())
    for path, layer in layers.items():
        if _is_replaced(layer):
            return f"a forward of its own at {path or 'the model'}"
        if not hooks and has_hooks(layer):
            return f"a hook on {path or 'the model'}"
    if len(_dtypes(layers.values())) > 1:
        return "layers of several dtypes"
    for node in graph.nodes:
        layer = layers.get(node.path)
        if layer is not None and not _is_layer_of(node, graph.nodes[node.inputs[0]].type, layer):
            return f"another layer at {node.path}: {shorten(layer)}"
    return None


class Layers:
    """The layers of a model as they are now, and their hooks; cheap enough for every call."""

    def __init__(self, model: NetworkModule) -> None:
        self.model, self.code = model, model.code
        places = [(module._modules, name) for module in model.modules() for name in module._modules]
        self.tables, self.names = [table for table, _ in places], [name for _, name in places]
        self.values = list(map(dict.get, self.tables, self.names))
        inner = list(model.modules())[1:]
        self.hooks = [hooks for layer in inner for hooks in (layer._forward_hooks, layer._forward_pre_hooks)]
        self.hooks += [hooks for layer in inner for hooks in (layer._backward_hooks, layer._backward_pre_hooks)]

    def replaced(self) -> bool:
        """Whether a layer, or the calls of the model, are others than before."""
        now = map(dict.get, self.tables, self.names)
        return self.model.code is not self.code or not all(map(is_, self.values, now))

    def hooked(self) -> bool:
        """Whether a layer has a hook."""
        return any(self.hooks)


def has_hooks(module: nn.Module) -> bool:
    """Whether a call of the module, or of its gradient, calls something else as well."""
    forward, backward = module._forward_hooks or module._forward_pre_hooks, module._backward_hooks
    return bool(forward or backward or module._backward_pre_hooks)


def _is_replaced(module: nn.Module) -> bool:
    """Whether a call of the module does something else than its class says."""
    own = vars(module)
    return "forward" in own and own["forward"] is not own.get("_execution")


def _dtypes(modules: Iterable[nn.Module]) -> set[torch.dtype]:
    """The dtypes of the tensors of ``modules``, except counters of batches."""
    values = (value for module in modules for value in (*module._parameters.values(), *module._buffers.values()))
    return {value.dtype for value in values if value is not None and value.is_floating_point()}


def _is_layer_of(node: Node, read: Type, layer: nn.Module) -> bool:
    """Whether ``layer`` is what the op of ``node`` builds on a value of type ``read``."""
    op = node.op
    if type(op) is Conv:
        return _is_conv(op, read, layer)
    if type(op) is Linear:
        return (
            type(layer) is nn.Linear and layer.weight.shape == (op.width, read.channels) and _has(layer.bias, op.bias)
        )
    if type(op) is BatchNorm:  # the momentum does not matter in evaluation, and is changed for a while in training
        if type(layer) not in (nn.BatchNorm1d, nn.BatchNorm2d):
            return False
        assert isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d)
        same = layer.num_features == read.channels and layer.eps == op.eps
        return same and _has(layer.weight, op.gamma) and _has(layer.bias, True) and _has(layer.running_mean, True)
    expected, text = _built(op, read)
    return type(layer) is expected and _text(layer) == text


def _is_conv(op: Conv, read: Type, layer: nn.Module) -> bool:
    if type(layer) is not (TfConv2d if op.padding == "tf" else nn.Conv2d):
        return False
    assert isinstance(layer, nn.Conv2d)
    shape = (op.width, read.channels // op.groups, *op.kernel)
    place = (op.stride, layer.padding if op.padding == "tf" else op.padding, op.dilation, op.groups, "zeros")
    found = (layer.stride, layer.padding, layer.dilation, layer.groups, layer.padding_mode)
    return layer.weight.shape == shape and found == place and _has(layer.bias, op.bias)


def _has(value: Tensor | None, expected: bool) -> bool:
    return (value is not None) == expected


@lru_cache(maxsize=1024)
def _built(op: Op, read: Type) -> tuple[type[nn.Module], str]:
    """The class of the layer of ``op``, and its text in ``print``."""
    with torch.device("meta"):
        layer = op.build((read,))
    return type(layer), _text(layer)


def _text(layer: nn.Module) -> str:
    return re.sub(r"(, )?inplace=\w+", "", repr(layer))
