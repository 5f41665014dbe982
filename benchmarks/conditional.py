"""Strategies on the conditional space of Inception modules, by real trainings of proxies: equal trials, many seeds.

    python benchmarks/conditional.py [--data digits]

prints the table and writes benchmarks/results/conditional_fashion_mnist.json (conditional_digits.json).

The space is `separable_modules` under its budget of 1.8 million multiply-adds. Every trial is a training of two epochs
(one thread) on 2,000 images of Fashion-MNIST at 14x14 pixels, or on 600 digits, and its accuracy on 2,500 or 830 other
images what the strategy is told; the network that a search ends with is trained with three more seeds, since the best
of sixty is also the luckiest. No strategy is given the canonical modules. Recorded seeds that are not run are kept, so
that a later run (`--first 40 --seeds 60`) adds to them. A training depends on the architecture and a fixed seed alone,
so that all strategies search the same landscape; what has been trained is kept in the scratch folder, where an
interrupted benchmark goes on. Figures are means over seeds of the best accuracy after so many trials, with 95 %
intervals (Student's t). Two strategies with the same seed have nothing in common but the landscape: differences are of
means.
"""

from __future__ import annotations

import argparse
import json
import math
import multiprocessing
import platform
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from evidence import half_interval, processor, today

RESULTS = Path(__file__).parent / "results"
STRATEGIES = ("random", "tpe", "evolution", "predictor")
SPACE, BUDGET = "separable_modules", {"max_macs": 1_800_000}
# The recipe, of some that take a few seconds, by which networks differ most beside the trainings of one. Fashion-MNIST:
# 14 random networks trained three times deviate by 2.3 points, one network by 1.5; of the better half, 1.9 and 0.9.
# Digits: 17.0 and 2.8; of the better half, 4.7 and 1.8.
FIDELITY = {"optimizer": "adamw", "epochs": 2, "augment": False, "threads": 1}
BATCH_SIZE = {"fashion_mnist": 64, "digits": 32}
DATA = {
    "fashion_mnist": {"image_size": 14, "limit": 2000, "validation_images": 2500},
    "digits": {"image_size": 16, "limit": 600, "validation_images": 830},
}
AGAIN = (1, 2, 3)  # seeds of the further trainings of what a search found; searches are told of seed 0
Figures = dict[str, float]  # per cent: the best after so many trials, and what was found, trained again
PAIRS = (("evolution", "tpe"), ("predictor", "tpe"), ("tpe", "random"))


class Landscape:
    """Accuracies of architectures, trained when first asked for and kept in a file that processes share."""

    def __init__(self, name: str, path: Path) -> None:
        from inception_search.data.catalogue import load_data
        from inception_search.data.loader import DeviceData

        self.path, self.known = path, {}
        if path.is_file():
            rows = [json.loads(line) for line in path.read_text().splitlines() if line.endswith("}")]
            self.known = {(row["arch_id"], row["seed"]): row["accuracy"] for row in rows}
        self.dataset = load_data(name, **DATA[name])
        self.fidelity = FIDELITY | {"batch_size": BATCH_SIZE[name]}
        self.data = DeviceData(self.dataset, "cpu")

    def accuracy(self, candidate: Any, seed: int = 0) -> float:
        """Validation accuracy, 0..1, after the benchmark's training with this seed."""
        key = (candidate.arch_id, seed)
        if key not in self.known:
            from inception_search.backend.build import build
            from inception_search.lowering import lower
            from inception_search.training.fidelity import Fidelity
            from inception_search.training.trainer import train

            model = build(lower(candidate.network), name=candidate.network.name, seed=seed)
            result = train(model, self.data, Fidelity.from_dict(self.fidelity), seed=seed)
            self.known[key] = result.final.validation_accuracy
            row = {"arch_id": key[0], "seed": seed, "accuracy": self.known[key], "params": candidate.params}
            with self.path.open("a") as file:
                file.write(json.dumps(row) + "\n")
        return self.known[key]


def run(task: tuple[str, int, int, str, str]) -> dict[str, Any]:
    """One search; the best accuracy after each trial, and the seconds its asking and telling took."""
    from inception_search.space.load_space import load_space
    from inception_search.strategies.protocol import Observation, Problem
    from inception_search.strategies.table import make_strategy
    from inception_search.study.config import StudyConfig
    from inception_search.study.context import StudyContext
    from inception_search.study.feasibility import Screen, Seen, make_excess

    strategy, seed, trials, data, scratch = task
    landscape = Landscape(data, Path(scratch) / "landscape.jsonl")
    space = load_space(SPACE)
    config = StudyConfig.of(strategy=strategy, seed=seed, **BUDGET)
    shape, classes = landscape.dataset.shape, len(landscape.dataset.classes)
    context = StudyContext(config, space, Path("none"), shape, classes, {}, "cpu", 1)
    seen = Seen()
    screen = Screen(context, config.budget.on(), seen)
    excess = make_excess(space, config.budget.on(), shape, classes)
    searcher = make_strategy(strategy, Problem(space, screen, trials=trials, seed=seed, excess=excess))
    best: list[float] = []
    found = None
    overhead = 0.0
    for number in range(trials):
        begun = time.perf_counter()
        proposal = searcher.ask(number)
        assert proposal is not None, f"{strategy} ran dry"
        candidate = screen(proposal.params)
        assert candidate.fresh
        assert candidate.arch_id is not None
        overhead += time.perf_counter() - begun
        seen.start(candidate.arch_id, number)
        accuracy = landscape.accuracy(candidate)
        found = candidate if not best or accuracy > best[-1] else found
        best.append(max(accuracy, best[-1] if best else 0.0))
        begun = time.perf_counter()
        told = (number, proposal.params, candidate.arch_id, "complete", (-accuracy,), FIDELITY["epochs"])
        searcher.tell(Observation(*told, candidate.cost, proposal.facts, space))
        overhead += time.perf_counter() - begun
    again = statistics.fmean(landscape.accuracy(found, other) for other in AGAIN)
    return {"strategy": strategy, "seed": seed, "best": best, "again": again, "overhead": overhead / trials}


