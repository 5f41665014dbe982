"""The cost of a network without building its graph: what a search asks thousands of times.

Each leaf step (a convolution with its norm and activation, a pool ...) is lowered once per input type and
remembered; composites only add up. ``estimate(net) == lower(net).cost()``, which tests hold it to.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

from inception_search.errors import ShapeError
from inception_search.graph import ops
from inception_search.graph.cost import FLOAT_BYTES, Cost
from inception_search.graph.graph import Graph
from inception_search.graph.types import FeatureMap, Type
from inception_search.lowering import lower, lower_head, lower_step
from inception_search.spec import step as spec
from inception_search.spec.model import SpecModel
from inception_search.spec.network import Aux, Head, Network

_REMEMBERED = 200_000


class _Part(NamedTuple):
    """What a step makes of its input: the output type and what it costs."""

    type: Type
    params: int
    macs: int
    numel: int
    depth: int


def estimate(network: Network) -> Cost:
    """The cost of ``network``, equal to that of its graph; a :class:`ShapeError` as from ``lower``."""
    try:
        return _Meter(network).cost()
    except ShapeError:
        lower(network)  # says the same with file, line and path
        raise


class _Meter:
    def __init__(self, network: Network) -> None:
        self.net = network
        self.blocks: dict[tuple[int, Type], _Part] = {}
        defaults = (*_values(network.conv_defaults), *_values(network.pool_defaults), network.same_padding)
        self.known = _memory(defaults)
        if len(self.known) > _REMEMBERED:
            self.known.clear()

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
        parts = [self.step(branch, x) for branch in step.branches]
        out = ops.Concat().infer(tuple(part.type for part in parts))
        return _Part(
            out,
            sum(part.params for part in parts),
            sum(part.macs for part in parts),
            sum(part.numel for part in parts) + out.numel,
            max(part.depth for part in parts),
        )

    def block(self, step: spec.Block, x: Type) -> _Part:
        total = self.step(step.body, x)
        if step.project != "none":
            project = spec.Conv(kernel=(1, 1), width=x.channels, linear=step.project == "linear")
            total = _then(total, self.step(project, total.type))
        values = 0  # the sum or product, and the activation, each keep one value
        if step.skip == "add":
            ops.Add(step.scale).infer((x, total.type))
            values = 1
        elif step.scale != 1.0:
            values = 1
        values += step.act != "none"
        return total._replace(numel=total.numel + values * total.type.numel)

    def repeat(self, step: spec.Repeat, x: Type) -> _Part:
        total = self.step(step.body, x)
        for done in range(1, step.times):
            again = self.step(step.body, total.type)
            if again.type == total.type:  # from here on every copy costs the same
                left = step.times - done
                scaled = _Part(again.type, *(left * value for value in again[1:]))
                return _then(total, scaled)
            total = _then(total, again)
        return total

    def use(self, step: spec.Use, x: Type) -> _Part:
        block = self.net.blocks[step.name]
        known = self.blocks.get((id(block), x))
        if known is None:
            known = self.blocks[id(block), x] = self.step(block, x)
        return known

    def head(self, head: Head | Aux, x: Type) -> _Part:
        own = head if isinstance(head, Head) else None
        key = (head.pool, head.hidden, head.dropout, own and (own.embedding, own.classifier), self.net.head.classes, x)
        known = self.known.get(key)
        if known is None:
            known = self.known[key] = _measured(lower_head(self.net, head, x), x)
        return known


_RULES: dict[type[SpecModel], Callable[..., _Part]] = {
    spec.Chain: _Meter.chain,
    spec.Concat: _Meter.concat,
    spec.Block: _Meter.block,
    spec.Repeat: _Meter.repeat,
    spec.Use: _Meter.use,
}


def _measured(graph: Graph, x: Type) -> _Part:
    cost = graph.cost()
    numel = cost.activation_bytes // FLOAT_BYTES - x.numel
    return _Part(graph.nodes[graph.outputs[0]].type, cost.params, cost.macs, numel, cost.depth)


@lru_cache(maxsize=16)
def _memory(defaults: tuple[Any, ...]) -> dict[tuple[Any, ...], _Part]:
    """The leaves measured under one set of network defaults."""
    return {}


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
