"""A password in ``storage:`` reaches the driver and nothing that is shown or stored."""

from __future__ import annotations

import logging
import pickle
from pathlib import Path
from typing import Any

import pytest

from inception_search.credentials import masked
from inception_search.errors import ConfigError
from inception_search.optuna_bridge import storage_url
from inception_search.optuna_bridge.storage import does_not_open
from inception_search.optuna_bridge.storage_url import VARIABLE, StorageUrl, unlocked
from inception_search.report.study_report import write_study_report
from inception_search.store.run_folder import RunFolder
from inception_search.study.config import StudyConfig
from inception_search.study.observer import Observer
from inception_search.study.search import resume, search
from tests.example import copy_example
from tests.study.spaces import TINY

SECRET = "s3cr-et"
SHOWN = {
    f"postgresql://u:{SECRET}@db.example/x": "postgresql://u:***@db.example/x",
    f"postgresql://u:{SECRET}@ss/w:{SECRET}@db.example:5432/x?a=b": "postgresql://u:***@db.example:5432/x?a=b",
    f"mysql+pymysql://:{SECRET}@[::1]/x": "mysql+pymysql://:***@[::1]/x",
    f"postgresql://db/x?user=a&password={SECRET}&sslpassword={SECRET}&sslkey=/k": (
        "postgresql://db/x?user=a&password=***&sslpassword=***&sslkey=/k"
    ),
    f"mssql+pyodbc:///?odbc_connect=PWD%3D{SECRET}": "mssql+pyodbc:///?odbc_connect=***",
    f"https://{SECRET}@host/a.zip": "https://***@host/a.zip",
    f"https://host/a.zip?access_token={SECRET}&x=1": "https://host/a.zip?access_token=***&x=1",
    "postgresql://u@db.example/x": "postgresql://u@db.example/x",
    "sqlite:////home/me@work/a=b.db": "sqlite:////home/me@work/a=b.db",
    "inception_v3@keras: conv.width, got 3": "inception_v3@keras: conv.width, got 3",
}
FULL = f"postgresql://u:{SECRET}@db.example/x"
BARE = "postgresql://u@db.example/x"