def searches(options: argparse.Namespace, scratch: Path) -> Iterator[dict[str, Any]]:
    """The results of all searches: those in the scratch folder, then the missing ones."""
    done = scratch / f"searches-{options.trials}.jsonl"
    rows = [json.loads(line) for line in done.read_text().splitlines()] if done.is_file() else []
    yield from rows
    known = {(row["strategy"], row["seed"]) for row in rows}
    every = [(name, seed) for seed in range(options.first, options.seeds) for name in options.strategies.split(",")]
    rest = (options.trials, options.data, str(scratch))
    tasks = [(name, seed, *rest) for name, seed in every if (name, seed) not in known]
    context = multiprocessing.get_context("spawn")
    with context.Pool(options.jobs, maxtasksperchild=4) as pool:
        for row in pool.imap_unordered(run, tasks):
            with done.open("a") as file:
                file.write(json.dumps(row) + "\n")
            print(f"{row['strategy']:10} seed {row['seed']:2}  {100 * row['best'][-1]:.2f} %", flush=True)
            yield row


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seeds", type=int, default=10, help="each strategy searches with those up to this one")
    parser.add_argument("--first", type=int, default=0, help="seed")
    parser.add_argument("--trials", type=int, default=60)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--strategies", default=",".join(STRATEGIES))
    parser.add_argument("--data", choices=DATA, default="fashion_mnist")
    parser.add_argument("--scratch", type=Path, help="folder of what has been trained [a temporary one for each data]")
    options = parser.parse_args()
    scratch = options.scratch or Path(tempfile.gettempdir()) / f"inception-search-conditional-{options.data}"
    scratch.mkdir(parents=True, exist_ok=True)

    at = [number for number in (10, 20, 30, 60, 120) if number <= options.trials]
    before = recorded(results_file(options.data), options.trials)
    found: dict[str, dict[str, Figures]] = {name: dict(seeds) for name, seeds in before.get("seeds", {}).items()}
    overhead: dict[str, list[float]] = defaultdict(list)
    for row in searches(options, scratch):
        best = {str(number): 100 * row["best"][number - 1] for number in at}
        found.setdefault(row["strategy"], {})[str(row["seed"])] = {**best, "again": 100 * row["again"]}
        overhead[row["strategy"]].append(row["overhead"])
    rows = dict(before.get("rows", {}))
    for name, costs in overhead.items():
        rows[name] = spread([*found[name].values()]) | {"overhead_ms": round(1e3 * statistics.median(costs), 1)}
    seeds = {name: dict(sorted(figures.items(), key=lambda each: int(each[0]))) for name, figures in found.items()}
    pairs = {
        f"{one} - {other}": compared(rows[one], rows[other]) for one, other in PAIRS if {one, other} <= rows.keys()
    }
    for name, row in rows.items():
        print(f"{name:24}", cells(row), f"  ask+tell {row['overhead_ms']} ms")
    for name, row in pairs.items():
        print(f"{name:24}", cells(row, "+"))
    write(options, {"rows": rows, "differences": pairs, "seeds": seeds})


def results_file(data: str) -> Path:
    """Where figures on these data are recorded."""
    return RESULTS / f"conditional_{data}.json"


def recorded(path: Path, trials: int) -> dict[str, Any]:
    """What is on record of searches of so many trials; others do not compare with them."""
    before = json.loads(path.read_text()) if path.is_file() else {"facts": {}}
    return before if before["facts"].get("trials") == trials else {}


def compared(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """What one strategy has more than the other, of each figure: the difference of means, half its interval."""
    figures = {name: (each, other[name]) for name, each in one.items() if isinstance(each, dict)}
    return {
        name: {
            "mean": mine["mean"] - theirs["mean"],
            "interval": math.hypot(mine["interval"], theirs["interval"]),
            "seeds": [mine["seeds"], theirs["seeds"]],
        }
        for name, (mine, theirs) in figures.items()
    }


def spread(figures: list[Figures]) -> dict[str, Any]:
    """Of each figure the mean, half its 95 % interval, and of how many."""
    columns = {name: [each[name] for each in figures] for name in figures[0]}
    return {
        name: {"mean": statistics.fmean(values), "interval": half_interval(values), "seeds": len(values)}
        for name, values in columns.items()
    }


def cells(row: dict[str, Any], sign: str = "") -> str:
    """The figures of a row, as people read them."""
    told = [each for each in row.values() if isinstance(each, dict)]
    return "  ".join(f"{each['mean']:{sign}.2f} +- {each['interval']:.2f}" for each in told)


def write(options: argparse.Namespace, tables: dict[str, dict[str, Any]]) -> None:
    """Record the figures with where they were taken, and those of every seed."""
    from importlib.metadata import version

    facts = {
        "space": SPACE,
        "budget": BUDGET,
        "data": {"name": options.data, **DATA[options.data]},
        "fidelity": FIDELITY | {"batch_size": BATCH_SIZE[options.data]},
        "trials": options.trials,
        "processor": processor(),
        "python": platform.python_version(),
        **{name: version(name) for name in ("torch", "optuna")},
    }
    record = {name: dict(sorted(table.items())) for name, table in tables.items()}
    path = results_file(options.data)
    path.write_text(json.dumps({"date": today(), "facts": facts, **record}, indent=1) + "\n")
    print(path)


if __name__ == "__main__":
    main()
