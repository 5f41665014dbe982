"""The cost of a network without building its graph: a search needs it thousands of times.

The rules are those of lowering, applied to a type and a depth instead of a node. Parameters, multiply-adds (MACs) and
activations are summed on the way. A search tries ever new widths, so caches hold what does not depend on them: the
windows of a convolution, and how much the cost of any other step grows with each input channel.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from operator import itemgetter
from typing import Any, NamedTuple, TypeAlias, TypeVar

from inception_search.errors import ShapeError
from inception_search.graph.op import Op
from inception_search.graph.types import FLOAT_BYTES, Cost, FeatureMap, Type
from inception_search.lowering import RULES, Lowering, check_filters, lower
from inception_search.spec import step as spec
from inception_search.spec.base_model import SpecModel
from inception_search.spec.limits import MAX_WIDTH
from inception_search.spec.network import Aux, Head, Network

T = TypeVar("T")
_Value: TypeAlias = tuple[Type, int]  # and the number of convolutions and linear layers on the longest path to it
_REMEMBERED = 20_000  # cache entries, for each set of network defaults


def estimate(network: Network) -> Cost:
    """The cost of ``network``, equal to that of its graph; raises the :class:`ShapeError` of ``lower``."""
    lowering = _CostLowering(network)
    try:
        (_, depth), stages = lowering.trunk()
        params, macs, numel = lowering.params, lowering.macs, lowering.numel
        lowering.aux(stages)
    except ShapeError:
        lower(network)  # raises the same error with file, line and path
        raise
    return Cost(params, macs, numel * FLOAT_BYTES, depth, lowering.params - params, lowering.macs - macs)


def shapes(network: Network) -> Callable[[spec.AnyStep | Head | Aux, Type], Type]:
    """Return a function that gives the output type of a step or classifier of ``network`` on an input type.

    That function raises a :class:`ShapeError`, without file and line, if the step does not fit the input.
    """
    lowering = _CostLowering(network)

    def shape(part: spec.AnyStep | Head | Aux, x: Type) -> Type:
        if isinstance(part, Head | Aux):
            return lowering.head(part, (x, 0), "")[0]
        return lowering.step(part, (x, 0), "")[0]

    return shape


class _Sums(NamedTuple):
    params: int
    macs: int
    numel: int


class _Windows(NamedTuple):
    """The facts about a convolution, its norm and activation that depend on neither channels nor filters."""

    area: int
    each: int
    """Parameters per filter besides its weights."""
    positions: int
    values: int
    """Values that training keeps per position of a filter's feature map."""
    size: tuple[int, int]


class _Growth(NamedTuple):
    """The output and cost of a step or classifier on one channel, and the increase per further channel."""

    made: type[Type]
    size: tuple[int, ...]
    depth: int
    channels: int
    more_channels: int
    sums: _Sums
    more: _Sums


