"""What a verb that only reads a run folder says of what is damaged or missing, and where ``report -o`` writes."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

import inception_search as ins
from inception_search.errors import DocumentError
from inception_search.spec.documents.files import with_checksum
from inception_search.store.run_folder import RunFolder
from inception_search.study.damage import damage
from tests.cli.conftest import Command
from tests.example import EXAMPLE, copy_example

RECORDS = 4  # of the example: a report of more has more pictures and forests, which say nothing of damage


def journal_until(number: int) -> str:
    """The example's index as it was when the trial of that number ended."""
    lines = (EXAMPLE / "journal.log").read_text().splitlines(keepends=True)
    ended = (at for at, line in enumerate(lines) if f'"trial_id":{number},' in line and '"op_code":6,' in line)
    return "".join(lines[: next(ended) + 1])


def lose_a_record(run: Path) -> str:
    lines = (run / "trials.jsonl").read_text().splitlines(keepends=True)
    gone = next(line for line in reversed(lines) if '"state": "complete"' in line)
    (run / "trials.jsonl").write_text("".join(line for line in lines if line != gone))
    number = json.loads(gone)["number"]
    (run / "journal.log").write_text(journal_until(number))
    return f"mine/trials.jsonl has lost the record of trial {number}; `inception-search resume` trains it again"


def cut_the_last_line(run: Path) -> str:
    with (run / "trials.jsonl").open("a") as file:
        file.write('{"schema": "incep')
    return "the last line of mine/trials.jsonl is cut off and not read"


def damage_space(run: Path) -> str:
    (run / "space.yaml").write_text("name: [\n")
    return "the space cannot be read: mine/space.yaml"


def damage_environment(run: Path) -> str:
    (run / "env.json").write_text('{"schema"')
    return "mine/env.json cannot be read"


@pytest.mark.usefixtures("without_plots")
@pytest.mark.parametrize("harm", [lose_a_record, cut_the_last_line, damage_space, damage_environment])
def test_report_writes_the_rest_says_what_is_damaged_and_fails(command: Command, tmp_path: Path, harm) -> None:
    run = copy_example(tmp_path / "mine", records=RECORDS)
    (run / "report.html").unlink(missing_ok=True)
    words = harm(run)
    said = command("report", "mine")
    assert said.code == 1
    assert f"warning: {words}" in said.err
    assert (run / "report.html").is_file()


def test_view_says_it_too(command: Command, tmp_path: Path) -> None:
    lose_a_record(copy_example(tmp_path / "mine", records=RECORDS))
    said = command("view", "mine", "--top", "1")
    assert said.code == 1
    assert "has lost the record of trial" in said.err
    assert (tmp_path / "mine.html").is_file()


def test_a_whole_study_has_no_damage(tmp_path: Path) -> None:
    assert damage(RunFolder.open(copy_example(tmp_path / "mine"))) == []


def test_report_elsewhere_changes_nothing_in_the_run_folder(command: Command, tmp_path: Path) -> None:
    run = copy_example(tmp_path / "mine", records=RECORDS)
    shutil.rmtree(run / "figures")
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in run.rglob("*") if path.is_file()}
    folders = {path: path.stat().st_mtime_ns for path in (run, *run.rglob("*")) if path.is_dir()}
    assert command("report", "mine", "-o", "there/deep").code == 0
    there = tmp_path / "there" / "deep"
    assert (there / "report.html").is_file()
    assert (there / "best.yaml").is_file()
    assert list((there / "figures").glob("*.svg"))
    assert command("report", "mine", "-o", "page/study.html").code == 0
    assert [path.name for path in (tmp_path / "page").iterdir()] == ["study.html"]
    assert {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in before} == before
    assert {path: path.stat().st_mtime_ns for path in (run, *run.rglob("*")) if path.is_dir()} == folders


def test_a_changed_digit_of_the_best_network_is_seen(tmp_path: Path) -> None:
    plain = ins.to_yaml(ins.load("inception_v1"))
    (tmp_path / "best.yaml").write_text(with_checksum(plain))
    assert ins.load(tmp_path) == ins.load(tmp_path / "best.yaml") == ins.load("inception_v1")
    whole = (tmp_path / "best.yaml").read_text()
    digit = next(at for at in range(len(whole) - 1, 0, -1) if whole[at].isdigit())
    for changed in (f"{whole[:digit]}{(int(whole[digit]) + 1) % 10}{whole[digit + 1 :]}", whole[:-20]):
        (tmp_path / "best.yaml").write_text(changed)
        for name in (tmp_path, tmp_path / "best.yaml"):
            with pytest.raises(DocumentError, match=r"was changed since it was written.*delete the first line there"):
                ins.load(name)
    (tmp_path / "mine.yaml").write_text(whole.partition("\n")[2])  # deliberately, and as earlier versions wrote it
    assert ins.load(tmp_path / "mine.yaml") == ins.load("inception_v1")


def test_one_trial_is_read_without_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = RunFolder.open(copy_example(tmp_path / "mine"))
    records = run.records()
    by_hand = json.dumps(dict(reversed(json.loads(records[2].to_json()).items())))  # other order, no checksum
    with run.trials_file.open("a") as file:
        file.write(f"{by_hand}\n")
    assert run.numbers() == {record.number for record in records}
    assert [run.record(record.number) for record in records] == records
    assert run.record(10**6) is None
