"""Random search (Bergstra and Bengio, JMLR 2012): all points are equally likely. The baseline for other strategies."""

from __future__ import annotations

from inception_search.options import Options
from inception_search.strategies.protocol import Observation, Problem, Proposal
from inception_search.strategies.unseen_point import fresh_point


class RandomSearch:
    """Samples points of the space, except those that are known or outside the limits."""

    settings = Options

    def __init__(self, problem: Problem, options: Options | None = None) -> None:
        self.problem = problem

    def ask(self, number: int) -> Proposal | None:
        """A random point."""
        params = fresh_point(self.problem, self.problem.rng(number))
        return None if params is None else Proposal(params)

    def tell(self, observation: Observation) -> None:
        """Do nothing: the screen already knows all trained points."""
