"""The cost model of rewrites, compared with measurement: at each place, the predicted share of time saved.

    python benchmarks/rewrite_costs.py      prints the table and writes benchmarks/results/rewrite_costs.json

Every pass that can also lose time is tried at every place of small networks, as a search trains (32x32 images, batch
32), and, for inference, of published networks at batch 1. The place is timed before and after, by turns. A row has the
sums of its places: as written, rewritten everywhere, rewritten where the cost model says so, and rewritten where the
measurement says so, which no choice can beat. Leave the machine alone meanwhile.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from evidence import facts_of_speed, today

import inception_search as ins
from benchmarks.speed_tables import of_rewrite_costs
from inception_search.graph.graph import Graph
from inception_search.measures.rewrite_costs import CostModel, cost_model
from inception_search.measures.target import Target
from inception_search.measures.timing import time_parts
from inception_search.passes import PASSES
from inception_search.passes.pipeline import passes_of, run_passes
from inception_search.passes.rewrite import Phase, Site
from inception_search.spec.transform import scale_network_width
from tests.proxy_networks import MODULES, WIDTH, proxy_network

RESULTS = Path(__file__).parent / "results" / "rewrite_costs.json"
PUBLISHED = ("inception_v1@torchvision", "inception_v3", "inception_v4")
BATCHES: dict[Phase, int] = {"training": 32, "inference": 1}
PACKAGES = ("torch", "inception-search")


class Trial(NamedTuple):
    """One place: milliseconds before and after, and the share of time that is predicted to be saved."""

    before: float
    after: float
    predicted: float
    chosen: bool

    @property
    def measured(self) -> float:
        """The share of time that is saved."""
        return 1 - self.after / self.before


def networks(phase: Phase) -> Iterator[Graph]:
    """The graphs of a phase."""
    for module in MODULES:
        yield ins.lower(scale_network_width(proxy_network(module), WIDTH))
    if phase == "inference":
        yield from map(ins.lower, PUBLISHED)


def sites_of(graph: Graph, phase: Phase, name: str) -> list[Site]:
    """The places where a pass can rewrite a graph; equal computations once."""
    found: dict[str, Site] = {}

    def remember(site: Site) -> bool:
        found.setdefault(_without_paths(site.before_read) + _without_paths(site.after_read), site)
        return True

    run_passes(graph, phase, only=[name], choose=remember)
    return list(found.values())


def _without_paths(graph: Graph) -> str:
    return str([(node.op, node.inputs, node.type) for node in graph.nodes])


def tried(site: Site, target: Target, phase: Phase, model: CostModel) -> Trial:
    """One place, measured."""
    before, after = time_parts((site.before_read, site.after_read), target, phase)
    predicted = 1 - model.milliseconds(site.after_read) / model.milliseconds(site.before_read)
    return Trial(before, after, predicted, model.pays(site))


def row(trials: list[Trial]) -> dict[str, Any]:
    """What a pass does at all places of a phase."""
    sums = {
        "as_written": sum(each.before for each in trials),
        "everywhere": sum(each.after for each in trials),
        "chosen": sum(each.after if each.chosen else each.before for each in trials),
        "best": sum(min(each.before, each.after) for each in trials),
    }
    errors = [abs(each.predicted - each.measured) for each in trials]
    return {
        "places": len(trials),
        "chosen_places": sum(each.chosen for each in trials),
        "ms": {name: round(value, 3) for name, value in sums.items()},
        "saved": {
            "predicted": round(statistics.median(each.predicted for each in trials), 3),
            "measured": round(statistics.median(each.measured for each in trials), 3),
            "median_error": round(statistics.median(errors), 3),
        },
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--threads", type=int, default=1, help="CPU threads [default: 1, as a trial has]")
    options = parser.parse_args()
    rows: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for phase, batch in BATCHES.items():
            target = Target("cpu", options.threads, batch)
            model = cost_model(phase, target, cache=Path(folder) / "costs.json")
            for name in passes_of(phase):
                if not PASSES[name].costly:
                    continue
                sites = [site for graph in networks(phase) for site in sites_of(graph, phase, name)]
                if sites:
                    rows[f"{phase} {name}"] = row([tried(site, target, phase, model) for site in sites])
    facts = facts_of_speed(options.threads, PACKAGES)
    figures = {"date": today(), "facts": facts, "rows": rows}
    RESULTS.write_text(json.dumps(figures, indent=2) + "\n")
    print(of_rewrite_costs(figures))


if __name__ == "__main__":
    main()
