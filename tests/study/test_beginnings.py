"""What is trained before a strategy is asked: canonical modules, earlier studies, what proxies like."""

import pytest

from inception_search.errors import RunFolderError
from inception_search.space.space import Space
from inception_search.study.config import StudyConfig
from inception_search.study.warm_start import warm_points
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
    with pytest.raises(RunFolderError, match=r"none of the trained networks is in space 'three'.*leave it out"):
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
