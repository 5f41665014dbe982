"""Searches from Python: typed keywords, live progress, and what a prompt or a notebook shows of a study."""

import inspect
import io
from pathlib import Path

import pytest
import rich.console

import inception_search as ins
from inception_search.live_progress import watched, watched_finals
from inception_search.progress_console import progress_console
from inception_search.store.record import ROWS, Records
from inception_search.store.run_folder import RunFolder
from inception_search.study.config import StudyConfig, option_names
from inception_search.study.final.options import FinalOptions
from inception_search.study.study import Study
from inception_search.typed_options import FinalizeOptions, SearchOptions
from tests.example import EXAMPLE

WIDEST = 160  # characters of a line at a prompt


def test_every_option_is_a_typed_keyword_with_its_default() -> None:
    assert set(SearchOptions.__annotations__) == set(option_names()) - {"space"}
    assert set(FinalizeOptions.__annotations__) == set(FinalOptions.model_fields)
    search, finalize = inspect.signature(ins.search).parameters, inspect.signature(ins.finalize).parameters
    assert set(search) == {"space", "progress", "observer", "config", *SearchOptions.__annotations__}
    assert (search["trials"].default, search["trials"].kind) == (40, inspect.Parameter.KEYWORD_ONLY)
    assert (finalize["seeds"].default, finalize["max_macs"].annotation) == (3, "int | None")


def test_the_space_has_its_default_too(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[object] = []

    def search(space: object, **_: object) -> Study:
        given.append(space)
        return Study.open(EXAMPLE)

    monkeypatch.setattr("inception_search.study.search.search", search)
    monkeypatch.setattr("inception_search.report.study_report.write_study_report", lambda *_: [])
    ins.search(trials=1, progress=False)
    ins.search(config=StudyConfig(space="nin"), progress=False)
    ins.search("inception", config=StudyConfig(space="nin"), progress=False)
    assert given == ["inception_modules", "nin", "inception"]


def test_a_study_and_its_records_fit_a_screen() -> None:
    study = Study.open(EXAMPLE)
    for shown in (repr(study), repr(study.best), repr(study.records[3]), str(study.records[3])):
        assert len(shown) <= WIDEST + len(str(EXAMPLE))
        assert "\n" not in shown
    assert "32 complete, 2 pruned, 1 infeasible" in repr(study)
    assert "97.77 % after 6 epochs" in repr(study.best)
    lines = repr(study.records).splitlines()
    assert (len(lines), lines[0], lines[-1]) == (ROWS + 2, "35 trials:", "  ... and 15 more")
    assert max(map(len, lines)) <= WIDEST
    assert isinstance(study.records, list)
    assert repr(Records()) == "no trials"


def test_a_notebook_shows_tables_with_escaped_texts() -> None:
    study = Study.open(EXAMPLE)
    for shown in (study, study.best, study.records, study.records[0]):
        html = shown._repr_html_()
        assert html.startswith("<table>")
        assert html.count("<tr>") <= ROWS + 1
    hostile = study.records[0].model_copy(update={"label": "<script>"})
    assert "<script>" not in hostile._repr_html_()


def test_a_notebook_without_widgets_shows_lines(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(rich.console, "_is_jupyter", lambda: True)
    monkeypatch.setattr("inception_search.progress_console.find_spec", lambda name: None)
    with watched() as observer, watched_finals() as finals:
        observer.note("one")
        finals.note("two")
    assert capsys.readouterr().err.split() == ["note:", "one", "note:", "two"]


def test_a_notebook_with_widgets_is_drawn_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rich.console, "_is_jupyter", lambda: True)
    monkeypatch.setattr("inception_search.progress_console.find_spec", lambda name: object())
    assert progress_console().is_jupyter


def test_a_search_that_is_refused_leaves_no_display_behind(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ins.InceptionSearchError, match="unknown option"):
        ins.search("inception_modules", trails=3, run=tmp_path / "run")  # type: ignore[call-arg]
    with watched(rich.console.Console(file=io.StringIO())):
        pass
    assert capsys.readouterr().err == ""


def test_a_search_that_is_stopped_says_how_to_continue(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = RunFolder.create(tmp_path / "run", study_text="fake: true\n", space_text="")
    monkeypatch.setattr("inception_search.study.search.search", lambda *_, **__: Study(run, finished=False))
    assert not ins.search("inception_modules").finished
    assert capsys.readouterr().err == f"note: stopped; to continue: ins.resume({str(run.path)!r})\n"
    assert not ins.search("inception_modules", progress=False).finished
    assert capsys.readouterr().err == ""
