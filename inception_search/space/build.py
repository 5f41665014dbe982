"""Build the network of a template and its answers quickly.

Every part of the template is compiled once to a function from the answers to a step. Parts without holes are constants,
and convolutions that differ only in widths are copies of a validated one. A broken rule raises :class:`BuildError`;
:mod:`~inception_search.space.render_template` then finds the rule and its place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cached_property, lru_cache
from typing import Any, TypeAlias

from pydantic import ValidationError

from inception_search.space.channels import channels_after
from inception_search.space.count import Counts
from inception_search.space.holes import Bindings, Choice, Float, Integer, Many, Of
from inception_search.space.template import Template
from inception_search.spec.base_model import trusted
from inception_search.spec.convolution import resizable
from inception_search.spec.documents.yaml_reader import MarkedDict
from inception_search.spec.limits import MAX_REPEAT, MAX_WIDTH
from inception_search.spec.network import Aux, Network
from inception_search.spec.step import (
    KINDS,
    Absent,
    AnyStep,
    Block,
    Conv,
    Dag,
    DagInput,
    DagNode,
    Identity,
    Repeat,
    chain,
    concat,
)


class Several(tuple[AnyStep, ...]):
    """Several steps in the place of one."""


# A function from the answers and the input channels to the step, or to several steps.
Make: TypeAlias = Callable[[Bindings, int], AnyStep | Several]
Field: TypeAlias = Callable[[Bindings, int], Any]
_SECTIONS = ("blocks", "stages", "aux")
_HOLES = (Choice, Integer, Float, Of)
PAIRED = ("kernel", "padding")  # (height, width) fields that one hole may fill


class BuildError(Exception):
    """The filled template breaks a rule of documents."""


class Builder:
    """Builds the points of one template."""

    def __init__(self, template: Template) -> None:
        self.template = template
        self.dynamic = template.dynamic
        self.tracks = template.follows_input
        self.made: dict[int, Make] = {}
        self.static: dict[int, AnyStep] = {}
        """The steps of parts without holes, by the identity of the part."""

    @cached_property
    def shared(self) -> list[str]:
        """The names of holes with several places that are reached together."""
        return sorted(Counts(self.template.root).shared)

    def network(self, bindings: Bindings) -> Network:
        """The network; raises :class:`BuildError` if it is invalid."""
        root = self.template.root
        try:
            fields = {name: self.value(node, bindings, 1) for name, node in root.items() if name not in _SECTIONS}
            channels = int((fields.get("input") or {}).get("channels", 3))
            blocks, _ = self.section(root.get("blocks"), bindings, channels, {})
            stages, after = self.section(root["stages"], bindings, channels, blocks)
            aux = {name: self.aux(node, bindings, after) for name, node in (root.get("aux") or {}).items()}
            aux = {name: head for name, head in aux.items() if head is not None}
            return Network.model_validate({**fields, "blocks": blocks, "stages": stages, "aux": aux})
        except (ValidationError, ValueError, TypeError, LookupError, AttributeError) as error:
            raise BuildError from error

    def section(
        self, nodes: Any, bindings: Bindings, channels: int, blocks: dict[str, AnyStep]
    ) -> tuple[dict[str, AnyStep], dict[str, int]]:
        """Blocks or stages by name, and the channels after each. A ``$many`` is numbered, absent ones are dropped."""
        out: dict[str, AnyStep] = {}
        after: dict[str, int] = {}
        for name, node in (nodes or {}).items():
            made = self.make(node)(bindings, channels)
            for label, step in _named(name, made):
                if not (isinstance(step, Absent) and isinstance(node, Choice | Many)):
                    out[label] = step
                    if self.tracks:
                        channels = after[label] = channels_after(step, channels, blocks)
        return out, after

    def aux(self, node: Any, bindings: Bindings, after: dict[str, int]) -> Aux | None:
        """An auxiliary classifier; None if it is absent."""
        while isinstance(node, Choice):
            node = node.options[bindings[node.name]]
        if node is None:
            return None
        fields = {name: self.value(item, bindings, 1) for name, item in node.items() if name != "body"}
        if "body" in node:
            fields["body"] = _one(self.make(node["body"])(bindings, after.get(str(fields.get("after")), 1)))
        return Aux.model_validate(fields)

    def value(self, node: Any, bindings: Bindings, channels: int) -> Any:
        """Plain data with holes filled."""
        kind = type(node)
        if kind is Integer or kind is Float:
            return bindings[node.name]
        if kind is Choice:
            return self.value(node.options[bindings[node.name]], bindings, channels)
        if kind is Of:
            return bindings.follow(node, channels)
        if id(node) not in self.dynamic:
            return node
        if isinstance(node, dict):
            return {name: self.value(item, bindings, channels) for name, item in node.items()}
        return [self.value(item, bindings, channels) for item in node]

    # ------------------------------------------------------------------------------------------ compiling

    def make(self, node: Any) -> Make:
        """The function that builds ``node``; compiled once."""
        known = self.made.get(id(node))
        if known is None:
            known = self.made[id(node)] = self.compiled(node)
        return known

    def compiled(self, node: Any) -> Make:
        if isinstance(node, Choice):
            options, name = {label: self.make(option) for label, option in node.options.items()}, node.name
            return lambda bindings, channels: options[bindings[name]](bindings, channels)
        if isinstance(node, Many):
            return self.many(node)
        compile_kind = _KINDS.get(node["kind"], Builder.leaf)
        if id(node) in self.dynamic:
            return compile_kind(self, node)
        constant = _one(compile_kind(self, node)(Bindings({}, _nobody), 1))
        self.static[id(node)] = constant
        return lambda bindings, channels: constant

    def many(self, hole: Many) -> Make:
        items, name = [self.make(item) for item in hole.items], hole.name
        series = self.in_turn

        def make(bindings: Bindings, channels: int) -> Several:
            return Several(series(items[: bindings[name]], bindings, channels))

        return make

    def in_turn(self, makes: Iterable[Make], bindings: Bindings, channels: int) -> list[AnyStep]:
        """Steps in series, each built for the channels of the one before."""
        steps: list[AnyStep] = []
        for make in makes:
            made = make(bindings, channels)
            if type(made) is Several:
                steps.extend(made)
            else:
                steps.append(made)  # type: ignore[arg-type]
            if self.tracks:
                for step in made if type(made) is Several else (made,):
                    channels = channels_after(step, channels, {})  # type: ignore[arg-type]
        return steps

    def chain(self, node: MarkedDict) -> Make:
        makes, in_turn = [self.make(item) for item in node["steps"]], self.in_turn
        return lambda bindings, channels: chain(*in_turn(makes, bindings, channels))

    def concat(self, node: MarkedDict) -> Make:
        makes = [self.make(item) for item in node["branches"]]

        def make(bindings: Bindings, channels: int) -> AnyStep:
            branches: list[AnyStep] = []
            for branch in makes:
                made = branch(bindings, channels)
                branches.extend(made if type(made) is Several else (made,))  # type: ignore[arg-type]
            return concat(*branches)

        return make

    def repeat(self, node: MarkedDict) -> Make:
        body, times = self.make(node["body"]), node["times"]
        open_ended = isinstance(times, Choice | Integer)

        def make(bindings: Bindings, channels: int) -> AnyStep:
            count = self.value(times, bindings, channels)
            step = _one(body(bindings, channels))
            if count == 1 and open_ended:
                return step
            if type(count) is int and 1 <= count <= MAX_REPEAT and type(step) not in (Absent, Identity):
                return trusted(Repeat, {"kind": "repeat", "times": count, "body": step})
            return Repeat(times=count, body=step)

        return make

    def block(self, node: MarkedDict) -> Make:
        body = self.make(node["body"])
        others = [(name, item) for name, item in node.items() if name != "body"]
        checked: dict[Any, dict[str, Any]] = {}

        def make(bindings: Bindings, channels: int) -> AnyStep:
            values = tuple(_frozen(self.value(item, bindings, channels)) for _, item in others)
            inside = _one(body(bindings, channels))
            if values not in checked or type(inside) is Absent:
                fields = {name: value for (name, _), value in zip(others, values, strict=True)}
                checked[values] = Block.model_validate({**fields, "body": inside}).__dict__
            return trusted(Block, {**checked[values], "body": inside})

        return make

    def conv(self, node: MarkedDict) -> Make:
        """A convolution. If only widths are holes, and all their values are valid, one copy is validated for all."""
        width: Any = node.get("width")
        mid: Any = node.get("mid")
        others = {name: item for name, item in node.items() if name not in ("width", "mid")}
        fixed = not any(isinstance(item, _HOLES) or id(item) in self.dynamic for item in others.values())
        if not (fixed and _is_width(width) and (mid is None or _is_width(mid))):
            return self.leaf(node)
        try:
            sample = Conv.model_validate(_data({**others, "width": width.low, "mid": mid.low if mid else None}))
        except ValidationError:
            return self.leaf(node)
        even = width.low % 2 == width.step % 2 == 0
        if not resizable(sample, even=even):
            return self.leaf(node)
        fields, name = sample.__dict__, width.name
        if mid is None:
            return lambda bindings, channels: trusted(Conv, {**fields, "width": bindings[name]})
        inner = mid.name
        return lambda bindings, channels: trusted(Conv, {**fields, "width": bindings[name], "mid": bindings[inner]})

    def leaf(self, node: MarkedDict) -> Make:
        """A step without steps inside."""
        kind, items, value = node["kind"], list(node.items()), self.value

        def make(bindings: Bindings, channels: int) -> AnyStep:
            fields = [(name, _frozen(value(item, bindings, channels))) for name, item in items]
            if any(isinstance(item, dict) for _, item in fields):  # a norm with fields, which is not hashable
                return KINDS[kind].model_validate(_data(dict(fields)))  # type: ignore[return-value]
            return _leaf(kind, tuple(fields))

        return make

    def dag(self, node: MarkedDict) -> Make:
        """A graph of steps, built with the channels of its values."""
        return lambda bindings, channels: self.graph(node, bindings, channels)

    def graph(self, dag: Any, bindings: Bindings, channels: int) -> Dag:
        values, nodes = [channels], []
        for node in dag["nodes"]:
            inputs, widths = [], []
            for entry in node["inputs"]:
                at = self.value(entry["node"], bindings, 1)
                step = _one(self.make(entry["step"])(bindings, values[at])) if "step" in entry else Identity()
                inputs.append(DagInput(node=at, step=step))
                widths.append(self.after(step, values[at]))
            join = self.value(node.get("join", "add"), bindings, 1)
            values.append(sum(widths) if join == "concat" else widths[0])
            then = _one(self.make(node["then"])(bindings, values[-1])) if "then" in node else Identity()
            values[-1] = self.after(then, values[-1])
            nodes.append(DagNode(join=join, inputs=tuple(inputs), then=then))
        return Dag(nodes=tuple(nodes))

    def after(self, step: AnyStep, channels: int) -> int:
        """The output channels of ``step``; computed only if the template has numbers that follow channels."""
        return channels_after(step, channels, {}) if self.tracks else channels


_KINDS: dict[str, Callable[[Builder, MarkedDict], Make]] = {
    "chain": Builder.chain,
    "concat": Builder.concat,
    "repeat": Builder.repeat,
    "block": Builder.block,
    "conv": Builder.conv,
    "dag": Builder.dag,
}


def _named(name: str, made: AnyStep | Several) -> list[tuple[str, AnyStep]]:
    if isinstance(made, Several):
        return [(f"{name}{index + 1}", step) for index, step in enumerate(made)]
    return [(name, made)]


def _nobody(hole: Any) -> Any:
    raise LookupError(f"{hole.name} in a part without holes")


def _one(made: AnyStep | Several) -> AnyStep:
    return chain(*made) if isinstance(made, Several) else made


def _is_width(node: Any) -> bool:
    return type(node) is Integer and node.low >= 1 and node.high <= MAX_WIDTH


@lru_cache(maxsize=10_000)
def _leaf(kind: str, fields: tuple[tuple[str, Any], ...]) -> AnyStep:
    return KINDS[kind].model_validate(_data(dict(fields)))  # type: ignore[return-value]


def _data(fields: dict[str, Any]) -> dict[str, Any]:
    """``fields`` with a kernel or padding that is one number, from a hole, as a pair."""
    for name in PAIRED:
        if isinstance(fields.get(name), int):
            fields[name] = (fields[name],) * 2
    return fields


def _frozen(value: Any) -> Any:
    return tuple(map(_frozen, value)) if isinstance(value, list) else value
