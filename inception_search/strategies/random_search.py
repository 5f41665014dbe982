"""Random search: every point as likely as any other (Bergstra and Bengio, JMLR 2012); the bar others must clear."""

from __future__ import annotations

from inception_search.options import Options
from inception_search.strategies.protocol import Observation, Problem, Proposal
from inception_search.strategies.unseen_point import fresh_point


class RandomSearch:
    """Draws as the space samples, what is known or outside the limits left out."""

    settings = Options

    def __init__(self, problem: Problem, options: Options | None = None) -> None:
        self.problem = problem

    def ask(self, number: int) -> Proposal | None:
        """A random point."""
        params = fresh_point(self.problem, self.problem.rng(number))
        return None if params is None else Proposal(params)

    def tell(self, observation: Observation) -> None:
        """Nothing is learnt; the screen knows what has been trained."""