class _CostLowering(Lowering[_Value]):
    def __init__(self, network: Network) -> None:
        super().__init__(network)
        self.params = self.macs = self.numel = 0
        self.copies: dict[tuple[int, Type], tuple[spec.AnyStep, Type, int, _Sums]] = {}
        conv, pool = network.conv_defaults, network.pool_defaults
        norm = _values(conv.norm) if conv.norm else ()
        self.windows, self.growths = _memory(norm, conv.act, conv.bias, *_values(pool), network.same_padding)

    def add(self, op: Op, inputs: tuple[_Value, ...], path: str) -> _Value:
        types = tuple([x[0] for x in inputs])
        out = op.infer(types)
        params, macs = op.cost(types, out)
        self.params += params
        self.macs += macs
        self.numel += out.numel
        return out, max([x[1] for x in inputs], default=0) + (op.channels == "mixes")

    def type(self, x: _Value) -> Type:
        return x[0]

    def step(self, step: spec.AnyStep, x: _Value, path: str) -> _Value:
        made: _Value = COSTS[type(step)](self, step, x, path)
        return made

    def copy(self, step: spec.AnyStep, x: _Value, path: str) -> _Value:
        """Lower a block or the body of a repeat; later copies on an input of the same type reuse the cost."""
        kind, depth = x
        known = self.copies.get((id(step), kind))
        if known is not None:
            _, out, more, (params, macs, numel) = known
            self.params += params
            self.macs += macs
            self.numel += numel
            return out, depth + more
        params, macs, numel = self.params, self.macs, self.numel
        out, deep = self.step(step, x, path)
        sums = _Sums(self.params - params, self.macs - macs, self.numel - numel)
        self.copies[id(step), kind] = (step, out, deep - depth, sums)  # holds step, so that its id is not reused
        return out, deep

    def followed(self, step: spec.Conv | spec.Depthwise, x: _Value, path: str, width: int, groups: int) -> _Value:
        kind, depth = x
        if width > MAX_WIDTH:
            check_filters(width)
        channels = kind[0]
        if groups != 1:
            if channels % groups:
                return super().followed(step, x, path, width, groups)  # raises the error
            channels //= groups
        key = (_OF_WINDOWS(step.__dict__), kind[1:])
        known = self.windows.get(key)
        if known is None:
            known = _remember(self.windows, key, self.measured_windows(step, kind))
        area, each, positions, values, size = known
        weights = width * channels * area
        self.params += weights + each * width
        self.macs += weights * positions
        self.numel += width * positions * values
        return FeatureMap(width, *size), depth + 1

    def measured_windows(self, step: spec.Conv | spec.Depthwise, x: Type) -> _Windows:
        """The windows of a convolution, measured with one filter on one channel."""
        one = _CostLowering(self.net)
        out, _ = Lowering.followed(one, step, (x._replace(channels=1), 0), "", 1, 1)
        assert isinstance(out, FeatureMap)
        area = step.kernel[0] * step.kernel[1]
        return _Windows(area, one.params - area, out.numel, one.numel // out.numel, out[1:])

    def even(self, step: spec.AnyStep, x: _Value, path: str) -> _Value:
        """Lower a step that treats every channel alike."""
        rule = RULES[type(step)]
        return self.grown(_values(step), x, lambda lowering, y: rule(lowering, step, y, path))

    def head(self, head: Head | Aux, x: _Value, path: str) -> _Value:
        own = (head.embedding, head.classifier) if isinstance(head, Head) else ()
        key = (head.pool, head.hidden, head.dropout, own, self.net.head.classes)
        return self.grown(key, x, lambda lowering, y: Lowering.head(lowering, head, y, path))

    def grown(self, key: Any, x: _Value, rule: Callable[[_CostLowering, _Value], _Value]) -> _Value:
        kind, depth = x
        known = self.growths.get((key, kind[1:]))
        if known is None:
            known = _remember(self.growths, (key, kind[1:]), self.measured_growth(kind, rule))
        made, size, deep, channels, more_channels, sums, more = known
        others = kind[0] - 1
        self.params += sums[0] + others * more[0]
        self.macs += sums[1] + others * more[1]
        self.numel += sums[2] + others * more[2]
        return made(channels + others * more_channels, *size), depth + deep

    def measured_growth(self, x: Type, rule: Callable[[_CostLowering, _Value], _Value]) -> _Growth:
        one, two = _CostLowering(self.net), _CostLowering(self.net)
        out, depth = rule(one, (x._replace(channels=1), 0))
        wider, _ = rule(two, (x._replace(channels=2), 0))
        more = _Sums(two.params - one.params, two.macs - one.macs, two.numel - one.numel)
        sums = _Sums(one.params, one.macs, one.numel)
        return _Growth(type(out), out[1:], depth, out.channels, wider.channels - out.channels, sums, more)


_EVEN = (spec.Pool, spec.AdaptivePool, spec.Lrn, spec.Dropout, spec.Norm, spec.Act, spec.Zero)
COSTS: dict[type[SpecModel], Callable[..., Any]] = {**RULES, **dict.fromkeys(_EVEN, _CostLowering.even)}
# The fields that the windows of a convolution depend on, besides the size of the feature map.
_OF_WINDOWS = itemgetter("kernel", "stride", "padding", "dilation", "linear", "norm", "act", "bias")


@lru_cache(maxsize=256)
def _memory(*defaults: Any) -> tuple[dict[Any, _Windows], dict[Any, _Growth]]:
    """The caches for one set of network defaults."""
    return {}, {}


def _remember(memory: dict[Any, T], key: Any, value: T) -> T:
    if len(memory) > _REMEMBERED:
        memory.clear()
    memory[key] = value
    return value


def _values(model: SpecModel) -> tuple[Any, ...]:
    return tuple(model.__dict__.values())
