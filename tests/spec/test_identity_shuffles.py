"""Branches of the canonical networks in any order, uses and repeats written out or not: one architecture, one id."""

from __future__ import annotations

import random

import pytest

from inception_search.canonical.catalogue import load, names
from inception_search.spec.identity.arch_id import arch_id
from inception_search.spec.network import Network
from inception_search.spec.step import AnyStep, Concat, Conv, Repeat, Use, chain
from inception_search.spec.transform import map_children, remake


def shuffled(network: Network, rng: random.Random) -> Network:
    """``network`` with the branches of every concat in another order, and written otherwise here and there."""

    def step(part: AnyStep) -> AnyStep:
        part = map_children(part, step)
        if isinstance(part, Concat):
            return part.model_copy(update={"branches": tuple(rng.sample(part.branches, len(part.branches)))})
        if isinstance(part, Use) and rng.random() < 0.5:
            return step(network.blocks[part.name])
        if isinstance(part, Repeat) and rng.random() < 0.5:
            return chain(*[part.body] * part.times)
        return part

    blocks = {name: step(block) for name, block in network.blocks.items()}
    return remake(network, blocks=blocks, stages={name: step(stage) for name, stage in network.stages.items()})


def check(name: str, seeds: range) -> None:
    network = load(name)
    known = arch_id(network)
    for seed in seeds:
        other = shuffled(network, random.Random(seed))
        assert arch_id(other) == known, (name, seed)


@pytest.mark.parametrize("name", names())
def test_the_order_of_branches_is_no_architecture(name: str) -> None:
    check(name, range(60))


@pytest.mark.slow
@pytest.mark.parametrize("name", names())
def test_the_order_of_branches_is_no_architecture_thousands(name: str) -> None:
    check(name, range(60, 1_060))


@pytest.mark.parametrize("name", names())
def test_one_filter_more_anywhere_is_another_architecture(name: str) -> None:
    """A shuffle with a change is told apart: the id has not become blind on the way."""
    network = load(name)
    known = arch_id(network)
    for seed in range(20):
        rng = random.Random(seed)
        other = shuffled(network, rng)
        stage = rng.choice([key for key, part in other.stages.items() if "kernel" in str(part.to_dict())])
        changed = wider(other.stages[stage])
        if changed != other.stages[stage]:
            assert arch_id(remake(other, stages={**other.stages, stage: changed})) != known


def wider(step: AnyStep) -> AnyStep:
    """``step`` with two filters more in its first convolution."""
    done = False

    def change(part: AnyStep) -> AnyStep:
        nonlocal done
        if isinstance(part, Conv) and not done:
            done = True
            return part.model_copy(update={"width": part.width + 2})
        return map_children(part, change)

    return change(step)
