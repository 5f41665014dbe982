# ruff: noqa: E501 (tables: one row a line)
"""Drawing points: evenly over points, hole by hole and by weights; asking an Optuna trial."""

from __future__ import annotations

import json
import math
import random
from collections import Counter
from typing import Any

import optuna
import pytest

from inception_search.errors import ArgumentError, NotInSpaceError, SpecError
from inception_search.space.holes import Params
from inception_search.space.space import By, Space
from inception_search.spec.documents.parse import parse_step
from tests.shipped import shipped_space
from tests.space.small import OPS, every_point, key, small, space


def surprise(counts: Counter[Any], odds: dict[Any, float]) -> float:
    """Chi-square of ``counts`` against ``odds``, in standard deviations above its mean."""
    drawn, total = sum(counts.values()), sum(odds.values())
    assert counts.keys() <= odds.keys()
    square = sum((counts[what] - drawn * part / total) ** 2 / (drawn * part / total) for what, part in odds.items())
    free = len(odds) - 1
    return (square - free) / math.sqrt(2 * free)


# Spaces in which options differ in size, or parts share names: what an uneven draw would show in.
UNEVEN = {
    "options of different size": space("  stages: {a: {$choice: {x: relu, y: {conv: {kernel: 3x3, width: {$int: [1, 30]}}}}}}\n"),
    "many of different numbers": space("  stages: {a: [relu, {$many: [0, 3], of: {$use: op}}]}\n", OPS),
    "a shared toggle": small("a toggle with a hole inside"),
    "a name inside an option and outside": small("a name inside an option and outside"),
    "followers": small("what is followed is an option"),
    "uses that share all": small("uses of one name, and of none"),
    "a grammar": small("a grammar of branches"),
    "weights": small("choices with weights"),
    "stages or none": small("many stages or none"),
    "optional heads": small("optional heads"),
}  # fmt: skip


@pytest.mark.parametrize("label", UNEVEN)
def test_by_points_each_point_is_as_likely(label: str) -> None:
    of = UNEVEN[label]
    odds = {key(params): 1.0 for params in every_point(of)}
    assert len(odds) > 2
    rng = random.Random(len(label))
    counts = Counter(key(of.sample(rng, by="points")) for _ in range(60 * len(odds)))
    assert abs(surprise(counts, odds)) < 4


def test_by_holes_each_option_is_as_likely() -> None:
    of, rng = UNEVEN["options of different size"], random.Random(1)
    counts = Counter(str(of.sample(rng, by="holes")["a"]) for _ in range(1_000))
    assert abs(surprise(counts, {"x": 1, "y": 1})) < 4
    by_points = Counter(str(of.sample(rng, by="points")["a"]) for _ in range(1_000))
    assert surprise(by_points, {"x": 1, "y": 1}) > 100
    assert abs(surprise(by_points, {"x": 1, "y": 30})) < 4


# The option written as YAML, and the odds of each value drawn hole by hole.
BY_HOLES: list[tuple[str, dict[Any, float]]] = [
    ("{$choice: {x: relu, y: elu, z: silu}, $weights: {x: 1, y: 9, z: 0.5}}", {"x": 1, "y": 9, "z": 0.5}),
    ("{$choice: {x: relu, y: elu}, $weights: {y: 1000, x: 3000}}", {"x": 3, "y": 1}),  # in any order
    ("{$choice: [relu, elu], $weights: {relu: 4, elu: 1}}", {"relu": 4, "elu": 1}),
    ("{conv: {kernel: 3, width: {$int: [4, 7]}}}", {4: 1, 5: 1, 6: 1, 7: 1}),
    ("{conv: {kernel: 3, width: {$int: [4, 8, 2]}}}", {4: 1, 6: 1, 8: 1}),
    ("{conv: {kernel: 3, width: {$int: [1, 3], $log: true}}}", {1: math.log(2), 2: math.log(1.5), 3: math.log(4 / 3)}),
    ("{dropout: {$float: [0, 0.3, 0.1]}}", {0.0: 1, 0.1: 1, 0.2: 1, 0.3: 1}),
    ("{repeat: {times: {$int: [1, 2]}, body: relu}}", {1: 1, 2: 1}),
]


@pytest.mark.parametrize(("step", "odds"), BY_HOLES, ids=[row[0] for row in BY_HOLES])
def test_by_holes_values_follow_weights_and_scales(step: str, odds: dict[Any, float]) -> None:
    of, rng = space(f"  stages: {{a: {step}}}\n"), random.Random(3)
    counts = Counter(next(iter(of.sample(rng, by="holes").values())) for _ in range(1_000))
    assert abs(surprise(counts, odds)) < 4


# The step, and which way its space is sampled unless told otherwise.
DEFAULTS: list[tuple[str, By]] = [
    ("{$choice: {x: relu, y: elu}}", "points"),
    ("{$choice: {x: relu, y: elu}, $weights: {x: 2, y: 1}}", "holes"),
    ("{dropout: {$float: [0, 0.4, 0.1]}}", "points"),
    ("{dropout: {$float: [0, 0.4]}}", "holes"),
]


@pytest.mark.parametrize(("step", "by"), DEFAULTS, ids=[row[0] for row in DEFAULTS])
def test_endless_and_weighted_spaces_are_sampled_hole_by_hole(step: str, by: By) -> None:
    of = space(f"  stages: {{a: {step}}}\n")
    assert of.sampling == by
    assert [of.sample(seed) for seed in range(20)] == [of.sample(seed, by=by) for seed in range(20)]


