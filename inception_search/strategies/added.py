"""A strategy of another package at work: what it raises names the package, and what it proposes is looked at."""

from __future__ import annotations

from typing import Any

from inception_search.errors import shorten
from inception_search.options import Options
from inception_search.plugins import guarded, unusable
from inception_search.strategies.protocol import Observation, Problem, Proposal


class AddedStrategy:
    """The strategy ``name``, an instance of the class ``kind`` of another package."""

    def __init__(self, name: str, kind: Any, problem: Problem, options: Options) -> None:
        self.name = name
        with guarded("strategy", name):
            self.strategy = kind(problem, options)

    def ask(self, number: int) -> Proposal | None:
        """What the strategy proposes. Raises PluginError where it fails, and for what is no proposal."""
        with guarded("strategy", self.name):
            found = self.strategy.ask(number)
        if found is not None and not isinstance(found, Proposal):
            raise unusable("strategy", self.name, f"{shorten(found)} of ask", "a Proposal, or None")
        return found

    def tell(self, observation: Observation) -> None:
        """Pass an observation on. Raises PluginError where the strategy fails."""
        with guarded("strategy", self.name):
            self.strategy.tell(observation)
