"""Emit a typed graph as an ``fx.GraphModule`` with the module paths of the document.

The generated code has one readable line per node. The module can be pickled, accepts hooks by path, and works with
``torch.compile``, ``torch.export`` and ONNX like any module.
"""

from __future__ import annotations

import operator
from collections import Counter
from functools import reduce

import torch
import torch.nn.functional as F
from torch import fx, nn

from inception_search.backend.network_module import NetworkModule
from inception_search.backend.parts import AuxHeads, camel_case
from inception_search.errors import CompileError
from inception_search.graph.graph import Graph, Node
from inception_search.graph.op import Op
from inception_search.graph.ops import Act, Add, BatchNorm, Concat, Conv, Input, Narrow, Normalize, Scale, Zero
from inception_search.graph.types import Type

MAX_PARAMS = 4_000_000_000
AUX = "aux"
OUTSIDE = ("input", "head", AUX)  # first parts of paths that are not stages
IN_PLACE = ("relu", "relu6", "leaky_relu", "elu", "silu")


def emit(graph: Graph, *, name: str = "Network", max_params: int = MAX_PARAMS) -> NetworkModule:
    """The module computing ``graph`` on (N, C, H, W) float tensors.

    It returns logits (N, classes); with auxiliary classifiers, in training mode, a tuple (logits, aux, ...).
    Raises :class:`CompileError`, before anything is allocated, if the parameters exceed ``max_params``.
    """
    params = graph.cost().params_with_aux
    if params > max_params:
        raise CompileError(
            "the network is too large to build",
            found=f"{params:,} parameters",
            expected=f"at most {max_params:,}",
            hint="scale its widths down, or raise max_params",
        )
    return Emitter(graph).module(_identifier(name))


def emit_op(op: Op, inputs: tuple[Type, ...], *, times: int = 1) -> fx.GraphModule:
    """A module of ``op`` alone on values of types ``inputs``, called ``times`` times as in a compiled network."""
    read = tuple(Node(op, (), x, f"x{index}") for index, x in enumerate(inputs))  # only their types matter
    emitter = Emitter(Graph(read, (0,)))
    emitter.values = {index: emitter.fx.placeholder(node.path) for index, node in enumerate(read)}
    node = Node(op, tuple(range(len(read))), op.infer(inputs), "stage.branches.0.0.op")  # a typical depth
    value = emitter.value(node)
    is_module = value.op == "call_module"
    for _ in range(times - 1):
        value = emitter.fx.call_module(node.path, value.args) if is_module else emitter.value(node)
    emitter.fx.output(value)
    return fx.GraphModule(emitter.root, emitter.fx, class_name="OneOp")


