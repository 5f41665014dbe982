"""Which decisions matter: what was planted is found, what is noise is not, and too little is refused."""

from __future__ import annotations

import random

import pytest

from inception_search.analysis import decision_importance as importance
from inception_search.analysis.decision_importance import LEAST, hole_importance
from inception_search.analysis.importance import Importance
from inception_search.analysis.network_statistics import network_statistics
from inception_search.analysis.property_importance import statistic_importance
from inception_search.space.space import Space
from inception_search.store.record import TrialRecord
from tests.shipped import shipped_space

SPACE = shipped_space("inception_modules")


def trial(number: int, holes: dict[str, object], value: float, **fields: object) -> TrialRecord:
    network = SPACE.decode(holes).to_dict()  # type: ignore[arg-type]
    facts: dict[str, object] = {
        "number": number,
        "state": "complete",
        "origin": "sampled",
        "network": network,
        "holes": holes,
        "cost": {"params": 1000 + number, "macs": 10**6, "depth": 3},
        "value": value,
        "seed": 0,
        "seconds": 1.0,
        "started": "2025-01-31T12:00:00+00:00",
    }
    return TrialRecord.model_validate(facts | fields)


def planted(count: int, effect: object = None, seed: int = 0) -> list[TrialRecord]:
    """Trials of random points whose accuracy is noise, and ``effect(point)``."""
    rng = random.Random(seed)
    records = []
    for number in range(count):
        point = {name: value for name, value in SPACE.sample(rng).items() if not name.startswith("@")}
        value = 0.8 + rng.gauss(0, 0.01) + (effect(point) if callable(effect) else 0.0)
        records.append(trial(number, point, value))
    return records


def above(found: Importance) -> list[str]:
    assert found.chance is not None
    return [row.name for row in found.rows if row.value > found.chance]


@pytest.fixture
def few_forests(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it does not matter how sure the answer is."""
    monkeypatch.setattr(importance, "RESAMPLES", 3)
    monkeypatch.setattr(importance, "SHUFFLES", 2)


def test_a_planted_decision_is_first_and_above_chance() -> None:
    found = hole_importance(SPACE, planted(40, lambda point: -0.1 * (point["residual"] == "off")))
    assert found.rows[0].name == "residual"
    assert above(found)[0] == "residual"
    assert found.rows[0].value > 0.4
    assert found.rows[0].cells[-2:] == ("40 of 40", "above")
    assert "40 trained networks" in found.about


def test_a_decision_that_is_not_always_there_is_found() -> None:
    records = planted(60, lambda point: 0.1 * (point.get("module.b3.0.mode") == "l2"))
    found = hole_importance(SPACE, records)
    made = sum("module.b3.0.mode" in record.holes for record in records)
    assert 0 < made < 60
    row = next(row for row in found.rows if row.name == "module.b3.0.mode")
    assert row.name in [row.name for row in found.rows[:2]]
    assert row.cells[2] == f"{made} of 60"


def test_noise_is_within_chance() -> None:
    found = hole_importance(SPACE, planted(40, seed=3))
    assert len(above(found)) <= 2
    assert len(found.rows) > 15


@pytest.mark.usefixtures("few_forests")
def test_the_same_trials_give_the_same_numbers() -> None:
    records = planted(25)
    assert hole_importance(SPACE, records) == hole_importance(SPACE, records)
    assert statistic_importance(records) == statistic_importance(records)


@pytest.mark.parametrize("count", [0, 1, LEAST - 1])
def test_too_few_trials_are_refused_with_what_to_type(count: int) -> None:
    records = planted(count)
    for found in (hole_importance(SPACE, records), statistic_importance(records)):
        assert found.rows == ()
        assert found.refusal is not None
        assert found.refusal.startswith(f"{count} trained network")
        assert "inception-search resume RUN --trials N" in found.refusal
    assert "resume runs/mine --trials N" in (statistic_importance(records, "runs/mine").refusal or "")


def test_trials_that_do_not_differ_are_refused() -> None:
    records = planted(25)
    level = [record.model_copy(update={"value": 0.5}) for record in records]
    assert "the same validation accuracy" in (hole_importance(SPACE, level).refusal or "")
    same = [records[0].model_copy(update={"number": n, "value": 0.5 + n / 100}) for n in range(25)]
    assert "the same decisions" in (hole_importance(SPACE, same).refusal or "")
    assert statistic_importance(same).refusal is not None


@pytest.mark.usefixtures("few_forests")
def test_pruned_trials_repeats_and_holes_of_another_space_do_not_count() -> None:
    records = planted(LEAST)
    pruned = [record.model_copy(update={"state": "pruned", "number": 100 + n}) for n, record in enumerate(records)]
    again = records[0].model_copy(update={"number": 200, "repeat_of": 0})
    foreign = {**records[1].holes, "gone": 3, "residual": "unheard of"}
    odd = records[1].model_copy(update={"holes": foreign})
    found = hole_importance(SPACE, [records[0], odd, *records[2:], *pruned, again])
    assert f"{LEAST} trained networks" in found.about
    assert "gone" not in {row.name for row in found.rows}
    assert next(row for row in found.rows if row.name == "residual").cells[2] == f"{LEAST - 1} of {LEAST}"


@pytest.mark.usefixtures("few_forests")
def test_float_holes_are_decisions_too() -> None:
    text = SPACE.text.replace("add_1.0: 1.0}", "add_1.0: {$float: [0.5, 0.9], $name: scale}}")
    assert text != SPACE.text
    space = Space(text)
    rng = random.Random(0)
    records = []
    for number in range(30):
        point = {name: value for name, value in space.sample(rng).items() if not name.startswith("@")}
        records.append(trial(number, SPACE.sample(0), 0.8 + rng.gauss(0, 0.01)).model_copy(update={"holes": point}))
    names = {row.name for row in hole_importance(space, records).rows}
    assert "scale" in names


def test_a_property_that_goes_with_accuracy_is_first() -> None:
    def residual(point: dict[str, object]) -> float:
        return -0.1 * (point["residual"] != "off")

    found = statistic_importance(planted(40, residual))
    first = next(row for row in found.rows if row.name == "residual sums")
    assert first in found.rows[:2]
    assert first.high < 0
    assert "explains" in found.about


def test_statistics_count_the_network_written_out() -> None:
    (one,) = planted(1)
    base = dict(SPACE.encode(SPACE.fixed_points["v1_3a"]))
    counted = network_statistics(trial(0, {k: v for k, v in base.items() if not k.startswith("@")}, 0.9))
    assert counted["branches of the widest concat"] == 4
    assert counted["convolutions"] == 2 + 4 * 6 + 1  # the stem's, four modules, the reduction
    assert counted["pooling inside modules"] == 4
    assert counted["residual sums"] == 0
    assert counted["share of factorised convolutions"] == 0
    assert counted["share of 5x5 and larger"] == pytest.approx(4 / 27)
    assert counted["log multiply-adds"] == pytest.approx(6.0)
    assert network_statistics(one).keys() == counted.keys()


def test_of_very_many_networks_some_are_looked_at_and_the_text_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("inception_search.analysis.property_importance.MOST", 30)
    few = statistic_importance(planted(30)).about
    many = statistic_importance(planted(90)).about
    assert "Properties of the networks of 30 complete trials, with repeats" in few
    assert "networks of 30 of the 90 complete trials, evenly spaced by number, with repeats" in many
