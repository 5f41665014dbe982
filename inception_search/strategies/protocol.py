"""What a strategy is: ``ask`` returns a point to try, ``tell`` passes it a result. It trains and stores nothing."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, NamedTuple, Protocol, TypeAlias

from inception_search.measures.measured_network import MeasuredNetwork
from inception_search.space.holes import Params
from inception_search.space.space import Space
from inception_search.spec.network import Network
from inception_search.store.record import Origin

State: TypeAlias = Literal["running", "complete", "pruned", "failed"]


@dataclass(frozen=True)
class Candidate:
    """A point of the space before it is trained: its network, identity and cost, and whether it can be trained.

    ``trial``: the number of the trial that has this architecture already; ``violation``: how far outside the
    study's limits it is (relative; 0.0: within), ``reason`` says why it cannot be trained. ``network`` is what the
    space makes of the point, None where it makes none.
    """

    params: Params
    network: Network | None
    arch_id: str | None
    cost: Mapping[str, float]
    """params, macs, activation_bytes, depth, receptive_field; scores of zero-cost proxies, where a study has them."""
    trial: int | None = None
    violation: float = 0.0
    reason: str | None = None
    measured: MeasuredNetwork | None = field(default=None, repr=False, compare=False)
    """The network with its measures; None where it does not fit the images."""

    @property
    def fresh(self) -> bool:
        """Whether it can be trained and has not been."""
        return self.trial is None and self.reason is None and self.network is not None


Screen: TypeAlias = Callable[[Params], Candidate]
"""Makes the candidate at a point; a call for the same point again is cheap."""


@dataclass(frozen=True)
class Problem:
    """What a strategy works on: the space, what is minimised, how many trials there will be, and the screen.

    ``excess``: how far outside the study's upper limits a point is (relative; negative: what is left), computed
    faster than by the screen; None without them.
    """

    space: Space
    screen: Screen
    objectives: int = 1
    trials: int = 100
    seed: int = 0
    excess: Callable[[Params], float] | None = None

    def rng(self, number: int) -> random.Random:
        """Random numbers for trial ``number``: the same when a study goes on after a kill."""
        return random.Random(f"{self.seed}:{number}")


@dataclass(frozen=True)
class Observation:
    """A trial as strategies see it.

    ``losses``: one number per objective, all to be made small; None while unknown (running) and for a failed one.
    ``epochs``: how many it was trained for; a trial that was stopped early has fewer than a complete one.
    ``facts``: those of the :class:`Proposal`.
    """

    number: int
    params: Params
    arch_id: str
    state: State
    losses: tuple[float, ...] | None = None
    epochs: int = 0
    cost: Mapping[str, float] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    space: Space | None = field(default=None, repr=False, compare=False)

    @cached_property
    def network(self) -> Network:
        """The network as the space makes it, made when first asked for."""
        if self.space is None:
            raise ValueError("an observation without its space has no network")
        return self.space.decode(self.params)

    @property
    def rank(self) -> tuple[float, ...]:
        """Sorts trials of one objective from best to worst: first those trained longer, then those of less loss."""
        return (-self.epochs, *(self.losses or (float("inf"),)))


class Proposal(NamedTuple):
    """A point to try; ``facts`` (plain JSON) are kept with the trial: parents, edits, which restart.

    ``label`` is the name of the canonical network or module that a baseline is, or of the run of a warm start.
    """

    params: Params
    facts: dict[str, Any] = {}
    origin: Origin = "sampled"
    label: str | None = None


class Strategy(Protocol):
    """A strategy keeps no state but what follows from ``tell``: a study that goes on calls it for all trials, in order.

    The constructor takes a :class:`Problem` and options. The attribute ``settings`` of the class is the class of the
    options: their types, defaults and meanings.
    """

    def ask(self, number: int) -> Proposal | None:
        """A fresh point for trial ``number``; None when there is none left (in a grid that is used up, say)."""

    def tell(self, observation: Observation) -> None:
        """A trial has begun (``running``) or ended; a later observation of the same number replaces the earlier."""
