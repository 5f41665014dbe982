"""Strategies on the conditional space of Inception modules, by real trainings of proxies: equal trials, many seeds.

    python benchmarks/conditional.py            prints the table and writes benchmarks/results/conditional.json

The space is `separable_modules` under its budget of 1.8 million multiply-adds. Every trial is a training on
Fashion-MNIST (14x14 pixels, 2,000 images, two epochs, one thread) and its accuracy on 2,500 other images what the
strategy is told. No strategy is given the canonical modules. A training depends on the architecture and a fixed seed
alone, so that all strategies search the same landscape; what has been trained is kept in the scratch folder, where an
interrupted benchmark goes on. Figures are means over seeds of the best accuracy after so many trials, with 95 %
intervals (Student's t); differences are paired by seed.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import platform
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from evidence import half_interval, processor

RESULTS = Path(__file__).parent / "results" / "conditional.json"
STRATEGIES = ("random", "tpe", "evolution", "predictor")
SPACE, BUDGET = "separable_modules", {"max_macs": 1_800_000}
# Of the recipes that take three seconds, the one where good networks differ most beside the trainings of one network:
# 22 networks trained three times deviate by 4.4 points, one network by 2.1; the better half by 2.2, one of them by 1.5
# (on 4,000 validation images).
FIDELITY = {"optimizer": "adamw", "epochs": 2, "batch_size": 64, "threads": 1}
IMAGES, VALIDATION, SIDE = 2000, 2500, 14
PAIRS = (("evolution", "tpe"), ("predictor", "tpe"), ("tpe", "random"))


class Landscape:
    """Accuracies of architectures, trained when first asked for and kept in a file that processes share."""

    def __init__(self, path: Path) -> None:
        from inception_search.data.catalogue import load_data
        from inception_search.data.loader import DeviceData

        self.path, self.known = path, {}
        if path.is_file():
            rows = [json.loads(line) for line in path.read_text().splitlines() if line.endswith("}")]
            self.known = {row["arch_id"]: row["accuracy"] for row in rows}
        sizes = {"image_size": SIDE, "limit": IMAGES, "validation_images": VALIDATION}
        self.dataset = load_data("fashion_mnist", **sizes)
        self.data = DeviceData(self.dataset, "cpu")

    def accuracy(self, arch_id: str, network: Any) -> float:
        """Validation accuracy, 0..1, after the benchmark's training."""
        if arch_id not in self.known:
            from inception_search.backend.compile import build
            from inception_search.lowering import lower
            from inception_search.training.fidelity import Fidelity
            from inception_search.training.trainer import train

            fidelity = Fidelity.from_dict(FIDELITY)
            model = build(lower(network), name=network.name, seed=0)
            result = train(model, self.data, fidelity, seed=0)
            self.known[arch_id] = result.final.validation_accuracy
            with self.path.open("a") as file:
                file.write(json.dumps({"arch_id": arch_id, "accuracy": self.known[arch_id]}) + "\n")
        return self.known[arch_id]


def run(task: tuple[str, int, int, str]) -> dict[str, Any]:
    """One search; the best accuracy after each trial, and the seconds its asking and telling took."""
    from inception_search.space.space import load_space
    from inception_search.study.config import StudyConfig
    from inception_search.study.dedupe import Seen
    from inception_search.study.excess import make_excess
    from inception_search.study.screen import Screen
    from inception_search.study.setting import Setting
    from inception_search.study.strategies.strategy import Observation, Problem
    from inception_search.study.strategies.table import make_strategy

    strategy, seed, trials, scratch = task
    landscape = Landscape(Path(scratch) / "landscape.jsonl")
    space = load_space(SPACE)
    config = StudyConfig.of(strategy=strategy, seed=seed, **BUDGET)
    shape, classes = landscape.dataset.shape, len(landscape.dataset.classes)
    setting = Setting(config, space, Path("none"), shape, classes, {}, "cpu", 1)
    seen = Seen()
    screen = Screen(space, setting, config.budget(), seen)
    excess = make_excess(space, config.budget(), shape, classes)
    searcher = make_strategy(strategy, Problem(space, screen, trials=trials, seed=seed, excess=excess))
    best: list[float] = []
    overhead = 0.0
    for number in range(trials):
        begun = time.perf_counter()
        proposal = searcher.ask(number)
        assert proposal is not None, f"{strategy} ran dry"
        screened, candidate = screen.looked_at(proposal.params)
        assert screened.fresh
        assert candidate is not None
        overhead += time.perf_counter() - begun
        seen.start(candidate.arch_id, number)
        accuracy = landscape.accuracy(candidate.arch_id, candidate.network)
        best.append(max(accuracy, best[-1] if best else 0.0))
        begun = time.perf_counter()
        told = (number, proposal.params, candidate.arch_id, "complete", (-accuracy,), FIDELITY["epochs"])
        searcher.tell(Observation(*told, screened.cost, proposal.facts, space))
        overhead += time.perf_counter() - begun
    return {"strategy": strategy, "seed": seed, "best": best, "overhead": overhead / trials}


