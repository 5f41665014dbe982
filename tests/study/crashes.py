"""Places where a search can be killed, and what must hold whatever they did to it."""

import functools
from collections.abc import Callable
from typing import Any

import optuna
import pytest
from optuna.trial import TrialState

from inception_search.optuna_bridge.live_study import LiveStudy
from inception_search.runner.job import Job
from inception_search.store.run_folder import RunFolder
from inception_search.study import ledger, recovery
from inception_search.study.loop import Driver
from inception_search.study.queue import Proposer
from tests.study.conftest import FakeStudy
from tests.study.fake_executor import FakeExecutor, accuracy


class Crash(BaseException):
    """Stands for SIGKILL: nothing may catch it."""


POINTS: dict[str, tuple[Any, str]] = {
    "ask": (Proposer, "next"),
    "job": (Job, "write"),
    "begin": (LiveStudy, "begin"),
    "submit": (FakeExecutor, "submit"),
    "report": (LiveStudy, "report"),
    "what next": (Driver, "what_next"),
    "answer": (FakeExecutor, "answer"),
    "event": (FakeExecutor, "wait"),
    "record": (RunFolder, "append_record"),
    "tell": (LiveStudy, "finish"),
    "clear": (ledger, "clear"),
    "conclude": (Driver, "conclude"),
    "reap": (recovery, "read_jobs"),
    "reap clear": (recovery, "clear"),
    "sync": (LiveStudy, "sync"),
    "restore": (optuna.Study, "add_trial"),
}
"""What is called at each named point."""


def crash_at(patch: pytest.MonkeyPatch, point: str, nth: int, *, before: bool) -> None:
    """Crash before or after the ``nth`` call at ``point``."""
    owner, name = POINTS[point]
    calls = 0

    def counted() -> bool:
        nonlocal calls
        calls += 1
        return calls == nth

    _instrument(patch, owner, name, counted if before else None, None if before else counted)


def crash_after_steps(patch: pytest.MonkeyPatch, steps: int) -> None:
    """Crash at the ``steps``-th passage of any point, before or after its call."""
    passed = 0

    def counted() -> bool:
        nonlocal passed
        passed += 1
        return passed == steps

    for owner, name in POINTS.values():
        _instrument(patch, owner, name, counted, counted)


def _instrument(
    patch: pytest.MonkeyPatch,
    owner: Any,
    name: str,
    before: Callable[[], bool] | None,
    after: Callable[[], bool] | None,
) -> None:
    real = getattr(owner, name)

    @functools.wraps(real)
    def call(*args: Any, **kwargs: Any) -> Any:
        if before and before():
            raise Crash
        result = real(*args, **kwargs)
        if after and after():
            raise Crash
        return result

    patch.setattr(owner, name, call)


def check(study: FakeStudy, trials: int, *, strict: bool = True) -> None:
    """A finished study is whole; ``strict``: no trial was given up for lost processes."""
    records = study.records
    trained = [record for record in records if record.state in ("complete", "pruned", "failed")]
    epochs = study.options.get("epochs", 3)
    assert len(trained) == trials
    assert [record.number for record in records] == list(range(len(records)))
    assert len({record.arch_id for record in trained}) == trials
    labels = [record.label for record in records if record.label]
    assert sorted(labels) == sorted(set(labels) & set(study.space.fixed_points))
    assert len(labels) == min(trials, len(study.space.fixed_points))
    assert set(study.world.finished.values()) <= {1}, "trained again though its result was there"
    recorded = {(record.arch_id, record.seed): record for record in trained}
    assert set(study.world.finished) <= set(recorded), "a finished training is lost"
    assert max(study.world.epochs.values(), default=0) <= epochs, "an epoch that was finished was trained again"
    assert not list(study.run.checkpoints_folder.glob("*.state"))
    if strict:
        assert {record.state for record in trained} == {"complete"}
    for record in trained:
        assert record.value is None or record.value == accuracy(record.arch_id, len(record.curve))
    check_index(study)


def check_index(study: FakeStudy) -> None:
    """Optuna knows every record under its number, and nothing else is pending but the queue."""
    records, index = study.records, study.index
    expected = {"complete": TrialState.COMPLETE, "failed": TrialState.FAIL}
    for record in records:
        trial = index[record.number]
        assert trial.number == record.number
        if record.state in expected:
            assert (trial.state, trial.value) == (expected[record.state], record.value)
        elif record.state == "duplicate":
            assert trial.state == TrialState.FAIL
        else:
            assert trial.state == TrialState.PRUNED
    assert len(index) == len(records)
    assert not list(study.run.jobs_folder.iterdir())
    assert not list(study.run.results_folder.iterdir())
