"""A search under fire: SIGKILL at random moments of trials, servers, attached workers and the search itself.

    python benchmarks/kills.py                  1,000 kills; prints the table, writes benchmarks/results/kills.json
    python benchmarks/kills.py --kills 100 --workers 4 --attached 0
    python benchmarks/kills.py --kills 100 --executor ray      on a Ray cluster of three nodes, which are killed too

A real search with real, tiny trainings; a search that is killed is resumed, a worker that is killed is started again.
In the end the study is compared with the same study that nobody disturbed: every trial recorded once, with the same
architecture, the same curve to the last bit and the same value; none trained to its end twice; nothing left over.
``retries`` is set out of reach: here lost processes say nothing about a network. Linux only.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.evidence import processor, today
from benchmarks.kill_watch import Arrivals, servers, trials
from inception_search.optuna_bridge.live_study import LiveStudy
from inception_search.store.record import TrialRecord
from inception_search.store.run_folder import RunFolder
from inception_search.study.config import StudyConfig
from inception_search.study.search import search

RESULTS = Path(__file__).parent / "results" / "kills.json"
ROOT = Path(__file__).parents[1]
LOG = "said.log"  # what the programs said
PROGRAM = [sys.executable, "-c", "from inception_search.cli.main import run; run()"]
SPACE = """\
schema: inception-search/space
version: 1
name: targets
network:
  name: target
  input: 1x8x8
  blocks:
    module:
      block:
        body:
          concat:
            - conv: {kernel: 1x1, width: {$int: [4, 16]}}
            - - conv: {kernel: 1x1, width: {$int: [4, 16]}}
              - conv: {kernel: 3x3, width: {$int: [4, 16]}}
            - [max 3x3, 1x1 4]
  stages:
    stem: 3x3 8 s2
    module: module
  head: {pool: avg, classes: 10}
