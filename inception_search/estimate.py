"""The cost of a network without building its graph: what a search asks thousands of times.

Each leaf step (a convolution with its norm and activation, a pool ...) is lowered once per input type and
remembered; composites only add up. ``estimate(net) == lower(net).cost()``, which tests hold it to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from operator import itemgetter
from typing import Any, NamedTuple

from inception_search.errors import ShapeError
from inception_search.graph import ops
from inception_search.graph.cost import FLOAT_BYTES, Cost
from inception_search.graph.graph import Graph
from inception_search.graph.types import FeatureMap, Type
from inception_search.lowering import PROJECTIONS, check_filters, lower, lower_head, lower_step
from inception_search.spec import step as spec
from inception_search.spec.factor import PARALLEL, factors, shortcut
from inception_search.spec.model import SpecModel
from inception_search.spec.network import Aux, Head, Network

_REMEMBERED = 20_000  # leaves, for each set of network defaults


class _Part(NamedTuple):
    """What a step makes of its input: the output type and what it costs."""

    type: Type
    params: int
    macs: int
    numel: int
    depth: int


class _Window(NamedTuple):
    """What of a plain convolution does not depend on its widths."""

    width: int
    """Which of (width, mid, half the width) of the whole convolution is its own."""
    area: int
    positions: int
    each: int
    """Parameters of a filter besides its weights."""
    values: int
    """Values that training keeps at each position of a filter's map."""


class _Plan(NamedTuple):
    """The plain convolutions a convolution is made of."""

    windows: tuple[_Window, ...]
    parallel: bool
    size: tuple[int, int]


def estimate(network: Network) -> Cost:
    """The cost of ``network``, equal to that of its graph; a :class:`ShapeError` as from ``lower``."""
    try:
        return _Meter(network).cost()
    except ShapeError:
        lower(network)  # says the same with file, line and path
        raise


def shapes(network: Network) -> Callable[[spec.AnyStep | Head | Aux, Type], Type]:
    """What gives the output type of a step or classifier of ``network`` on an input type.

    It raises a :class:`ShapeError`, without file and line, where it does not fit.
    """
    meter = _Meter(network)

    def shape(part: spec.AnyStep | Head | Aux, x: Type) -> Type:
        return meter.head(part, x).type if isinstance(part, Head | Aux) else meter.step(part, x).type

    return shape


