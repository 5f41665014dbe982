"""Several places where trials run, as one."""

from __future__ import annotations

from pathlib import Path

from inception_search.runner.executor import Ended, Event, Executor, Word
from inception_search.runner.remote_executor import AttachedExecutor

_TURN = 0.02  # seconds, at most, spent waiting for one while another is at work


class CompositeExecutor:
    """This machine's own processes first, then the workers that attached themselves."""

    def __init__(self, own: Executor, attached: AttachedExecutor) -> None:
        self.own, self.attached = own, attached
        self.where: dict[int, Executor] = {}

    @property
    def capacity(self) -> int:
        """How many trials run at a time, in all."""
        return self.own.capacity + self.attached.capacity

    def submit(self, number: int, job_file: Path) -> None:
        """Start a trial where a place is free."""
        here = sum(place is self.own for place in self.where.values())
        place: Executor = self.own
        if here >= self.own.capacity and self.attached.busy < len(self.attached.workers):
            place = self.attached
        self.where[number] = place
        place.submit(number, job_file)

    def wait(self, timeout: float) -> list[Event]:
        """What happened anywhere."""
        early = self.attached.wait(0.0)
        waiting = 0.0 if early else min(timeout, _TURN) if self.attached.busy else timeout
        events = [*early, *self.own.wait(waiting), *self.attached.wait(0.0)]
        for event in events:
            if isinstance(event, Ended):
                del self.where[event.number]
        return events

    def answer(self, number: int, word: Word) -> None:
        """Tell the trial where it is; one that has ended meanwhile needs no answer."""
        if number in self.where:
            self.where[number].answer(number, word)

    def cancel(self) -> None:
        """End every trial."""
        self.own.cancel()
        self.attached.cancel()