@pytest.fixture(autouse=True)
def no_passwords(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in (VARIABLE, "PGPASSWORD"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PGPASSFILE", str(tmp_path / "none"))


def nobody(question: str) -> None:
    """There is no terminal."""


@pytest.mark.parametrize("text", SHOWN)
def test_what_is_shown_of_a_text(text: str) -> None:
    assert masked(text) == SHOWN[text]
    assert masked(f"it says: {text} does not answer") == f"it says: {SHOWN[text]} does not answer"
    assert masked(SHOWN[text]) == SHOWN[text]


@pytest.mark.parametrize("part", ["a.", "x:/a:", ";a.b"])
def test_a_long_text_takes_no_time_that_grows_with_its_square(part: str) -> None:
    """It would be a quarter of an hour."""
    text = f"@{part * 30_000} ="
    assert masked(text) == text
    assert SECRET not in masked(f"{'x' * 100}_{FULL}")


@pytest.mark.parametrize("text", SHOWN)
def test_an_option_shows_no_password_and_opens_with_it(text: str) -> None:
    config = StudyConfig.of(storage=text)
    shown = [repr(config), str(config), str(config.model_dump()), config.model_dump_json(), config.text({})]
    assert not any(SECRET in each for each in shown)
    assert config.storage == SHOWN[text]
    for same in (config.model_copy(), StudyConfig.of(**config.model_dump()), pickle.loads(pickle.dumps(config))):
        assert isinstance(same.storage, StorageUrl)
        assert same.storage.whole == text


def test_an_error_shows_none() -> None:
    for error in (
        ConfigError(f"no answer from {FULL}", found=FULL, expected=FULL, hint=FULL),
        does_not_open(FULL, RuntimeError(f"no route for password={SECRET} to {FULL}: {SECRET!r}")),
        does_not_open(f"postgresql://u:{SECRET}%21@db/x", RuntimeError(f"refused {SECRET}!")),
    ):
        assert SECRET not in str(error)
        assert "***" in str(error)


class TestWhereAPasswordIsFound:
    def test_in_the_url_itself(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv(VARIABLE, "postgresql://u:another@db.example/x")
        url = unlocked(StorageUrl(FULL), nobody)
        assert url is not None
        assert url.whole == FULL

    @pytest.mark.parametrize("stored", ["postgresql://u:***@db.example/x", BARE])
    def test_in_the_environment(self, monkeypatch: pytest.MonkeyPatch, stored: str) -> None:
        monkeypatch.setenv(VARIABLE, FULL)
        url = unlocked(StorageUrl(stored), nobody)
        assert url is not None
        assert (url, url.whole) == (stored, FULL)

    def test_at_a_terminal(self) -> None:
        asked: list[str] = []
        ask = lambda question: asked.append(question) or "a/b@c"  # noqa: E731
        url = unlocked(StorageUrl("mysql://u:***@db/x?charset=utf8&sslpassword=***&y=1"), ask)
        assert url is not None
        assert url.whole == "mysql://u:a%2Fb%40c@db/x?charset=utf8&sslpassword=a%2Fb%40c&y=1"
        assert [question.split(" of ")[0] for question in asked] == ["password", "sslpassword"]
        assert "***" in str(url)

    @pytest.mark.parametrize("where", ["PGPASSWORD", "pgpass", "nowhere"])
    def test_by_the_driver_of_postgresql(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, where: str) -> None:
        def ask(question: str) -> str | None:
            assert where == "nowhere", "not asked for what the driver finds itself"
            return None

        if where == "PGPASSWORD":
            monkeypatch.setenv("PGPASSWORD", SECRET)
        elif where == "pgpass":
            (tmp_path / "none").write_text("*:*:*:*:secret")
        url = unlocked(StorageUrl("postgresql://u:***@db.example/x"), ask)
        assert url is not None
        assert url.whole == BARE
        said = str(does_not_open(url, RuntimeError("no password supplied")))
        assert f"no password was found: set the environment variable {VARIABLE} to the whole URL" in said

    @pytest.mark.parametrize("known", [None, f"mysql://u:{SECRET}@other/x"])
    def test_nowhere(self, monkeypatch: pytest.MonkeyPatch, known: str | None) -> None:
        if known:
            monkeypatch.setenv(VARIABLE, known)
        with pytest.raises(ConfigError, match=f"the password of the storage .* is unknown.*{VARIABLE}") as raised:
            unlocked(StorageUrl("mysql://u:***@db/x"), nobody)
        assert SECRET not in str(raised.value)


def everything(folder: Path) -> str:
    """All that a run folder holds, as text."""
    return "".join(path.read_bytes().decode("latin-1") for path in folder.rglob("*") if path.is_file())


class Listener(Observer):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)


def opened_as_sqlite(monkeypatch: pytest.MonkeyPatch, real: str) -> list[str]:
    """Databases that take any password: every URL is opened as ``real``; the URLs that were opened."""
    seen: list[str] = []
    from inception_search.optuna_bridge import live_study, storage

    whole = storage.open_storage

    def open_it(url: str) -> Any:
        seen.append(str(StorageUrl(url).whole))
        return whole(real)

    monkeypatch.setattr(storage, "open_storage", open_it)
    monkeypatch.setattr(live_study, "open_storage", open_it)
    return seen


def test_a_study_keeps_no_password_and_goes_on_with_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "inception_search")
    seen = opened_as_sqlite(monkeypatch, f"sqlite:///{tmp_path / 'index.db'}")
    run, listener = tmp_path / "run", Listener()
    options = {"epochs": 1, "train_images": 64, "image_size": 8, "baselines": False}
    study = search(TINY, storage=FULL, run=run, trials=1, observer=listener, **options)
    write_study_report(study.run)
    assert set(seen) == {FULL}
    assert "storage: postgresql://u:***@db.example/x" in (run / "study.yaml").read_text()
    assert "postgresql://u:***@db.example/x" in (run / "report.html").read_text()
    monkeypatch.setenv(VARIABLE, FULL)
    seen.clear()
    resume(run, trials=2, observer=listener)
    assert set(seen) == {FULL}
    assert SECRET not in everything(run) + caplog.text + repr(listener.notes) + repr(study.config)


def test_a_study_of_before_that_has_its_password_in_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    run = copy_example(tmp_path / "mine", records=12)
    file = run / "study.yaml"
    text = file.read_text()
    file.write_text(text.replace("storage: null", f"storage: {FULL}"))
    assert SECRET in file.read_text()
    folder = RunFolder.open(run)
    assert str(StudyConfig.read(file).storage) == "postgresql://u:***@db.example/x"
    assert SECRET not in repr(StudyConfig.read(file))
    write_study_report(folder)
    file_text, rest = file.read_text(), {p: p.read_bytes() for p in run.rglob("*") if p.is_file() and p != file}
    assert SECRET in file_text
    assert not any(SECRET.encode() in data for data in rest.values())
    assert "taken out of this file" in str(storage_url.password_in(file_text))
    assert storage_url.password_in(StudyConfig.read(file).text({})) is None
