"""The study in runs/example: every verb can be tried on it, and its report comes out the same anywhere."""

from __future__ import annotations

import re
from importlib.metadata import version
from pathlib import Path

import pytest

from inception_search.report.study_report import write_study_report
from inception_search.store.run_folder import RunFolder
from inception_search.study.study import Study
from tests.example import EXAMPLE, copy_example

LARGEST = 1_500_000  # bytes of all of it


def committed() -> list[Path]:
    files = [path for path in sorted(EXAMPLE.rglob("*")) if path.is_file()]
    return [path for path in files if path.name != "run.lock" and path.parent.name != "checkpoints"]


def test_its_report_comes_out_the_same_in_another_folder(tmp_path: Path) -> None:
    recorded = RunFolder.open(EXAMPLE).environment_file.read_text(encoding="utf-8")
    assert f'"optuna": "{version("optuna")}"' in recorded, "make the example again with these versions"
    run = copy_example(tmp_path / "elsewhere")
    for path in (run / "figures").iterdir():
        path.unlink()
    (run / "report.html").unlink()
    written = write_study_report(RunFolder.open(run))
    assert len(written) > 15
    for path in written:
        assert path.read_bytes() == (EXAMPLE / path.relative_to(run)).read_bytes(), path.name
    assert {path.name for path in (run / "figures").iterdir()} == {p.name for p in (EXAMPLE / "figures").iterdir()}


def test_it_has_something_of_everything_a_report_shows() -> None:
    study = Study.open(EXAMPLE)
    states = {record.state for record in study.records}
    assert {"complete", "pruned", "infeasible"} <= states
    assert len(study.front) >= 3
    html = (EXAMPLE / "report.html").read_text(encoding="utf-8")
    for words in ("share of the variance", "Spearman", "runs/example-again"):
        assert words in html


def test_a_report_of_a_study_that_wrote_no_defaults_down_shows_what_was_used(tmp_path: Path) -> None:
    run = RunFolder.open(copy_example(tmp_path / "older"))
    lines = run.study_text().splitlines()
    older = [
        f"{line.split(':')[0]}: null" if line.startswith(("learning_rate:", "schedule:")) else line for line in lines
    ]
    run.study_file.write_text("\n".join(older) + "\n")
    html = write_study_report(run)[0].read_text(encoding="utf-8")
    assert "learning rate 0.1, schedule one_cycle" in html


def test_it_is_small_and_names_no_machine() -> None:
    files = committed()
    assert sum(path.stat().st_size for path in files) < LARGEST
    for path in files:
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"(?<![\w.])/(home|root|tmp|work|Users|mnt|var)/", text), path.name


@pytest.mark.parametrize("number", [0, 3, 30])
def test_its_trials_can_be_drawn(number: int, tmp_path: Path) -> None:
    from inception_search.items import item

    found = item(f"{EXAMPLE}:{number}")
    assert found.network.name == "inception_modules"
