"""A network as a drawing tree: one box per stage, or every stage expanded."""

from __future__ import annotations

from collections.abc import Iterator

from inception_search.figures.annotations import Facts, shape_text
from inception_search.figures.captions.words import PLAIN, Captions
from inception_search.figures.labels import Single, number
from inception_search.figures.network.module import ModuleTree
from inception_search.figures.network.tree import Box, Group, Kind, Note, Part, Tap, column
from inception_search.numbers import class_count
from inception_search.spec.documents.to_yaml import dag_size
from inception_search.spec.factorisation import factors
from inception_search.spec.network import Aux, Head, Network
from inception_search.spec.step import AnyStep, Block, Chain, Concat, Conv, Dag, Pool, Repeat, Use, children

SHORT = 3  # longest chain of single steps that an overview shows step by step


class NetworkTree:
    """Turns a network into parts; ``folded``: one box per stage, else every stage inside a frame."""

    def __init__(
        self, network: Network, facts: Facts, *, folded: bool, detail: bool = False, captions: Captions = PLAIN
    ) -> None:
        self.net = network
        self.facts = facts
        self.folded = folded
        self.detail = detail
        self.captions = captions
        self.modules = ModuleTree(network.blocks, facts, detail, captions, network.pool_defaults)

    def part(self) -> Part:
        """The whole network: input, stages with their auxiliary classifiers, head."""
        size = self.net.input
        words = self.captions.input(self.captions.shape(size.channels, size.height, size.width))
        start = Box(words, "input", "input", "input", slim=True)
        parts: list[Part] = [start]
        for name, step in self.net.stages.items():
            parts += self._fold(step, name) if self.folded else self._open(step, name)
            parts += [Tap(self._aux(key, aux)) for key, aux in self.net.aux.items() if aux.after == name]
        return column(*parts, *self._head(self.net.head, "head"))

    def side(self, name: str) -> Part:
        """One auxiliary classifier."""
        return self._aux(name, self.net.aux[name])

    def _open(self, step: AnyStep, name: str) -> list[Part]:
        part = self.modules.step(step, name)
        if isinstance(step, Single) or isinstance(part, Group):
            return [part, *self._size(name)]
        return [Group(part, name), *self._size(name)]

    def _size(self, path: str) -> list[Part]:
        fact = self.facts.get(path)
        return [Note(shape_text(fact.type, self.captions.shape), path)] if fact and self.captions.notes else []

    def _fold(self, step: AnyStep, path: str) -> list[Part]:
        """The boxes of a step in the chain of stages, each followed by its output size."""
        if isinstance(step, Chain) and opens(step):
            return [p for i, s in enumerate(step.steps) for p in self._fold(s, f"{path}.{i}")]
        if isinstance(step, Single) and not (isinstance(step, Conv) and step.factor != "none"):
            return [self.modules.single(step, path), *self._size(path)]
        lines = folded_lines(step, path)
        fact = self.facts.get(path)
        if fact and self.detail:
            lines = (*lines, *fact.lines()[1:])
        tip = f"{path}: {', '.join(lines)}" + (f"; {fact.tip()}" if fact else "")
        return [Box(lines, "block", tip, path), *self._size(path)]

    def _aux(self, name: str, aux: Aux) -> Part:
        path = f"aux.{name}"
        fact = self.facts.get(path)
        lines = (name, f"auxiliary, weight {number(aux.weight)}")
        tip = f"{path}: auxiliary classifier" + (f"; {fact.tip()}" if fact else "")
        if self.folded:
            return Box(lines, "linear", tip, path)
        body = self.modules.step(aux.body, f"{path}.body")
        return Group(column(body, *self._head(aux, path)), f"{name}, weight {number(aux.weight)}")

    def _head(self, head: Head | Aux, path: str) -> Iterator[Part]:
        own = head if isinstance(head, Head) else Head()
        if own.classifier == "maps":
            lines = ("1×1 conv", class_count(self.net.head.classes))
            yield self.modules.box(Box(lines, "linear", path=f"{path}.classifier"))
        if head.pool != "none":
            kind: Kind = "avg" if head.pool == "avg" else "max"
            yield self.modules.box(Box((f"global {head.pool} pool",), kind, path=f"{path}.pool"))
        for index, width in enumerate(head.hidden):
            place = f"{path}.hidden.{index}"
            yield self.modules.box(Box(("linear", str(width)), "linear", path=place))
        if head.dropout:
            lines = ("dropout", f"p = {number(head.dropout)}")
            yield self.modules.box(Box(lines, "norm", path=f"{path}.dropout"))
        if own.embedding:
            lines = ("embedding", str(own.embedding.width))
            yield self.modules.box(Box(lines, "linear", path=f"{path}.embedding"))
            if own.embedding.unit_length:
                yield self.modules.box(Box(("unit length",), "norm", path=f"{path}.normalize", slim=True))
        if own.classifier != "linear":
            return
        lines = ("linear", class_count(self.net.head.classes))
        yield self.modules.box(Box(lines, "linear", path=f"{path}.classifier"))


def opens(step: Chain) -> bool:
    """Whether an overview shows the steps of a chain: chains that name blocks, and short plain ones."""
    if any(isinstance(inner, Use | Repeat) for inner in step.steps):
        return True
    return len(step.steps) <= SHORT and all(isinstance(inner, Single) for inner in step.steps)


def folded_lines(step: AnyStep, path: str) -> tuple[str, ...]:
    """The lines of a folded box: name, repetitions, contents."""
    if isinstance(step, Use):
        return (step.name,) if step.name == path else (path, step.name)
    if isinstance(step, Repeat):
        return (f"{step.times} × {step.body.name if isinstance(step.body, Use) else path}",)
    return (path, contents(step))


def contents(step: AnyStep) -> str:
    """The contents of a folded step in few words: ``4 branches``, ``residual``, ``3 convs, 1 pool``."""
    if isinstance(step, Concat):
        return f"{len(step.branches)} branches"
    if isinstance(step, Block) and step.skip != "none":
        return "residual"
    if isinstance(step, Dag):
        return dag_size(step)
    convs, pools = _counted(step, Conv), _counted(step, Pool)
    words = [f"{n} {word}{'s' * (n != 1)}" for n, word in ((convs, "conv"), (pools, "pool")) if n]
    return ", ".join(words)


def _counted(step: AnyStep, kind: type[Conv] | type[Pool]) -> int:
    if isinstance(step, kind):
        return len(factors(step)) or 1 if isinstance(step, Conv) else 1
    projected = isinstance(step, Block) and step.project != "none" and kind is Conv
    return sum(_counted(part, kind) for _, part in children(step)) + projected
