"""What a study costs besides its trainings: asking, telling, recording, loading, reporting; by its size.

    python benchmarks/overhead.py        prints the table and writes benchmarks/results/overhead.json

A study of thousands of trials is made by the real driver in a real run folder; only trainings are left out: what they
come to is a function of the network, there at once. Then the same folder is loaded and reported, strategies are asked
with a thousand trials behind them, Optuna's own TPE beside them, and a real search with tiny trainings says what the
processes of trials cost. Figures are medians unless said otherwise. Leave the machine alone meanwhile.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from typing import Any

from evidence import processor, today

import inception_search as ins
from inception_search.runner.executor import Ended, Event, Word
from inception_search.runner.job import Job
from inception_search.store.atomic import write_atomic
from inception_search.store.jsonl import sealed
from inception_search.store.run_folder import RunFolder
from inception_search.study.config import StudyConfig
from inception_search.study.context import StudyContext
from inception_search.study.loop import Driver
from inception_search.study.observer import Observer
from inception_search.study.search import make_driver

RESULTS = Path(__file__).parent / "results" / "overhead.json"
PROGRAM = [sys.executable, "-c", "from inception_search.cli.main import run; run()"]
STRATEGIES = ("random", "tpe", "evolution", "nsga2", "local", "predictor")
FITTING, LIMIT = ("tpe", "evolution", "nsga2", "predictor"), 3_000_000  # asked under a limit, too: of multiply-adds
EPOCHS = 8
LONG = 10.0  # seconds of the trial that the overhead is compared with


class Instant:
    """Trials that are over at once."""

    capacity = 1

    def __init__(self) -> None:
        self.ended: list[Event] = []

    def submit(self, number: int, job_file: Path) -> None:
        """Write the result of the job."""
        job = Job.read(job_file)
        quality = int(job.arch_id[-4:], 16) / 2**17 + min(0.45, len(json.dumps(job.network)) / 20_000)
        losses = {"train_loss": 1.0, "validation_loss": 1.0, "learning_rate": 0.1, "seconds": 1.0}
        curve = [{"epoch": epoch, "validation_accuracy": quality, **losses} for epoch in range(1, EPOCHS + 1)]
        payload = {"state": "complete", "value": quality, "curve": curve, "seconds": 8.0, "fidelity": job.fidelity}
        write_atomic(job_file.parent.parent / job.result, sealed(json.dumps(payload | job.stamp)))
        self.ended.append(Ended(number, 0))

    def wait(self, timeout: float) -> list[Event]:
        """All of them."""
        ended, self.ended = self.ended, []
        return ended

    def answer(self, number: int, word: Word) -> None:
        """Nobody asks."""

    def cancel(self) -> None:
        """Nothing runs."""


class Clock(Observer):
    """When trials were recorded."""

    def __init__(self) -> None:
        self.times = [time.perf_counter()]

    def recorded(self, record: Any) -> None:
        """One more."""
        self.times.append(time.perf_counter())

    def between(self, last: int) -> float:
        """Milliseconds of one trial, of the ``last`` so many."""
        times = self.times[-last - 1 :]
        return 1e3 * statistics.median(after - before for before, after in pairwise(times))


def new_run(folder: Path) -> RunFolder:
    """The folder of a study without trials."""
    space = ins.load_space("inception_modules")
    study = StudyConfig.of(space=space.name, data="digits", epochs=EPOCHS, pruner="none").text({})
    return RunFolder.create(folder, study_text=study, space_text=space.text)


def driver(run: RunFolder, observer: Observer, **options: Any) -> Driver:
    """The driver of a study without trainings."""
    config = StudyConfig.of(epochs=EPOCHS, pruner="none", baselines=False, **options)
    data = {"name": "none", "fingerprint": "0"}
    context = StudyContext(config, ins.load_space("inception_modules"), Path("none"), (1, 16, 16), 10, data, "cpu", 1)
    return make_driver(run, context, Instant(), observer)


def grown(run: RunFolder, trials: int, **options: Any) -> float:
    """Let a study grow to so many trials; milliseconds of each of the last fifty."""
    clock = Clock()
    with run.hold():
        driver(run, clock, trials=trials, **options).loop()
    return clock.between(50)


def seconds(what: Any) -> float:
    """How long a call takes."""
    begun = time.perf_counter()
    what()
    return time.perf_counter() - begun


def loaded(run: RunFolder, trials: int) -> dict[str, float]:
    """Seconds of what users do with a study of this size."""

    def load() -> None:
        study = ins.Study.open(run.path)
        assert len(study.records) == trials
        assert study.best.value > 0.0

    def go_on() -> None:
        with run.hold():
            assert driver(run, Observer(), trials=trials, strategy="random").loop()

    report = [*PROGRAM, "report", str(run.path)]
    figures = {
        "load": seconds(load),
        "resume": seconds(go_on),
        "report": seconds(lambda: subprocess.run(report, check=True, capture_output=True)),
    }
    return {name: round(value, 2) for name, value in figures.items()}


def asked(folder: Path, name: str, trials: int, asks: int, **limits: Any) -> dict[str, float]:
    """Milliseconds of an ask with its tells, and of a whole trial, of a strategy with so many trials behind it."""
    run = new_run(folder)
    grown(run, trials, strategy="random", **limits)
    clock, spent = Clock(), []
    with run.hold():
        goes_on = driver(run, clock, trials=trials + asks, strategy=name, **limits)
        proposer, strategy = goes_on.proposer, goes_on.proposer.strategy
        real_next, real_tell = proposer.next, strategy.tell

        def timed(real: Any) -> Any:
            def call(*arguments: Any) -> Any:
                begun = time.perf_counter()
                try:
                    return real(*arguments)
                finally:
                    spent.append(time.perf_counter() - begun)

            return call

        proposer.next, strategy.tell = timed(real_next), timed(real_tell)  # type: ignore[method-assign]
        assert goes_on.loop()
    turns = [sum(spent[at : at + 3]) for at in range(0, 3 * asks, 3)]  # an ask, told it runs, told it ended
    return {"ask_and_tell": round(1e3 * statistics.median(turns), 1), "trial": round(clock.between(asks), 1)}


def optuna_asked(trials: int, asks: int) -> dict[str, float]:
    """Milliseconds in which Optuna's own TPE, its study in memory, decides a point of the space and is told of it."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    space = ins.load_space("inception_modules")
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    spent = []
    for number in range(trials + asks):
        if number == trials:
            study.sampler = optuna.samplers.TPESampler(seed=0)
        begun = time.perf_counter()
        trial = study.ask()
        _, params = space.suggest(trial)
        study.tell(trial, len(params) / 30)
        spent.append(time.perf_counter() - begun)
    return {"ask_and_tell": round(1e3 * statistics.median(spent[trials:]), 1)}


