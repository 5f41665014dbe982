"""A rewritten graph as a module that computes with the tensors of the plain model."""

from __future__ import annotations

import operator
import re
from functools import cached_property
from operator import is_
from typing import Any

import torch
from torch import Tensor, fx, nn

from inception_search.backend.bound_tensors import BoundTensor, Read, SharedTensor, bind, place, stored_keys
from inception_search.backend.emit import IN_PLACE, Emitter
from inception_search.backend.network_module import NetworkModule
from inception_search.backend.rewritten_layers import ConvOf, EvaluatedNorm, Fixed, LinearOf, NormOf
from inception_search.backend.writes import counters, watch_steps
from inception_search.errors import CompileError
from inception_search.graph.graph import Graph, Node
from inception_search.graph.ops import Act, Add, BatchNorm, Concat, Conv, Dropout, Input, Linear, Narrow
from inception_search.passes.expressions import Expression
from inception_search.passes.pipeline import Applied
from inception_search.passes.rewrite import Phase, State


class Rewritten(nn.Module):
    """The computation of a model by a rewritten graph.

    It owns no parameters. Every tensor is read from the layers of ``model``, which it never changes except as the model
    itself would: running statistics in training mode. ``Rewritten`` works as long as the layers of the model are the
    same objects; after they have been replaced, make another one.

    Args:
        model: the plain model.
        graph: its graph after some passes.
        state: the expressions of the tensors of ``graph``.
        phase: ``"training"``: tensors are read at every call, and gradients reach the parameters of the model.
            ``"inference"``: they are computed by :meth:`refresh`, and the output is that of evaluation mode.
        rewrites: which pass was applied where, for information.
    """

    model: NetworkModule

    def __init__(self, model: NetworkModule, graph: Graph, state: State, phase: Phase, rewrites: Applied = ()) -> None:
        super().__init__()
        self.__dict__["model"] = model  # not a submodule: its parameters are not this module's
        self.phase, self.rewrites = phase, rewrites
        self.reads: dict[Expression, Read] = {}
        self._seen: tuple[list[Tensor], list[int], list[int]] | None = None
        self._shape = tuple(graph.nodes[0].type)
        self.run = emit_rewritten(model, Graph(graph.nodes, graph.outputs[:1]), state, phase, self.reads)
        both = phase == "training" and len(graph.outputs) > 1
        self.with_aux = emit_rewritten(model, graph, state, phase, self.reads) if both else None

    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, ...]:
        """Images (N, C, H, W) to the output of the model: logits, or (logits, aux, ...) in training mode."""
        if tuple(x.shape[1:]) != self._shape:  # a rewrite is exact for the sizes of its graph
            return type(self.model).forward(self.model, x)  # type: ignore[no-any-return]
        aux = self.with_aux is not None and self.model.get_submodule("aux").training
        result: Tensor | tuple[Tensor, ...] = (self.with_aux if aux else self.run)(x)  # type: ignore[misc]
        return result

    def share_storage(self) -> None:
        """Let tensors that are joined share one storage, so that joining them in every step takes no time.

        The parameters of the model stay the same objects; their values move. Call it again after the model was moved to
        another device or dtype.
        """
        for read in self.reads.values():
            if isinstance(read, SharedTensor):
                read.share()

    def refresh_if_changed(self) -> None:
        """As :meth:`refresh`, if a tensor of the model has changed since the last time."""
        tensors, addresses, versions = self._versions()
        seen = self._seen
        if seen is None or seen[1:] != (addresses, versions) or not all(map(is_, seen[0], tensors)):
            self.refresh()

    def _versions(self) -> tuple[list[Tensor], list[int], list[int]]:
        """Each tensor, its address, and the number of changes that were made to it."""
        read = (getattr(layer, name) for layer, name in self._places)
        values: list[Tensor] = [value for value in read if value is not None]  # a counter can be left out for a while
        versions = [0 if value.is_inference() else value._version for value in values]
        return values, [value.data_ptr() for value in values], versions

    @cached_property
    def _places(self) -> list[tuple[nn.Module, str]]:
        keys = {key for expression in self.reads for key in stored_keys(expression)}
        places = [place(self.model, key) for key in sorted(keys)]
        return places + counters(places)

    def refresh(self) -> None:
        """Compute the tensors for inference from the current ones of the model."""
        seen = self._versions()
        watch_steps(seen[0])
        for read in self.reads.values():
            if isinstance(read, Fixed):
                read.refresh()
        self._seen = seen

    def count_batches(self) -> None:
        """Write the number of batches since the last call to the counters of the model's batch norms."""
        for layer in self.modules():
            if isinstance(layer, NormOf):
                layer.flush()


