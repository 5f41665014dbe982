"""Evolution's parents and children are chosen by what a model makes of all trials, not by the luck of one training."""

from __future__ import annotations

import random
from statistics import fmean

import pytest

from inception_search.space.holes import Params
from inception_search.space.space import Space
from inception_search.study.strategies.children import mutant
from inception_search.study.strategies.evolution import CHILDREN, Evolution
from inception_search.study.strategies.fresh import fresh_point
from inception_search.study.strategies.strategy import Observation, Proposal
from tests.study.strategies.playground import World

STEPS = "\n".join(f"        - {{$choice: {{y: 3x3 4, n: 1x1 4, p: max 3x3}}, $name: step{at}}}" for at in range(8))
CHAIN = Space(f"""\
schema: inception-search/space
version: 1
name: chain
network:
  name: chain
  input: 1x8x8
  stages:
    stem: 3x3 4 s2
    body:
{STEPS}
  head: {{pool: avg, classes: 10}}
""")
FIRST = 30  # the population of a study of 300 trials, tournaments are of 10


def convolutions(params: Params) -> float:
    """A loss that is easy to learn: fewer convolutions, more loss; hardly two points have the same."""
    first = sum((value == "y") / 100 / 2**at for at, value in enumerate(params.values()))
    return -sum(value == "y" for value in params.values()) - first


def begun(seed: int) -> tuple[World, Evolution, list[Observation]]:
    """A search whose first population runs."""
    world = World(CHAIN, trials=300, seed=seed, loss=convolutions)
    strategy, rng = Evolution(world.problem), random.Random(seed)
    running = []
    for _ in range(FIRST):
        params = fresh_point(world.problem, rng)
        assert params is not None
        running.append(world.begin(strategy, Proposal(params, {"edit": "drawn"})))
    return world, strategy, running


def asked(strategy: Evolution, asks: int) -> list[Proposal]:
    found = [strategy.ask(number) for number in range(FIRST, FIRST + asks)]
    return [proposal for proposal in found if proposal is not None]


def test_a_lucky_trial_hardly_becomes_a_parent() -> None:
    won = 0
    for seed in range(3):
        world, strategy, running = begun(seed)
        lucky = max(running, key=lambda each: convolutions(each.params))
        for each in running:
            world.loss = (lambda _: -100.0) if each.number == lucky.number else convolutions
            world.end(strategy, each)
        parents = [proposal.facts["parent"] for proposal in asked(strategy, 40)]
        assert len(parents) == 40
        won += parents.count(lucky.number)
    assert won <= 20  # by what it was told itself it would win forty, a third of the tournaments


@pytest.mark.parametrize("seed", range(2))
def test_children_are_the_promising_ones_of_their_parents(seed: int) -> None:
    world, strategy, running = begun(seed)
    for each in running:
        world.end(strategy, each)
    rng, gains = random.Random(seed), []
    for proposal in asked(strategy, 20):
        parent = running[proposal.facts["parent"]]
        assert parent.number == proposal.facts["parent"]
        others = [mutant(world.problem, parent.params, rng) for _ in range(8)]
        usual = fmean(convolutions(other.params) for other in others if other is not None)
        gains.append(usual - convolutions(proposal.params))
    assert CHILDREN > 1
    assert fmean(gains) > 0.2
