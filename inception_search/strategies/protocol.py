"""The interface of a strategy: ``ask`` returns a point to try, ``tell`` receives a result. It trains nothing."""

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
    """A point of the space before training: its network, identity and cost, and whether it can be trained.

    ``trial``: the number of an earlier trial with this architecture. ``violation``: the relative excess over the
    study's limits (0.0: within). ``reason``: why the point cannot be trained. ``network``: the network of the point;
    None if the point is not a valid network.
    """

    params: Params
    network: Network | None
    arch_id: str | None
    cost: Mapping[str, float]
    """params, macs, activation_bytes, depth, receptive_field; scores of zero-cost proxies, if the study has them."""
    trial: int | None = None
    violation: float = 0.0
    reason: str | None = None
    measured: MeasuredNetwork | None = field(default=None, repr=False, compare=False)
    """The network with its measures; None if it does not fit the images."""

    @property
    def fresh(self) -> bool:
        """Whether it can be trained and has not been tried yet."""
        return self.trial is None and self.reason is None and self.network is not None


Screen: TypeAlias = Callable[[Params], Candidate]
"""Builds the candidate of a point; a second call for the same point is cheap."""


@dataclass(frozen=True)
class Problem:
    """The problem that a strategy solves: the space, the objectives, the number of trials, and the screen.

    ``excess`` returns the relative excess of a point over the study's upper limits (negative within them), faster than
    ``screen``; it is None if there are no upper limits.
    """

    space: Space
    screen: Screen
    objectives: int = 1
    trials: int = 100
    seed: int = 0
    excess: Callable[[Params], float] | None = None

    def rng(self, number: int) -> random.Random:
        """The random generator of trial ``number``, which is the same after an interruption."""
        return random.Random(f"{self.seed}:{number}")


@dataclass(frozen=True)
class Observation:
    """A trial as strategies see it.

    ``losses``: one number per objective, smaller is better; None for a running or failed trial.
    ``epochs``: the number of trained epochs; a trial stopped early has fewer than a complete one.
    ``facts``: the facts of the :class:`Proposal`.
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
        """The network of the point, built on first access."""
        if self.space is None:
            raise ValueError("an observation without its space has no network")
        return self.space.decode(self.params)

    @property
    def rank(self) -> tuple[float, ...]:
        """A sort key, best first, for trials of one objective: longer trained ones first, then by loss."""
        return (-self.epochs, *(self.losses or (float("inf"),)))


class Proposal(NamedTuple):
    """A point to try; ``facts`` (plain JSON) are recorded with the trial: parents, edits, the restart.

    ``label`` is the name of the canonical network or module of a baseline, or of the run of a warm start.
    """

    params: Params
    facts: dict[str, Any] = {}
    origin: Origin = "sampled"
    label: str | None = None


class Strategy(Protocol):
    """A search strategy. All its state follows from ``tell``: a resumed study calls ``tell`` for all trials, in order.

    The constructor takes a :class:`Problem` and options. The class attribute ``settings`` is the class of the options,
    with their types, defaults and descriptions.
    """

    def ask(self, number: int) -> Proposal | None:
        """An unseen point for trial ``number``; None if none is left, for example at the end of a grid."""

    def tell(self, observation: Observation) -> None:
        """Receive a trial that has begun (``running``) or ended; it replaces earlier observations of its number."""
