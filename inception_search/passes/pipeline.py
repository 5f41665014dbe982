"""Several passes in a row, and the sites that they rewrote as plain data, by which the same rewrites are repeated."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TypeAlias

from inception_search.errors import ConfigError, unknown_name
from inception_search.graph.graph import Graph
from inception_search.passes import PASSES
from inception_search.passes.rewrite import Choose, PassResult, Phase, everywhere, plain_state

Applied: TypeAlias = tuple[tuple[str, str], ...]
"""The pass and the path of every rewrite, in the order in which they were made."""
FOR_FUSED_CALLS = (
    "share_values",
    "drop_inactive",
    "split_norm",
    "fold_norm",
    "fold_scale",
    "merge_sum",
    "flatten_concats",
    "drop_identities",
    "swap_pool",
)
"""Passes that are exact in evaluation, and never slower where a convolution is one call with its activation."""
Rewrites: TypeAlias = Mapping[Phase, Applied]


def passes_of(phase: Phase) -> tuple[str, ...]:
    """The names of the passes that are exact in ``phase``, in the order in which they run."""
    return tuple(name for name, each in PASSES.items() if phase in each.phases)


def run_passes(
    graph: Graph, phase: Phase, *, only: Collection[str] | None = None, choose: Choose | None = None
) -> PassResult:
    """Rewrite ``graph`` by the passes that are exact in ``phase``.

    Args:
        graph: the graph; it is not changed.
        phase: what the result is for. In training, outputs, gradients and statistics are the same; in inference,
            outputs in evaluation mode.
        only: names of passes; each is applied wherever it can be, unless ``choose`` is given (default: every pass).
        choose: decides for each site of a pass that can also lose time (default: those of ``only`` are applied, without
            ``only`` such passes are left out).

    Returns:
        The graph, the state of its tensors, and the changes.

    Raises:
        UnknownNameError: there is no pass of that name.
        ConfigError: a pass of ``only`` is not exact in ``phase``.
    """
    names = [name for name in _wanted(phase, only) if only is not None or choose is not None or not PASSES[name].costly]
    return _run(graph, names, lambda name: choose if choose is not None and PASSES[name].costly else everywhere)


def _run(graph: Graph, names: Sequence[str], choice: Callable[[str], Choose]) -> PassResult:
    """The graph after the passes, which are repeated until nothing changes: one can make places for an earlier one."""
    result = PassResult(graph, plain_state(graph))
    while True:
        before = len(result.changes)
        for name in names:
            after = PASSES[name].run(result.graph, result.state, choice(name))
            result = PassResult(after.graph, after.state, result.changes + after.changes)
        if len(result.changes) == before:
            return result


def _wanted(phase: Phase, only: Collection[str] | None) -> tuple[str, ...]:
    known = passes_of(phase)
    for name in only or ():
        if name not in PASSES:
            raise unknown_name("pass", name, PASSES)
        if name not in known:
            expected = f"some of {', '.join(known)}"
            raise ConfigError(f"the pass is not exact in {phase}", path="optimize", found=name, expected=expected)
    return known if only is None else tuple(name for name in known if name in only)


def applied(result: PassResult) -> Applied:
    """Which pass was applied where."""
    return tuple((change.name, change.path) for change in result.changes)


def repeat(graph: Graph, phase: Phase, rewrites: Applied) -> PassResult:
    """The rewrites that :func:`applied` lists, made again; those whose place the graph no longer has are left out."""
    sites = frozenset(rewrites)
    names = [name for name in passes_of(phase) if any(each == name for each, _ in rewrites)]
    return _run(graph, names, lambda name: lambda site: (name, site.path) in sites)
