"""A network as a drawing tree with foldable blocks, repeats and stages, and the step at every path."""

from __future__ import annotations

from dataclasses import replace

from inception_search.figures.annotations import Facts
from inception_search.figures.network.module import ModuleTree
from inception_search.figures.network.overview import NetworkTree, contents, opens
from inception_search.figures.network.tree import Box, Group, Part
from inception_search.spec.network import Aux, Network
from inception_search.spec.step import AnyStep, Chain, Repeat, Use


class FoldableModules(ModuleTree):
    """Steps as parts; blocks and repeats are in foldable frames. ``steps`` has the step at each path."""

    def __init__(self, network: Network, facts: Facts | None = None) -> None:
        super().__init__(network.blocks, facts, pools=network.pool_defaults)
        self.steps: dict[str, AnyStep] = {}

    def step(self, step: AnyStep, path: str, ends_open: bool = False) -> Part:
        """The part of ``step``; see :meth:`ModuleTree.step`."""
        self.steps.setdefault(path, step)
        part = super().step(step, path, ends_open)
        if isinstance(step, Use) and isinstance(part, Group):
            return replace(part, folded=self._folded((step.name, contents(self.blocks[step.name])), path))
        return part

    def _repeat(self, step: Repeat, path: str, ends_open: bool) -> Part:
        part = super()._repeat(step, path, ends_open)
        if step.times == 1 or not isinstance(part, Group):
            return part
        body = self.blocks[step.body.name] if isinstance(step.body, Use) else step.body
        label = part.label if self._alike(path, step.times) else f"{part.label}, numbers of the first"
        return replace(part, label=label, folded=self._folded((part.label, contents(body)), path))

    def _folded(self, lines: tuple[str, ...], path: str) -> Box:
        fact = self.facts.get(path) if self.facts else None
        shown = tuple(filter(None, lines))
        return Box(shown, "block", f"{path}: {', '.join(shown)}" + (f"; {fact.tip()}" if fact else ""), path)


class FoldableNetwork(NetworkTree):
    """A network whose stages and auxiliary classifiers can be opened."""

    def __init__(self, network: Network, facts: Facts) -> None:
        super().__init__(network, facts, folded=True)
        self.modules: FoldableModules = FoldableModules(network, facts)

    def _fold(self, step: AnyStep, path: str) -> list[Part]:
        parts = super()._fold(step, path)
        if isinstance(step, Chain) and opens(step):
            return parts  # its steps are folded already
        box = parts[0]
        if not isinstance(box, Box) or box.kind != "block":
            self.modules.steps.setdefault(path, step)
            return parts
        part = self.modules.step(step, path)
        opened = (
            replace(part, folded=box)
            if isinstance(part, Group)
            else Group(part, ", ".join(box.lines), path, folded=box)
        )
        return [opened, *parts[1:]]

    def _aux(self, name: str, aux: Aux) -> Part:
        folded = super()._aux(name, aux)
        self.folded = False
        opened = super()._aux(name, aux)
        self.folded = True
        assert isinstance(folded, Box)
        assert isinstance(opened, Group)
        return replace(opened, folded=folded)