"""
OPTIONS = "space: space.yaml\ndevice: cpu\nbaselines: false\ntrain_images: 64\nimage_size: 8\nstrategy: random\n"
SHARES = {"search": 0.01, "worker": 0.02, "server": 0.005}  # of all kills, at least one; the others are of trials


@dataclass
class Campaign:
    """Programs on one run folder, and who kills them."""

    folder: Path
    kills: int
    workers: int = 2
    attached: int = 2
    trials: int = 40
    epochs: int = 40
    pause: float = 0.12
    seed: int = 0
    shares: dict[str, float] = field(default_factory=lambda: dict(SHARES))
    place: str = ""
    """Options of the executor, as YAML."""
    killed: Counter[str] = field(default_factory=Counter)
    restarts: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.rng = random.Random(self.seed)
        kinds = [kind for kind, share in self.shares.items() for _ in range(max(1, round(share * self.kills)))]
        kinds = [kind for kind in kinds if kind != "worker" or self.attached]
        self.plan = deque([*kinds, *["trial"] * (self.kills - len(kinds))])
        self.rng.shuffle(self.plan)
        self.helpers: list[subprocess.Popen[bytes]] = []
        self.left_with: list[int] = []

    def fight(self) -> dict[str, Any]:
        """Search until all kills are done and the study is; then look at what is left."""
        begun, load = time.monotonic(), os.getloadavg()[0]
        self.write("search.yaml", "run")
        self.search = self.start("search", "search.yaml")
        run = self.folder / "run"
        wait_for(lambda: any((run / "jobs").glob("*.json")))
        self.arrivals = Arrivals(run / "results", run / "checkpoints")
        self.helpers = [self.start("worker", "run") for _ in range(self.attached)]
        try:
            while self.alive_or_again():
                if self.plan:
                    self.kill_one()
                time.sleep(self.rng.uniform(0, 2 * self.pause))
            spent = round(time.monotonic() - begun, 1)
            self.left_with += [helper.wait(300) for helper in self.helpers]
        finally:
            for program in (self.search, *self.helpers):
                program.kill()
                program.wait()
        return {
            "seconds": spent,
            "load_before": load,
            "workers_left_with": sorted(set(self.left_with)),
            **self.verdict(run),
        }

    def kill_one(self) -> None:
        """Kill a random process of the kind that is next, if there is one now; start what must go on again."""
        kind = self.plan[0]
        pool = self.victims(kind)
        if not pool:
            self.plan.rotate(-1)
            return
        victim = self.rng.choice(pool)
        try:
            os.kill(victim, signal.SIGKILL)
        except ProcessLookupError:  # it has just ended
            return
        self.plan.popleft()
        self.killed[kind] += 1
        self.replace(kind, victim)

    def victims(self, kind: str) -> list[int]:
        """The processes of a kind."""
        programs = [self.search, *self.helpers]
        if kind == "trial":
            return [pid for program in programs for pid in trials(program.pid)]
        if kind == "server":
            return [pid for program in programs for pid in servers(program.pid)]
        return [program.pid for program in (self.helpers if kind == "worker" else [self.search]) if trials(program.pid)]

    def replace(self, kind: str, victim: int) -> None:
        """Start a killed search or worker again."""
        if kind == "worker":
            (dead,) = (i for i, helper in enumerate(self.helpers) if helper.pid == victim)
            self.helpers[dead].wait()
            self.helpers[dead] = self.start("worker", "run")
        elif kind == "search":
            self.restarts.append(time.monotonic())
            self.search.wait()
            self.search = self.start("resume", "run")

    def alive_or_again(self) -> bool:
        """Whether there is something left to do; a study that is done too early is given more trials."""
        code = self.search.poll()
        if code is None:
            return True
        if code != 0:
            raise AssertionError(f"the search ended with exit code {code}\n{(self.folder / LOG).read_text()}")
        if not self.plan:
            return False
        self.trials += max(16, self.trials // 2)
        self.restarts.append(time.monotonic())
        self.search = self.start("resume", "run", "--trials", str(self.trials))
        self.left_with += [helper.wait(300) for helper in self.helpers]  # they go when a study is done
        if self.helpers:
            wait_for((self.folder / "run" / "workers" / "driver").exists)
        self.helpers = [self.start("worker", "run") for _ in self.helpers]
        return True

    def verdict(self, run: Path) -> dict[str, Any]:
        """What must be zero, and what it took."""
        self.write("peace.yaml", "peace")
        config = StudyConfig.read(self.folder / "peace.yaml", run=str(self.folder / "peace"))
        theirs = search(SPACE, config=config).records
        ours = RunFolder.open(run).records()
        lines = [json.loads(line)["number"] for line in (run / "trials.jsonl").read_text().splitlines()]
        ended = self.arrivals.finished()
        return {
            "kills": {kind: self.killed[kind] for kind in ("trial", *self.shares)},
            "trials": len(ours),
            "attempts": sum(record.attempt for record in ours),
            "most_attempts": max(record.attempt for record in ours),
            "wrong": {
                "not_complete": sum(record.state != "complete" for record in ours),
                "numbers_missing": len(set(range(self.trials)) - {record.number for record in ours}),
                "recorded_twice": len(lines) - len(set(lines)),
                "architectures_twice": len(ours) - len({record.arch_id for record in ours}),
                "finished_and_lost": len(set(ended) - {record.number for record in ours}),
                "finished_twice": sum(count > 1 for count in ended.values()),
                "told_twice": told_twice(run / "journal.log"),
                "index_differs": index_differs(run, ours),
                "differs_from_peace": sum(deeds(a) != deeds(b) for a, b in zip(ours, theirs, strict=True)),
                "left_over": len(left_over(run)),
            },
            "left_over": left_over(run),
            "reasons": {record.number: record.reason for record in ours if record.state != "complete"},
            "best_value": max(record.value or 0.0 for record in ours),
            "best_value_in_peace": max(record.value or 0.0 for record in theirs),
            "longest_stall_seconds": self.stall(),
        }

    def stall(self) -> dict[str, float]:
        """The longest time without an epoch: after a search was killed (its restart is in it), and else."""
        worst = {"search_killed": 0.0, "else": 0.0}
        times = self.arrivals.times
        for before, after in pairwise(times):
            kind = "search_killed" if any(before - 1 <= at <= after for at in self.restarts) else "else"
            worst[kind] = max(worst[kind], round(after - before, 2))
        return worst

    def write(self, name: str, run: str) -> None:
        """A configuration; the one that nobody disturbs has no attached workers and ordinary retries."""
        (self.folder / "space.yaml").write_text(SPACE)
        counts = f"trials: {self.trials}\nepochs: {self.epochs}\nworkers: {self.workers}\nseed: {self.seed}\n"
        patience = "pruner: none\nretries: 1000000\n"
        place = self.place if run == "run" else ""
        (self.folder / name).write_text(f"{OPTIONS}{counts}{patience}{place}run: {run}\n")

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """A program of ours, whose words go to a file: a pipe that nobody reads would stop it some day."""
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        with (self.folder / LOG).open("a") as log:
            return subprocess.Popen([*PROGRAM, *arguments], cwd=self.folder, env=environment, stdout=log, stderr=log)


def deeds(record: TrialRecord) -> Any:
    """What a trial is and came to, without what depends on the clock and on kills."""
    curve = [epoch.model_dump(exclude={"seconds"}) for epoch in record.curve]
    return record.number, record.arch_id, record.holes, record.state, record.value, record.seed, curve


def told_twice(journal: Path) -> int:
    """How many trials of the index were told an end more than once."""
    logs = [json.loads(line) for line in journal.read_text().splitlines()]
    ends = Counter(log["trial_id"] for log in logs if log["op_code"] == 6 and log.get("datetime_complete"))
    return sum(count > 1 for count in ends.values())


def index_differs(run: Path, records: list[TrialRecord]) -> int:
    """How many trials Optuna, reading the index anew, has otherwise than the records."""
    from inception_search.space.space import Space

    folder = RunFolder.open(run)
    index = LiveStudy(folder, Space(folder.space_text())).study.get_trials()
    same = [(t.number, t.params, t.value) == (r.number, r.holes, r.value) for t, r in zip(index, records, strict=False)]
    return same.count(False) + abs(len(index) - len(records))


def left_over(run: Path) -> list[str]:
    """Files that a finished study does not need."""
    found = [*run.rglob("*.tmp"), *run.rglob("*.state"), *run.rglob("*.corrupt"), *run.glob("*.torn")]
    for name in ("jobs", "results", "workers"):
        found += [path for path in (run / name).iterdir() if path not in found]
    return sorted(str(path.relative_to(run)) for path in found)


def wait_for(condition: Callable[[], object], seconds: float = 300.0) -> None:
    """Look until ``condition`` holds."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError("it did not happen")
        time.sleep(0.02)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--attached", type=int, default=2)
    parser.add_argument("--trials", type=int, default=40)
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--pause", type=float, default=0.12, help="seconds between kills, on average")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--executor", choices=["local", "ray"], default="local")
    chosen = vars(parser.parse_args())
    far = chosen.pop("executor") == "ray"
    facts = {name: version(name) for name in ("torch", "optuna", "inception-search", *(["ray"] if far else []))}
    with tempfile.TemporaryDirectory() as folder:
        if far:
            from benchmarks.kills_ray import fight_on_ray

            found = fight_on_ray(Path(folder), **{**chosen, "attached": 0})
        else:
            found = Campaign(Path(folder), **chosen).fight()
    for name, value in found.items():
        print(f"{name:24}", value if not isinstance(value, dict) else "")
        for inner, number in value.items() if isinstance(value, dict) else ():
            print(f"    {inner:20}", number)
    facts = {"python": platform.python_version(), **facts, "processor": processor(), "options": chosen}
    results = RESULTS.with_stem("kills_ray") if far else RESULTS
    results.write_text(json.dumps({"date": today(), "facts": facts, **found}, indent=2) + "\n")
    if any(found["wrong"].values()):
        raise SystemExit("something was lost")


if __name__ == "__main__":
    main()
