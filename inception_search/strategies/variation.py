"""Mutation and crossover: random edits inside the space, and combinations of two trials."""

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

STEPS = (1, 2, 4, 8, 16)  # step sizes for numbers, so that one mutation can double a width or change it slightly
LONGEST = 200  # characters in the description of an edit


class Variation(Options):
    """How children are made of trials."""

    # Edits change meaningful parts (a branch, a factorisation); a new value of one hole is fast and reaches all points.
    tree: Probability = 0.5
    """Probability that a mutation is an edit of the network (a branch, a factorisation), not a new value of one
    hole."""
    # Some improvements need two changes, each of which alone is worse.
    twice: Probability = 0.3
    """Probability that a child is mutated a second time."""
    fitted: Probability = FITTED
    """Probability that a child is scaled to be as wide as the study's upper limits allow."""


class Child(NamedTuple):
    """A point, and a description of its difference from its parents."""

    params: Params
    edit: str


def mutant(problem: Problem, params: Params, rng: random.Random, how: Variation) -> Child | None:
    """The point with one or two random edits or changed decisions, usually scaled to the limits.

    Returns None if the point has no neighbour.
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
    """A child of two trials that differs from both; None if there is none."""
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
    """The first decision that differs; changes of dependent holes follow from it."""
    name = next((name for name in params if params[name] != moved.get(name)), None)
    return "one more decision" if name is None else f"{name}: {params[name]} -> {moved.get(name, 'gone')}"