class _Meter:
    def __init__(self, network: Network) -> None:
        self.net = network
        self.blocks: dict[tuple[int, Type], _Part] = {}
        defaults = (*_values(network.conv_defaults), *_values(network.pool_defaults), network.same_padding)
        self.known, self.plans, self.heads = _memory(defaults)
        if len(self.known) > _REMEMBERED:
            self.known.clear()
            self.plans.clear()

    def cost(self) -> Cost:
        x: Type = FeatureMap(*self.net.input.shape)
        total = _Part(x, 0, 0, x.numel, 0)
        taps: dict[str, Type] = {}
        for name, step in self.net.stages.items():
            total = _then(total, self.step(step, total.type))
            taps[name] = total.type
        total = _then(total, self.head(self.net.head, total.type))
        aux_params = aux_macs = 0
        for aux in self.net.aux.values():
            body = self.step(aux.body, taps[aux.after])
            extra = _then(body, self.head(aux, body.type))
            aux_params, aux_macs = aux_params + extra.params, aux_macs + extra.macs
        return Cost(total.params, total.macs, total.numel * FLOAT_BYTES, total.depth, aux_params, aux_macs)

    def step(self, step: spec.AnyStep, x: Type) -> _Part:
        rule = _RULES.get(type(step), _Meter.leaf)
        return rule(self, step, x)

    def leaf(self, step: spec.AnyStep, x: Type) -> _Part:
        key = (*step.__dict__.values(), x)
        known = self.known.get(key)
        if known is None:
            known = self.known[key] = _measured(lower_step(self.net, step, x), x)
        return known

    def each_channel(self, step: spec.AnyStep, x: Type) -> _Part:
        """A step that does the same to every channel: measured on one."""
        if not isinstance(x, FeatureMap):
            return self.leaf(step, x)
        one = self.leaf(step, FeatureMap(1, x.height, x.width))
        assert isinstance(one.type, FeatureMap)
        count = x.channels
        return _Part(
            one.type._replace(channels=count), one.params * count, one.macs * count, one.numel * count, one.depth
        )

    def conv(self, step: spec.Conv, x: Type) -> _Part:
        """A convolution by arithmetic: a search asks for ever new widths, which no memory has."""
        if step.groups != 1 or not isinstance(x, FeatureMap):
            return self.leaf(step, x)
        return self.planned(step, step.width, step.mid or step.width, x)

    def planned(self, step: spec.Conv, width: int, mid: int, x: Any) -> _Part:
        """``step`` with these widths."""
        key = (_OPEN(step.__dict__), x[1:])
        plan = self.plans.get(key)
        if plan is None:
            plan = self.plans[key] = self.plan(step, x)
        widths, channels = (width, mid, width // 2), x.channels
        params = macs = numel = 0
        for window in plan.windows:
            filters = widths[window.width]
            weights = filters * channels * window.area
            params += weights + window.each * filters
            macs += weights * window.positions
            numel += window.values * filters * window.positions
            if not plan.parallel:
                channels = filters
        if plan.parallel:
            return _Part(FeatureMap(width, *plan.size), params, macs, numel + width * window.positions, 1)
        return _Part(FeatureMap(width, *plan.size), params, macs, numel, len(plan.windows))

    def plan(self, step: spec.Conv, x: FeatureMap) -> _Plan:
        """What of a convolution does not depend on its widths, each part measured on one channel and one filter."""
        width, mid = 4, None if step.factor in ("none", *PARALLEL) else 6
        parts = factors(step.model_copy(update={"width": width, "mid": mid}))
        roles = [(width, mid, width // 2).index(part.width) for _, part in parts] or [0]
        parallel = step.factor in PARALLEL
        windows, one = [], x._replace(channels=1)
        for role, part in zip(roles, [part for _, part in parts] or [step], strict=True):
            out = _measured(lower_step(self.net, part.model_copy(update={"width": 1}), one), one)
            assert isinstance(out.type, FeatureMap)
            area, positions = part.kernel[0] * part.kernel[1], out.type.numel
            windows.append(_Window(role, area, positions, out.params - area, out.numel // positions))
            size = out.type[1:]
            one = one if parallel else out.type
        return _Plan(tuple(windows), parallel, size)

    def chain(self, step: spec.Chain, x: Type) -> _Part:
        params = macs = numel = depth = 0
        for part in step.steps:
            out = self.step(part, x)
            x = out.type
            params += out.params
            macs += out.macs
            numel += out.numel
            depth += out.depth
        return _Part(x, params, macs, numel, depth)

    def concat(self, step: spec.Concat, x: Type) -> _Part:
        return self.joined([self.step(branch, x) for branch in step.branches])

    def joined(self, parts: list[_Part]) -> _Part:
        """Parts side by side."""
        params = macs = numel = depth = channels = 0
        size = parts[0].type[1:]
        for part in parts:
            if part.type[1:] != size or not size:
                ops.Concat().infer(tuple(part.type for part in parts))  # says which branch differs
            channels += part.type.channels
            params += part.params
            macs += part.macs
            numel += part.numel
            depth = max(depth, part.depth)
        out = FeatureMap(channels, *size)
        return _Part(out, params, macs, numel + out.numel, depth)

    def block(self, step: spec.Block, x: Type) -> _Part:
        total = self.step(step.body, x)
        if step.project != "none":
            total = _then(total, self.projected(PROJECTIONS[step.project], x.channels, total.type))
        values = 0  # the sum or product, and the activation, each keep one value
        if step.skip != "none":
            beside = _Part(x, 0, 0, 0, 0)
            if step.skip == "project":
                beside = self.projected(shortcut(step), total.type.channels, x)
            ops.Add(step.scale).infer((beside.type, total.type))
            depth = max(total.depth, beside.depth)
            total = _then(total, beside)._replace(type=total.type, depth=depth)
            values = 1
        elif step.scale != 1.0:
            values = 1
        values += step.act != "none"
        return total._replace(numel=total.numel + values * total.type.numel)

    def projected(self, step: spec.Conv, width: int, x: Type) -> _Part:
        """A 1x1 convolution of a block with ``width`` filters, as many as another value has channels."""
        conv = ops.Conv(width, step.kernel)
        check_filters(conv)
        conv.infer((x,))  # refuses what is no map
        return self.planned(step, width, 0, x)

    def dag(self, step: spec.Dag, x: Type) -> _Part:
        values: list[tuple[Type, int]] = [(x, 0)]  # of every node so far: its type and its depth
        params = macs = numel = 0
        for node in step.nodes:
            parts = [self.step(entry.step, values[entry.node][0]) for entry in node.inputs]
            depth = max(values[e.node][1] + part.depth for e, part in zip(node.inputs, parts, strict=True))
            y = parts[0].type
            if len(parts) > 1:
                join = ops.Add() if node.join == "add" else ops.Concat()
                y = join.infer(tuple(part.type for part in parts))
                numel += y.numel
            then = self.step(node.then, y)
            values.append((then.type, depth + then.depth))
            for part in (*parts, then):
                params, macs, numel = params + part.params, macs + part.macs, numel + part.numel
        return _Part(values[-1][0], params, macs, numel, values[-1][1])

    def repeat(self, step: spec.Repeat, x: Type) -> _Part:
        """The first copy may read other channels than the rest: what that makes is added to it, where it is known."""
        total = self.step(step.body, x)
        more = (0, 0, 0) if total.type == x or step.times == 1 else self.more(step.body, x, total.type)
        if more is not None:
            times, others = step.times, step.times - 1
            params = times * total.params + others * more[0]
            macs = times * total.macs + others * more[1]
            numel = times * total.numel + others * more[2]
            return _Part(total.type, params, macs, numel, times * total.depth)
        for done in range(1, step.times):
            again = self.step(step.body, total.type)
            if again.type == total.type:  # from here on every copy costs the same
                left = step.times - done
                scaled = _Part(again.type, *(left * value for value in again[1:]))
                return _then(total, scaled)
            total = _then(total, again)
        return total

    def more(self, step: spec.AnyStep, x: Type, y: Type) -> tuple[int, int, int] | None:
        """The parameters, MACs and values that ``step`` has more on ``y`` than on ``x`` of the same size.

        None unless every way into it soon meets a dense convolution, after which nothing differs.
        """
        if x[1:] != y[1:] or not isinstance(x, FeatureMap) or not isinstance(y, FeatureMap):
            return None
        if isinstance(step, spec.Conv) and step.groups == 1:
            return _difference(self.conv(step, x), self.conv(step, y))
        if isinstance(step, spec.Concat):
            return _summed(self.more(branch, x, y) for branch in step.branches)
        if isinstance(step, spec.Chain) and isinstance(step.steps[0], spec.Pool):
            one, other = self.step(step.steps[0], x), self.step(step.steps[0], y)
            rest = spec.chain(*step.steps[1:])
            return _summed((_difference(one, other), self.more(rest, one.type, other.type)))
        return self.more(step.steps[0], x, y) if isinstance(step, spec.Chain) else None

    def use(self, step: spec.Use, x: Type) -> _Part:
        block = self.net.blocks[step.name]
        known = self.blocks.get((id(block), x))
        if known is None:
            known = self.blocks[id(block), x] = self.step(block, x)
        return known

    def head(self, head: Head | Aux, x: Type) -> _Part:
        """A classifier; all it has and does grows evenly with the channels it reads, so two numbers of them tell."""
        own = head if isinstance(head, Head) else None
        key = (head.pool, head.hidden, head.dropout, own and (own.embedding, own.classifier), self.net.head.classes)
        known = self.heads.get((*key, x[1:]))
        if known is None:
            known = self.heads[*key, x[1:]] = tuple(
                _measured(lower_head(self.net, head, y), y) for y in (x._replace(channels=1), x._replace(channels=2))
            )
        one, two = known
        more = x.channels - 1
        out = one.type._replace(channels=one.type.channels + more * (two.type.channels - one.type.channels))
        params, macs, numel = (a + more * (b - a) for a, b in zip(one[1:4], two[1:4], strict=True))
        return _Part(out, params, macs, numel, one.depth)


_RULES: dict[type[SpecModel], Callable[..., _Part]] = {
    spec.Conv: _Meter.conv,
    spec.Chain: _Meter.chain,
    spec.Concat: _Meter.concat,
    spec.Block: _Meter.block,
    spec.Dag: _Meter.dag,
    spec.Repeat: _Meter.repeat,
    spec.Use: _Meter.use,
    **dict.fromkeys((spec.Pool, spec.AdaptivePool, spec.Lrn, spec.Dropout, spec.Norm, spec.Act), _Meter.each_channel),
}
# What of a convolution its plan depends on, besides the size of the map.
_OPEN = itemgetter("kernel", "stride", "padding", "dilation", "linear", "norm", "act", "bias", "factor")


def _measured(graph: Graph, x: Type) -> _Part:
    cost = graph.cost()
    numel = cost.activation_bytes // FLOAT_BYTES - x.numel
    return _Part(graph.nodes[graph.outputs[0]].type, cost.params, cost.macs, numel, cost.depth)


@lru_cache(maxsize=256)
def _memory(defaults: tuple[Any, ...]) -> tuple[dict[Any, _Part], dict[Any, _Plan], dict[Any, Any]]:
    """The leaves, plans of convolutions and classifiers measured under one set of network defaults."""
    return {}, {}, {}


def _difference(one: _Part, other: _Part) -> tuple[int, int, int]:
    return other.params - one.params, other.macs - one.macs, other.numel - one.numel


def _summed(parts: Iterable[tuple[int, int, int] | None]) -> tuple[int, int, int] | None:
    params = macs = numel = 0
    for part in parts:
        if part is None:
            return None
        params, macs, numel = params + part[0], macs + part[1], numel + part[2]
    return params, macs, numel


def _values(model: SpecModel) -> tuple[Any, ...]:
    return tuple(model.__dict__.values())


def _then(first: _Part, second: _Part) -> _Part:
    return _Part(
        second.type,
        first.params + second.params,
        first.macs + second.macs,
        first.numel + second.numel,
        first.depth + second.depth,
    )
