"""What a person sees while a search runs."""

import io
import re
from collections.abc import Callable
from typing import Any

import pytest
from rich.console import Console

from inception_search.live_progress import Watcher, time_left, watched
from inception_search.store.record import TrialRecord
from inception_search.study.config import StudyConfig

FACTS: dict[str, Any] = {
    "state": "complete",
    "origin": "sampled",
    "arch_id": "a1-0123456789abcdef",
    "network": {},
    "cost": {"params": 1200, "macs": 34_000_000},
    "seed": 0,
    "seconds": 12.34,
    "started": "2025-01-31T12:00:00+00:00",
}
EPOCH = {"train_loss": 1.0, "validation_loss": 1.0, "learning_rate": 0.1, "seconds": 1.0}


def trial(number: int, value: float | None = 0.5, **changes: Any) -> TrialRecord:
    return TrialRecord.model_validate({**FACTS, "number": number, "value": value, **changes})


def seen(act: Callable[[Watcher], None], *, terminal: bool, width: int = 100) -> str:
    """What a console shows while ``act`` happens to its watcher."""
    file = io.StringIO()
    console = Console(file=file, force_terminal=terminal, width=width, color_system=None, legacy_windows=False)
    with watched(console) as watcher:
        assert isinstance(watcher, Watcher)
        act(watcher)
        watcher.progress.refresh()
        shown = file.getvalue()
    return re.sub(r"\x1b\[[?0-9;]*[A-Za-z]", "", shown) if terminal else file.getvalue()


def a_search(watcher: Watcher) -> None:
    watcher.started(StudyConfig(trials=4, epochs=8), [trial(0, 0.9, origin="baseline", label="v1_3a")])
    watcher.launched(1, "v3_5b")
    watcher.launched(2, None)
    watcher.epoch(2, {"epoch": 3})
    watcher.recorded(trial(1, 0.25, label="v3_5b", origin="baseline"))


def test_off_a_terminal_a_line_for_each_trial_and_no_codes():
    assert seen(a_search, terminal=False) == "   2/4  v3_5b           25.00 %   34.00 M MACs   12.3 s\n"


def test_a_long_line_is_not_broken_off_a_terminal():
    def act(watcher: Watcher) -> None:
        watcher.started(StudyConfig(trials=4), [])
        watcher.recorded(trial(0, None, state="failed", reason="x" * 300))
        watcher.note("y" * 200)

    lines = seen(act, terminal=False, width=80).splitlines()
    assert lines == [f"   1/4  trial 0        failed: {'x' * 300}", f"note: {'y' * 200}"]


def test_a_pruned_trial_says_where_it_stopped():
    def act(watcher: Watcher) -> None:
        watcher.started(StudyConfig(trials=4), [])
        curve = [EPOCH | {"epoch": 1, "validation_accuracy": 0.125}]
        watcher.recorded(trial(0, None, state="pruned", reason="below the median at epoch 1", curve=curve))

    assert "12.50 %" in seen(act, terminal=False)
    assert "stopped at epoch 1" in seen(act, terminal=False)


def test_the_bar_counts_names_the_best_and_what_runs():
    shown = seen(a_search, terminal=True)
    last = shown.splitlines()[-1]
    assert "2/4" in last
    assert "best 90.00 % (v1_3a)" in last
    assert "trial 2 (3/8)" in last
    assert " left" in last


def test_the_bar_counts_what_was_trained_before():
    def act(watcher: Watcher) -> None:
        before = [trial(0), trial(1, 0.75), trial(2, None, state="duplicate", duplicate_of=0)]
        watcher.started(StudyConfig(trials=4), before)

    last = seen(act, terminal=True).splitlines()[-1]
    assert "2/4" in last
    assert "best 75.00 % (trial 1)" in last
    assert "left" not in last


@pytest.mark.parametrize("width", [40, 60, 80])
def test_the_bar_is_one_line_on_a_narrow_terminal(width):
    def act(watcher: Watcher) -> None:
        watcher.started(StudyConfig(trials=4000), [trial(0)])
        for number in range(1, 17):
            watcher.launched(number, None)
        watcher.recorded(trial(1))

    line = seen(act, terminal=True, width=width).splitlines()[-1]
    assert len(line.rstrip()) <= width
    assert "2/4000" in line
    assert line.rstrip().endswith("…")


def test_points_that_are_not_trained_do_not_count():
    def act(watcher: Watcher) -> None:
        watcher.started(StudyConfig(trials=4), [])
        watcher.recorded(trial(0, None, state="infeasible", reason="too large"))
        watcher.recorded(trial(1, None, state="duplicate", duplicate_of=0))

    assert seen(act, terminal=False) == ""


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-3, "0 s left"),
        (0.4, "0 s left"),
        (89, "89 s left"),
        (95, "2 min left"),
        (7140, "119 min left"),
        (7200, "2 h 00 min left"),
        (11_100, "3 h 05 min left"),
    ],
)
def test_time_left_is_said_in_words(seconds, words):
    assert time_left(seconds) == words


def test_time_left_follows_the_pace_of_this_session(monkeypatch):
    now = [100.0]
    monkeypatch.setattr("inception_search.live_progress.time.monotonic", lambda: now[0])
    watcher = Watcher(Console(file=io.StringIO()))
    watcher.started(StudyConfig(trials=10), [trial(n) for n in range(4)])
    now[0] = 130.0
    watcher.recorded(trial(4))
    (task,) = watcher.progress.tasks
    assert task.fields["end"] == 130.0 + 30.0 * 5
