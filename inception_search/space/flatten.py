"""Match a template against a network as one series of steps, independent of its stages, blocks and repeats."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from inception_search.errors import LimitError
from inception_search.space.build import Builder
from inception_search.space.holes import Choice, Integer, Many, Params
from inception_search.space.match import ANYTHING, UNCOMPARED, Matcher, Taken, is_absent
from inception_search.space.mismatch import Mismatch
from inception_search.spec.network import Aux, Network
from inception_search.spec.step import AnyStep, Chain, Identity, Repeat, Use, chain
from inception_search.spec.transform import map_children

MOST_ENDS = 200  # most matches of a whole trunk that are tried with the auxiliary classifiers
END = "\0"  # prefix of the bindings that store the ends of the template's stages


@dataclass(frozen=True)
class Trunk:
    """The steps of all stages in series, with uses and repeats unrolled."""

    steps: tuple[AnyStep, ...]
    places: tuple[str, ...]
    """The place of each step in the document."""
    ends: dict[str, int]
    """The number of steps up to the end of each stage."""


def trunk_of(network: Network) -> Trunk:
    """The trunk of ``network``."""
    opened: dict[str, AnyStep] = {}
    steps: list[AnyStep] = []
    places: list[str] = []
    ends = {}
    for name, stage in network.stages.items():
        parts = series_of(unrolled(stage, network.blocks, opened))
        steps.extend(parts)
        places.extend([f"stages.{name}"] if len(parts) == 1 else [f"stages.{name}.{i}" for i in range(len(parts))])
        ends[name] = len(steps)
    return Trunk(tuple(steps), tuple(places), ends)


def unrolled(step: AnyStep, blocks: Mapping[str, AnyStep], opened: dict[str, AnyStep]) -> AnyStep:
    """``step`` with every use and repeat inside unrolled; ``opened`` caches unrolled blocks."""
    if isinstance(step, Use):
        if step.name not in opened:
            opened[step.name] = unrolled(blocks[step.name], blocks, opened)
        return opened[step.name]
    if isinstance(step, Repeat):
        return chain(*[unrolled(step.body, blocks, opened)] * step.times)
    return map_children(step, lambda part: unrolled(part, blocks, opened))


def series_of(step: AnyStep) -> tuple[AnyStep, ...]:
    """The steps of a chain; any other step alone."""
    if isinstance(step, Chain):
        return step.steps
    return () if isinstance(step, Identity) else (step,)


class TrunkMatcher(Matcher):
    """Matches the stages of ``template`` in series against the trunk of ``network``."""

    def __init__(self, builder: Builder, network: Network, explain: bool = False) -> None:
        super().__init__(builder, network)
        self.mismatch = Mismatch(network, ("stages", "aux")) if explain else None
        self.trunk = trunk_of(network)
        self.blocks = self.template.root.get("blocks") or {}
        self.hopeless: set[Any] = set()  # positions in template and trunk from which the rest did not match
        self.ends = 0  # number of matches that reached the end of the trunk
        self.shared = builder.shared

    def points(self) -> Iterator[Params]:
        """Every way to answer the holes."""
        sections = ("blocks", "stages", "aux")
        nodes = list(self.template.root["stages"].items())
        for fields in self.model(self.template.root, self.network, "", {}, (*UNCOMPARED, *sections)):
            if not self.heads_may_fit(fields):  # reported before the long search through the trunk
                continue
            for at, trunk in self.stages(nodes, 0, 0, fields):
                if at == len(self.trunk.steps):
                    self.ends += 1
                    if self.ends > MOST_ENDS:
                        raise LimitError("the network fits the space in too many ways", path="stages")
                    yield from self.heads(trunk)
                else:
                    self.fail(self.place("", at), "this step has no place in the template", trunk)

    def place(self, path: str, at: int) -> str:
        if path:
            return super().place(path, at)
        places = self.trunk.places
        return places[at] if at < len(places) else "stages"

    def stages(self, nodes: list[tuple[str, Any]], index: int, at: int, bound: Params) -> Taken:
        if index == len(nodes):
            yield at, bound
            return
        for taken, now in self.unless_hopeless(self.stage(*nodes[index], at, bound), ("", index, at), bound):
            yield from self.stages(nodes, index + 1, taken, now)

    def unless_hopeless(self, ways: Taken, here: tuple[str, int, int], bound: Params) -> Taken:
        """The matches ``ways`` from ``here``; none if all were tried before and none reached the end."""
        key = (here, self.met(bound))
        if key not in self.hopeless:
            ends = self.ends
            yield from ways
            if self.ends == ends:
                self.hopeless.add(key)

    def met(self, bound: Params) -> tuple[Any, ...]:
        """The bindings that later parts of the template may use again."""
        return tuple(bound.get(name) for name in self.shared)

    def stage(self, name: str, node: Any, at: int, bound: Params) -> Taken:
        """Match the steps of one entry of the template's stages, which may be a ``$many``."""
        if isinstance(node, Choice):
            for option, now in self.options(node, bound):
                for then in self.gone(option, "stages", now):
                    yield at, then
                if not is_absent(option):
                    yield from self.stage(name, option, at, now)
        elif isinstance(node, Many):
            yield from self.many_stages(name, node, 0, at, bound)
        else:
            for taken, now in self.take(node, self.trunk.steps, "", at, bound):
                yield taken, {**now, END + name: taken}

    def many_stages(self, name: str, hole: Many, index: int, at: int, bound: Params) -> Taken:
        """Match as many stages as fit, then fewer."""
        return self.unless_hopeless(self.more_stages(name, hole, index, at, bound), (name, index, at), bound)

    def more_stages(self, name: str, hole: Many, index: int, at: int, bound: Params) -> Taken:
        if index < hole.high and at < len(self.trunk.steps):
            self.count(hole.name)
            for taken, now in self.stage(f"{name}{index + 1}", hole.items[index], at, bound):
                if taken > at:
                    yield from self.many_stages(name, hole, index + 1, taken, now)
        if hole.why_not(index) is None and bound.get(hole.name, index) == index:
            yield at, {**bound, hole.name: index}

    def repeat(self, node: dict[str, Any], values: Sequence[AnyStep], path: str, at: int, bound: Params) -> Taken:
        """Match as many consecutive copies as there are, then fewer."""
        times = node["times"]
        for end, now in self.take(node["body"], values, path, at, bound):
            size, copies = end - at, 1
            while size and values[end + (copies - 1) * size : end + copies * size] == values[at:end]:
                copies += 1
            for count in range(copies, 0, -1) if isinstance(times, Integer | Choice) else (times,):
                if count <= copies:
                    for then in self.value(times, count, path, now):
                        yield at + count * size, then

    def use(self, node: dict[str, Any], values: Sequence[AnyStep], path: str, at: int, bound: Params) -> Taken:
        yield from self.take(self.blocks.get(node["name"], node), values, path, at, bound)

    def heads(self, bound: Params) -> Iterator[Params]:
        """Match the auxiliary classifiers, by order and not by name."""
        places = {at: name.removeprefix(END) for name, at in reversed(bound.items()) if name.startswith(END)}
        heads = []
        for name, aux in self.network.aux.items():
            after = places.get(self.trunk.ends[aux.after])
            if after is None:
                self.fail(f"aux.{name}.after", f"{aux.after} does not end where a stage of the template ends", bound)
                return
            heads.append((name, aux.model_copy(update={"after": after, "body": self.opened(aux)})))
        plain = {name: value for name, value in bound.items() if not name.startswith(END)}
        yield from self.slots(list((self.template.root.get("aux") or {}).items()), 0, heads, plain)

    def heads_may_fit(self, bound: Params) -> bool:
        """Whether the auxiliary classifiers match, apart from the stages that they read."""
        heads = [
            (name, aux.model_copy(update={"after": ANYTHING, "body": self.opened(aux)}))
            for name, aux in self.network.aux.items()
        ]
        nodes = list((self.template.root.get("aux") or {}).items())
        recorded, self.mismatch = self.mismatch, None  # trying several is no mistake
        fit = next(self.slots(nodes, 0, heads, bound), None) is not None
        self.mismatch = recorded
        return fit or next(self.slots(nodes, 0, heads, bound), None) is not None

    def opened(self, aux: Aux) -> AnyStep:
        return unrolled(aux.body, self.network.blocks, {})

    def slots(self, nodes: list[Any], index: int, heads: list[tuple[str, Aux]], bound: Params) -> Iterator[Params]:
        if index == len(nodes):
            if not heads:
                yield bound
            else:
                self.fail(f"aux.{heads[0][0]}", "the template has no such auxiliary classifier", bound)
            return
        for taken, now in self.slot(nodes[index][1], heads, bound):
            yield from self.slots(nodes, index + 1, heads[taken:], now)

    def slot(self, node: Any, heads: list[tuple[str, Aux]], bound: Params) -> Taken:
        """Match one auxiliary classifier of the template, which may be absent."""
        if isinstance(node, Choice):
            for option, now in self.options(node, bound):
                yield from self.slot(option, heads, now)
        elif node is None:
            yield 0, bound
        elif heads:
            name, aux = heads[0]
            for now in self.value(node, aux, f"aux.{name}", bound):
                yield 1, now