def values_in_evaluation(root: nn.Module, graph: Graph, state: State, images: Tensor) -> dict[str, Tensor]:
    """The value of every node of a rewritten graph that the output depends on, in evaluation mode, by path.

    Args:
        root: the plain model, in evaluation mode.
        graph: its graph after some passes.
        state: the expressions of the tensors of ``graph``.
        images: (N, C, H, W).
    """
    reads: dict[Expression, Read] = {}
    emitter = _EveryValue(root, graph, state, "inference", reads)
    module = emitter.rewritten()
    for read in reads.values():
        if isinstance(read, Fixed):
            read.refresh()
    run = _Remembering(module)
    with torch.inference_mode():
        run.run(images)
    return {graph.nodes[index].path: run.found[call.name] for index, call in emitter.values.items()}


def emit_rewritten(
    root: nn.Module, graph: Graph, state: State, phase: Phase, reads: dict[Expression, Read]
) -> fx.GraphModule:
    """A module that computes all outputs of ``graph``, one tensor for each of its inputs.

    Args:
        root: the module with the stored tensors of ``state``.
        graph: the graph.
        state: the expressions of its tensors.
        phase: as for :class:`Rewritten`.
        reads: the bound expressions so far; those of this graph are added.

    Returns:
        A module without parameters; a single output is a tensor, several are a tuple.
    """
    return _RewrittenEmitter(root, graph, state, phase, reads).rewritten()


