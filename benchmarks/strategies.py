"""Every strategy on NAS-Bench-201 (CIFAR-10), beside Optuna and published evolution settings.

    python benchmarks/strategies.py --table nasbench201_full.csv.gz

The table has a column ``arch_str`` and accuracies; the space is the shipped ``nas_bench_201``. Two settings: strategies
are told the accuracy after 200 epochs (``direct``), or the validation accuracy after 12 epochs (``short``); reported
is, in both, the 200-epoch test accuracy of the cell that is best by what was told, after 50, 100, 200 and 400 unique
evaluations. Ours never evaluate an architecture twice, also where it is written otherwise; a cell that a peer asks for
again costs it nothing and is told what is known. Means over seeds with 95 % intervals; runs that are done are kept in
the scratch file, where an interrupted benchmark goes on. Where a strategy cannot search this space the reason is given.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import multiprocessing
import os
import platform
import random
import statistics
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from evidence import half_interval, today

RESULTS = Path(__file__).parent / "results" / "strategies.json"
OPS = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
EDGES = ("0_1", "0_2", "1_2", "0_3", "1_3", "2_3")
HOLES = tuple(f"cell.edge_{edge}" for edge in EDGES)
AT = (50, 100, 200, 400)
# Strategies that take long for each ask are run with fewer seeds, and to fewer evaluations, unless told otherwise.
SEEDS = {"tpe": 40, "evolution": 40, "nsga2": 40, "local": 40, "gp": 3, "optuna_tpe": 40, "optuna_nsga2": 40}
MOST = {"predictor": 200, "tpe": 200, "evolution": 200, "nsga2": 200, "gp": 100, "optuna_tpe": 200}


class Table:
    """Accuracies by cell, and what our toolkit knows of each cell before training."""

    def __init__(self, path: Path, told: dict[str, str], reported: str) -> None:
        data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        rows = list(csv.DictReader(data.decode().splitlines()))
        self.cells = [cell_of(row["arch_str"]) for row in rows]
        self.reported = {cell: float(row[reported]) for cell, row in zip(self.cells, rows, strict=True)}
        self.told = {
            name: {cell: float(row[column]) for cell, row in zip(self.cells, rows, strict=True)}
            for name, column in told.items()
        }
        self.known = identities(self.cells)


def cell_of(text: str) -> tuple[int, ...]:
    """The operations of a cell by edge, from ``|op~0|+|op~0|op~1|+|...|``."""
    ops = [edge.split("~")[0] for node in text.split("+") for edge in node.strip("|").split("|")]
    return tuple(OPS.index(op) for op in ops)


def point_of(cell: tuple[int, ...]) -> dict[str, str]:
    """The point of the space that a cell is."""
    return {hole: OPS[op] for hole, op in zip(HOLES, cell, strict=True)}


def identities(cells: list[tuple[int, ...]]) -> dict[tuple[int, ...], dict[str, Any]]:
    """arch_id and costs of every cell, found once (minutes) and kept in the user's cache folder."""
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "inception-search"
    path = folder / "nas_bench_201_cells.json"
    if path.is_file():
        return {tuple(map(int, key)): facts for key, facts in json.loads(path.read_text()).items()}
    from inception_search import arch_id, load_space
    from inception_search.estimate import estimate

    space, found = load_space("nas_bench_201"), {}
    for cell in cells:
        network = space.decode(point_of(cell))
        found[cell] = {"arch_id": arch_id(network), **estimate(network).to_dict()}
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"".join(map(str, cell)): facts for cell, facts in found.items()}))
    return found


@lru_cache(maxsize=1)
def table(path: Path, told: tuple[tuple[str, str], ...], reported: str) -> Table:
    """The table, once in a process."""
    return Table(path, dict(told), reported)


def run(task: dict[str, Any]) -> dict[str, Any]:
    """One search; the curve of what is reported."""
    data = table(Path(task["table"]), tuple(task["told"].items()), task["reported"])
    accuracy = data.told[task["setting"]]
    search = ours if task["ours"] else theirs
    cells = search(data, accuracy, task["strategy"], task["seed"], task["evaluations"])
    best: tuple[int, ...] | None = None
    curve = []
    for cell in cells:
        best = cell if best is None or accuracy[cell] > accuracy[best] else best
        curve.append(data.reported[best])
    return {name: task[name] for name in ("strategy", "setting", "seed")} | {"curve": curve}


def ours(
    data: Table, accuracy: dict[tuple[int, ...], float], name: str, seed: int, evaluations: int
) -> Iterator[tuple[int, ...]]:
    """The cells that one of our strategies evaluates."""
    from inception_search import load_space
    from inception_search.strategies.protocol import Candidate, Observation, Problem
    from inception_search.strategies.table import make_strategy

    space = load_space("nas_bench_201")
    network, _ = space.draw(0)  # stands in for all of them: a screen makes the network, which takes longest
    seen: dict[str, int] = {}

    def screen(params: dict[str, Any]) -> Candidate:
        facts = data.known[tuple(OPS.index(params[hole]) for hole in HOLES)]
        costs = {key: float(value) for key, value in facts.items() if key != "arch_id"}
        return Candidate(params, network, facts["arch_id"], costs, seen.get(facts["arch_id"]))

    strategy = make_strategy(name, Problem(space, screen, trials=evaluations, seed=seed))
    for number in range(evaluations):
        proposal = strategy.ask(number)
        if proposal is None:
            return
        screened = screen(proposal.params)
        assert screened.fresh
        seen[str(screened.arch_id)] = number
        cell = tuple(OPS.index(str(proposal.params[hole])) for hole in HOLES)
        told = (number, proposal.params, str(screened.arch_id), "complete", (-accuracy[cell],), 1)
        strategy.tell(Observation(*told, screened.cost, proposal.facts, space))
        yield cell


