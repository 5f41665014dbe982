"""Children of trials: one random edit inside the space, or parts of two trials and an edit."""

from __future__ import annotations

import random
from typing import NamedTuple

from inception_search.edits.crossover import crossover
from inception_search.edits.mutate import mutate
from inception_search.errors import InceptionSearchError
from inception_search.options import Options, Probability
from inception_search.space.holes import Params
from inception_search.space.space import Space
from inception_search.spec.network import Network
from inception_search.strategies.protocol import Observation, Problem
from inception_search.strategies.scale_to_budget import FITTED, fitted

STEPS = (1, 2, 4, 8, 16)  # of numbers: a width needs as few decisions to double as to grow a little
LONGEST = 200  # characters of an edit in words


class Variation(Options):
    """How children are made of trials."""

    # Edits of the tree move what a person would move (a branch, a factorisation); one decision is quick, reaches all.
    tree: Probability = 0.5
    """Probability that a mutation is an edit of the network (a branch, a factorisation), not a new value of one
    hole."""
    # Some points are better by two changes and worse by either.
    twice: Probability = 0.3
    """Probability that a child is mutated a second time."""
    fitted: Probability = FITTED
    """Probability that a child is scaled to be as wide as the study's upper limits allow."""


class Child(NamedTuple):
    """A point and what made it of its parents, in words."""

    params: Params
    edit: str


def mutant(problem: Problem, params: Params, rng: random.Random, how: Variation) -> Child | None:
    """The point with a random edit of its network, or a decision changed, or two; mostly as wide as the limits allow.

    None where the point has no neighbour.
    """
    child = _mutant(problem.space, params, rng, how.tree)
    if child is not None and rng.random() < how.twice:
        second = _mutant(problem.space, child.params, rng, how.tree)
        child = Child(second.params, f"{child.edit}; {second.edit}"[:LONGEST]) if second is not None else child
    if child is None or problem.excess is None or rng.random() >= how.fitted:
        return child
    fit = fitted(problem, child.params)
    return child if fit in (None, child.params) else Child(fit, f"{child.edit}; widths fitted to the limits")


def _mutant(space: Space, params: Params, rng: random.Random, tree: float) -> Child | None:
    try:
        if rng.random() < tree:
            return _edited(space, space.decode(params), rng)
    except InceptionSearchError:  # no edit fits, or too many ways to match the result
        pass
    try:
        moved = space.neighbour(params, rng, STEPS)
    except InceptionSearchError:
        return None
    return Child(moved, _words(params, moved))


def crossed(space: Space, one: Observation, other: Observation, rng: random.Random) -> Params | None:
    """The point of a child of two trials, unlike both; None where they have none."""
    try:
        child = crossover(one.network, other.network, rng, space=space)
        return dict(space.encode(child.network))
    except InceptionSearchError:
        return None


def _edited(space: Space, network: Network, rng: random.Random) -> Child:
    mutation = mutate(network, rng, space=space)
    words = "; ".join(map(str, mutation.edits))
    return Child(dict(space.encode(mutation.network)), words[:LONGEST])


def _words(params: Params, moved: Params) -> str:
    """The first decision that differs; what it brings or takes away follows from it."""
    name = next((name for name in params if params[name] != moved.get(name)), None)
    return "one more decision" if name is None else f"{name}: {params[name]} -> {moved.get(name, 'gone')}"
