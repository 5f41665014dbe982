"""``report`` on studies in every state; it may be called while they run."""

from __future__ import annotations

from pathlib import Path

import pytest

from inception_search.runner.remote_executor import DRIVER
from inception_search.store.heartbeat import Presence
from tests.cli.conftest import Command
from tests.example import copy_example


def files(run: Path) -> dict[str, bytes]:
    """What a search reads and writes."""
    made = ("report.html", "best.yaml", "figures")
    known = [path for path in run.rglob("*") if path.is_file()]
    return {str(p): p.read_bytes() for p in known if p.relative_to(run).parts[0] not in made}


def test_a_study_that_was_broken_off(command: Command, tmp_path: Path) -> None:
    run = copy_example(tmp_path / "mine", records=14)
    before = files(run)
    said = command("report", "mine")
    assert said.code == 0
    assert "Not finished: 13 of 34 trials are trained; `inception-search resume mine` continues." in said.out
    html = (run / "report.html").read_text(encoding="utf-8")
    assert "13 of 34 trials are trained; <code>inception-search resume runs/example</code> continues." in html
    assert "13 trained networks are too few for this analysis" in html
    assert files(run) == before


@pytest.mark.usefixtures("without_plots")
def test_a_study_that_runs(command: Command, tmp_path: Path) -> None:
    run = copy_example(tmp_path / "mine", records=14)
    (run / "workers").mkdir()
    with Presence(run / "workers" / DRIVER, {}):
        said = command("report", "mine")
        assert said.code == 0
        assert "Running: 0 trials in progress, last result" in said.out
    assert "Running: 0 trials in progress, last result at 20" in (run / "report.html").read_text(encoding="utf-8")


@pytest.mark.usefixtures("without_plots")
def test_a_study_in_which_nothing_was_trained(command: Command, tmp_path: Path) -> None:
    run = copy_example(tmp_path / "mine")
    lines = [line for line in (run / "trials.jsonl").read_text().splitlines() if '"infeasible"' in line]
    (run / "trials.jsonl").write_text("\n".join(lines) + "\n")
    (run / "journal.log").write_text("")
    (run / "best.yaml").unlink()
    said = command("report", "mine")
    assert said.code == 0
    html = (run / "report.html").read_text(encoding="utf-8")
    assert "No trial has been trained to the last epoch" in html
    assert "multiply-adds" in html
    assert not (run / "best.yaml").exists()


def test_an_empty_study(command: Command, tmp_path: Path) -> None:
    run = copy_example(tmp_path / "mine", records=0)
    said = command("report", "mine")
    assert said.code == 1
    assert said.err == (
        "error: mine/trials.jsonl: the study has no trial to report yet; "
        "Not finished: 0 of 34 trials are trained; `inception-search resume mine` continues.\n"
    )
    assert run.is_dir()


@pytest.mark.usefixtures("without_plots")
@pytest.mark.parametrize("broken", ["space.yaml", "env.json"])
def test_a_damaged_side_file_is_done_without(command: Command, tmp_path: Path, broken: str) -> None:
    run = copy_example(tmp_path / "mine", records=14)
    (run / broken).write_text("{{{")
    assert command("report", "mine").code == 1  # what is damaged is told, the rest is written
    assert "not recorded" in (run / "report.html").read_text(encoding="utf-8") or broken == "space.yaml"


def test_a_place_that_cannot_be_written_to(command: Command, tmp_path: Path) -> None:
    import shutil

    run = copy_example(tmp_path / "mine", records=14)
    shutil.rmtree(run / "figures")
    (run / "figures").write_text("a file")
    said = command("report", "mine")
    assert said.code == 1
    assert said.err.startswith("error: mine/figures")
    assert said.err.count("\n") == 1
