"""Records and results under the ids of earlier versions: nothing is trained twice because its id is another."""

from typing import Any

import pytest

from inception_search.spec.documents.parse import network_from_data
from inception_search.spec.identity.arch_id import arch_id, known_ids, may_have_another_id
from inception_search.spec.network import Network
from inception_search.study import trial
from inception_search.study.feasibility import present_id
from tests.study.crashes import Crash, crash_at

# Two orders of one concat that is added to filters, and a network of its own.
TWO_ORDERS = """\
schema: inception-search/space
version: 1
name: orders
network:
  name: orders
  input: 1x8x8
  stages:
    stem: 3x3 12
    cell:
      $choice:
        here: {block: {skip: add, body: {concat: [1x1 4, 3x3 8]}}}
        there: {block: {skip: add, body: {concat: [3x3 8, 1x1 4]}}}
        other: {block: {skip: add, body: 3x3 12}}
  head: {pool: avg, classes: 10}
"""


def former(network: Network) -> str:
    """The id that an earlier version gave ``network``."""
    return known_ids(network)[-1]


def test_what_was_trained_under_an_earlier_id_is_not_trained_again(fake_study: Any, monkeypatch: Any) -> None:
    study = fake_study(TWO_ORDERS, trials=1, seed=3)
    with monkeypatch.context() as patch:
        patch.setattr(trial, "arch_id", former)
        assert study.go()
    [old] = study.records
    assert old.holes["cell"] in ("here", "there"), "choose another seed"
    assert old.arch_id.startswith("a1-")
    study.go(trials=3)
    trained = [record for record in study.records if record.state == "complete"]
    assert len({arch_id(network_from_data(record.network)) for record in trained}) == len(trained) == 2
    assert trained[0] == old, "a record stays as it was written"


def test_a_result_of_an_earlier_version_is_taken_over(fake_study: Any, monkeypatch: Any) -> None:
    study = fake_study(TWO_ORDERS, trials=1, seed=3)
    with monkeypatch.context() as patch:
        patch.setattr(trial, "arch_id", former)
        crash_at(patch, "record", 1, before=True)
        with pytest.raises(Crash):
            study.go()
    before = dict(study.world.epochs)
    assert study.go()
    assert study.world.epochs == before, "it was trained again"
    assert [record.state for record in study.records] == ["complete"]


def test_ids_of_records_are_made_anew_only_where_they_may_differ(fake_study: Any) -> None:
    study = fake_study(trials=1)
    assert study.go()
    [record] = study.records
    assert not may_have_another_id(record.network)
    assert present_id(record) == record.arch_id == arch_id(network_from_data(record.network))
    damaged = record.model_copy(update={"network": {"kind": "dag"}})
    assert present_id(damaged) == record.arch_id
