"""The progress of a study, determined from its folder without a lock."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from inception_search.numbers import counted
from inception_search.runner.job import read_jobs
from inception_search.runner.remote_executor import DRIVER
from inception_search.store.atomic import write_atomic
from inception_search.store.heartbeat import BEAT, Watched
from inception_search.store.provenance import fingerprint
from inception_search.store.record import FINAL, TRAINED, TrialRecord
from inception_search.store.run_folder import RunFolder
from inception_search.study.config import StudyConfig

MINUTE, HOUR = 60.0, 3600.0
EXHAUSTED = "exhausted"


@dataclass(frozen=True)
class Progress:
    """Numbers of done, requested and ``paused`` trials, running trials, and the time ``last`` when one ended."""

    done: int
    wanted: int
    under_way: tuple[int, ...]
    running: bool
    last: datetime | None
    run: str
    paused: int = 0
    exhausted: bool = False
    """Whether the search ended because it found no further network that is new and feasible."""

    @property
    def finished(self) -> bool:
        """Whether nothing is left to do."""
        return not self.running and not self.under_way and (self.exhausted or self.done >= self.wanted)

    def words(self, now: datetime | None = None) -> str:
        """A sentence; with ``now`` it has the age of the last result, else its time. Empty if all are trained."""
        if self.finished:
            if self.done >= self.wanted:
                return ""
            return f"Finished with {self.done} of {self.wanted} trials: no further network is new and feasible."
        if self.running:
            flight = counted(len(self.under_way), "trial")
            sentence = f"Running: {flight} in progress{self._last(now)}; {self.done} of {self.wanted} are trained"
            return f"{sentence}{self._paused()}."
        sentence = f"Not finished: {self.done} of {self.wanted} trials are trained{self._paused()}"
        sentence += f", {counted(len(self.under_way), 'trial')} interrupted" if self.under_way else ""
        return f"{sentence}; `inception-search resume {self.run}` continues."

    def _paused(self) -> str:
        return f", {self.paused} paused" if self.paused else ""

    def _last(self, now: datetime | None) -> str:
        if self.last is None:
            return ", no result yet"
        if now is None:
            return f", last result at {self.last:%Y-%m-%d %H:%M} UTC"
        return f", last result {_ago((now - self.last).total_seconds())} ago"


def progress(
    run: RunFolder,
    config: StudyConfig,
    records: Iterable[TrialRecord],
    *,
    name: str | None = None,
    wait: Callable[[float], None] = time.sleep,
) -> Progress:
    """The progress of the study in ``run``; ``name`` is the name of its folder in the sentence.

    A search on another machine, whose locks may be invisible, is observed for some seconds (``wait``).
    """
    known = list(records)
    final = {record.number for record in known if record.state in FINAL}
    attempts = {record.number: record.attempt for record in known}
    under_way = [n for n, job in read_jobs(run).items() if n not in final and job.attempt > attempts.get(n, 0)]
    trained = [record for record in known if record.state in TRAINED and record.repeat_of is None]
    return Progress(
        done=len({record.arch_id or record.number for record in trained if record.state != "paused"}),
        wanted=config.trials,
        under_way=tuple(under_way),
        running=_running(run, wait),
        last=max(map(_ended, known), default=None),
        run=name or str(run.path),
        exhausted=_is_exhausted(run),
        paused=len({record.number for record in known if record.state == "paused"} - final),
    )


def note_exhausted(run: RunFolder) -> None:
    """Record that the search found no further network; this holds until the space or the options change."""
    write_atomic(run.path / EXHAUSTED, _search_id(run) + "\n")


def _is_exhausted(run: RunFolder) -> bool:
    try:
        return (run.path / EXHAUSTED).read_text(encoding="utf-8").strip() == _search_id(run)
    except (OSError, ValueError):
        return False


def _search_id(run: RunFolder) -> str:
    """A digest of the space and the options."""
    return fingerprint(run.space_text() + run.study_text())


def _running(run: RunFolder, wait: Callable[[float], None]) -> bool:
    driver = Watched(run.workers_folder / DRIVER)
    if not driver.there():
        return False
    if driver.local:
        return True
    beats = driver.beats
    wait(3 * BEAT)
    return driver.there() and driver.beats != beats


def _ended(record: TrialRecord) -> datetime:
    started = datetime.fromisoformat(record.started).astimezone(UTC)
    return started + timedelta(seconds=record.seconds)


def _ago(seconds: float) -> str:
    if seconds < 2 * MINUTE:
        return f"{max(0, round(seconds))} s"
    return f"{round(seconds / MINUTE)} min" if seconds < 2 * HOUR else f"{round(seconds / HOUR)} h"
