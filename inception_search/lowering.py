"""Level 1 to level 2: a network document as a typed graph.

Lowering follows the document as it is written, so node paths and ``state_dict`` keys are paths in the document:
``mixed_6b.branches.1.0.conv`` is the convolution of step 0 in branch 1 of stage ``mixed_6b``. A repeat puts the
index of the copy after its place, a factorised convolution the name of the factor (``row``, ``col``, ``0`` ...).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import cached_property, partial
from typing import Any, Generic, TypeVar

from inception_search.errors import ConfigError, MapTooSmallError, ShapeError, SpecError
from inception_search.graph import ops
from inception_search.graph.graph import Graph, GraphBuilder
from inception_search.graph.op import Op, feature_map
from inception_search.graph.types import FeatureMap, Type
from inception_search.least_input import larger_image
from inception_search.spec import step as spec
from inception_search.spec.base_model import BatchNorm, SpecModel
from inception_search.spec.factorisation import PARALLEL, factor_widths, padding_of, plain_dilation, shortcut, stride_of
from inception_search.spec.limits import MAX_WIDTH
from inception_search.spec.network import Aux, Head, Network
from inception_search.spec.step_places import first_place, place_of

V = TypeVar("V")  # the result of lowering a step: a node of a graph, or its type and depth
_CONCAT = ops.Concat()
# The projections of blocks. Their number of filters is only known once the input of the block is.
PROJECTIONS = {kind: spec.Conv(kernel=(1, 1), width=1, linear=kind == "linear") for kind in ("linear", "conv")}


def lower(network: Network, *, aux: bool = True) -> Graph:
    """Convert a network document to its graph of ops: one node for each op, with the shape of its output.

    Args:
        network: the network.
        aux: include the auxiliary classifiers.

    Returns:
        The graph. ``graph.cost()`` has its parameters, multiply-adds, bytes of activations and depth for one image; the
        types of nodes are shapes (C, H, W).

    Raises:
        ShapeError: a step does not fit its input; the error has its file, line and path. If the image is too small, the
            error shows the smallest size that works.

    >>> cost = ins.lower("inception_v3").cost()
    >>> cost.params, cost.macs, cost.depth
    (23834568, 5713216096, 48)
    """
    if not isinstance(network, Network):
        raise SpecError("lower takes a network", found=network, hint="write lower(load(...))")
    try:
        lowering = _GraphLowering(network)
        output, taps = lowering.trunk()
        return lowering.builder.build(output, *(lowering.aux(taps) if aux else ()))
    except MapTooSmallError as error:
        error.advice = partial(larger_image, network, aux, lower)
        raise


def lower_module(network: Network, module: str) -> Graph:
    """The graph of a block or stage of ``network`` alone, on the feature map that reaches its first use.

    Raises :class:`ConfigError` for a block that no stage uses: its input size is unknown.
    """
    step = {**network.stages, **network.blocks}[module]
    place, graph = first_place(network, step), lower(network, aux=False)
    inside = (node for node in graph.nodes if place and (node.path == place or node.path.startswith(f"{place}.")))
    entered = next((graph.nodes[node.inputs[0]].type for node in inside if node.inputs), None)
    if entered is None:
        raise ConfigError("no stage uses the block, so its input size is not known", found=f"{network.name}.{module}")
    lowering = _GraphLowering(network)
    x = lowering.add(ops.Input(_map(entered)), (), "input")
    return lowering.builder.build(lowering.step(step, x, module))


def check_filters(width: int, path: str | None = None) -> None:
    """Raise :class:`ShapeError` for too many filters; documents are checked earlier, but some numbers are computed."""
    if width > MAX_WIDTH:
        raise ShapeError(
            "a convolution has too many filters",
            path=path,
            found=width,
            expected=f"at most {MAX_WIDTH:,}",
            hint="a projection has as many as its block has input channels, a depthwise one multiplies them",
        )


def _map(shape: Type) -> FeatureMap:
    return feature_map("a step", shape)


def _norm(norm: BatchNorm) -> ops.BatchNorm:
    return ops.BatchNorm(norm.eps, norm.momentum, norm.gamma)


class Lowering(ABC, Generic[V]):
    """The ops of every kind of step; a subclass defines what a value ``V`` is and how an op computes one."""

    def __init__(self, network: Network) -> None:
        self.net = network

    @cached_property
    def norm(self) -> ops.BatchNorm | None:
        """The network's norm."""
        norm = self.net.conv_defaults.norm
        return _norm(norm) if norm else None

    @cached_property
    def act(self) -> ops.Act | None:
        """The network's activation."""
        act = self.net.conv_defaults.act
        return None if act == "none" else ops.Act(act)

    @abstractmethod
    def add(self, op: Op, inputs: tuple[V, ...], path: str) -> V:
        """The output of ``op`` on ``inputs``; raises :class:`ShapeError` if they do not fit."""

    @abstractmethod
    def type(self, x: V) -> Type:
        """The shape of a value: (C, H, W), or (C,)."""

    def trunk(self) -> tuple[V, dict[str, V]]:
        """The output of the classifier, and the output of every stage by name."""
        net = self.net
        x = self.add(ops.Input(net.input.shape), (), "input")
        taps: dict[str, V] = {}
        for name, step in net.stages.items():
            x = taps[name] = self.step(step, x, name)
        return self.head(net.head, x, "head"), taps

    def aux(self, taps: dict[str, V]) -> list[V]:
        """The outputs of the auxiliary classifiers."""
        outputs = []
        for name, tap in self.net.aux.items():
            y = self.step(tap.body, taps[tap.after], f"aux.{name}.body")
            outputs.append(self.head(tap, y, f"aux.{name}"))
        return outputs

    def step(self, step: spec.AnyStep, x: V, path: str) -> V:
        """The output of ``step`` on ``x``."""
        made: V = RULES[type(step)](self, step, x, path)
        return made

    def copy(self, step: spec.AnyStep, x: V, path: str) -> V:
        """Lower a step that may occur several times."""
        return self.step(step, x, path)

    def conv(self, step: spec.Conv, x: V, path: str) -> V:
        if step.factor == "none":
            return self.followed(step, x, path, step.width, step.groups)
        parts = factor_widths(step)
        if step.factor in PARALLEL:
            outs = [self.followed(p, x, f"{path}.{name}", width, step.groups) for name, p, width in parts]
            return self.add(_CONCAT, tuple(outs), f"{path}.concat")
        for name, part, width in parts:
            x = self.followed(part, x, f"{path}.{name}", width, step.groups)
        return x

    def depthwise(self, step: spec.Depthwise, x: V, path: str) -> V:
        channels = self.type(x).channels
        return self.followed(step, x, path, channels * step.multiplier, channels)

    def followed(self, step: spec.Conv | spec.Depthwise, x: V, path: str, width: int, groups: int) -> V:
        """The convolution, its norm and its activation."""
        padding = padding_of(step.kernel, step.padding, step.dilation, step.stride, self.net.same_padding)
        bias = step.linear or (self.net.conv_defaults.bias if step.bias is None else step.bias)
        stride, dilation = stride_of(step.stride), stride_of(plain_dilation(step))
        conv = ops.Conv(width, step.kernel, stride, padding, dilation, groups, bias)
        x = self.add(conv, (x,), f"{path}.conv")
        if step.linear:
            return x
        if (norm := self.norm_after(step)) is not None:
            x = self.add(norm, (x,), f"{path}.norm")
        act = self.act if step.act is None else None if step.act == "none" else ops.Act(step.act)
        return self.add(act, (x,), f"{path}.act") if act else x

    def norm_after(self, step: spec.Conv | spec.Depthwise) -> ops.BatchNorm | None:
        """The norm of a convolution: the network's, its own, or none."""
        if isinstance(step.norm, BatchNorm):
            return _norm(step.norm)
        if step.norm is False:
            return None
        return self.norm or (ops.BatchNorm() if step.norm else None)

    def pool(self, step: spec.Pool, x: V, path: str) -> V:
        defaults = self.net.pool_defaults
        count = defaults.count_pad if step.count_pad is None else step.count_pad
        ceil = defaults.ceil if step.ceil is None else step.ceil
        padding = padding_of(step.kernel, step.padding, stride=step.stride, same=self.net.same_padding)
        stride = stride_of(step.stride)
        return self.add(ops.Pool(step.mode, step.kernel, stride, padding, count, ceil), (x,), path)

    def adaptive_pool(self, step: spec.AdaptivePool, x: V, path: str) -> V:
        return self.add(ops.AdaptivePool(step.size, step.mode), (x,), path)

    def lrn(self, step: spec.Lrn, x: V, path: str) -> V:
        return self.add(ops.Lrn(step.size, step.alpha, step.beta, step.k), (x,), path)

    def dropout(self, step: spec.Dropout, x: V, path: str) -> V:
        return self.add(ops.Dropout(step.p), (x,), path)

    def norm_alone(self, step: spec.Norm, x: V, path: str) -> V:
        return self.add(self.norm or ops.BatchNorm(), (x,), path)

    def act_alone(self, step: spec.Act, x: V, path: str) -> V:
        return x if step.name == "none" else self.add(ops.Act(step.name), (x,), path)

    def zero(self, step: spec.Zero, x: V, path: str) -> V:
        return self.add(ops.Zero(), (x,), path)

    def narrow(self, step: spec.Narrow, x: V, path: str) -> V:
        return self.add(ops.Narrow(step.width, step.start), (x,), path)

    def identity(self, step: spec.Identity, x: V, path: str) -> V:
        return x

    def chain(self, step: spec.Chain, x: V, path: str) -> V:
        for index, part in enumerate(step.steps):
            x = self.step(part, x, f"{path}.{index}")
        return x

    def concat(self, step: spec.Concat, x: V, path: str) -> V:
        outs = [self.step(part, x, f"{path}.branches.{index}") for index, part in enumerate(step.branches)]
        return self.add(_CONCAT, tuple(outs), f"{path}.concat")

    def block(self, step: spec.Block, x: V, path: str) -> V:
        y = self.step(step.body, x, f"{path}.body")
        if step.project != "none":
            y = self.project(step, x, y, f"{path}.project")
        if step.skip != "none":
            if step.skip == "project":
                width = self.type(y).channels
                x = self.followed(shortcut(step), x, f"{path}.skip", width, 1)
            y = self.add(ops.Add(step.scale), (x, y), f"{path}.add")
        elif step.scale != 1.0:
            y = self.add(ops.Scale(step.scale), (y,), f"{path}.scale")
        return y if step.act == "none" else self.add(ops.Act(step.act), (y,), f"{path}.act")

    def project(self, step: spec.Block, x: V, y: V, path: str) -> V:
        return self.followed(PROJECTIONS[step.project], y, path, self.type(x).channels, 1)

    def dag(self, step: spec.Dag, x: V, path: str) -> V:
        values = [x]
        for index, node in enumerate(step.nodes):
            values.append(self.dag_node(node, values, f"{path}.nodes.{index}"))
        return values[-1]

    def dag_node(self, node: spec.DagNode, values: list[V], path: str) -> V:
        ins = tuple(
            self.step(entry.step, values[entry.node], f"{path}.inputs.{index}.step")
            for index, entry in enumerate(node.inputs)
        )
        y = ins[0]
        if len(ins) > 1:
            y = self.add(ops.Add() if node.join == "add" else _CONCAT, ins, f"{path}.{node.join}")
        return self.step(node.then, y, f"{path}.then")

    def repeat(self, step: spec.Repeat, x: V, path: str) -> V:
        for copy in range(step.times):
            x = self.copy(step.body, x, f"{path}.{copy}")
        return x

    def use(self, step: spec.Use, x: V, path: str) -> V:
        return self.copy(self.net.blocks[step.name], x, path)

    def head(self, head: Head | Aux, x: V, path: str) -> V:
        if isinstance(head, Head) and head.classifier != "linear":
            return self.maps_head(head, x, path) if head.classifier == "maps" else self.headless(head, x, path)
        return self.add(ops.Linear(self.net.head.classes), (self.features(head, x, path),), f"{path}.classifier")

    def features(self, head: Head | Aux, x: V, path: str) -> V:
        """The input of the last linear layer: ``x`` pooled and flattened, after hidden layers and embedding."""
        if head.pool != "none":
            x = self.add(ops.GlobalPool(head.pool), (x,), f"{path}.pool")
        x = self.add(ops.Flatten(), (x,), f"{path}.flatten")
        for index, width in enumerate(head.hidden):
            x = self.add(ops.Linear(width), (x,), f"{path}.hidden.{index}.linear")
            if self.act:
                x = self.add(self.act, (x,), f"{path}.hidden.{index}.act")
        if head.dropout:
            x = self.add(ops.Dropout(head.dropout), (x,), f"{path}.dropout")
        if isinstance(head, Head) and head.embedding:
            x = self.add(ops.Linear(head.embedding.width, bias=False), (x,), f"{path}.embedding.linear")
            x = self.add(self.norm or ops.BatchNorm(), (x,), f"{path}.embedding.norm")
        return x

    def maps_head(self, head: Head, x: V, path: str) -> V:
        """One feature map per class, pooled (Network in Network)."""
        if head.dropout:
            x = self.add(ops.Dropout(head.dropout), (x,), f"{path}.dropout")
        x = self.followed(PROJECTIONS["conv"], x, f"{path}.classifier", head.classes, 1)
        x = self.add(ops.GlobalPool(head.pool), (x,), f"{path}.pool")
        return self.add(ops.Flatten(), (x,), f"{path}.flatten")

    def headless(self, head: Head, x: V, path: str) -> V:
        """Features without a classifier: a vector, or the feature maps themselves when nothing pools them."""
        if head.pool == "none" and not head.hidden and not head.embedding:
            return x
        x = self.features(head, x, path)
        unit_length = head.embedding and head.embedding.unit_length
        return self.add(ops.Normalize(), (x,), f"{path}.normalize") if unit_length else x


