"""Graphs after rewriting passes, for ``draw --passes`` and ``diff --passes``, and their differences as text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from inception_search.cli.naming import PHASES
from inception_search.errors import ConfigError, unknown_name
from inception_search.numbers import counted

if TYPE_CHECKING:
    from inception_search.compare.diff_entry import Status
    from inception_search.figures.figure import Figure
    from inception_search.graph.graph import Graph
    from inception_search.items import Item
    from inception_search.measures.choose_rewrites import Optimize
    from inception_search.passes.rewrite import Change, PassResult, Phase


class Rewriting(NamedTuple):
    """A network or module, what it is rewritten for or by, the plain graph, and the same after passes."""

    item: Item
    passes: str
    before: Graph
    result: PassResult

    def __bool__(self) -> bool:
        return self.result.modified

    def draw(self, title: str | None = None, **options: Any) -> Figure:
        """Both graphs side by side, with the replaced and the new nodes marked."""
        from inception_search.figures.op_figures import draw_rewriting

        replaced = {node.path for change in self.result.changes for node in change.before.nodes}
        made = {node.path for change in self.result.changes for node in change.after.nodes}
        title = f"{self.item.name} for {self.passes}" if title is None else title
        return draw_rewriting(self.before, self.result.graph, replaced, made, title, **options)

    def lines(self) -> Iterator[tuple[Status, str]]:
        """The changes in order, each with the nodes that are replaced and made."""
        for change in self.result.changes:
            yield "same", f"  {change.name}: {change.path}"
            yield from _lines(change)
        before, after = (len(graph.nodes) - 1 for graph in (self.before, self.result.graph))
        yield "same", f"  {counted(before, 'op')} → {after:,}" if self else "  no pass changes anything"


def rewriting(shown: Item, passes: str) -> Rewriting:
    """The graph of a network or module, and the same after passes.

    Args:
        shown: the network or module.
        passes: "training" or "inference": the passes that ``ins.compile(optimize=passes)`` chooses; or names of passes
            with commas between, which are applied wherever they can be.

    Raises:
        UnknownNameError: it is neither.
    """
    from inception_search.lowering import lower, lower_module
    from inception_search.measures.choose_rewrites import rewrites_of
    from inception_search.passes import PASSES
    from inception_search.passes.pipeline import repeat

    names = [name.strip() for name in passes.split(",")]
    unknown = [] if passes in PHASES else [name for name in names if name not in PASSES]
    if unknown and unknown[0] in PHASES:
        hint = "write one phase alone, or only names of passes"
        raise ConfigError("a phase beside other names", path="passes", found=passes, hint=hint)
    if unknown:
        raise unknown_name("phase or pass", unknown[0], (*PHASES, *PASSES))
    whole = shown.module is None
    graph = lower(shown.network, aux=False) if whole else lower_module(shown.network, str(shown.module))
    rewrites = rewrites_of(graph, cast("Optimize", passes if passes in PHASES else names))
    phase: Phase = "inference" if "inference" in rewrites else "training"
    return Rewriting(shown, passes, graph, repeat(graph, phase, rewrites[phase]))


def refuse_with_passes(**given: object) -> None:
    """Raise ConfigError for an option that does not work with ``--passes``; ``given`` are values by parameter."""
    for name, value in given.items():
        if value:
            hint = "leave out one of the two options"
            found = None if value is True else value  # the name of a flag says it
            raise ConfigError("not possible with --passes", path=name, found=found, hint=hint)


def _lines(change: Change) -> Iterator[tuple[Status, str]]:
    sides: tuple[tuple[Status, str, Graph], ...] = (("removed", "-", change.before), ("added", "+", change.after))
    for status, sign, graph in sides:
        for line, node in zip(str(graph).splitlines(), graph.nodes, strict=False):  # the last line has the outputs
            if node.inputs:
                yield status, f"{sign} {line}"
