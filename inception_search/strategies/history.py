"""The trials that a strategy has seen, by number."""

from __future__ import annotations

from inception_search.strategies.protocol import Observation


class History:
    """The latest observation of every trial, in the order of numbers and in the order in which trials ended."""

    def __init__(self) -> None:
        self.by_number: dict[int, Observation] = {}
        self.ended: list[Observation] = []
        """Trials with losses, in the order in which they ended."""

    def tell(self, observation: Observation) -> None:
        """Keep an observation; a trial that ends again (promoted, say) takes its new place at the end."""
        before = self.by_number.get(observation.number)
        if before is not None and before.losses is not None:
            self.ended.remove(before)
        self.by_number[observation.number] = observation
        if observation.losses is not None:
            self.ended.append(observation)

    @property
    def running(self) -> list[Observation]:
        """Trials that are being trained."""
        return [observation for observation in self.by_number.values() if observation.state == "running"]

    def best(self) -> Observation | None:
        """The best trial of a study of one objective, or None."""
        return min(self.ended, key=lambda observation: observation.rank, default=None)