class _GraphLowering(Lowering[int]):
    """Values are the nodes of a graph, by index; errors say where in the document."""

    def __init__(self, network: Network) -> None:
        super().__init__(network)
        self.builder = GraphBuilder()

    def add(self, op: Op, inputs: tuple[int, ...], path: str) -> int:
        try:
            if isinstance(op, ops.Conv):
                check_filters(op.width, path)
            return self.builder.add(op, inputs, path)
        except ShapeError as error:
            origin = self.net.origin
            raise error.at(file=origin.file, line=origin.line(place_of(self.net, path))) from None

    def type(self, x: int) -> Type:
        return self.builder.type(x)


RULES: dict[type[SpecModel], Callable[..., Any]] = {
    spec.Conv: Lowering.conv,
    spec.Depthwise: Lowering.depthwise,
    spec.Pool: Lowering.pool,
    spec.AdaptivePool: Lowering.adaptive_pool,
    spec.Lrn: Lowering.lrn,
    spec.Dropout: Lowering.dropout,
    spec.Norm: Lowering.norm_alone,
    spec.Act: Lowering.act_alone,
    spec.Zero: Lowering.zero,
    spec.Narrow: Lowering.narrow,
    spec.Identity: Lowering.identity,
    spec.Chain: Lowering.chain,
    spec.Concat: Lowering.concat,
    spec.Block: Lowering.block,
    spec.Dag: Lowering.dag,
    spec.Repeat: Lowering.repeat,
    spec.Use: Lowering.use,
}