def searches(options: argparse.Namespace, scratch: Path) -> Iterator[dict[str, Any]]:
    """The results of all searches: those in the scratch folder, then the missing ones."""
    done = scratch / f"searches-{options.trials}.jsonl"
    rows = [json.loads(line) for line in done.read_text().splitlines()] if done.is_file() else []
    yield from rows
    known = {(row["strategy"], row["seed"]) for row in rows}
    every = [(name, seed) for seed in range(options.seeds) for name in options.strategies.split(",")]
    tasks = [(name, seed, options.trials, str(scratch)) for name, seed in every if (name, seed) not in known]
    context = multiprocessing.get_context("spawn")
    with context.Pool(options.jobs, maxtasksperchild=4) as pool:
        for row in pool.imap_unordered(run, tasks):
            with done.open("a") as file:
                file.write(json.dumps(row) + "\n")
            print(f"{row['strategy']:10} seed {row['seed']:2}  {100 * row['best'][-1]:.2f} %", flush=True)
            yield row


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--trials", type=int, default=30)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--strategies", default=",".join(STRATEGIES))
    parser.add_argument("--scratch", type=Path, default=Path(tempfile.gettempdir()) / "inception-search-conditional")
    options = parser.parse_args()
    options.scratch.mkdir(parents=True, exist_ok=True)

    best: dict[str, dict[int, list[float]]] = defaultdict(dict)
    overhead: dict[str, list[float]] = defaultdict(list)
    for row in searches(options, options.scratch):
        best[row["strategy"]][row["seed"]] = row["best"]
        overhead[row["strategy"]].append(row["overhead"])
    at = [number for number in (10, 20, 30, 60, 120) if number <= options.trials]
    rows = {
        name: curve(seeds, at) | {"overhead_ms": round(1e3 * statistics.median(overhead[name]), 1)}
        for name, seeds in best.items()
    }
    pairs = {
        f"{one} - {other}": paired(best[one], best[other], at) for one, other in PAIRS if one in best and other in best
    }
    for name, row in rows.items():
        cells = "  ".join(f"{row[str(n)]['mean']:6.2f} +- {row[str(n)]['interval']:.2f}" for n in at)
        print(f"{name:12} {cells}   ask+tell {row['overhead_ms']} ms")
    for name, row in pairs.items():
        print(f"{name:24}", "  ".join(f"{row[str(n)]['mean']:+.2f} +- {row[str(n)]['interval']:.2f}" for n in at))
    write(options, rows, pairs)


def curve(seeds: dict[int, list[float]], at: list[int]) -> dict[str, Any]:
    """Mean best accuracy in per cent after so many trials, with half the interval."""
    columns = {n: [100 * best[n - 1] for best in seeds.values()] for n in at}
    return {
        str(n): {"mean": statistics.fmean(v), "interval": half_interval(v), "seeds": len(v)} for n, v in columns.items()
    }


def paired(one: dict[int, list[float]], other: dict[int, list[float]], at: list[int]) -> dict[str, Any]:
    """Mean difference of two strategies in percentage points, seed by seed."""
    both = sorted(one.keys() & other.keys())
    columns = {n: [100 * (one[seed][n - 1] - other[seed][n - 1]) for seed in both] for n in at}
    return {
        str(n): {"mean": statistics.fmean(v), "interval": half_interval(v), "seeds": len(v)} for n, v in columns.items()
    }


def write(options: argparse.Namespace, rows: dict[str, Any], pairs: dict[str, Any]) -> None:
    """Record the figures with where they were taken."""
    from importlib.metadata import version

    facts = {
        "space": SPACE,
        "budget": BUDGET,
        "data": f"Fashion-MNIST, {SIDE}x{SIDE}, {IMAGES} training images, {VALIDATION} for validation",
        "fidelity": FIDELITY,
        "trials": options.trials,
        "processor": processor(),
        "python": platform.python_version(),
        **{name: version(name) for name in ("torch", "optuna")},
    }
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps({"facts": facts, "rows": rows, "differences": pairs}, indent=2) + "\n")
    print(RESULTS)


if __name__ == "__main__":
    main()
