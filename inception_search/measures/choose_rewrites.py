"""Which rewrites of a network pay on a device, by the cost model."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Literal, TypeAlias

from inception_search.errors import ConfigError, unknown_name
from inception_search.graph.graph import Graph
from inception_search.measures.rewrite_costs import Dtype, cost_model
from inception_search.measures.target import Target
from inception_search.passes import PASSES
from inception_search.passes.pipeline import Applied, applied, passes_of, run_passes
from inception_search.passes.rewrite import Phase

Optimize: TypeAlias = Literal["none", "training", "inference", "auto"] | Sequence[str]
_PHASES: dict[str, tuple[Phase, ...]] = {
    "none": (),
    "training": ("training",),
    "inference": ("inference",),
    "auto": ("training", "inference"),
}
BATCHES: dict[Phase, int] = {"training": 32, "inference": 1}  # images, for the choice where no batch is known


def rewrites_that_pay(
    graph: Graph, phase: Phase, target: Target, *, dtype: Dtype = "float32", cache: str | Path | None = None
) -> Applied:
    """The rewrites of ``graph`` that save time on ``target`` by the cost model, which is measured at its first use.

    Args:
        graph: the plain graph of a network.
        phase: what the network is rewritten for.
        target: the device, its CPU threads, and the images in a batch.
        dtype: of activations.
        cache: the file with the coefficients of the cost model (default: the cache of latencies).
    """
    return applied(run_passes(graph, phase, choose=cost_model(phase, target, dtype=dtype, cache=cache).pays))


def rewrites_of(graph: Graph, optimize: Optimize, device: str = "cpu") -> dict[Phase, Applied]:
    """The rewrites of ``graph`` for the argument ``optimize`` of :func:`inception_search.compile`.

    Names of passes are applied wherever they can be. Otherwise the cost model decides, for batches of :data:`BATCHES`.

    Raises UnknownNameError for an unknown pass, ConfigError for another word.
    """
    if isinstance(optimize, str):
        if optimize not in _PHASES:
            expected = f"one of {', '.join(_PHASES)}, or a list of passes"
            raise ConfigError("not a way to optimize", path="optimize", found=optimize, expected=expected)
        phases = _PHASES[optimize]
        return {phase: rewrites_that_pay(graph, phase, Target(device, None, BATCHES[phase])) for phase in phases}
    return _named(graph, optimize)


def _named(graph: Graph, names: Collection[str]) -> dict[Phase, Applied]:
    for name in names:
        if name not in PASSES:
            raise unknown_name("pass", str(name), PASSES)
    exact = [name for name in names if name in passes_of("training")]
    found: dict[Phase, Applied] = {}
    if exact:
        found["training"] = applied(run_passes(graph, "training", only=exact))
    if len(exact) < len(names):
        found["inference"] = applied(run_passes(graph, "inference", only=names))
    return found
