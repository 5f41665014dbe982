"""Level 1 to level 2: a network document as a typed graph.

Lowering reads the document as it is written, so node paths (and so ``state_dict`` keys) are places in it:
``mixed_6b.branches.1.0.conv`` is the convolution of step 0 in branch 1 of stage ``mixed_6b``. A repeat puts the
index of the copy after its place, a factorised convolution the name of the factor (``row``, ``col``, ``0`` ...).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from inception_search.errors import ConfigError, MapTooSmallError, ShapeError, SpecError
from inception_search.graph import ops
from inception_search.graph.graph import Graph, GraphBuilder
from inception_search.graph.op import Op, feature_map
from inception_search.graph.types import FeatureMap, Type
from inception_search.least_input import larger_image, larger_map
from inception_search.spec import step as spec
from inception_search.spec.alone import first_place
from inception_search.spec.factor import PARALLEL, factors, padding_of, plain_dilation, shortcut, stride_of
from inception_search.spec.limits import MAX_WIDTH
from inception_search.spec.model import BatchNorm, SpecModel
from inception_search.spec.network import Aux, Head, Network
from inception_search.spec.source import Place

RULES: dict[type[SpecModel], Callable[..., int]] = {}
# The projections of blocks; how many filters they have is only known where they stand.
PROJECTIONS = {kind: spec.Conv(kernel=(1, 1), width=1, linear=kind == "linear") for kind in ("linear", "conv")}


def lower(network: Network, *, aux: bool = True) -> Graph:
    """The typed graph of ``network``; ``aux=False`` leaves the auxiliary classifiers out.

    Raises :class:`ShapeError` with the file, line and path of the step that does not fit; where its map is too small,
    the error (a :class:`MapTooSmallError`) says the least input that works.
    """
    if not isinstance(network, Network):
        raise SpecError("lower takes a network", found=network, mend="write lower(load(...))")
    try:
        return _Lowering(network).network(aux)
    except MapTooSmallError as error:
        error.advice = partial(larger_image, network, aux)
        raise


def lower_step(network: Network, step: spec.AnyStep, shape: Type) -> Graph:
    """The graph of one step of ``network`` alone, on an input of (C, H, W) ``shape``."""
    lowering = _Lowering(network)
    x = lowering.add(ops.Input(_map(shape)), (), "input")
    try:
        return lowering.builder.build(lowering.step(step, x, "step"))
    except MapTooSmallError as error:
        error.advice = partial(larger_map, network, step, _map(shape))
        raise


def lower_module(network: Network, module: str) -> Graph:
    """The graph of a block or stage of ``network`` alone, on the maps that reach its first place in the network.

    Raises :class:`ConfigError` for a block that no stage uses: its input is not known.
    """
    step = {**network.stages, **network.blocks}[module]
    place, graph = first_place(network, step), lower(network, aux=False)
    inside = (node for node in graph.nodes if place and (node.path == place or node.path.startswith(f"{place}.")))
    entered = next((graph.nodes[node.inputs[0]].type for node in inside if node.inputs), None)
    if entered is None:
        raise ConfigError("no stage uses the block, so its input size is not known", found=f"{network.name}.{module}")
    lowering = _Lowering(network)
    x = lowering.add(ops.Input(_map(entered)), (), "input")
    return lowering.builder.build(lowering.step(step, x, module))


def lower_head(network: Network, head: Head | Aux, shape: Type) -> Graph:
    """The graph of one classifier of ``network`` alone, on an input of (C, H, W) ``shape``."""
    lowering = _Lowering(network)
    x = lowering.add(ops.Input(_map(shape)), (), "input")
    return lowering.builder.build(lowering.head(head, x, "head"))


def check_filters(conv: ops.Conv, path: str | None = None) -> None:
    """A :class:`ShapeError` for more filters than a document may write: some numbers of them are only computed."""
    if conv.width > MAX_WIDTH:
        raise ShapeError(
            "a convolution has too many filters",
            path=path,
            found=conv.width,
            expected=f"at most {MAX_WIDTH:,}",
            mend="a projection has as many as its block has input channels, a depthwise one multiplies them",
        )


def _map(shape: Type) -> FeatureMap:
    return feature_map("a step", shape)


def _norm(norm: BatchNorm) -> ops.BatchNorm:
    return ops.BatchNorm(norm.eps, norm.momentum, norm.gamma)


class _Lowering:
    def __init__(self, network: Network) -> None:
        self.net = network
        self.builder = GraphBuilder()
        norm = network.conv_defaults.norm
        self.norm = _norm(norm) if norm else None
        self.act = ops.Act(network.conv_defaults.act) if network.conv_defaults.act != "none" else None
        self.bias = network.conv_defaults.bias
        self.place: Place = ()

    def network(self, aux: bool) -> Graph:
        net = self.net
        x = self.add(ops.Input(net.input.shape), (), "input")
        taps: dict[str, int] = {}
        for name, step in net.stages.items():
            self.place = ("stages", name)
            x = taps[name] = self.step(step, x, name)
        self.place = ("head",)
        outputs = [self.head(net.head, x, "head")]
        for name, tap in net.aux.items() if aux else ():
            self.place = ("aux", name, "body")
            y = self.step(tap.body, taps[tap.after], f"aux.{name}.body")
            self.place = ("aux", name)
            outputs.append(self.head(tap, y, f"aux.{name}"))
        return self.builder.build(*outputs)

    def add(self, op: Op, inputs: tuple[int, ...], path: str) -> int:
        try:
            if isinstance(op, ops.Conv):
                check_filters(op, path)
            return self.builder.add(op, inputs, path)
        except ShapeError as error:
            origin = self.net.origin
            raise error.at(file=origin.file, line=origin.line(self.place)) from None

    def step(self, step: spec.AnyStep, x: int, path: str) -> int:
        """Lower ``step`` on the value ``x``; the index of its output."""
        return RULES[type(step)](self, step, x, path)

    def inside(self, step: spec.AnyStep, x: int, path: str, *place: str | int) -> int:
        """Lower a step that stands at ``place`` inside the present one."""
        outer = self.place
        self.place = (*outer, *place)
        out = self.step(step, x, path)
        self.place = outer
        return out

    def conv(self, step: spec.Conv, x: int, path: str) -> int:
        parts = factors(step)
        if step.factor in PARALLEL:
            return self.add(ops.Concat(), tuple(self.conv(p, x, f"{path}.{n}") for n, p in parts), f"{path}.concat")
        for name, part in parts:
            x = self.conv(part, x, f"{path}.{name}")
        return x if parts else self.plain_conv(step, x, path)

    def plain_conv(self, step: spec.Conv, x: int, path: str) -> int:
        return self.followed(step, x, path, step.width, step.groups)

    def depthwise(self, step: spec.Depthwise, x: int, path: str) -> int:
        channels = self.builder.type(x).channels
        return self.followed(step, x, path, channels * step.multiplier, channels)

    def followed(self, step: spec.Conv | spec.Depthwise, x: int, path: str, width: int, groups: int) -> int:
        """The convolution, its norm and its activation."""
        padding = padding_of(step.kernel, step.padding, step.dilation, step.stride, self.net.same_padding)
        bias = step.linear or (self.bias if step.bias is None else step.bias)
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

    def pool(self, step: spec.Pool, x: int, path: str) -> int:
        defaults = self.net.pool_defaults
        count = defaults.count_pad if step.count_pad is None else step.count_pad
        ceil = defaults.ceil if step.ceil is None else step.ceil
        padding = padding_of(step.kernel, step.padding, stride=step.stride, same=self.net.same_padding)
        stride = stride_of(step.stride)
        return self.add(ops.Pool(step.mode, step.kernel, stride, padding, count, ceil), (x,), path)

    def adaptive_pool(self, step: spec.AdaptivePool, x: int, path: str) -> int:
        return self.add(ops.AdaptivePool(step.size, step.mode), (x,), path)

    def lrn(self, step: spec.Lrn, x: int, path: str) -> int:
        return self.add(ops.Lrn(step.size, step.alpha, step.beta, step.k), (x,), path)

    def dropout(self, step: spec.Dropout, x: int, path: str) -> int:
        return self.add(ops.Dropout(step.p), (x,), path)

    def norm_alone(self, step: spec.Norm, x: int, path: str) -> int:
        return self.add(self.norm or ops.BatchNorm(), (x,), path)

    def act_alone(self, step: spec.Act, x: int, path: str) -> int:
        return x if step.name == "none" else self.add(ops.Act(step.name), (x,), path)

    def zero(self, step: spec.Zero, x: int, path: str) -> int:
        return self.add(ops.Zero(), (x,), path)

    def narrow(self, step: spec.Narrow, x: int, path: str) -> int:
        return self.add(ops.Narrow(step.width, step.start), (x,), path)

    def identity(self, step: spec.Identity, x: int, path: str) -> int:
        return x

    def chain(self, step: spec.Chain, x: int, path: str) -> int:
        for index, part in enumerate(step.steps):
            x = self.inside(part, x, f"{path}.{index}", "steps", index)
        return x

    def concat(self, step: spec.Concat, x: int, path: str) -> int:
        outs = tuple(
            self.inside(part, x, f"{path}.branches.{index}", "branches", index)
            for index, part in enumerate(step.branches)
        )
        return self.add(ops.Concat(), outs, f"{path}.concat")

    def block(self, step: spec.Block, x: int, path: str) -> int:
        y = self.inside(step.body, x, f"{path}.body", "body")
        if step.project != "none":
            y = self.project(step, x, y, f"{path}.project")
        if step.skip != "none":
            if step.skip == "project":
                width = self.builder.type(y).channels
                x = self.followed(shortcut(step), x, f"{path}.skip", width, 1)
            y = self.add(ops.Add(step.scale), (x, y), f"{path}.add")
        elif step.scale != 1.0:
            y = self.add(ops.Scale(step.scale), (y,), f"{path}.scale")
        return y if step.act == "none" else self.add(ops.Act(step.act), (y,), f"{path}.act")

    def project(self, step: spec.Block, x: int, y: int, path: str) -> int:
        return self.followed(PROJECTIONS[step.project], y, path, self.builder.type(x).channels, 1)

    def dag(self, step: spec.Dag, x: int, path: str) -> int:
        values, outer = [x], self.place
        for index, node in enumerate(step.nodes):
            self.place = (*outer, "nodes", index)
            values.append(self.dag_node(node, values, f"{path}.nodes.{index}"))
        self.place = outer
        return values[-1]

    def dag_node(self, node: spec.DagNode, values: list[int], path: str) -> int:
        ins = tuple(
            self.inside(entry.step, values[entry.node], f"{path}.inputs.{index}.step", "inputs", index, "step")
            for index, entry in enumerate(node.inputs)
        )
        y = ins[0]
        if len(ins) > 1:
            y = self.add(ops.Add() if node.join == "add" else ops.Concat(), ins, f"{path}.{node.join}")
        return self.inside(node.then, y, f"{path}.then", "then")

    def repeat(self, step: spec.Repeat, x: int, path: str) -> int:
        for copy in range(step.times):
            x = self.inside(step.body, x, f"{path}.{copy}", "body")
        return x

    def use(self, step: spec.Use, x: int, path: str) -> int:
        outer, self.place = self.place, ("blocks", step.name)
        x = self.step(self.net.blocks[step.name], x, path)
        self.place = outer
        return x

    def head(self, head: Head | Aux, x: int, path: str) -> int:
        if isinstance(head, Head) and head.classifier != "linear":
            return self.maps_head(head, x, path) if head.classifier == "maps" else self.headless(head, x, path)
        return self.add(ops.Linear(self.net.head.classes), (self.features(head, x, path),), f"{path}.classifier")

    def features(self, head: Head | Aux, x: int, path: str) -> int:
        """What the last linear layer reads: pooled, flattened, through the hidden layers and the embedding."""
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

    def maps_head(self, head: Head, x: int, path: str) -> int:
        """One map per class, pooled (Network in Network)."""
        if head.dropout:
            x = self.add(ops.Dropout(head.dropout), (x,), f"{path}.dropout")
        x = self.plain_conv(spec.Conv(kernel=(1, 1), width=head.classes), x, f"{path}.classifier")
        x = self.add(ops.GlobalPool(head.pool), (x,), f"{path}.pool")
        return self.add(ops.Flatten(), (x,), f"{path}.flatten")

    def headless(self, head: Head, x: int, path: str) -> int:
        """Features without a classifier: a vector, or the maps themselves when nothing pools them."""
        if head.pool == "none" and not head.hidden and not head.embedding:
            return x
        x = self.features(head, x, path)
        unit_length = head.embedding and head.embedding.unit_length
        return self.add(ops.Normalize(), (x,), f"{path}.normalize") if unit_length else x


RULES.update(
    {
        spec.Conv: _Lowering.conv,
        spec.Depthwise: _Lowering.depthwise,
        spec.Pool: _Lowering.pool,
        spec.AdaptivePool: _Lowering.adaptive_pool,
        spec.Lrn: _Lowering.lrn,
        spec.Dropout: _Lowering.dropout,
        spec.Norm: _Lowering.norm_alone,
        spec.Act: _Lowering.act_alone,
        spec.Zero: _Lowering.zero,
        spec.Narrow: _Lowering.narrow,
        spec.Identity: _Lowering.identity,
        spec.Chain: _Lowering.chain,
        spec.Concat: _Lowering.concat,
        spec.Block: _Lowering.block,
        spec.Dag: _Lowering.dag,
        spec.Repeat: _Lowering.repeat,
        spec.Use: _Lowering.use,
    }
)
