"""An oracle for identity: give a network with reordered branches the weights of the other, and run both."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from inception_search.lowering import lower
from inception_search.spec.network import Network

WITHOUT_MODULE = ("input", "concat", "add", "scale", "zero", "narrow")
ONE_ORDER = ("add", "pool", "adaptive_pool", "act", "batch_norm", "dropout", "scale", "global_pool")


def reordered_path(place: str, order: list[int]) -> Callable[[str], str]:
    """For the path of a node of the second network its path in the first: at ``place`` branch i was ``order[i]``.

    ``place`` is that of a concat and "branches", or of a node of a dag and "inputs".
    """

    def original(path: str) -> str:
        if not path.startswith(f"{place}."):
            return path
        index, dot, rest = path[len(place) + 1 :].partition(".")
        return f"{place}.{order[int(index)]}{dot}{rest}"

    return original


def outputs_with_matching_weights(
    one: Network, other: Network, original: Callable[[str], str], image: Any
) -> tuple[Any, Any]:
    """The outputs of both, the second with the first one's weights in the order that its channels have."""
    import torch

    first, second = lower(one), lower(other)
    at = {node.path: index for index, node in enumerate(first.nodes)}
    modules: dict[int, Any] = {}
    with torch.no_grad():
        for index, node in enumerate(first.nodes):
            if node.op.name not in WITHOUT_MODULE:
                modules[index] = node.op.build(first.input_types(node)).double().eval()
                for value in (*modules[index].parameters(), *modules[index].buffers()):
                    if value.is_floating_point():
                        value.copy_(torch.rand_like(value) + 0.1)
        values = run(first, modules, image)
        twins = [at[original(node.path)] for node in second.nodes]
        permuted = permuted_modules(first, second, twins, modules)
        return values[first.outputs[0]], run(second, permuted, image)[second.outputs[0]]


def run(graph: Any, modules: dict[int, Any], image: Any) -> list[Any]:
    import torch

    values: list[Any] = []
    for index, node in enumerate(graph.nodes):
        inputs = [values[i] for i in node.inputs]
        if node.op.name == "input":
            values.append(image)
        elif node.op.name == "concat":
            values.append(torch.cat(inputs, 1))
        elif node.op.name == "add":
            values.append(inputs[0] + node.op.scale * sum(inputs[1:]))
        elif node.op.name == "zero":
            values.append(torch.zeros_like(inputs[0]))
        elif node.op.name == "narrow":
            values.append(inputs[0][:, : node.op.width])
        elif node.op.name == "scale":
            values.append(node.op.factor * inputs[0])
        else:
            values.append(modules[index](inputs[0]))
    return values


def permuted_modules(first: Any, second: Any, twins: list[int], modules: dict[int, Any]) -> dict[int, Any]:
    """Modules of ``second``: channel c of its value v is channel ``orders[v][c]`` of the twin's."""
    import torch

    orders = _Orders(first, second, twins).all()
    out: dict[int, Any] = {}
    for index, node in enumerate(second.nodes):
        module = out[index] = copy.deepcopy(modules.get(twins[index]))
        order, inputs = orders[index], [orders[i] for i in node.inputs]
        kept = torch.equal(order, torch.arange(len(order)))
        if node.op.name == "conv" and node.op.groups == 1:
            module.weight.copy_(module.weight[order][:, inputs[0]])
            if module.bias is not None:
                module.bias.copy_(module.bias[order])
        elif is_depthwise(second, node):
            assert torch.equal(order, expanded(inputs[0], len(order))), f"{node.path} follows another order"
            module.weight.copy_(module.weight[order])
            if module.bias is not None:
                module.bias.copy_(module.bias[order])
        elif node.op.name in ("conv", "lrn"):
            assert kept, f"{node.path} pins an order that has changed"
            assert torch.equal(inputs[0], torch.arange(len(inputs[0]))), f"{node.path} reads another order"
        elif node.op.name == "narrow":
            assert torch.equal(inputs[0][: len(order)], order), f"{node.path} keeps other channels"
        elif node.op.name in ONE_ORDER:
            assert all(torch.equal(order, more) for more in inputs), f"{node.path} needs one order"
            if node.op.name == "batch_norm":
                for value in (module.weight, module.bias, module.running_mean, module.running_var):
                    value.copy_(value[order])
        elif node.op.name == "linear":
            module.weight.copy_(module.weight[:, inputs[0]])
    return out


class _Orders:
    """The order of channels of every value of ``second``, each found from the concats among those that share it."""

    def __init__(self, first: Any, second: Any, twins: list[int]) -> None:
        self.first, self.second, self.twins = first, second, twins
        self.groups = list(range(len(second.nodes)))
        for index, node in enumerate(second.nodes):
            same = node.op.name in ONE_ORDER or (is_depthwise(second, node) and node.op.width == width(second, node))
            for other in node.inputs if same else ():
                old, new = self.groups[other], self.groups[index]
                self.groups = [new if group == old else group for group in self.groups]
        self.known: dict[int, Any] = {}

    def all(self) -> list[Any]:
        return [self.order(index) for index in range(len(self.second.nodes))]

    def order(self, index: int) -> Any:
        group = self.groups[index]
        if group not in self.known:
            self.known[group] = self.found([i for i, other in enumerate(self.groups) if other == group])
        return self.known[group]

    def found(self, members: list[int]) -> Any:
        import torch

        nodes = self.second.nodes
        for index in members:
            node = nodes[index]
            if node.op.name == "concat":
                return self.joined(index)
            if is_depthwise(self.second, node) and node.op.width > width(self.second, node):
                return expanded(self.order(node.inputs[0]), node.op.width)
            if node.op.name == "flatten":
                order = self.order(node.inputs[0])
                area = node.type.channels // len(order)
                return (order[:, None] * area + torch.arange(area)).flatten()
        channels = torch.arange(nodes[members[0]].type.channels)
        for index, node in enumerate(nodes):
            if node.op.name == "narrow" and node.inputs[0] in members:  # the first channels as their readers want them
                part = self.order(index)
                return torch.cat([part, channels[len(part) :]])
        return channels

    def joined(self, index: int) -> Any:
        import torch

        node, twin = self.second.nodes[index], self.first.nodes[self.twins[index]]
        sizes = [self.first.nodes[i].type.channels for i in twin.inputs]
        starts: dict[int, list[int]] = {}  # of each value, as often as it is read
        for read, begin in zip(twin.inputs, torch.tensor([0, *sizes]).cumsum(0).tolist(), strict=False):
            starts.setdefault(read, []).append(begin)
        return torch.cat([starts[self.twins[i]].pop(0) + self.order(i) for i in node.inputs])


def is_depthwise(graph: Any, node: Any) -> bool:
    return node.op.name == "conv" and node.op.groups == width(graph, node) > 1


def width(graph: Any, node: Any) -> int:
    return int(graph.nodes[node.inputs[0]].type.channels) if node.inputs else 0


def expanded(order: Any, channels: int) -> Any:
    """``order`` of channels each of which is followed by its copies."""
    import torch

    times = channels // len(order)
    return (order[:, None] * times + torch.arange(times)).flatten()