class Emitter:
    """The ops of a graph as calls in an ``fx.Graph``; :attr:`values` has the call of each node, by index."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.readers = Counter(i for node in graph.nodes for i in node.inputs)
        self.main = graph.main()
        self.root = nn.Module()
        self.fx = fx.Graph()
        self.values: dict[int, fx.Node] = {}

    def module(self, name: str) -> NetworkModule:
        for index in sorted(self.main):
            self.values[index] = self.value(self.graph.nodes[index])
        out = self.values[self.graph.outputs[0]]
        self.fx.output(self.with_aux(out) if len(self.graph.outputs) > 1 else out)
        self.fx.lint()
        module = NetworkModule(self.root, self.fx, class_name=name)
        last = self.stages()
        module.remember(
            stages={stage: self.values[index].name for stage, index in last.items()},
            shapes={stage: tuple(self.graph.nodes[index].type) for stage, index in last.items()},
            graph=self.graph,
            code=module.code,
        )
        return module

    def stages(self) -> dict[str, int]:
        """The last node of each stage of the trunk."""
        paths = ((self.graph.nodes[index].stage, index) for index in sorted(self.main))
        return {stage: index for stage, index in paths if stage not in OUTSIDE}

    def value(self, node: Node) -> fx.Node:
        """The call that computes ``node``."""
        op = node.op
        args = tuple(self.values[i] for i in node.inputs)
        if isinstance(op, Input):
            return self.image(node)
        if isinstance(op, Concat):
            return self.fx.call_function(torch.cat, (list(args), 1))
        if isinstance(op, Scale):
            return self.fx.call_function(operator.mul, (args[0], op.factor))
        if isinstance(op, Normalize):
            return self.fx.call_function(F.normalize, args)
        if isinstance(op, Add):
            return reduce(lambda x, y: self.sum(x, y, op.scale), args)
        if isinstance(op, Zero):
            return self.fx.call_function(torch.zeros_like, args)
        if isinstance(op, Narrow):
            return self.fx.call_function(torch.narrow, (args[0], 1, op.start, op.width))
        return self.layer(node, args)

    def image(self, node: Node) -> fx.Node:
        """The argument with the images."""
        return self.fx.placeholder("x")

    def layer(self, node: Node, args: tuple[fx.Node, ...]) -> fx.Node:
        """A call of the node's module, which is placed at its path."""
        place(self.root, node.path, self.build(node))
        return self.fx.call_module(node.path, args)

    def sum(self, x: fx.Node, y: fx.Node, scale: float) -> fx.Node:
        """``x + scale * y``: not ``torch.add(..., alpha=scale)``, which torch's quantisation drops."""
        y = y if scale == 1.0 else self.fx.call_function(operator.mul, (y, scale))
        return self.fx.call_function(torch.add, (x, y))

    def build(self, node: Node) -> nn.Module:
        module = node.op.build(self.graph.input_types(node))
        if isinstance(node.op, Act) and node.op.kind in IN_PLACE and self.overwritable(node):
            module.inplace = True  # type: ignore[assignment]
        return module

    def overwritable(self, reader: Node) -> bool:
        """Whether ``reader`` may overwrite its input: no other node reads it, and it is not the output of a stage.

        The op that computed it must not need it for the gradient either.
        """
        index = reader.inputs[0]
        maker = self.graph.nodes[index]
        inside = maker.stage in (reader.stage, AUX)
        return inside and self.readers[index] == 1 and isinstance(maker.op, Conv | BatchNorm | Add)

    def with_aux(self, logits: fx.Node) -> fx.Node:
        """A call of the auxiliary classifiers on the logits and on the feature maps that they read."""
        heads: dict[str, nn.Module] = {}
        taps: list[fx.Node] = []
        for last in self.graph.outputs[1:]:
            name, tap, head = self.aux_head(last)
            heads[name] = head
            taps.append(self.values[tap])
        place(self.root, AUX, AuxHeads(heads))
        return self.fx.call_module(AUX, (logits, *taps))

    def aux_head(self, last: int) -> tuple[str, int, nn.Module]:
        """The name, the tapped node and the module of the auxiliary classifier that ends in node ``last``."""
        name = self.graph.nodes[last].path.split(".")[1]
        prefix = f"{AUX}.{name}."
        body = [i for i, node in enumerate(self.graph.nodes) if node.path.startswith(prefix)]
        tap = self.graph.nodes[body[0]].inputs[0]
        inner = Emitter(self.graph)
        inner.values[tap] = inner.fx.placeholder("x")
        for index in body:
            node = self.graph.nodes[index]
            inner.values[index] = inner.value(node._replace(path=node.path.removeprefix(prefix)))
        inner.fx.output(inner.values[last])
        return name, tap, fx.GraphModule(inner.root, inner.fx, class_name="AuxHead")


def place(root: nn.Module, path: str, module: nn.Module) -> None:
    """Put ``module`` at ``path`` below ``root``, making the modules between."""
    *parents, leaf = path.split(".")
    for part in parents:
        if part not in root._modules:
            root.add_module(part, nn.Module())
        child = root._modules[part]
        if child is None:  # pragma: no cover - add_module above never stores None
            raise CompileError("a path leads through nothing", path=path)
        root = child
    if leaf in root._modules:
        raise CompileError("two modules with one path", path=path)
    root.add_module(leaf, module)


def _identifier(name: str) -> str:
    text = camel_case(name)
    return text if text.isidentifier() and text.isascii() else "Network"
