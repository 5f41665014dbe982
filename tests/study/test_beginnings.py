"""What is trained before a strategy is asked: canonical modules, earlier studies, what proxies like."""

import pytest

from inception_search.errors import RunFolderError
from inception_search.lowering import lower
from inception_search.space.space import Space
from inception_search.study.config import StudyConfig
from inception_search.study.queue import warm_points
from tests.study import conftest
from tests.study.crashes import Crash, crash_at
from tests.study.spaces import THREE_POINTS, TINY


def test_the_best_of_an_earlier_study_are_trained_after_the_canonical_modules(fake_study, tmp_path, monkeypatch):
    earlier = fake_study(trials=8, baselines=False, strategy="random")
    earlier.go()
    ranked = sorted(earlier.records, key=lambda record: -record.value)
    later = conftest.FakeStudy(
        tmp_path / "later", TINY, earlier.world, trials=7, warm_start=str(earlier.run.path), warm_top=3, seed=5
    )
    with monkeypatch.context() as patch:
        crash_at(patch, "record", 4, before=True)
        with pytest.raises(Crash):
            later.go()
    assert later.go()
    records = later.records
    assert [record.origin for record in records] == ["baseline"] * 2 + ["warm_start"] * 3 + ["sampled"] * 2
    warm = records[2:5]
    assert [record.arch_id for record in warm] == [record.arch_id for record in ranked[:3]]
    assert [record.label for record in warm] == [f"run:{record.number}" for record in ranked[:3]]
    assert [record.facts["from_trial"] for record in warm] == [record.number for record in ranked[:3]]


def test_an_earlier_study_that_is_none_or_has_nothing_in_the_space_is_refused(fake_study, tmp_path):
    space = Space(THREE_POINTS)
    with pytest.raises(RunFolderError, match="there is no such run folder"):
        warm_points(space, StudyConfig.of(warm_start=str(tmp_path / "none")))
    earlier = fake_study(trials=2, baselines=False, strategy="random")
    earlier.go()
    with pytest.raises(
        RunFolderError, match=r"none of the trained networks is in space 'three'.*remove it from warm_start"
    ):
        warm_points(space, StudyConfig.of(warm_start=str(earlier.run.path)))


def test_a_proxy_chooses_the_first_points_once(fake_study, monkeypatch):
    asked = []

    def make_scorer(data_file, seed):
        def score(network, names):
            asked.append(names)
            return {"params": float(len(asked) % 7)}

        return score

    monkeypatch.setattr("inception_search.study.search.make_scorer", make_scorer)
    study = fake_study(
        trials=6, baselines=False, strategy="random", warmup_proxy="params", warmup_points=20, warmup_trials=4
    )
    with monkeypatch.context() as patch:
        crash_at(patch, "record", 2, before=True)
        with pytest.raises(Crash):
            study.go()
    assert study.go()
    facts = [record.facts for record in study.records]
    assert ["warm_up" in each for each in facts] == [True] * 4 + [False] * 2
    assert facts[0]["score"] == max(each["score"] for each in facts[:4]) == 6.0
    assert set(asked) == {("params",)}


@pytest.mark.parametrize("max_params", [None, 1400])
def test_a_proxy_chooses_among_points_within_the_limits(fake_study, monkeypatch, max_params):
    scored = []

    def make_scorer(data_file, seed):
        def score(network, names):
            scored.append(lower(network).cost().params)
            return {"params": -float(scored[-1])}

        return score

    monkeypatch.setattr("inception_search.study.search.make_scorer", make_scorer)
    options = {"warmup_proxy": "params", "warmup_points": 30, "warmup_trials": 3, "max_params": max_params}
    study = fake_study(trials=4, baselines=False, strategy="random", **options)
    assert study.go()
    assert len(scored) > 4
    assert max_params is None or max(scored) <= max_params
    assert [record.cost["params"] for record in study.records[:3]] == sorted(scored)[:3]
    assert ["warm_up" in record.facts for record in study.records] == [True] * 3 + [False]


def test_a_network_whose_record_is_gone_is_trained_again(fake_study):
    study = fake_study(trials=6, baselines=False, strategy="random")
    assert study.go()
    before = study.records
    kept = study.run.trials_file.read_bytes().splitlines(keepends=True)
    study.run.trials_file.write_bytes(b"".join(kept[:4] + kept[5:-1]) + kept[-1][:-300])
    assert study.go()
    notes = [text for text in study.notes.notes if "lost the record" in text]
    assert len(notes) == 1
    assert "trials 4, 5; their networks are trained again, as new trials" in notes[0]
    after = {record.number: record for record in study.records}
    assert after.keys() == {0, 1, 2, 3, 6, 7}
    assert [after[6].arch_id, after[7].arch_id] == [before[4].arch_id, before[5].arch_id]
    assert [after[6].value, after[7].value] == [before[4].value, before[5].value]
    study.notes.notes.clear()
    assert study.go()
    assert not [text for text in study.notes.notes if "lost the record" in text]
    assert len(study.records) == 6


def test_a_canonical_module_whose_record_is_gone_is_one_again(fake_study):
    """Also where the Optuna study, which still has the trial, was made from the records in between."""
    study = fake_study(trials=5)
    assert study.go()
    labels = [record.label for record in study.records]
    study.run.journal_file.write_bytes(b"")
    assert study.go()
    study.run.trials_file.write_bytes(b"".join(study.run.trials_file.read_bytes().splitlines(keepends=True)[1:]))
    assert study.go()
    assert {record.state for record in study.records} == {"complete"}
    assert study.records[-1].label == labels[0]
    assert study.records[-1].origin == "baseline"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"trials": 2}, "all 2 trials are canonical modules: use more trials, or no baselines, to search"),
        ({"trials": 3, "max_params": 1400}, "no canonical module can be trained within the budget"),
        ({"trials": 3}, None),
    ],
)
def test_canonical_modules_that_say_nothing_are_told_of(fake_study, options, said):
    study = fake_study(strategy="random", **options)
    study.go()
    assert bool(said) == any("canonical" in text for text in study.notes.notes)
    assert said is None or any(text.startswith(said) for text in study.notes.notes)
    study.notes.notes.clear()
    study.go()
    assert not study.notes.notes
