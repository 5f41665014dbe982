"""An Optuna study in a storage of the user's that goes away, comes back, or was never there."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import optuna
import pytest
from optuna.exceptions import StorageInternalError
from optuna.trial import TrialState

from inception_search.errors import ConfigError, MissingRequirementError
from inception_search.optuna_bridge.live_study import LiveStudy
from inception_search.optuna_bridge.storage import check_storage, open_storage
from inception_search.study import loop as driver
from inception_search.study.search import resume, search
from tests.study.crashes import check
from tests.study.spaces import TINY


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'index.db'}"


@contextmanager
def outage(patch: pytest.MonkeyPatch, calls: int = 10**9) -> Iterator[None]:
    """The storage does not answer to so many calls."""
    left = [calls]

    def broken(real):
        def call(*args, **kwargs):
            left[0] -= 1
            if left[0] >= 0:
                raise StorageInternalError("the server is gone: me:secret@there")
            return real(*args, **kwargs)

        return call

    with patch.context() as inner:
        for name in ("_add", "_report", "_finish"):
            inner.setattr(LiveStudy, name, broken(getattr(LiveStudy, name)))
        inner.setattr(driver, "_FLUSH", 0.0 if calls > 1000 else 5.0)
        yield


def agrees(study) -> None:
    """What the storage has is what the records say."""
    for record, trial in zip(study.records, study.index, strict=True):
        assert (trial.number, trial.state, trial.params) == (record.number, TrialState.COMPLETE, record.holes)
        assert trial.values == [record.objectives[name] for name in record.objectives]


@pytest.mark.parametrize("objectives", ["accuracy", "accuracy,macs", "loss,params"])
def test_a_storage_that_goes_away_is_told_by_the_next_session(fake_study, monkeypatch, url, objectives):
    study = fake_study(trials=8, storage=url, pruner="none", objectives=objectives)
    with outage(monkeypatch):
        assert study.go(capacity=2)
    assert [record.state for record in study.records] == ["complete"] * 8
    said = [note for note in study.notes.notes if "storage" in note]
    assert len(said) == 2
    assert said[0] == f"the Optuna storage at {url} does not answer; the search continues without it"
    assert "is not up to date" in said[1]
    assert study.go(capacity=2)
    agrees(study)


def test_one_that_comes_back_is_told_before_the_search_ends(fake_study, monkeypatch, url):
    study = fake_study(trials=6, storage=url, pruner="none")
    with outage(monkeypatch, calls=2):
        assert study.go(capacity=2)
    assert [note.partition(";")[0] for note in study.notes.notes] == [
        f"the Optuna storage at {url} does not answer",
        "the Optuna storage answers again and is up to date",
    ]
    agrees(study)


def test_a_kill_in_an_outage_costs_the_index_nothing(fake_study, monkeypatch, url):
    from tests.study.crashes import Crash, crash_at

    study = fake_study(trials=6, storage=url, pruner="none")
    with outage(monkeypatch), monkeypatch.context() as patch:
        crash_at(patch, "record", 3, before=False)
        with pytest.raises(Crash):
            study.go(capacity=2)
    assert study.go()
    agrees(study)
    check(study, 6)


WRONG = [
    ("sqlite:////nowhere/at/all/index.db", "unable to open database file"),
    ("postgresql://me:secret@127.0.0.1:9/studies", "."),
    ("redis://me:secret@127.0.0.1:9", "sqlalchemy.dialects:redis"),
    ("nonsense", "."),
]


@pytest.mark.parametrize(("wrong", "words"), WRONG)
def test_a_storage_that_cannot_be_opened_is_told_before_anything_is_written(tmp_path, wrong, words):
    run = tmp_path / "run"
    with pytest.raises(ConfigError, match=f"the Optuna storage at .* cannot be opened.*{words}") as raised:
        search(TINY, storage=wrong, run=run, trials=1, train_images=64, image_size=8)
    assert "secret" not in str(raised.value)
    assert "\n" not in str(raised.value)
    assert not run.exists()


def test_a_missing_driver_is_an_error_that_names_its_package(monkeypatch):
    monkeypatch.setattr("inception_search.optuna_bridge.storage.find_spec", lambda name: None)
    with pytest.raises(MissingRequirementError, match=r"@host/db needs a driver of PostgreSQL.*psycopg") as raised:
        check_storage("postgresql://me:secret@host/db")
    assert "secret" not in str(raised.value)


def test_studies_of_the_same_name_do_not_meet_in_a_storage_and_move_with_their_folders(tmp_path, url):
    options = {"storage": url, "trials": 1, "epochs": 1, "train_images": 64, "image_size": 8, "baselines": False}
    for parent in ("a", "b"):
        search(TINY, run=tmp_path / parent / "run", **options)
    moved = (tmp_path / "a" / "run").rename(tmp_path / "c")
    resume(moved, trials=2)
    storage = open_storage(url)
    found = {name: len(optuna.load_study(study_name=name, storage=storage).trials) for name in names(url)}
    assert sorted(found.values()) == [1, 2]
    assert all(name.startswith("inception-search: run ") for name in found)


def names(url: str) -> list[str]:
    return [summary.study_name for summary in optuna.get_all_study_summaries(storage=open_storage(url))]
