"""The report on a study: what counts as a network, what is kept, and what is refused."""

from __future__ import annotations

import errno
import json
from pathlib import Path

import pytest

from inception_search.errors import ConfigError, DocumentError, RunFolderError, TrainingError, UnknownNameError
from inception_search.lowering import lower
from inception_search.spec.network import Network
from inception_search.store.disk import explain
from inception_search.store.run_folder import RunFolder
from inception_search.study import proxy_scores
from inception_search.study.proxy_report import architectures, proxy_report
from tests.proxies.made_study import made, networks, record

FREE = ["synflow"]


def by_params(network: Network, number: int) -> float:
    """As if the larger were the better."""
    return 0.5 + 1e-6 * lower(network).cost().params


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    return made(tmp_path / "run", by_params)


@pytest.fixture
def forbidden(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing may be computed or loaded any more."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("computed again")

    monkeypatch.setattr("inception_search.proxies.score.score_with_reasons", refuse)
    monkeypatch.setattr("inception_search.study.proxy_report.make_plan", refuse)


def test_all_proxies_of_a_study(run: RunFolder) -> None:
    from inception_search.proxies.table import PROXIES

    heard: list[tuple[int, int]] = []
    found = proxy_report(run, images=16, progress=lambda done, total: heard.append((done, total)))
    rows = {row.name: row for row in found.rows}
    assert set(rows) | set(found.left_out) == set(PROXIES)
    assert (rows["params"].correlation.spearman, rows["params"].verdict) == (pytest.approx(1), "baseline")
    assert (found.baseline, found.networks, found.top_networks, found.notes) == ("params", 8, 0, ())
    assert heard == [(done, 8) for done in range(9)]


def test_baselines_are_always_there_and_a_second_time_is_free(run: RunFolder, request: pytest.FixtureRequest) -> None:
    first = proxy_report(run, ["naswot"], images=16, seeds=2)
    assert {row.name for row in first.rows} == {"params", "macs", "naswot"}
    request.getfixturevalue("forbidden")
    assert proxy_report(run, ["naswot"], images=16, seeds=2) == first
    proxy_report(run, ["naswot"], images=16, seeds=1)
    for other in ({"images": 17}, {"seeds": 3}):
        with pytest.raises(AssertionError, match="computed again"):
            proxy_report(run, ["naswot"], **{"images": 16, **other})


def test_several_seeds_are_averaged(run: RunFolder) -> None:
    proxy_report(run, ["zen"], seeds=2)
    kept = json.loads((run.path / "proxies.json").read_text())["scores"]
    zens = {key: value for key, value in kept.items() if " zen " in key}
    assert len(zens) == 16
    assert len(set(zens.values())) == 16


@pytest.mark.parametrize(
    "text",
    ["", "{", "[1]", "\x00", "[" * 100_000, '{"schema": "inception-search/proxies", "version": 99, "scores": {}}',
     '{"schema": "inception-search/proxies", "version": 1, "scores": {"a": null}}',
     '{"schema": "inception-search/proxies", "version": 1, "scores": {"a": Infinity}}'],
)  # fmt: skip
def test_a_damaged_file_is_made_anew(run: RunFolder, text: str) -> None:
    first = proxy_report(run, FREE)
    good = (run.path / "proxies.json").read_text()
    (run.path / "proxies.json").write_text(text)
    again = proxy_report(run, FREE)
    assert again.rows == first.rows
    assert ["replaced" in note for note in again.notes] == [True]
    assert (run.path / "proxies.json").read_text() == good
    assert proxy_report(run, FREE).notes == ()


def test_a_folder_that_cannot_be_written_to_is_read(run: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, _: str) -> None:
        raise explain(OSError(errno.EROFS, "read-only"), path)

    monkeypatch.setattr(proxy_scores, "write_atomic", full)
    found = proxy_report(run, FREE)
    assert len(found.rows) == 3
    assert ["not saved" in note and "read-only" in note for note in found.notes] == [True]


def test_what_was_computed_before_ctrl_c_is_kept(run: RunFolder) -> None:
    def stop(done: int, total: int) -> None:
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        proxy_report(run, FREE, progress=stop)
    assert len(json.loads((run.path / "proxies.json").read_text())["scores"]) == 3 * 3


def test_which_trials_count() -> None:
    first, second = networks(2)
    records = [
        record(0, first, 0.5),
        record(1, second, 0.9, state="pruned", reason="below the median"),
        record(2, second, 0.6),
        record(3, first, 0.7, repeat_of=0),
        record(4, second, state="failed", reason="diverged"),
        record(5, first, state="duplicate", duplicate_of=0),
        record(6, second, 0.8, arch_id=None),  # as very old records have it
    ]
    found = architectures(records)
    assert [(one.record.number, one.accuracy) for one in found] == [(0, pytest.approx(0.6)), (2, pytest.approx(0.7))]
    assert [one.network() for one in found] == [first, second]


REFUSED = [
    ({"names": ["snp"]}, UnknownNameError, "did you mean 'snip'"),
    ({"names": []}, ConfigError, "no proxies"),
    ({"images": 0}, ConfigError, "1 to 4096"),
    ({"seeds": 101}, ConfigError, "1 to 100"),
]


@pytest.mark.parametrize(("options", "error", "words"), REFUSED)
def test_what_cannot_be_asked(tmp_path: Path, options: dict, error: type[Exception], words: str) -> None:
    run = made(tmp_path / "run", by_params, 5)
    with pytest.raises(error, match=words):
        proxy_report(run, **options)
    assert not (run.path / "proxies.json").exists()


@pytest.mark.parametrize(
    ("count", "value", "words"),
    [(0, 0.5, "no architectures trained"), (1, 0.5, "1 architecture trained"), (4, None, "4 architectures trained"),
     (6, 0.5, "6 architectures, all equally accurate")],
)  # fmt: skip
def test_too_few_networks(tmp_path: Path, count: int, value: float | None, words: str) -> None:
    run = made(tmp_path / "run", lambda _, number: value or 0.1 * number, count)
    with pytest.raises(TrainingError, match=words) as caught:
        proxy_report(run)
    assert f"resume {run.path} --trials 30" in str(caught.value)
    assert "at least 5" in str(caught.value)


def test_other_data_than_the_study_had(run: RunFolder) -> None:
    text = run.study_file.read_text()
    run.study_file.write_text(text.replace("train_images: 64", "train_images: 32"))
    with pytest.raises(RunFolderError, match="on other data"):
        proxy_report(run, FREE)


def test_a_damaged_study_file(run: RunFolder) -> None:
    run.study_file.write_text("- 1\n")
    with pytest.raises((ConfigError, DocumentError)):
        proxy_report(run, FREE)