def test_ways_to_sample_that_there_are_not() -> None:
    endless = space("  stages: {a: {dropout: {$float: [0, 0.4]}}}\n")
    with pytest.raises(NotInSpaceError, match="cannot be sampled evenly over its points; sample by holes"):
        endless.sample(0, by="points")
    hidden = space("  stages: {a: {$choice: {x: relu, y: {dropout: {$float: [0, 0.4]}}}}}\n")
    with pytest.raises(NotInSpaceError, match="cannot be sampled evenly"):
        hidden.sample(0, by="points")
    with pytest.raises(ArgumentError, match=r"by: .*of Space\.sample\(\), got 'point'.*did you mean 'points'"):
        endless.sample(0, by="point")  # type: ignore[arg-type]


def test_points_that_break_rules_are_not_drawn() -> None:
    odd = space("  stages: {a: {conv: {kernel: 3x3, factor: split, width: {$int: [3, 8]}}}}\n")
    for by in ("points", "holes"):
        assert {odd.sample(seed, by=by)["a.width"] for seed in range(60)} == {4, 6, 8}


def test_a_space_with_hardly_a_point_says_why() -> None:
    # the first point is one; of all the others hardly any
    wide = "{conv: {kernel: 3x3, width: {$int: [1, 2000000000]}}}"
    hardly = space(f"  stages: {{a: [{wide}, {wide}, {wide}]}}\n")
    with pytest.raises(SpecError, match="expected less than or equal to"):
        hardly.sample(0)


def test_a_range_of_numbers_has_no_size() -> None:
    endless = space("  stages: {a: {dropout: {$float: [0.001, 0.5], $log: true}}}\n")
    assert endless.size == float("inf")
    assert "endless points" in repr(endless)
    drawn = [endless.sample(seed)["a.p"] for seed in range(200)]
    assert all(0.001 <= float(value) <= 0.5 for value in drawn)
    assert sum(float(value) < 0.0224 for value in drawn) in range(60, 140)  # half below the geometric mean
    for seed in range(50):
        params = endless.sample(seed)
        assert endless.encode(endless.decode(params)) == params


def test_points_are_json() -> None:
    for of in (shipped_space("inception"), *UNEVEN.values()):
        for seed in range(5):
            network, params = of.draw(seed)
            assert of.decode(json.loads(json.dumps(params))) == network


# --------------------------------------------------------------------------------------------------- asking a trial


class CountingTrial:
    """Answers like a random trial and counts how often each name is asked."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.asked: dict[str, int] = {}

    def note(self, name: str) -> None:
        self.asked[name] = self.asked.get(name, 0) + 1

    def suggest_categorical(self, name: str, choices: Any) -> Any:
        self.note(name)
        assert all(isinstance(choice, str) for choice in choices)
        return self.rng.choice(choices)

    def suggest_int(self, name: str, low: int, high: int, *, step: int = 1, log: bool = False) -> int:
        self.note(name)
        return self.rng.randrange(low, high + 1, step)

    def suggest_float(
        self, name: str, low: float, high: float, *, step: float | None = None, log: bool = False
    ) -> float:
        self.note(name)
        if step is None:
            return self.rng.uniform(low, high)
        return low + step * self.rng.randrange(round((high - low) / step) + 1)  # not always a number the space names


ASKED = {"inception": 10, "inception_modules": 50, "nas_bench_201": 10, "nas_bench_101": 10}
SHIPPED = {name: shipped_space(name) for name in ASKED}


@pytest.mark.parametrize("name", ASKED)
def test_every_hole_that_is_reached_is_asked_once_under_its_name(name: str) -> None:
    shipped = SHIPPED[name]
    for seed in range(ASKED[name]):
        trial = CountingTrial(seed)
        network, params = shipped.suggest(trial)
        assert trial.asked == dict.fromkeys(params, 1)
        assert set(params) <= set(shipped.holes)
        assert shipped.decode(params) == network
        assert shipped.encode(network) == params


def test_holes_of_options_not_taken_are_not_asked() -> None:
    choice = small("choice with holes inside")
    network, params = choice.suggest(optuna.trial.FixedTrial({"a": "pool", "a.width": 5}))
    assert params == {"a": "pool"}
    assert network.stages["a"] == parse_step("max 3x3")


def test_an_optuna_study_asks_and_its_params_are_the_point() -> None:
    asked = space(
        "  stages: {a: {conv: {kernel: 3x3, width: {$int: [4, 9], $log: true}, linear: {$choice: [true, false]}}},\n"
        "           b: {dropout: {$float: [0.1, 0.5], $log: true}}, c: {dropout: {$float: [0, 0.6, 0.2]}},\n"
        "           d: [{$many: [0, 2], of: {conv: {kernel: 3x3, width: {$int: [4, 8, 2]}}}}, relu]}\n"
    )
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    for _ in range(20):
        trial = study.ask()
        network, params = asked.suggest(trial)
        assert trial.params == params
        assert asked.encode(network) == params
        assert asked.suggest(optuna.trial.FixedTrial(trial.params)) == (network, params)


def test_the_point_of_a_fixed_network_can_be_asked_for() -> None:
    for name, label in (("inception_modules", "resnet_b"), ("inception", "inception_v3")):
        shipped = SHIPPED[name]
        params: Params = dict(shipped.encode(shipped.fixed_points[label]))
        network, asked = shipped.suggest(optuna.trial.FixedTrial(params))
        assert asked == params
        assert network == shipped.decode(params)


def test_weights_are_ignored_by_what_a_trial_is_asked() -> None:
    """A sampler learns; it is told the labels only."""
    of: Space = small("choices with weights")
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    drawn = Counter(of.suggest(study.ask())[1]["a"] for _ in range(90))
    assert min(drawn.values()) > 15
