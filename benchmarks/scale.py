"""The driver of a search on a simulated cluster: how many trials per second it serves, by the number of trials so far.

    python benchmarks/scale.py --strategy random --trials 100000      adds a row to benchmarks/results/scale.json
    python benchmarks/scale.py --strategy tpe --trials 20000 --space inception --workers 200

The loop, the run folder, the Optuna journal and the strategy are the real ones; trainings are simulated
(simulated_cluster.py). 1,000 workers with trials of 60 seconds need 16.7 trials per second. The driver's seconds
exclude what workers do on their machines: to read a job and to write a result.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.evidence import processor, today
from benchmarks.simulated_cluster import SimulatedCluster, recorded_curves
from inception_search.space.load_space import load_space
from inception_search.store.provenance import versions
from inception_search.store.record import TrialRecord
from inception_search.store.run_folder import RunFolder
from inception_search.strategies.protocol import Strategy
from inception_search.study.config import StudyConfig
from inception_search.study.context import StudyContext
from inception_search.study.loop import Driver
from inception_search.study.observer import Observer
from inception_search.study.search import make_driver

RESULTS = Path(__file__).parent / "results" / "scale.json"
SECONDS = 60.0  # duration of a trial of median length
WINDOW = 1000  # trials over which a rate is measured
MILESTONES = (1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000)


class Meter(Observer):
    """Measures the driver over the last ``window`` trials before each milestone."""

    def __init__(self, cluster: SimulatedCluster, trials: int, window: int) -> None:
        self.cluster, self.window = cluster, min(window, trials)
        self.wanted = {*MILESTONES, trials}
        self.recorded_trials = 0
        self.asks: list[float] = []
        self.rows: list[dict[str, Any]] = []
        self.before = self._state()

    def timed(self, strategy: Strategy) -> None:
        """Measure every proposal of the strategy."""
        real = strategy.ask

        def ask(number: int) -> Any:
            begun = time.perf_counter()
            try:
                return real(number)
            finally:
                self.asks.append(time.perf_counter() - begun)

        strategy.ask = ask  # type: ignore[method-assign]

    def recorded(self, record: TrialRecord) -> None:
        """Count a trial; at a milestone, add a row."""
        self.recorded_trials += 1
        if self.recorded_trials % self.window == 0 or self.recorded_trials in self.wanted:
            if self.recorded_trials in self.wanted:
                self._add_row()
            self.before, self.asks = self._state(), []

    def _state(self) -> tuple[float, float, float, float]:
        return self.cluster.driver_seconds, self.cluster.cpu_seconds, self.cluster.now, self.cluster.worked

    def _add_row(self) -> None:
        driver, cpu, now, worked = (after - before for before, after in zip(self.before, self._state(), strict=True))
        counted = self.recorded_trials % self.window or self.window
        row = {
            "trials": self.recorded_trials,
            "trials_per_second": round(counted / driver, 1),
            "trials_per_cpu_second": round(counted / cpu, 1),
            "busy_share": round(worked / (now * self.cluster.capacity), 3),
            "ask_ms": round(1e3 * statistics.median(self.asks), 2) if self.asks else None,
            "memory_mb": memory_mb(),
        }
        self.rows.append(row)
        print(row, flush=True)


def memory_mb() -> int:
    """The memory of this process (resident set), in MB."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return round(pages * resource.getpagesize() / 1e6)


def simulated_driver(
    run: RunFolder, cluster: SimulatedCluster, observer: Observer, *, trials: int, strategy: str, space: str
) -> Driver:
    """The driver of a study on the simulated cluster."""
    config = StudyConfig.of(space=space, epochs=len(cluster.curves[0]), strategy=strategy, trials=trials)
    data = {"name": "digits", "fingerprint": "0", "classes": 10, "shape": [1, 16, 16]}
    context = StudyContext(config, load_space(space), Path("none"), (1, 16, 16), 10, data, "cpu", 1)
    return make_driver(run, context, cluster, observer)


def measured(
    folder: Path, *, trials: int, workers: int, strategy: str, space: str, window: int = WINDOW
) -> dict[str, Any]:
    """Run a study on the simulated cluster in ``folder`` and then open it again; return the figures."""
    cluster = SimulatedCluster(workers, SECONDS, recorded_curves())
    options: dict[str, Any] = {"trials": trials, "strategy": strategy, "space": space}
    text = StudyConfig.of(**options, epochs=len(cluster.curves[0])).text({})
    run = RunFolder.create(folder, study_text=text, space_text=load_space(space).text)
    meter = Meter(cluster, trials, window)
    with run.hold():
        driver = simulated_driver(run, cluster, meter, **options)
        meter.timed(driver.proposer.strategy)
        driver.loop()
    states = [record.state for record in driver.ledger.records.values()]
    return {
        "strategy": strategy,
        "space": space,
        "workers": workers,
        "states": {state: states.count(state) for state in sorted(set(states))},
        "driver_seconds": round(cluster.driver_seconds, 1),
        "driver_cpu_seconds": round(cluster.cpu_seconds, 1),
        "simulation_seconds": round(cluster.own_seconds, 1),
        "cluster_hours": round(cluster.now / 3600, 2),
        "trials_per_second": round(len(states) / cluster.driver_seconds, 1),
        "busy_share": round(cluster.worked / (cluster.now * workers), 3),
        "peak_memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "milestones": meter.rows,
        "folder_mb": {name: _size(run.path / name) for name in ("trials.jsonl", "journal.log")},
        "files_left": sum(1 for name in ("jobs", "results") for _ in (run.path / name).iterdir()),
    }


def reopened(run: RunFolder, **options: Any) -> dict[str, float]:
    """Seconds to load the records, to resume the finished study, and to write its report."""

    def resume() -> None:
        with run.hold():
            assert simulated_driver(run, SimulatedCluster(1, SECONDS, recorded_curves()), Observer(), **options).loop()

    report = [sys.executable, "-m", "inception_search", "report", str(run.path)]
    figures = {
        "load": _seconds(run.lean_records),
        "resume": _seconds(resume),
        "report": _seconds(lambda: subprocess.run(report, check=True, capture_output=True)),
    }
    return {name: round(value, 1) for name, value in figures.items()}


def _seconds(call: Callable[[], object]) -> float:
    begun = time.perf_counter()
    call()
    return time.perf_counter() - begun


def _size(path: Path) -> float:
    return round(path.stat().st_size / 1e6, 1)


def main() -> None:
    """Measure one strategy, print the figures and add them to the results file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=100_000)
    parser.add_argument("--workers", type=int, default=1000)
    parser.add_argument("--strategy", default="random")
    parser.add_argument("--space", default="inception_modules")
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    study = {"trials": options.trials, "strategy": options.strategy, "space": options.space}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "run"
        row = {"date": today(), **measured(folder, workers=options.workers, **study)}
        row["seconds"] = reopened(RunFolder.open(folder), **study)
    print(json.dumps(row, indent=1))
    found = json.loads(options.out.read_text(encoding="utf-8")) if options.out.exists() else {"rows": {}}
    found["rows"][f"{options.strategy}, {options.space}, {options.workers} workers"] = row
    found |= {"date": today(), "facts": {"processor": processor(), **versions()}}
    options.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
