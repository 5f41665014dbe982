"""Kills at every named point, and at random, until the study is done."""

import random
from typing import Any

import pytest

from tests.study.crashes import POINTS, Crash, check, crash_after_steps, crash_at


@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
@pytest.mark.parametrize("nth", [1, 2])
@pytest.mark.parametrize("point", [name for name in POINTS if name not in ("reap clear", "restore", "reap", "sync")])
def test_a_kill_at_a_named_point_loses_nothing(fake_study, monkeypatch, point, nth, before):
    study = fake_study(trials=6, max_params=2000, epochs=2)  # many points are over this budget
    with monkeypatch.context() as patch:
        crash_at(patch, point, nth, before=before)
        with pytest.raises(Crash):
            study.go()
    assert study.go()
    check(study, 6)


@pytest.mark.parametrize("point", ["reap", "reap clear", "sync", "record", "tell", "clear", "ask", "job"])
@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
@pytest.mark.parametrize("first", ["record", "tell"])
def test_a_kill_while_putting_right_what_a_kill_left(fake_study, monkeypatch, first, point, before):
    study = fake_study(trials=4)
    for place, early in ((first, first == "tell"), (point, before)):
        with monkeypatch.context() as patch:
            crash_at(patch, place, 1, before=early)
            try:
                study.go(capacity=2)
            except Crash:
                continue
    study.go(capacity=2)
    check(study, 4)


@pytest.mark.parametrize("seed", range(15))
def test_random_kills_and_deaths_lose_nothing(fake_study, monkeypatch, seed):
    simulate(fake_study, monkeypatch, seed)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1000, 1400))
def test_more_random_kills_and_deaths_lose_nothing(fake_study, monkeypatch, seed):
    simulate(fake_study, monkeypatch, seed)


def simulate(fake_study: Any, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    """Drivers that are killed at random, over processes that die at random, until the study is done."""
    rng = random.Random(seed)
    fates = rng.choices(["complete", "dies", "dies_at_the_end", "dies_after_result", "fails"], [12, 2, 1, 2, 1], k=97)
    trials = rng.randint(3, 8)
    study = fake_study(
        fate=lambda job: fates[(job.number * 7 + job.attempt) % 97],
        trials=trials,
        epochs=rng.choice([1, 3, 5]),
        strategy=rng.choice(["random", "tpe"]),
        max_params=rng.choice([None, 2000]),
        seed=seed,
    )
    for _ in range(60):
        with monkeypatch.context() as patch:
            crash_after_steps(patch, rng.randint(1, 150))
            try:
                if study.go(capacity=rng.randint(1, 3), rng=rng):
                    break
            except Crash:
                continue
    else:
        assert study.go()
    check(study, trials, strict=False)
