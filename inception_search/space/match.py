"""Match a template against a network with backtracking: find all answers of the holes that give the network.

Each method generates bindings, one for each way in which its part can match; mismatches are recorded for the error.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

from inception_search.errors import LimitError
from inception_search.space.build import Builder
from inception_search.space.holes import Choice, Float, Integer, Many, Of, Params
from inception_search.space.mismatch import NOTHING, Mismatch
from inception_search.spec.base_model import SpecModel
from inception_search.spec.limits import MAX_MATCHES
from inception_search.spec.network import Network
from inception_search.spec.step import Absent, AnyStep, Block, Chain, Concat, Identity, Repeat

# The fields of a document that are not architecture; the layout of a network has them.
DESCRIPTIVE = ("name", "source", "dialect", "preprocess", "recipe")
UNCOMPARED = (*DESCRIPTIVE, "schema_", "version")
ANYTHING: Any = object()  # a value that is not compared
Taken: TypeAlias = Iterator[tuple[int, Params]]  # the number of values matched so far, with the bindings


class Matcher:
    """Matches ``template`` against ``network`` as both are written."""

    def __init__(self, builder: Builder, network: Network, explain: bool = False) -> None:
        self.builder = builder
        self.template = builder.template
        self.static = builder.static
        self.network = network
        self.mismatch = Mismatch(network) if explain else None
        self.tried = 0

    def points(self) -> Iterator[Params]:
        """Every way to answer the holes."""
        return self.model(self.template.root, self.network, "", {}, UNCOMPARED)

    def fail(self, path: str, problem: str, bound: Params, value: Any = NOTHING, wanted: Any = NOTHING) -> None:
        """Record a mismatch, if the matcher has to explain it."""
        if self.mismatch is not None:
            self.mismatch.note(path, problem, len(bound), value, wanted)

    # ---------------------------------------------------------------------------------------------- fields

    def model(
        self, template: dict[str, Any], value: SpecModel, path: str, bound: Params, without: Sequence[str] = ()
    ) -> Iterator[Params]:
        """Match the fields of a model; a field that the template omits must be at its default."""
        fields = [name for name in type(value).model_fields if name != "kind" and name not in without]
        return self.fields(fields, template, value, path, bound)

    def fields(
        self, fields: list[str], template: dict[str, Any], value: SpecModel, path: str, bound: Params
    ) -> Iterator[Params]:
        waiting = []
        for name in fields:
            item, place = getattr(value, name), _join(path, name)
            if name in template:
                waiting.append((template[name], item, place))
            elif item != (default := type(value).model_fields[name].default):
                for now in self.all(waiting, 0, bound):  # earlier mismatches are reported first
                    self.fail(place, "is not the template's", now, item, default)
                return
        yield from self.all(waiting, 0, bound)

    def all(self, waiting: list[tuple[Any, Any, str]], index: int, bound: Params) -> Iterator[Params]:
        """Match every (template, value, path)."""
        if index == len(waiting):
            yield bound
            return
        for now in self.value(*waiting[index], bound):
            yield from self.all(waiting, index + 1, now)

    def value(self, template: Any, value: Any, path: str, bound: Params) -> Iterator[Params]:
        """Match any template node against any value."""
        if value is ANYTHING:
            yield bound
        elif isinstance(template, Choice):
            for option, now in self.options(template, bound):
                yield from self.value(option, value, path, now)
        elif isinstance(template, Many):
            yield from self.whole((template,), _steps(value), path, bound)
        elif isinstance(template, Integer | Float):
            yield from self.number(template, value, path, bound)
        elif isinstance(template, Of):
            yield from self.follower(template, value, path, bound)
        elif isinstance(template, dict) and "kind" in template:
            yield from self.step(template, value, path, bound)
        elif isinstance(template, dict) and isinstance(value, SpecModel):
            yield from self.model(template, value, path, bound)
        elif isinstance(template, dict) and isinstance(value, dict):
            yield from self.entries(template, value, path, bound)
        elif isinstance(template, list) and _matches_item_by_item(template, value):
            yield from self.all([(t, v, f"{path}.{i}") for i, (t, v) in enumerate(zip(template, value, strict=True))],
                                0, bound)  # fmt: skip
        elif template == (list(value) if isinstance(value, tuple) else value):
            yield bound
        else:
            self.fail(path, "is not the template's", bound, value, template)

    def options(self, hole: Choice, bound: Params) -> Iterator[tuple[Any, Params]]:
        """The options that are still possible for a hole, each with the bindings that choose it."""
        for label, option in hole.options.items():
            if bound.get(hole.name, label) == label:
                self.count(hole.name)
                yield option, {**bound, hole.name: label}

    def count(self, path: str) -> None:
        """Count a step of the search; raise LimitError after too many."""
        self.tried += 1
        if self.tried > MAX_MATCHES:
            hint = "consecutive steps that may be absent must differ in a field"
            raise LimitError("the template can be matched in too many ways", path=path, hint=hint)

    def number(self, hole: Integer | Float, value: Any, path: str, bound: Params) -> Iterator[Params]:
        if isinstance(value, tuple) and len(set(value)) == 1:
            value = value[0]  # a square kernel, from a hole of one number
        if not isinstance(value, int | float):
            self.fail(path, "is not a number", bound, value)
            return
        problem = hole.why_not(value)
        if problem is None and bound.get(hole.name, value) != value:
            problem = f"{value} is not {bound[hole.name]}, the value {hole.name!r} has elsewhere"
        if problem is None:
            yield {**bound, hole.name: value}
        else:
            self.fail(path, problem, bound)

    def follower(self, node: Of, value: Any, path: str, bound: Params) -> Iterator[Params]:
        """Match a number that follows an integer; one that follows channels is compared at the end."""
        if node.hole is None:
            yield bound
            return
        known = bound.get(node.hole.name)
        domain = node.hole.domain if known is None else (known,)
        low, high = (value * node.over // node.times - 1, (value + 1) * node.over // node.times + 1)
        found = False
        for number in domain:
            if low <= int(number) <= high and node.value(int(number)) == value:
                found = True
                yield {**bound, node.hole.name: number}
        if not found:
            wanted = str(node) if known is None else f"{node}, {node.value(int(known))}"
            self.fail(path, "is not the template's", bound, value, wanted)

    # ---------------------------------------------------------------------------------------------- names

    def entries(self, template: dict[str, Any], value: dict[str, Any], path: str, bound: Params) -> Iterator[Params]:
        """Match named parts in their order; parts of the template may be absent or a ``$many``."""
        names = list(value)
        for taken, now in self.named(list(template.items()), 0, value, names, 0, path, bound):
            if taken == len(names):
                yield now
            else:
                known = ", ".join(template) or "none"
                self.fail(path, f"{', '.join(names)} are not the template's {known}", bound)

    def named(
        self, nodes: list[tuple[str, Any]], index: int, value: Any, names: list[str], at: int, path: str, bound: Params
    ) -> Taken:
        if index == len(nodes):
            yield at, bound
            return
        for taken, now in self.entry(*nodes[index], value, names, at, path, bound):
            yield from self.named(nodes, index + 1, value, names, taken, path, now)

    def entry(self, name: str, node: Any, value: Any, names: list[str], at: int, path: str, bound: Params) -> Taken:
        if isinstance(node, Choice):
            for option, now in self.options(node, bound):
                for then in self.gone(option, path, now):
                    yield at, then
                if not is_absent(option):
                    yield from self.entry(name, option, value, names, at, path, now)
        elif isinstance(node, Many):
            yield from self.numbered(name, node, 0, value, names, at, path, bound)
        elif at < len(names) and names[at] == name:
            for now in self.value(node, value[name], _join(path, name), bound):
                yield at + 1, now
        else:
            self.fail(path, f"{', '.join(names)} are not the template's names: {name} is missing", bound)

    def numbered(
        self, name: str, hole: Many, index: int, value: Any, names: list[str], at: int, path: str, bound: Params
    ) -> Taken:
        """Match entries called ``name1``, ``name2``, ..."""
        if index < hole.high and at < len(names) and names[at] == f"{name}{index + 1}":
            for now in self.value(hole.items[index], value[names[at]], _join(path, names[at]), bound):
                yield from self.numbered(name, hole, index + 1, value, names, at + 1, path, now)
        elif (problem := hole.why_not(index)) is None:
            yield at, {**bound, hole.name: index}
        else:
            self.fail(path, f"of the stages {name}1, {name}2, ... {problem}", bound)

    # ---------------------------------------------------------------------------------------------- steps

    def step(self, template: dict[str, Any], value: Any, path: str, bound: Params) -> Iterator[Params]:
        kind = template["kind"]
        if id(template) not in self.template.dynamic and self.static.get(id(template)) == value:
            yield bound
        elif kind in ("chain", "repeat", "use", "identity"):
            yield from self.whole((template,), _steps(value), path, bound)
        elif kind == "concat":
            if isinstance(value, Block) and not _may_be_one_branch(template["branches"]):
                self.differs(template, value, path, bound)  # report the concat itself, not its first branch
                return
            for branches in _branches(value):
                yield from self.parallel(template["branches"], branches, _join(path, "branches"), bound)
        elif isinstance(value, SpecModel) and getattr(value, "kind", None) == kind:
            yield from self.model(template, value, path, bound)
        else:
            self.differs(template, value, path, bound)

    def differs(self, template: dict[str, Any], value: Any, path: str, bound: Params) -> None:
        self.fail(path, "is not the template's", bound, getattr(value, "kind", value), template["kind"])

    def whole(self, nodes: Sequence[Any], values: Sequence[AnyStep], path: str, bound: Params) -> Iterator[Params]:
        """Match steps in series, all of them."""
        for at, now in self.series(nodes, 0, values, path, 0, bound):
            if at == len(values):
                yield now
            else:
                self.fail(self.place(path, at), "has no place in the template", now, values[at])

    def place(self, path: str, at: int) -> str:
        """The place of value ``at`` of a chain at ``path``."""
        return f"{path}.{at}"

    def series(
        self, nodes: Sequence[Any], index: int, values: Sequence[AnyStep], path: str, at: int, bound: Params
    ) -> Taken:
        if index == len(nodes):
            yield at, bound
            return
        for taken, now in self.take(nodes[index], values, path, at, bound):
            yield from self.series(nodes, index + 1, values, path, taken, now)

    def take(self, node: Any, values: Sequence[AnyStep], path: str, at: int, bound: Params) -> Taken:
        """Match one node with the next values: a chain takes several, an identity none."""
        if isinstance(node, Choice):
            for option, now in self.options(node, bound):
                yield from self.take(option, values, path, at, now)
            return
        if isinstance(node, Many):
            yield from self.many(node, 0, self.take, values, path, at, bound)
            return
        kind = node["kind"]
        if kind == "chain":
            yield from self.series(node["steps"], 0, values, path, at, bound)
        elif kind == "identity":
            yield at, bound
        elif kind == "repeat":
            yield from self.repeat(node, values, path, at, bound)
        elif kind == "concat":
            yield from self.concat_in_series(node, values, path, at, bound)
        elif at == len(values):
            self.fail(path, f"a {kind} of the template is missing at the end", bound)
        elif kind == "use":
            yield from self.use(node, values, path, at, bound)
        else:
            for now in self.step(node, values[at], self.place(path, at), bound):
                yield at + 1, now

    def many(
        self, hole: Many, index: int, take: Any, values: Sequence[AnyStep], path: str, at: int, bound: Params
    ) -> Taken:
        """Match a variable number of steps or branches, the smallest number first."""
        known = bound.get(hole.name)
        if hole.why_not(index) is None and known in (None, index):
            yield at, {**bound, hole.name: index}
        if index < (hole.high if known is None else int(known)):
            self.count(hole.name)
            for taken, now in take(hole.items[index], values, path, at, bound):
                yield from self.many(hole, index + 1, take, values, path, taken, now)

    def repeat(self, node: dict[str, Any], values: Sequence[AnyStep], path: str, at: int, bound: Params) -> Taken:
        """Match a repeat; if its ``times`` is a hole with the value 1, the network has its body alone."""
        if at < len(values) and isinstance(values[at], Repeat):
            for now in self.model(node, values[at], self.place(path, at), bound):
                yield at + 1, now
            return
        if isinstance(node["times"], Integer | Choice):
            for now in self.value(node["times"], 1, path, bound):
                yield from self.take(node["body"], values, path, at, now)
        elif at < len(values):
            self.differs(node, values[at], self.place(path, at), bound)
        else:
            self.fail(path, "a repeat of the template is missing at the end", bound)

    def use(self, node: dict[str, Any], values: Sequence[AnyStep], path: str, at: int, bound: Params) -> Taken:
        if getattr(values[at], "kind", None) == "use":
            for now in self.model(node, values[at], self.place(path, at), bound):
                yield at + 1, now
        else:
            self.differs(node, values[at], self.place(path, at), bound)

    def concat_in_series(
        self, node: dict[str, Any], values: Sequence[AnyStep], path: str, at: int, bound: Params
    ) -> Taken:
        """Match a concat in a chain; if only one branch is present, its steps are part of the chain."""
        if at < len(values) and isinstance(values[at], Concat):
            for now in self.step(node, values[at], self.place(path, at), bound):
                yield at + 1, now
        branches = node["branches"]
        for index, branch in enumerate(branches):
            if not all(_may_go(other) for other in (*branches[:index], *branches[index + 1 :])):
                continue
            others = [*branches[:index], *branches[index + 1 :]]
            for now in self.parallel(others, (), self.place(path, at), bound):
                yield from self.take(branch, values, path, at, now)
        if at == len(values):
            self.fail(path, "a concat of the template is missing at the end", bound)
        elif not isinstance(values[at], Concat):
            self.differs(node, values[at], self.place(path, at), bound)

    # ---------------------------------------------------------------------------------------------- branches

    def parallel(self, nodes: Sequence[Any], values: Sequence[AnyStep], path: str, bound: Params) -> Iterator[Params]:
        """Match all branches in order; an absent one takes no value."""
        for at, now in self.beside(nodes, 0, values, path, 0, bound):
            if at == len(values):
                yield now
            else:
                self.fail(f"{path}.{at}", "has no place in the template", now, values[at])

    def beside(
        self, nodes: Sequence[Any], index: int, values: Sequence[AnyStep], path: str, at: int, bound: Params
    ) -> Taken:
        if index == len(nodes):
            yield at, bound
            return
        for taken, now in self.branch(nodes[index], values, path, at, bound):
            yield from self.beside(nodes, index + 1, values, path, taken, now)

    def branch(self, node: Any, values: Sequence[AnyStep], path: str, at: int, bound: Params) -> Taken:
        if isinstance(node, Choice):
            for option, now in self.options(node, bound):
                yield from self.branch(option, values, path, at, now)
            return
        if isinstance(node, Many):
            yield from self.many(node, 0, self.branch, values, path, at, bound)
            return
        for now in self.gone(node, f"{path}.{at}", bound):
            yield at, now
        if at < len(values) and not is_absent(node):
            for now in self.value(node, values[at], f"{path}.{at}", bound):
                yield at + 1, now
        elif at == len(values):
            self.fail(path, "a branch of the template is missing at the end", bound)

    def gone(self, node: Any, path: str, bound: Params) -> Iterator[Params]:
        """Every way in which a branch, stage or auxiliary classifier is absent, such as a concat without branches."""
        if is_absent(node):
            yield bound
        elif isinstance(node, dict) and node.get("kind") == "concat":
            yield from self.parallel(node["branches"], (), path, bound)


def is_absent(node: Any) -> bool:
    """Whether a part of a template is always absent."""
    return node is None or (isinstance(node, dict) and node.get("kind") == "absent")


def _matches_item_by_item(template: list[Any], value: Any) -> bool:
    plain = all(item is None or isinstance(item, str | int | float) for item in template)
    return not plain and isinstance(value, tuple) and len(template) == len(value)


def _may_go(node: Any) -> bool:
    """Whether a branch of a template may be absent."""
    if isinstance(node, Choice):
        return any(map(_may_go, node.options.values()))
    if isinstance(node, Many):
        return node.low == 0 or all(map(_may_go, node.items[: node.low]))
    return node["kind"] == "absent" or (node["kind"] == "concat" and all(map(_may_go, node["branches"])))


def _may_be_one_branch(branches: Sequence[Any]) -> bool:
    """Whether all branches of a template but one may be absent."""
    return sum(not _may_go(branch) for branch in branches) <= 1


def _steps(value: Any) -> tuple[AnyStep, ...]:
    if isinstance(value, Chain):
        return value.steps
    return () if isinstance(value, Identity) else (value,)


def _branches(value: Any) -> tuple[tuple[AnyStep, ...], ...]:
    """The branches that a concat of the template may have had: those of ``value``, or ``value`` alone."""
    if isinstance(value, Concat):
        return (value.branches, (value,))
    return ((),) if isinstance(value, Absent) else ((value,),)


def _join(path: str, part: str) -> str:
    return f"{path}.{part}" if path else part
