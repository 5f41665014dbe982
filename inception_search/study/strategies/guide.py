"""What a Gaussian process makes of the trials told so far: how good they really are, and how good others may be."""

from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np

from inception_search.space.holes import Params
from inception_search.space.space import Space
from inception_search.space.spelling import parted
from inception_search.study.strategies.features import Array, Decisions
from inception_search.study.strategies.history import History
from inception_search.study.strategies.merit import merits
from inception_search.study.strategies.strategy import Observation
from inception_search.study.strategies.surrogate import Surrogate

LEARNT = 100  # of the best trials, and as many of the latest, are learnt from: a fit takes time with the cube of them


class Guide:
    """Points as rows of decisions, and models of how good they are; it keeps the rows of trials, and no model."""

    def __init__(self, space: Space) -> None:
        self.decisions = Decisions(space)
        self.rows: dict[int, Array] = {}

    def tell(self, observation: Observation) -> None:
        """Keep the row of a trial."""
        if observation.number not in self.rows:
            self.rows[observation.number] = self.row(observation.params)

    def row(self, params: Params) -> Array:
        """The decisions of a point, in its own spelling."""
        return self.decisions.row(parted(params)[0])

    def learnt(self, history: History, rng: random.Random) -> tuple[list[Observation], Array]:
        """The trials to learn from, in the order in which they ended (failed ones first), and how good they are."""
        failed = [each for each in history.by_number.values() if each.state == "failed"]
        ended = [*failed, *history.ended]
        merit = merits(ended, rng)
        if len(ended) <= 2 * LEARNT:
            return ended, merit
        best = np.argsort(-merit, kind="stable")[:LEARNT]
        kept = np.union1d(best, np.arange(len(ended) - LEARNT, len(ended)))
        return [ended[at] for at in kept], merit[kept]

    def views(self, trials: Sequence[Observation]) -> list[Array]:
        """What a model sees of trials."""
        return self.views_of([self.rows[each.number] for each in trials])

    def views_of(self, rows: Sequence[Array]) -> list[Array]:
        """What a model sees of points with these rows: their decisions, and how often each is made."""
        stacked = np.stack(rows)
        return [stacked, self.decisions.counts(stacked)]


def fitted_model(told: Sequence[Array], merit: Array, rng: random.Random) -> Surrogate:
    """A model of points seen as ``told``, the first of them of these merits; those without merit are running."""
    model = Surrogate([view[: len(merit)] for view in told], merit, rng)
    if len(told[0]) > len(merit):
        model.believe([view[len(merit) :] for view in told])
    return model


def drawn_merits(model: Surrogate, views: Sequence[Array], boldness: float, rng: random.Random) -> Array:
    """How good points may be, drawn by what the model believes (Thompson sampling); ``boldness``: deviations a draw."""
    mean, deviation = model.predict(views)
    drawn: Array = mean + boldness * deviation * np.array([rng.gauss(0.0, 1.0) for _ in mean])
    return drawn