class _RewrittenEmitter(Emitter):
    """Emits layers that read the tensors of ``model``; joined branches become one split."""

    def __init__(
        self, root: nn.Module, graph: Graph, state: State, phase: Phase, reads: dict[Expression, Read]
    ) -> None:
        super().__init__(graph)
        self.model, self.state, self.phase, self.reads = root, state, phase, reads
        self.splits = _splits(graph)
        self.split_calls: dict[int, fx.Node] = {}

    def rewritten(self) -> fx.GraphModule:
        needed = _needed(self.graph)
        for index, node in enumerate(self.graph.nodes):
            if index in needed:
                self.values[index] = self.part(index, node) if index in self.splits else self.value(node)
        outputs = tuple(self.values[index] for index in self.graph.outputs)
        self.fx.output(outputs if len(outputs) > 1 else outputs[0])
        return fx.GraphModule(self.root, self.fx, class_name="Rewritten")

    def image(self, node: Node) -> fx.Node:
        """Parts of a network have several inputs, which need names of their own."""
        return self.fx.placeholder(node.path)

    def part(self, index: int, node: Node) -> fx.Node:
        """A view of its channels of a value whose other channels are read by others: together they are one split."""
        source = node.inputs[0]
        if source not in self.split_calls:
            widths = [self.graph.nodes[i].type.channels for i in self.splits[index]]
            self.split_calls[source] = self.fx.call_function(torch.split, (self.values[source], widths, 1))
        return self.fx.call_function(operator.getitem, (self.split_calls[source], self.splits[index].index(index)))

    def sum(self, x: fx.Node, y: fx.Node, scale: float) -> fx.Node:
        return self.fx.call_function(torch.add, (x, y), {} if scale == 1.0 else {"alpha": scale})

    def layer(self, node: Node, args: tuple[fx.Node, ...]) -> fx.Node:
        name = re.sub(r"\W+", "_", node.path).strip("_")
        while name in self.root._modules:
            name += "_"
        self.root.add_module(name, self.module_of(node))
        return self.fx.call_module(name, args)

    def module_of(self, node: Node) -> nn.Module:
        op = node.op
        tensors = {name: self.read(f"{node.path}.{name}") for name in op.tensors()}
        if type(op) is Conv:
            return ConvOf(op, tensors)
        if type(op) is Linear:
            return LinearOf(tensors)
        if type(op) is BatchNorm:
            return self.norm(node, op, tensors)
        if isinstance(op, Dropout) or op.build(self.graph.input_types(node)).state_dict():
            return self.model.get_submodule(node.path)
        return self.build(node)

    def read(self, key: str) -> Read:
        expression = self.state[key]
        if expression not in self.reads:
            read = bind(expression, self.model)
            self.reads[expression] = read if self.phase == "training" else Fixed(read)
        return self.reads[expression]

    def norm(self, node: Node, op: BatchNorm, tensors: dict[str, Read]) -> nn.Module:
        if self.phase == "inference":
            return EvaluatedNorm(op.eps, tensors)
        keys = stored_keys(self.state[f"{node.path}.running_mean"])
        norms: list[Any] = [self.model.get_submodule(key.rpartition(".")[0]) for key in keys]
        if any(isinstance(read, BoundTensor) for read in tensors.values()):
            raise CompileError("a pass changes a norm in a way that training does not allow", path=node.path)
        return NormOf(norms, tensors)

    def overwritable(self, reader: Node) -> bool:
        """As in a plain network, but stages need not keep their outputs."""
        index = reader.inputs[0]
        return self.readers[index] == 1 and isinstance(self.graph.nodes[index].op, Conv | BatchNorm | Add | Concat)

    def build(self, node: Node) -> nn.Module:
        module = node.op.build(self.graph.input_types(node))
        if isinstance(node.op, Act) and node.op.kind in IN_PLACE and self.overwritable(node):
            module.inplace = True  # type: ignore[assignment]
        return module


class _EveryValue(_RewrittenEmitter):
    """As its base class; no value is overwritten by a later one."""

    def overwritable(self, reader: Node) -> bool:
        return False


class _Remembering(fx.Interpreter):
    """Runs a module and keeps the value of every call, by the name of the call."""

    def __init__(self, module: fx.GraphModule) -> None:
        super().__init__(module)
        self.found: dict[str, Tensor] = {}

    def run_node(self, n: fx.Node) -> Any:
        self.found[n.name] = value = super().run_node(n)
        return value


def _needed(graph: Graph) -> set[int]:
    found = {index for index, node in enumerate(graph.nodes) if isinstance(node.op, Input)}
    stack = list(graph.outputs)
    while stack:
        index = stack.pop()
        if index not in found:
            found.add(index)
            stack.extend(graph.nodes[index].inputs)
    return found


def _splits(graph: Graph) -> dict[int, list[int]]:
    """The ``narrow`` nodes of each value that is read by nothing else and that they divide, by each of these nodes."""
    readers: dict[int, list[int]] = {}
    for index, node in enumerate(graph.nodes):
        for i in node.inputs:
            readers.setdefault(i, []).append(index)
    found: dict[int, list[int]] = {}
    for source, reading in readers.items():
        parts = [i for i in reading if isinstance(graph.nodes[i].op, Narrow)]
        parts.sort(key=lambda i: graph.nodes[i].op.start)  # type: ignore[attr-defined]
        start = 0
        for i in parts:
            if graph.nodes[i].op.start != start:  # type: ignore[attr-defined]
                break
            start += graph.nodes[i].type.channels
        else:
            if len(parts) == len(reading) > 1 and start == graph.nodes[source].type.channels:
                found |= dict.fromkeys(parts, parts)
    return found