def processes(folder: Path, trials: int) -> dict[str, float]:
    """Seconds for each trial of a real search besides the epochs of its training, and of the search's start."""
    options = {"data": "digits", "train-images": 64, "image-size": 8, "epochs": 2, "strategy": "random", "workers": 1}
    flags = [f"--{key}={value}" for key, value in options.items()]
    walls = {}
    for count in (1, trials + 1):
        command = [*PROGRAM, "search", *flags, f"--trials={count}", f"--run={folder / str(count)}", "--no-baselines"]
        walls[count] = seconds(lambda command=command: subprocess.run(command, check=True, capture_output=True))
    records = ins.Study.open(folder / str(trials + 1)).records
    trained = [sum(epoch.seconds for epoch in record.curve) for record in records]
    first = [sum(epoch.seconds for epoch in record.curve) for record in ins.Study.open(folder / "1").records]
    overhead = (walls[trials + 1] - walls[1] - sum(trained[1:])) / trials
    return {
        "start": round(walls[1] - sum(first), 2),
        "trial": round(overhead, 3),
        f"share_of_{LONG:g}_s": round(overhead / LONG, 4),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--trials", type=int, default=5000)
    parser.add_argument("--asks", type=int, default=30)
    options = parser.parse_args()
    rows: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows["seconds_of_processes"] = processes(folder, 20)
        print(rows, flush=True)
        for strategy in STRATEGIES:
            rows[f"ms_at_1000_{strategy}"] = asked(folder / strategy, strategy, 1000, options.asks)
            print(strategy, rows[f"ms_at_1000_{strategy}"], flush=True)
        rows["ms_at_1000_tpe_of_optuna"] = optuna_asked(1000, options.asks)
        print("tpe of optuna", rows["ms_at_1000_tpe_of_optuna"], flush=True)
        for strategy in FITTING:
            row = f"ms_at_1000_{strategy}_with_a_limit"
            rows[row] = asked(folder / row, strategy, 1000, options.asks, max_macs=LIMIT)
            print(row, rows[row], flush=True)
        run = new_run(folder / "large")
        sizes = [trials for trials in (100, 1000, 2500, 5000) if trials <= options.trials]
        rows["ms_of_a_trial"] = {str(trials): round(grown(run, trials, strategy="random"), 1) for trials in sizes}
        rows[f"seconds_at_{sizes[-1]}"] = loaded(run, sizes[-1])
    print(rows)
    facts = {"processor": processor(), "python": platform.python_version()}
    facts |= {package: version(package) for package in ("torch", "optuna", "inception-search")}
    RESULTS.write_text(json.dumps({"date": today(), "facts": facts, "rows": rows}, indent=2) + "\n")
    print(RESULTS)


if __name__ == "__main__":
    main()
