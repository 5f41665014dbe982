import random

import pytest

from inception_search.store.query import baselines, best, counts, leaderboard


def numbers(records):
    return [record.number for record in records]


def sample(make_record):
    records = [
        make_record(number=0, value=0.9, cost={"macs": 500}, arch_id="a", origin="baseline", label="v3"),
        make_record(number=1, value=0.95, cost={"macs": 900}, arch_id="b"),
        make_record(number=2, value=0.9, cost={"macs": 100}, arch_id="c"),
        make_record(number=3, value=0.9, cost={"macs": 100}, arch_id="d"),
        make_record(number=4, value=0.9, cost={}, arch_id="e"),
        make_record(number=5, value=0.1, cost={"macs": 1}, arch_id="a"),
        make_record(number=6, state="failed", reason="diverged", value=0.99, origin="baseline"),
        make_record(number=7, state="pruned", value=0.99),
        make_record(number=8, state="duplicate", duplicate_of=1, value=0.95, arch_id="b"),
        make_record(number=9, state="infeasible", reason="too large", value=None),
        make_record(number=10, state="failed", reason="diverged", value=None),
    ]
    random.Random(0).shuffle(records)
    return records


def test_the_leaderboard_orders_by_value_then_macs_then_number(make_record):
    records = sample(make_record)
    assert numbers(leaderboard(records)) == [1, 2, 3, 0, 4, 5]
    assert numbers(leaderboard(records, top=2)) == [1, 2]
    assert numbers(leaderboard(records, top=0)) == []


@pytest.mark.parametrize(
    ("objectives", "expected"),
    [
        ({"loss": [0.5, 0.4, 0.6]}, [1, 0, 2]),
        ({"macs": [3, 2, 1], "loss": [0.5, 0.4, 0.6]}, [1, 0, 2]),
        ({"accuracy": [0.7, 0.8, 0.9], "loss": [0.5, 0.4, 0.6]}, [2, 1, 0]),
        ({"loss": [0.5, 0.4, 0.6], "accuracy": [0.7, 0.8, 0.9]}, [1, 0, 2]),
        ({"macs": [3, 2, 1]}, [2, 1, 0]),
    ],
)
def test_a_study_of_the_loss_is_ranked_by_the_loss(make_record, objectives, expected):
    values = [dict(zip(objectives, row, strict=True)) for row in zip(*objectives.values(), strict=True)]
    accuracies = (0.7, 0.8, 0.9)
    records = [
        make_record(number=number, value=accuracy, objectives=known, arch_id=str(number))
        for number, (accuracy, known) in enumerate(zip(accuracies, values, strict=True))
    ]
    assert numbers(leaderboard(records)) == expected
    assert best(records).number == expected[0]


def test_the_best_is_the_first_of_the_leaderboard(make_record):
    records = sample(make_record)
    assert best(records).number == 1
    assert best(r for r in records if r.state != "complete") is None


def test_baselines_are_there_whatever_became_of_them(make_record):
    assert numbers(baselines(sample(make_record))) == [0, 6]


def test_counts_name_every_state(make_record):
    assert counts(sample(make_record)) == {
        "complete": 6,
        "pruned": 1,
        "paused": 0,
        "infeasible": 1,
        "failed": 2,
        "duplicate": 1,
    }
    assert set(counts([]).values()) == {0}
