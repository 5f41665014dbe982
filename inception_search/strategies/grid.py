"""Grid search: every point of a finite space, once, in a fixed order."""

from __future__ import annotations

import math

from inception_search.errors import ConfigError
from inception_search.options import Options, Whole
from inception_search.space.holes import Params
from inception_search.space.space import Space
from inception_search.strategies.enumerate_points import walk
from inception_search.strategies.protocol import Observation, Problem, Proposal


class GridOptions(Options):
    """The options of ``grid``."""

    patience: Whole = 20_000
    """Number of points in a row that are rejected (already tried or outside the limits) before the search ends."""


class Grid:
    """Grid search. It continues after the last proposed point: all earlier points were proposed or are infeasible."""

    settings = GridOptions

    def __init__(self, problem: Problem, options: GridOptions | None = None) -> None:
        self.problem, self.options = problem, options or GridOptions()
        self.index = -1
        self.last: Params | None = None

    @staticmethod
    def suits(space: Space, objectives: int) -> None:
        """Raise ConfigError for an infinite space."""
        if space.size == math.inf:
            hole = next(name for name, hole in space.holes.items() if hole.domain is None)
            hint = "give its range a step, or search with another strategy"
            raise ConfigError(f"the grid of space {space.name!r} is endless", path=hole, hint=hint)

    def tell(self, observation: Observation) -> None:
        """Store the position of the last proposed point."""
        index = observation.facts.get("index")
        if isinstance(index, int) and index > self.index:
            self.index, self.last = index, observation.params

    def ask(self, number: int) -> Proposal | None:
        """The next unseen point; None after the last one. The fact ``index`` is its position in the enumeration."""
        for passed, params in enumerate(walk(self.problem.space, self.last)):
            if self.problem.screen(params).fresh:
                return Proposal(params, {"index": self.index + 1 + passed})
            if passed >= self.options.patience:
                break
        return None
