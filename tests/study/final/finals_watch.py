"""Who watches final trainings in a test."""

from typing import Any

from inception_search.study.final.observer import FinalsObserver


class Watch(FinalsObserver):
    """Remembers what it is told, and does something at every epoch."""

    def __init__(self, act: Any = lambda name, epoch: None) -> None:
        self.act = act
        self.epochs: list[tuple[str, int]] = []
        self.recorded_names: list[str] = []
        self.notes: list[str] = []
        self.begun: tuple[int, int] = (0, 0)

    def started(self, done: int, left: int, epochs: int) -> None:
        self.begun = (done, left)

    def epoch(self, name: str, metrics: dict[str, Any]) -> None:
        self.epochs.append((name, metrics["epoch"]))
        self.act(name, metrics["epoch"])

    def recorded(self, name: str, record: Any) -> None:
        self.recorded_names.append(name)

    def note(self, text: str) -> None:
        self.notes.append(text)
