"""A step as a drawing tree, in the style of the papers' modules.

Factorised convolutions are expanded into boxes. A concat at the end of a branch of another concat has no bar of its
own: all branches run into the outer one. A concat that is read only by a block's 1×1 projection has none either: its
branches run directly into that box.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from inception_search.figures.annotations import Fact, Facts
from inception_search.figures.captions.words import PLAIN, Captions
from inception_search.figures.labels import LABELS, Single, conv_facts, number, with_defaults
from inception_search.figures.network.dag import dag_part
from inception_search.figures.network.tree import Box, Column, Fork, Group, Note, Part, Residual, column, is_open
from inception_search.spec.base_model import SpecModel
from inception_search.spec.factorisation import PARALLEL, factors, shortcut
from inception_search.spec.network import PoolDefaults
from inception_search.spec.step import AnyStep, Block, Chain, Concat, Conv, Dag, Identity, Repeat, Use


class ModuleTree:
    """Turns steps into parts. ``facts`` are used for tooltips and, with ``detail``, in the boxes."""

    def __init__(
        self,
        blocks: Mapping[str, AnyStep],
        facts: Facts | None = None,
        detail: bool = False,
        captions: Captions = PLAIN,
        pools: PoolDefaults = PoolDefaults(),  # noqa: B008  # frozen
    ) -> None:
        self.blocks = blocks
        self.pools = pools
        self.facts = facts
        self.detail = detail
        self.captions = captions

    def step(self, step: AnyStep, path: str, ends_open: bool = False) -> Part:
        """The part of ``step`` at ``path``; ``ends_open``: a concat at its end has no bar."""
        return PARTS[type(step)](self, step, path, ends_open)

    def single(self, step: Single, path: str) -> Box:
        """The box of a single step; a convolution must be unfactorised."""
        return self.box(self.captions.box(with_defaults(step, self.pools), path))

    def box(self, box: Box) -> Box:
        """``box`` with its tooltip; in detail also with its shape and costs."""
        fact = self.facts.get(box.path) if self.facts else None
        tip = f"{box.path}: {' '.join(box.lines)}" if box.path else " ".join(box.lines)
        if "V" in box.lines[-1].split(", "):
            tip += " (V: valid, no padding)"
        if fact is None:
            return replace(box, tip=tip)
        lines = (*_without_width(box.lines, fact), *fact.lines()) if self.detail else box.lines
        return replace(box, tip=f"{tip}; {fact.tip()}", lines=lines, slim=box.slim and not self.detail)

    def _single(self, step: Single, path: str, ends_open: bool) -> Part:
        return self.single(step, path)

    def _conv(self, conv: Conv, path: str, ends_open: bool) -> Part:
        return self.single(conv, path) if conv.factor == "none" else self._factored(conv, path, ends_open)

    def _nothing(self, step: AnyStep, path: str, ends_open: bool) -> Part:
        return Column()

    def _chain(self, step: Chain, path: str, ends_open: bool) -> Part:
        last = len(step.steps) - 1
        return column(*(self.step(s, f"{path}.{i}", ends_open and i == last) for i, s in enumerate(step.steps)))

    def _branches(self, step: Concat, path: str, ends_open: bool) -> Part:
        branches = [self.step(b, f"{path}.branches.{i}", True) for i, b in enumerate(step.branches)]
        order = self.captions.order(branches)
        return self._fork([branches[i] for i in order], path, ends_open, order)

    def _dag(self, step: Dag, path: str, ends_open: bool) -> Part:
        return dag_part(step, path, self.step, self._join)

    def _use(self, step: Use, path: str, ends_open: bool) -> Part:
        return Group(self.step(self.blocks[step.name], path), step.name, path)

    def _factored(self, conv: Conv, path: str, ends_open: bool) -> Part:
        parts = [self.single(part, f"{path}.{name}") for name, part in factors(conv)]
        order = range(len(parts))
        return self._fork(list(parts), path, ends_open, order) if conv.factor in PARALLEL else column(*parts)

    def _fork(self, branches: list[Part], path: str, ends_open: bool, order: Sequence[int]) -> Part:
        """``branches`` side by side; ``order`` are their numbers in the document."""
        flat: list[tuple[str, Part]] = []
        for index, branch in zip(order, branches, strict=True):
            if isinstance(branch, Fork) and branch.join is None:
                flat += [(f"{index}.{inner}", part) for inner, part in branch.numbered()]
            else:
                flat.append((str(index), branch))
        numbers = tuple(name for name, _ in flat)
        usual = numbers == tuple(map(str, range(len(flat))))
        join = None if ends_open else self._concat(path)
        return Fork(tuple(part for _, part in flat), join, () if usual else numbers)

    def _concat(self, path: str) -> Box:
        place = f"{path}.concat"
        fact = self.facts.get(place) if self.facts else None
        lines = (self.captions.concat, fact.shape) if fact and self.detail else (self.captions.concat,)
        tip = f"{place}: joined on channels" + (f"; out {fact.shape}" if fact else "")
        return Box(lines, "concat", tip, place, slim=True)

    def _block(self, block: Block, path: str, ends_open: bool) -> Part:
        if block.trivial:
            return self.step(block.body, f"{path}.body", ends_open)
        body = self.step(block.body, f"{path}.body", block.project != "none")
        if block.project != "none":
            body = _joined(body, self._projection(block, path))
        scale = f"×{number(block.scale)}"
        if block.skip != "none":
            summand = column(body, Note(scale)) if block.scale != 1.0 else column(body)
            body = self._sum(block, summand, path)
        elif block.scale != 1.0:
            box = Box((scale,), "norm", path=f"{path}.scale", slim=True)
            body = column(body, self.box(box))
        if block.act == "none":
            return body
        act = Box((self.captions.act(block.act),), "act", path=f"{path}.act", slim=True)
        return column(body, replace(self.box(act), lines=act.lines, slim=True))

    def _sum(self, block: Block, summand: Part, path: str) -> Part:
        """The sum of a block with its input, unchanged or after a 1×1 convolution."""
        if block.skip == "add":
            return Residual(summand, f"{path}.add")
        fact = self.facts.get(f"{path}.skip") if self.facts else None
        lines = self.captions.projection(str(fact.type.channels) if fact else "", False)
        stride = conv_facts(shortcut(block))[:1] if block.stride != 1 else []
        lines = (*lines[:-1], ", ".join([lines[-1], *stride]))
        box = self.box(Box(lines, "pointwise", path=f"{path}.skip"))
        return Fork((box, summand), self._join("add", f"{path}.add"))

    def _projection(self, block: Block, path: str) -> Box:
        fact = self.facts.get(f"{path}.project") if self.facts else None
        lines = self.captions.projection(str(fact.type.channels) if fact else "", block.project == "linear")
        return self.box(Box(lines, "pointwise", path=f"{path}.project"))

    def _join(self, kind: str, path: str) -> Box:
        """The box that joins values of a dag."""
        if kind == "concat":
            return self._concat(path.removesuffix(".concat"))
        return self.box(Box(("+",), "add", path=path, slim=True))

    def _repeat(self, step: Repeat, path: str, ends_open: bool) -> Part:
        if step.times == 1:
            return self.step(step.body, f"{path}.0", ends_open)
        body, label = step.body, f"{step.times} ×"
        if isinstance(body, Use):
            label = f"{label} {body.name}"
            body = self.blocks[body.name]
        if self.detail and not self._alike(path, step.times):
            label += ", numbers of the first"
        return Group(self.step(body, f"{path}.0"), label, path)

    def _alike(self, path: str, times: int) -> bool:
        facts = [self.facts.get(f"{path}.{copy}") for copy in range(times)] if self.facts else []
        return all(fact == facts[0] for fact in facts)


PARTS: dict[type[SpecModel], Callable[[ModuleTree, Any, str, bool], Part]] = {
    **dict.fromkeys(LABELS, ModuleTree._single),
    Conv: ModuleTree._conv,
    Identity: ModuleTree._nothing,
    Chain: ModuleTree._chain,
    Concat: ModuleTree._branches,
    Block: ModuleTree._block,
    Repeat: ModuleTree._repeat,
    Dag: ModuleTree._dag,
    Use: ModuleTree._use,
}


def _without_width(lines: tuple[str, ...], fact: Fact) -> tuple[str, ...]:
    """``lines`` without the number of channels, because the shape contains it."""
    words = [word for line in lines[1:] for word in line.split(", ") if word != str(fact.type.channels)]
    return (lines[0], ", ".join(words)) if words else lines[:1]


def _joined(part: Part, join: Box) -> Part:
    """``part`` connected to ``join``: directly from its open branches, or with ``join`` as the next box."""
    if not is_open(part):
        return column(part, join)
    if isinstance(part, Column):
        return Column((*part.parts[:-1], _joined(part.parts[-1], join)))
    assert isinstance(part, Fork)
    return replace(part, join=join)
