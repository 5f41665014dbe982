"""Pareto fronts of studies, their fixed reference, repeats by their mean."""

import math

import pytest

from inception_search.analysis.front import front, hypervolume
from inception_search.space.space import Space
from inception_search.store.query import best, leaderboard, merged
from inception_search.study.config import StudyConfig
from inception_search.study.reference_point import reference_point
from inception_search.study.study import Study
from tests.study.spaces import THREE_POINTS, TINY

BOTH = ("accuracy", "macs")


def test_the_front_holds_what_nobody_beats_best_first(fake_study):
    study = fake_study(trials=12, objectives="accuracy,macs", strategy="random", pruner="none")
    study.go()
    points = {record.number: (record.value, -record.cost["macs"]) for record in study.records}
    unbeaten = [
        number
        for number, mine in points.items()
        if not any(a >= mine[0] and b >= mine[1] and (a, b) != mine for a, b in points.values())
    ]
    found = front(study.records, BOTH)
    assert {record.number for record in found} == set(unbeaten)
    assert [record.value for record in found] == sorted((points[number][0] for number in unbeaten), reverse=True)


def test_the_hypervolume_grows_with_the_front_and_needs_no_particular_order(fake_study):
    study = fake_study(trials=12, objectives="accuracy,macs", strategy="random")
    study.go()
    reference = {"accuracy": 0.0, "macs": 1e6}
    volumes = [hypervolume(study.records[:count], BOTH, reference) for count in range(1, 13)]
    assert volumes == sorted(volumes)
    first = study.records[0]
    assert volumes[0] == pytest.approx(first.value * (1e6 - first.cost["macs"]))
    assert hypervolume(reversed(study.records), BOTH, reference) == volumes[-1]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"objectives": "accuracy,macs", "max_macs": 10**6}, {"accuracy": 0.0, "macs": 1e6}),
        ({"objectives": "loss,seconds", "trial_seconds": 60.0}, {"loss": math.log(10), "seconds": 60.0}),
        ({"objectives": "accuracy,macs", "reference": "accuracy=0.5,macs=2e5"}, {"accuracy": 0.5, "macs": 2e5}),
    ],
)
def test_the_reference_is_known_before_anything_is_trained(options, expected):
    assert reference_point(StudyConfig.of(**options), Space(TINY), (1, 8, 8), 10) == expected


def test_a_cost_without_a_limit_is_measured_from_the_canonical_networks():
    found = reference_point(StudyConfig.of(objectives="accuracy,params"), Space(TINY), (1, 8, 8), 10)
    assert found is not None
    assert found["params"] > 1000
    assert reference_point(StudyConfig.of(objectives="accuracy,params"), Space(THREE_POINTS), (1, 8, 8), 10) is None


def test_repeats_count_by_their_mean(fake_study):
    study = fake_study(trials=3, repeats=2)
    study.go()
    first, again = study.records[0], next(r for r in study.records if r.repeat_of == 0)
    spoilt = [r if r.repeat_of != 0 else r.model_copy(update={"value": 0.0}) for r in study.records]
    mean = merged(spoilt)[0]
    assert again.repeat_of == 0
    assert (mean.number, mean.value) == (0, first.value / 2)
    assert len(leaderboard(spoilt)) == len(merged(spoilt)) == 3
    assert best(spoilt) != first


def test_the_best_of_a_study_is_by_its_first_learned_objective(fake_study):
    study = fake_study(trials=6, objectives="macs,loss", strategy="random")
    study.run.study_file.write_text(
        StudyConfig.of(objectives="macs,loss").text({"reference": {"macs": 1e6, "loss": 2.3}})
    )
    study.go()
    opened = Study.open(study.run.path)
    losses = {record.number: record.objectives["loss"] for record in study.records}
    assert losses[opened.best.number] == min(losses.values())
    assert {trial.number for trial in opened.front} <= set(losses)
    assert opened.hypervolume > 0
