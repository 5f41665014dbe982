"""A study over a fake executor, begun and gone on with in one line each."""

import json
import os
import random
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import optuna
import pytest

from inception_search.space.space import Space
from inception_search.store.record import TrialRecord
from inception_search.store.run_folder import RunFolder
from inception_search.study.config import StudyConfig
from inception_search.study.context import StudyContext
from inception_search.study.loop import Driver
from inception_search.study.observer import Observer
from inception_search.study.search import make_driver
from tests.study.fake_executor import FakeExecutor, World
from tests.study.programs import COMMAND, kill_group, start
from tests.study.spaces import TINY


class Notes(Observer):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.records: list[TrialRecord] = []
        self.launches: list[tuple[int, str | None]] = []
        self.begun_with: list[TrialRecord] = []

    def started(self, config: StudyConfig, records: Any) -> None:
        self.begun_with = list(records)

    def launched(self, number: int, label: str | None) -> None:
        self.launches.append((number, label))

    def recorded(self, record: TrialRecord) -> None:
        self.records.append(record)

    def note(self, text: str) -> None:
        self.notes.append(text)


class Watch(Observer):
    """Does something when a trial has finished its first epoch; remembers what it is told."""

    def __init__(self, act: Any = None) -> None:
        self.act = act
        self.notes: list[str] = []

    def epoch(self, number: int, metrics: dict[str, Any]) -> None:
        if self.act:
            act, self.act = self.act, None
            act(number)

    def note(self, text: str) -> None:
        self.notes.append(text)


class FakeStudy:
    """A run folder, and drivers on it one after the other."""

    def __init__(self, path: Path, space: str, world: World, **options: Any) -> None:
        self.world, self.options = world, options
        self.space = Space(space)
        self.notes = Notes()
        self.run = RunFolder.create(path, study_text="fake: true\n", space_text=space)
        self.driver: Driver | None = None

    def driver_for(self, capacity: int = 1, rng: random.Random | None = None, **changes: Any) -> Driver:
        """A new driver, as a new process would make it."""
        config = StudyConfig.of(**{"strategy": "random", "epochs": 3, **self.options, **changes})
        context = StudyContext(config, self.space, Path("nowhere"), (1, 8, 8), 10, {"name": "fake"}, "cpu", None)
        executor = FakeExecutor(self.world, capacity, rng)
        self.driver = make_driver(self.run, context, executor, self.notes)
        return self.driver

    def go(self, capacity: int = 1, rng: random.Random | None = None, **changes: Any) -> bool:
        """Run to the end, or to whatever stops it."""
        with self.run.hold():
            return self.driver_for(capacity, rng, **changes).loop()

    @property
    def records(self) -> list[TrialRecord]:
        """The records, in order of numbers; each number is recorded once."""
        lines = self.run.trials_file.read_text().splitlines()
        numbers = [json.loads(line)["number"] for line in lines]
        assert len(numbers) == len(set(numbers))
        return self.run.records()

    @property
    def index(self) -> list[optuna.trial.FrozenTrial]:
        """Optuna's trials as a new process reads them."""
        return self.driver_of_nothing().live.study.get_trials()

    def driver_of_nothing(self) -> Driver:
        """A driver that does not run."""
        return make_driver(self.run, self._context(), FakeExecutor(self.world), Observer())

    def _context(self) -> StudyContext:
        config = StudyConfig.of(**{**self.options, "baselines": False})
        return StudyContext(config, self.space, Path("nowhere"), (1, 8, 8), 10, {}, "cpu", None)


@pytest.fixture
def fake_study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., FakeStudy]:
    """Make a study over the tiny space (or another) with the given options and fates."""
    monkeypatch.setattr(os, "fsync", lambda fd: None)  # these studies meet kills, not power cuts

    def make(space: str = TINY, fate: Callable[[Any], str] = lambda job: "complete", **options: Any) -> FakeStudy:
        return FakeStudy(tmp_path / "run", space, World(fate), **options)

    return make


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Callable[..., "subprocess.Popen[str]"]]:
    """Start a program; what is left of it at the end of the test is killed."""
    begun: list[subprocess.Popen[str]] = []

    def launch(*arguments: str) -> "subprocess.Popen[str]":
        begun.append(start([*COMMAND, *arguments], tmp_path))
        return begun[-1]

    yield launch
    for process in begun:
        kill_group(process)
