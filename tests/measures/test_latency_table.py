"""The cache of latencies: shared, tolerant of whatever became of its file."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import pytest

from inception_search.measures import latency_table
from inception_search.measures.latency_table import LatencyTable, default_file, table


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "latency.json"


def saved(file: Path, **latencies: float) -> LatencyTable:
    cache = LatencyTable(file)
    for key, value in latencies.items():
        cache.put(key, value)
    cache.save()
    return cache


def test_what_is_saved_is_read_again(file: Path) -> None:
    saved(file, a=1.5, b=0.25)
    again = LatencyTable(file)
    assert (again.get("a"), again.get("b"), again.get("c")) == (1.5, 0.25, None)


def test_nothing_new_writes_nothing(file: Path) -> None:
    saved(file)
    assert not file.exists()
    saved(file, a=1.0)
    file.unlink()
    cache = LatencyTable(file)
    cache.save()
    assert not file.exists()


def test_two_processes_keep_what_the_other_found(file: Path) -> None:
    one, two = LatencyTable(file), LatencyTable(file)
    one.put("a", 1.0)
    two.put("b", 2.0)
    one.save()
    two.save()
    assert LatencyTable(file).known == {"a": 1.0, "b": 2.0}
    assert two.get("a") == 1.0


def test_one_table_for_a_file_in_a_process(file: Path) -> None:
    assert table(file) is table(file)
    assert table(file) is not table(file.with_name("other.json"))


DAMAGED = {
    "nothing": "",
    "cut off": '{"schema": "inception-search/latency", "version": 1, "millis',
    "no mapping": "[1, 2]",
    "another schema": '{"schema": "else", "version": 1, "milliseconds": {}}',
    "another version": '{"schema": "inception-search/latency", "version": 2, "milliseconds": {}}',
    "no latencies": '{"schema": "inception-search/latency", "version": 1, "milliseconds": [1]}',
    "a text": '{"schema": "inception-search/latency", "version": 1, "milliseconds": {"a": "1"}}',
    "a NaN": '{"schema": "inception-search/latency", "version": 1, "milliseconds": {"a": NaN}}',
    "less than nothing": '{"schema": "inception-search/latency", "version": 1, "milliseconds": {"a": -1}}',
    "no text": "\x80",
    "too deep": "[" * 100_000,
}


@pytest.mark.parametrize("text", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_file_is_told_and_written_anew(file: Path, text: str) -> None:
    file.parent.mkdir()
    file.write_text(text, encoding="latin-1")
    with pytest.warns(UserWarning, match=r"^the latency cache .*latency\.json is damaged and will be replaced$"):
        cache = LatencyTable(file)
    assert cache.known == {}
    cache.put("a", 1.0)
    with pytest.warns(UserWarning, match="is damaged"):
        cache.save()
    assert LatencyTable(file).known == {"a": 1.0}


def test_a_file_that_cannot_be_read_is_told_once_and_left_alone(file: Path) -> None:
    file.mkdir(parents=True)
    with pytest.warns(
        UserWarning, match=r"cannot be read \(Is a directory\): latencies are kept in memory only"
    ) as told:
        cache = LatencyTable(file)
    assert len(told) == 1
    cache.put("a", 1.0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        cache.save()
    assert cache.get("a") == 1.0
    assert file.is_dir()


def test_a_folder_that_cannot_be_made_is_told_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    cache = LatencyTable(tmp_path / "none" / "latency.json")
    cache.file = tmp_path / "file" / "latency.json"  # the folder became a file
    cache.put("a", 1.0)
    with pytest.warns(UserWarning, match=r"cannot be (read|written) \(Not a directory\)") as told:
        cache.save()
    assert len(told) == 1
    cache.put("b", 2.0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        cache.save()
    assert cache.known == {"a": 1.0, "b": 2.0}


def test_a_full_disk_is_told_once(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from inception_search.errors import StorageFullError

    def full(path: Path, data: str) -> None:
        raise StorageFullError("the disk is full")

    monkeypatch.setattr(latency_table, "write_atomic", full)
    with pytest.warns(UserWarning, match=r"cannot be written \(the disk is full\): latencies are kept in memory only"):
        cache = saved(file, a=1.0)
    assert cache.get("a") == 1.0


@pytest.mark.parametrize(("given", "folder"), [("", None), ("relative/path", None), ("/somewhere", "/somewhere")])
def test_the_users_cache_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, given: str, folder: str | None
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", given)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert default_file() == Path(folder or tmp_path / ".cache") / "inception-search" / "latency.json"


def test_the_file_is_plain_and_sorted(file: Path) -> None:
    saved(file, b=2.0, a=1.0)
    data = json.loads(file.read_text())
    assert (data["schema"], data["version"]) == ("inception-search/latency", 1)
    assert list(data["milliseconds"].items()) == [("a", 1.0), ("b", 2.0)]