def theirs(
    data: Table, accuracy: dict[tuple[int, ...], float], name: str, seed: int, evaluations: int
) -> Iterator[tuple[int, ...]]:
    """The distinct cells that a peer evaluates."""
    from strategies_peers import make_peer

    search = make_peer(name, seed, len(EDGES), len(OPS))
    seen: set[tuple[int, ...]] = set()
    cell = next(search)
    for _ in range(50 * evaluations):  # some ask for the same cells over and over
        if cell not in seen:
            seen.add(cell)
            yield cell
        if len(seen) == evaluations:
            return
        cell = search.send(accuracy[cell])


def tasks(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Every run that was asked for."""
    from strategies_peers import PEERS

    from inception_search import load_space
    from inception_search.errors import InceptionSearchError
    from inception_search.strategies.table import STRATEGIES, check

    shared = {"table": str(options.table), "told": {"direct": options.reported, "short": options.short}}
    for name in options.strategies.split(",") if options.strategies else (*STRATEGIES, *PEERS):
        if name not in PEERS:
            try:
                check(name, load_space("nas_bench_201"))
            except InceptionSearchError as error:
                print(f"{name}: {error}")
                continue
        most = min(options.evaluations, MOST.get(name, options.evaluations))
        for setting in ("direct", "short"):
            for seed in range(options.seeds or SEEDS.get(name, 100)):
                facts = {"strategy": name, "setting": setting, "seed": seed, "evaluations": most}
                yield {**shared, **facts, "reported": options.reported, "ours": name not in PEERS}


def results(options: argparse.Namespace) -> dict[tuple[str, str], dict[int, list[float]]]:
    """The curves by strategy and setting; those in the scratch file are not made again."""
    curves: dict[tuple[str, str], dict[int, list[float]]] = defaultdict(dict)
    path: Path = options.scratch
    for line in path.read_text().splitlines() if path.is_file() else ():
        row = json.loads(line)
        curves[row["strategy"], row["setting"]][row["seed"]] = row["curve"]
    wanted = [task for task in tasks(options) if task["seed"] not in curves[task["strategy"], task["setting"]]]
    random.Random(0).shuffle(wanted)
    with multiprocessing.get_context("spawn").Pool(options.jobs) as pool:
        for row in pool.imap_unordered(run, wanted):
            curves[row["strategy"], row["setting"]][row["seed"]] = row["curve"]
            with path.open("a") as file:
                file.write(json.dumps(row) + "\n")
    return curves


def summary(curves: dict[int, list[float]]) -> dict[str, Any]:
    """Mean, standard deviation and half of the 95 % interval at every number of evaluations that was reached."""
    found: dict[str, Any] = {"seeds": len(curves)}
    for at in AT:
        values = [curve[at - 1] for curve in curves.values() if len(curve) >= at]
        if len(values) > 1:
            mean, deviation, half = statistics.fmean(values), statistics.stdev(values), half_interval(values)
            found[str(at)] = {"mean": round(mean, 3), "sd": round(deviation, 3), "half": round(half, 3)}
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--table", type=Path, default=os.environ.get("NASBENCH201_TABLE"), help="CSV, gzipped or not")
    parser.add_argument("--reported", default="c10_test_e200", help="column that is reported, and told in 'direct'")
    parser.add_argument("--short", default="c10_val_e12", help="column that is told in 'short'")
    parser.add_argument("--strategies", help="by commas; default: all, and the peers")
    parser.add_argument("--seeds", type=int, help="default: 100, fewer where asking takes long")
    parser.add_argument("--evaluations", type=int, default=400)
    parser.add_argument("--jobs", type=int, default=2)
    default = Path(tempfile.gettempdir()) / "inception-search-strategies.jsonl"
    parser.add_argument("--scratch", type=Path, default=default, help="where finished runs are kept")
    options = parser.parse_args()
    if options.table is None or not Path(options.table).is_file():
        parser.error("give the table of NAS-Bench-201 with --table, or in NASBENCH201_TABLE")
    table(Path(options.table), (("direct", options.reported),), options.reported)  # the cache of cells, once

    curves = results(options)
    rows = {f"{name}, {setting}": summary(seeds) for (name, setting), seeds in sorted(curves.items())}
    show: Callable[[dict[str, Any], int], str] = lambda row, at: (  # noqa: E731
        f"{row[str(at)]['mean']:.2f} +- {row[str(at)]['half']:.2f}" if str(at) in row else "-"
    )
    for setting in ("direct", "short"):
        print(f"\ntold: {setting}\n{'strategy':20}" + "".join(f"{at:>16}" for at in AT) + "  seeds")
        for name, row in rows.items():
            if name.endswith(f", {setting}"):
                print(f"{name.split(',')[0]:20}" + "".join(f"{show(row, at):>16}" for at in AT) + f"  {row['seeds']}")
    packages = {name: version(name) for name in ("optuna", "scikit-learn", "scipy", "numpy")}
    facts = {"python": platform.python_version(), **packages, "reported": options.reported, "short": options.short}
    RESULTS.parent.mkdir(exist_ok=True)
    before = json.loads(RESULTS.read_text()) if RESULTS.is_file() else {}
    kept = before["rows"] if before.get("facts") == facts else {}  # of strategies that were not run this time
    RESULTS.write_text(
        json.dumps({"date": today(), "facts": facts, "rows": dict(sorted({**kept, **rows}.items()))}, indent=2) + "\n"
    )
    print(RESULTS)


if __name__ == "__main__":
    main()
