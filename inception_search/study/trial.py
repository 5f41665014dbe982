"""One trial of a study, from its proposal to its record."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from inception_search.errors import InceptionSearchError, LimitError, ShapeError
from inception_search.measures.budget import Budget
from inception_search.measures.measured_network import MeasuredNetwork, at_size
from inception_search.optuna_bridge.frozen_trials import user_attributes
from inception_search.space.holes import Params
from inception_search.space.space import Space
from inception_search.spec.identity.arch_id import arch_id
from inception_search.spec.network import Network
from inception_search.store.record import Origin, utc_now
from inception_search.strategies.protocol import Candidate, Observation, Proposal

UNFIT = 1.0  # relative violation assigned to a network that cannot be built


@dataclass
class Trial:
    """A network to train, the reason for it, and its progress.

    ``attempt`` counts how often its training was begun, ``tries`` how often in a row without finishing an epoch.
    """

    number: int
    params: Params
    network: Network
    arch_id: str
    measured: MeasuredNetwork | None
    """The network with its measures; None if it does not fit the images."""
    origin: Origin = "sampled"
    label: str | None = None
    """Name of a baseline's canonical network or module, or of a warm start's run."""
    facts: dict[str, Any] = field(default_factory=dict)
    """Facts that the strategy added to its proposal."""
    seed: int = 0
    repeat_of: int | None = None
    title: str | None = None
    """Its name for display, if it is not called by its number."""
    attempt: int = 0
    tries: int = 1
    curve: list[dict[str, Any]] = field(default_factory=list)
    """The metrics of each epoch that the current attempt reported."""
    begun: float = field(default_factory=time.monotonic)
    started: str = field(default_factory=utc_now)

    @classmethod
    def of(cls, number: int, candidate: Candidate, proposal: Proposal | None = None, seed: int = 0) -> Trial:
        """The trial that trains ``candidate``, which must have a network, because of ``proposal``."""
        assert candidate.network is not None
        assert candidate.arch_id is not None
        why = proposal or Proposal(candidate.params)
        made = cls(number, candidate.params, candidate.network, candidate.arch_id, candidate.measured)
        return replace(made, origin=why.origin, label=why.label, facts=why.facts, seed=seed)

    @cached_property
    def document(self) -> dict[str, Any]:
        """The network document in its long form; not to be changed."""
        return self.network.to_dict()

    @property
    def name(self) -> str:
        """Its name for display."""
        return self.title or f"trial {self.number}"

    @property
    def first(self) -> int:
        """The number of the first trial of this architecture."""
        return self.number if self.repeat_of is None else self.repeat_of

    @property
    def exempt(self) -> bool:
        """Whether it is never pruned, which holds for baselines."""
        return self.origin == "baseline"

    @property
    def advanced(self) -> bool:
        """Whether this attempt completed an epoch.

        A resumed attempt re-reports the last epoch of the previous one, which does not count.
        """
        return len(self.curve) > (self.attempt > 1)

    @property
    def seconds(self) -> float:
        """Seconds since it was proposed or started."""
        return time.monotonic() - self.begun

    @property
    def latency(self) -> float | None:
        """Milliseconds for one image on the study's device, if measured."""
        return None if self.measured is None else self.measured.known_latency

    @property
    def costs(self) -> dict[str, float]:
        """The objectives that are known before training, by name."""
        counts: dict[str, float] = {} if self.measured is None else {**self.measured.cost.to_dict()}
        return counts if self.latency is None else {**counts, "latency": self.latency}

    @property
    def counts(self) -> dict[str, int]:
        """Its device-independent measures by name; empty if it does not fit the images."""
        return {} if self.measured is None else self.measured.counts()

    @property
    def proposal(self) -> Proposal:
        """The proposal of this trial."""
        return Proposal(self.params, self.facts, self.origin, self.label)

    @property
    def attributes(self) -> dict[str, Any]:
        """The user attributes that Optuna's tools show besides its parameters."""
        return user_attributes(
            self.facts,
            origin=self.origin,
            seed=self.seed,
            label=self.label,
            arch_id=self.arch_id,
            repeat_of=self.repeat_of,
        )

    def again(self, **changes: Any) -> Trial:
        """A copy with ``changes``, starting now."""
        return replace(self, **{"curve": [], "begun": time.monotonic(), "started": utc_now(), **changes})

    def view(self, space: Space) -> Observation:
        """The running trial as an observation for strategies; ``space`` builds its network if needed."""
        return Observation(self.first, self.params, self.arch_id, "running", None, 0, self.costs, self.facts, space)


def make_candidate(network: Network, params: Params, shape: tuple[int, int, int], classes: int) -> Candidate:
    """``network`` on (C, H, W) images of ``classes`` classes, with its cost, or a reason why it does not fit."""
    sized = at_size(network, shape, classes)
    identity, measured = arch_id(sized), MeasuredNetwork(sized)
    try:
        return Candidate(params, sized, identity, measured.cost.to_dict(), measured=measured)
    except (ShapeError, LimitError) as error:
        return Candidate(params, sized, identity, {}, violation=UNFIT, reason=str(error))


def judged(candidate: Candidate, budget: Budget) -> Candidate:
    """``candidate`` with its violation of ``budget``, and the reason."""
    if candidate.measured is None:
        return candidate
    try:
        outside = budget.violation(candidate.measured)
    except InceptionSearchError as error:  # the latency cannot be measured
        outside = UNFIT, str(error)
    return candidate if outside is None else replace(candidate, violation=outside[0], reason=outside[1])
