"""A point of the space under consideration: the trial, and the candidate it asks for."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from optuna.trial import Trial

from inception_search.errors import InceptionSearchError
from inception_search.space.space import Space
from inception_search.store.record import utc_now
from inception_search.study.candidate import Candidate, make_candidate
from inception_search.study.setting import Setting


@dataclass
class Point:
    """One trial; ``candidate`` is None where the space gave no network, for the reason ``refused``."""

    trial: Trial
    candidate: Candidate | None = None
    refused: str | None = None
    begun: float = field(default_factory=time.monotonic)
    started: str = field(default_factory=utc_now)

    @property
    def number(self) -> int:
        """The trial's number."""
        return self.trial.number

    @property
    def label(self) -> str | None:
        """The name of the canonical module that a baseline is, else None."""
        label = self.trial.user_attrs.get("label")
        return None if label is None else str(label)

    @property
    def seconds(self) -> float:
        """Since it was asked for, or started."""
        return time.monotonic() - self.begun


def make_point(trial: Trial, space: Space, setting: Setting) -> Point:
    """Ask for every hole the trial reaches; one that was asked for before has its values already."""
    point = Point(trial)
    try:
        network, holes = space.suggest(trial)
        point.candidate = make_candidate(network, holes, setting.shape, setting.classes)
    except InceptionSearchError as error:
        point.refused = str(error)
    return point
