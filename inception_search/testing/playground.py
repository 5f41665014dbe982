"""A search without training: a real space and screen, a synthetic objective, and an ask-and-tell loop."""

from __future__ import annotations

import random
import zlib
from collections.abc import Callable, Iterable
from dataclasses import replace

from inception_search.errors import SpecError, shorten
from inception_search.estimate import estimate
from inception_search.space.holes import Params
from inception_search.space.space import Space
from inception_search.spec.identity.arch_id import arch_id
from inception_search.spec.network import Network
from inception_search.strategies.protocol import Candidate, Observation, Problem, Proposal, State, Strategy
from inception_search.testing.expect import true

EPOCHS = 9


def additive(params: Params) -> float:
    """A synthetic loss: the mean over decisions of a fixed random number for each value of each hole."""
    return sum(_unit(f"{name}={value}") for name, value in params.items()) / max(1, len(params))


class World:
    """A simulated driver for strategies: it screens points, computes losses by a formula and reports them."""

    def __init__(
        self,
        space: Space,
        *,
        objectives: int = 1,
        trials: int = 100,
        seed: int = 0,
        loss: Callable[[Params], float] = additive,
        violation: Callable[[Candidate], float] = lambda screened: 0.0,
    ) -> None:
        self.space, self.loss, self.violation = space, loss, violation
        self.problem = Problem(space, self.screen, objectives, trials, seed)
        self.known: dict[str, int] = {}
        self.observations: list[Observation] = []
        self.seen: dict[frozenset[tuple[str, object]], Candidate] = {}

    def screen(self, params: Params) -> Candidate:
        """The candidate of a point."""
        key = frozenset(params.items())
        if key not in self.seen:
            self.seen[key] = self._screened(params)
        found = self.seen[key]
        return replace(found, trial=self.known.get(found.arch_id or ""))

    def _screened(self, params: Params) -> Candidate:
        try:
            network = self.space.decode(params)
        except SpecError as error:
            return Candidate(params, None, None, {}, violation=1.0, reason=str(error))
        found = Candidate(params, network, arch_id(network), estimate(network).to_dict())
        outside = self.violation(found)
        return replace(found, violation=outside, reason="outside" if outside > 0.0 else None)

    def begin(self, strategy: Strategy, proposal: Proposal) -> Observation:
        """Begin a trial; raises AssertionError unless the proposed point is feasible and unseen."""
        screened = self.screen(proposal.params)
        true(screened.fresh, f"a point was proposed that is known, or outside the limits: {shorten(screened)}")
        return self._begin(strategy, proposal.params, str(screened.arch_id), screened, proposal.facts)

    def seed(self, strategy: Strategy, networks: Iterable[Network]) -> None:
        """Train these networks first, like the baselines of a study."""
        for network in networks:
            params = dict(self.space.encode(network))
            screened = self.screen(params)
            begun = self._begin(strategy, params, str(screened.arch_id), screened, {})
            self.end(strategy, begun)

    def _begin(
        self, strategy: Strategy, params: Params, identity: str, screened: Candidate, facts: dict[str, object]
    ) -> Observation:
        number = len(self.known)
        true(identity not in self.known, f"an architecture was tried twice: {identity}")
        self.known[identity] = number
        begun = Observation(number, params, identity, "running", cost=screened.cost, facts=facts, space=self.space)
        self.tell(strategy, begun)
        return begun

    def end(self, strategy: Strategy, begun: Observation, state: State = "complete") -> Observation:
        """End a trial with the losses of its point (a pruned one after a third of the epochs), or as failed."""
        losses = (self.loss(begun.params), begun.cost["macs"] / 1e6)[: self.problem.objectives]
        if self.problem.objectives > 2:
            losses = (*losses, begun.cost["params"] / 1e5)
        epochs = {"complete": EPOCHS, "pruned": EPOCHS // 3, "failed": 0}[state]
        ended = replace(begun, state=state, losses=None if state == "failed" else losses, epochs=epochs)
        self.tell(strategy, ended)
        return ended

    def tell(self, strategy: Strategy, observation: Observation) -> None:
        """Report an observation to the strategy and store it."""
        self.observations.append(observation)
        strategy.tell(observation)

    def go(
        self,
        strategy: Strategy,
        trials: int,
        *,
        workers: int = 1,
        state: Callable[[int], State] = lambda number: "complete",
    ) -> list[Observation]:
        """Run ``trials`` trials, ``workers`` at a time in any order; fewer if the strategy has no more proposals."""
        running: list[Observation] = []
        ended: list[Observation] = []
        rng = random.Random(self.problem.seed)
        left = trials
        while left or running:
            proposal = strategy.ask(len(self.known)) if left and len(running) < workers else None
            if proposal is not None:
                running.append(self.begin(strategy, proposal))
                left -= 1
            elif running:
                begun = running.pop(rng.randrange(len(running)))
                ended.append(self.end(strategy, begun, state(begun.number)))
            else:
                break
        return ended

    def best(self) -> float:
        """The smallest first loss of the complete trials."""
        return min(each.losses[0] for each in self.observations if each.state == "complete" and each.losses)


def mixed(number: int) -> State:
    """A state by trial number, so that some trials are pruned and some fail."""
    states: dict[int, State] = {0: "pruned", 1: "failed", 2: "pruned"}
    return states.get(number % 7, "complete")


def _unit(text: str) -> float:
    return zlib.crc32(text.encode()) / 2**32
