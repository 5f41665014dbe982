import errno
import json
import os
import re
import signal

import pytest

from inception_search.errors import DocumentError, RunFolderError, RunInUseError, SchemaVersionError
from inception_search.store import run_folder
from inception_search.store.lease import hold
from inception_search.store.run_folder import RunFolder
from tests.trial_results import write_result

TEXTS = {"study_text": "trials: 40  # grün\n", "space_text": "space: small\n"}
MADE = [
    "checkpoints",
    "figures",
    "jobs",
    "journal.log",
    "results",
    "run.lock",
    "space.yaml",
    "study.yaml",
    "trials.jsonl",
    "workers",
]


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def run(tmp_path):
    return RunFolder.create(tmp_path / "run", **TEXTS)


def test_a_new_folder_has_everything_and_opens(tmp_path):
    made = RunFolder.create(str(tmp_path / "runs" / "first"), **TEXTS)
    assert names(tmp_path / "runs" / "first") == MADE
    again = RunFolder.open(str(tmp_path / "runs" / "first"))
    assert again == made
    assert (again.study_text(), again.space_text()) == (TEXTS["study_text"], TEXTS["space_text"])
    assert (again.records(), again.read_results()) == ([], {})


def test_paths(tmp_path):
    run = RunFolder(tmp_path)
    files = [run.study_file, run.space_file, run.journal_file, run.trials_file, run.lock_file]
    assert [path.name for path in files] == [
        "study.yaml",
        "space.yaml",
        "journal.log",
        "trials.jsonl",
        "run.lock",
    ]
    folders = [run.results_folder, run.jobs_folder, run.checkpoints_folder, run.workers_folder]
    assert [path.name for path in folders] == ["results", "jobs", "checkpoints", "workers"]
    assert run.result_file(3) == tmp_path / "results" / "3.json"
    assert run.job_file(3) == tmp_path / "jobs" / "3.json"
    assert run.checkpoint_file(3) == tmp_path / "checkpoints" / "3.safetensors"


@pytest.mark.parametrize("number", [-1, True, 1.0, "1", "../x", None])
def test_only_trial_numbers_become_file_names(run, number):
    for use in (run.result_file, run.job_file, run.checkpoint_file):
        with pytest.raises(RunFolderError, match=r"not a trial number.*an integer from 0 up"):
            use(number)


def test_an_empty_folder_may_be_used(tmp_path):
    RunFolder.create(tmp_path, **TEXTS)
    assert names(tmp_path) == MADE


def test_a_folder_with_a_study_is_refused_and_left_alone(run, make_record):
    run.append_record(make_record())
    with pytest.raises(RunFolderError) as caught:
        RunFolder.create(run.path, study_text="other", space_text="other")
    assert str(caught.value) == (
        f"{run.path}: this folder already holds a study; continue it with `inception-search resume {run.path}`, "
        "or choose another folder"
    )
    assert run.study_text() == TEXTS["study_text"]
    assert len(run.records()) == 1


# (what is in the folder, words of the error)
OCCUPIED = [
    ({"thesis.tex": "x"}, "not empty and is not a run folder, got 'thesis.tex'; choose a new or empty folder"),
    ({"a": "", "b": "", "c": "", "d": ""}, r"'a', 'b', 'c', \.\.\."),
    ({"trials.jsonl": "{}\n"}, "got 'trials.jsonl'"),
    ({"journal.log": "{}\n"}, "got 'journal.log'"),
    ({"results/0.json": "{}"}, "got 'results'"),
    ({"bad\x1b[2J": ""}, r"got 'bad\\x1b\[2J'"),
]


@pytest.mark.parametrize(("files", "words"), OCCUPIED)
def test_a_folder_of_something_else_is_refused_and_left_alone(tmp_path, files, words):
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    before = names(tmp_path)
    with pytest.raises(RunFolderError, match=words):
        RunFolder.create(tmp_path, **TEXTS)
    assert names(tmp_path) == before


@pytest.mark.parametrize("name", ["run.lock", "results", "trials.jsonl", "space.yaml"])
def test_links_out_of_a_new_folder_are_refused(tmp_path, name):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / name).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(RunFolderError, match=f"not empty and is not a run folder, got '{name}'"):
        RunFolder.create(tmp_path / "run", **TEXTS)
    assert names(tmp_path / "elsewhere") == []


def test_a_study_made_by_another_process_in_the_meantime_is_kept(tmp_path, monkeypatch):
    def hold_late(path):
        (tmp_path / "study.yaml").write_text("theirs")
        return hold(path)

    monkeypatch.setattr(run_folder, "hold", hold_late)
    with pytest.raises(RunFolderError, match="already holds a study"):
        RunFolder.create(tmp_path, **TEXTS)
    assert (tmp_path / "study.yaml").read_text() == "theirs"


def test_a_file_in_place_of_the_folder(tmp_path):
    (tmp_path / "x").write_text("")
    with pytest.raises(RunFolderError, match="this is a file, not a folder; choose another folder"):
        RunFolder.create(tmp_path / "x", **TEXTS)
    with pytest.raises(RunFolderError, match="a part of this path is a file"):
        RunFolder.create(tmp_path / "x" / "y", **TEXTS)
    with pytest.raises(RunFolderError, match="this is a file, not a run folder"):
        RunFolder.open(tmp_path / "x")


def test_opening_what_is_not_there(tmp_path):
    with pytest.raises(RunFolderError, match=rf"{re.escape(str(tmp_path / 'none'))}: there is no such run folder"):
        RunFolder.open(tmp_path / "none")


def test_opening_what_is_no_run_folder_names_what_is_missing(tmp_path, run):
    with pytest.raises(RunFolderError, match=r"a folder without study.yaml, space.yaml, journal.log, trials.jsonl"):
        RunFolder.open(tmp_path)
    run.journal_file.unlink()
    with pytest.raises(RunFolderError, match=r"not a run folder, got a folder without journal.log;"):
        RunFolder.open(run.path)


@pytest.mark.parametrize("existing", [False, True])
@pytest.mark.parametrize("for_good", [False, True])
def test_whatever_call_fails_nothing_half_made_is_left(tmp_path, disk, existing, for_good):
    for at in range(1, 60):
        top = tmp_path / f"runs{at}"
        path = top / "first"
        if existing:
            path.mkdir(parents=True)
        try:
            with disk.fails(errno.ENOSPC, at=at, for_good=for_good):
                RunFolder.create(path, **TEXTS)
        except RunFolderError:
            assert (names(path) == []) if existing else not top.exists()
            RunFolder.create(path, **TEXTS)
        assert names(path) == MADE
        if not disk.failed:
            break
    assert not disk.failed
    assert at > 15


@pytest.mark.parametrize("code", [errno.EROFS, errno.EACCES])
def test_a_disk_that_cannot_be_written_is_told_at_the_start(tmp_path, disk, monkeypatch, code):
    with disk.fails(code, calls=("open",), for_good=True), pytest.raises(RunFolderError, match=r"read-only|denied"):
        RunFolder.create(tmp_path / "run", **TEXTS)
    assert names(tmp_path) == []

    def refuse(*args, **kwargs):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "mkdir", refuse)
    with pytest.raises(RunFolderError, match=r"read-only|denied"):
        RunFolder.create(tmp_path / "run", **TEXTS)


def test_killed_at_any_moment_of_making_it_can_be_made_again(tmp_path, fork):
    def work(path, at):
        calls = 0
        sync = os.fsync

        def die(fd):
            nonlocal calls
            calls += 1
            if calls == at:
                os.kill(os.getpid(), signal.SIGKILL)
            sync(fd)

        os.fsync = die
        RunFolder.create(path, **TEXTS)

    kills = 0
    for at in range(1, 40):
        path = tmp_path / str(at)
        _, status = os.waitpid(fork(lambda path=path, at=at: work(path, at)), 0)
        if status == 0:
            break
        kills += 1
        assert os.WTERMSIG(status) == signal.SIGKILL
        if (path / "study.yaml").exists():
            RunFolder.open(path)
        else:
            RunFolder.create(path, **TEXTS)
        with RunFolder.open(path).hold():
            assert names(path) == MADE
    assert status == 0
    assert kills > 5


def test_records_come_back_by_number_the_latest_of_each(run, make_record):
    run.append_record(make_record(number=2, value=0.2))
    run.append_record(make_record(number=0, state="failed", reason="diverged", value=None))
    run.append_record(make_record(number=2, value=0.3))
    assert [(r.number, r.state, r.value) for r in run.records()] == [(0, "failed", None), (2, "complete", 0.3)]
    assert RunFolder.open(run.path).records() == run.records()


def test_records_cut_at_every_byte(run, make_record):
    first, second = make_record(number=0), make_record(number=1, state="failed", reason="ü", value=None)
    run.append_record(first)
    end = run.trials_file.stat().st_size
    run.append_record(second)
    whole = run.trials_file.read_bytes()
    for cut in range(end, len(whole)):
        run.trials_file.write_bytes(whole[:cut])
        assert run.records() == [first], f"cut at byte {cut}"
        run.append_record(make_record(number=2))
        assert {record.number for record in run.records()} == ({0, 2} if cut < len(whole) - 1 else {0, 1, 2})


# (a line of trials.jsonl, error class, words of the error)
BAD_RECORDS = [
    ("garbage", DocumentError, r"trials\.jsonl:2: this line is not a JSON document, got 'garbage'"),
    ("", DocumentError, r"trials\.jsonl:2: this line is not a JSON document"),
    ('{"schema": "inception-search/trial", "version": 9}', SchemaVersionError, r"trials\.jsonl:2: .*version 9"),
    ('{"schema": "inception-search/trial", "version": 1}', DocumentError, r"trials\.jsonl:2: number: .*required"),
]


@pytest.mark.parametrize(("line", "kind", "words"), BAD_RECORDS)
def test_a_bad_record_is_named(run, make_record, line, kind, words):
    run.append_record(make_record())
    with run.trials_file.open("a") as file:
        file.write(line + "\n")
    run.append_record(make_record(number=5))
    with pytest.raises(kind, match=words):
        run.records()


def test_results_wait_in_the_outbox_until_they_are_cleared(run):
    write_result(run, 10, {"value": 0.5, "curve": [1.0, 0.5]})
    write_result(run, 9, {"value": None})
    write_result(run, 10, {"value": 0.6})
    assert list(run.read_results().items()) == [(9, {"value": None}), (10, {"value": 0.6})]
    run.result_file(10).unlink()
    assert run.read_results() == {9: {"value": None}}
    assert names(run.results_folder) == ["9.json"]


@pytest.mark.parametrize("damage", [b"", b'{"value": 0.', b"[1]", b"\xff\xfe", b"\x00" * 20, b"[" * 100_000])
def test_a_damaged_result_is_set_aside_and_the_others_are_read(run, caplog, damage):
    write_result(run, 0, {"value": 0.5})
    write_result(run, 1, {"value": 0.7})
    run.result_file(0).write_bytes(damage)
    assert run.read_results() == {1: {"value": 0.7}}
    assert "0.json is damaged and was set aside as 0.json.corrupt" in caplog.text
    assert names(run.results_folder) == ["0.json.corrupt", "1.json"]
    assert (run.results_folder / "0.json.corrupt").read_bytes() == damage
    write_result(run, 0, {"value": 0.9})
    assert run.read_results() == {0: {"value": 0.9}, 1: {"value": 0.7}}


def test_foreign_files_in_the_outbox_are_left_alone(run):
    foreign = ["07.json", "-1.json", "notes.json", "²3.json", "1.txt"]
    for name in foreign:
        (run.results_folder / name).write_text("?")
    assert run.read_results() == {}
    assert names(run.results_folder) == sorted(foreign)


def test_only_one_search_holds_the_folder(run, fork):
    with run.hold() as lease:
        assert lease.active
        with pytest.raises(RunInUseError, match=f"process {os.getpid()} on host"), run.hold():
            pass
        assert run.records() == []  # looking at it is always possible
    with run.hold():
        pass


def killed_while_writing(run, fork):
    def work():
        os.fsync = lambda fd: os.kill(os.getpid(), signal.SIGKILL)
        write_result(run, 0, {"value": 0.5})

    os.waitpid(fork(work), 0)


def test_holding_clears_away_what_a_killed_search_left(run, fork):
    killed_while_writing(run, fork)
    assert len(names(run.results_folder)) == 1
    (run.path / "figures").rmdir()
    with run.hold():
        assert names(run.results_folder) == []
        assert (run.path / "figures").is_dir()


def test_holding_clears_away_what_trials_left_that_were_killed_meanwhile(run, fork):
    with run.hold():
        killed_while_writing(run, fork)
        assert len(names(run.results_folder)) == 1
    assert names(run.results_folder) == []


def test_holding_mends_a_last_record_that_only_lacks_its_newline(run, make_record):
    run.append_record(make_record())
    whole = run.trials_file.read_bytes()
    run.trials_file.write_bytes(whole[:-1])
    assert run.records() == []
    with run.hold():
        assert run.records() == [make_record()]
    assert run.trials_file.read_bytes() == whole


def test_a_folder_whose_disk_became_read_only_can_be_read_but_not_held(run, disk, make_record):
    run.append_record(make_record())
    write_result(run, 3, {"value": 0.5})
    with disk.fails(errno.EROFS, calls=("write", "fsync", "ftruncate", "replace"), for_good=True):
        again = RunFolder.open(run.path)
        assert (len(again.records()), again.read_results()) == (1, {3: {"value": 0.5}})
        with pytest.raises(RunFolderError, match="read-only"), again.hold():
            pass


def test_a_configuration_that_is_no_text_is_named(run):
    run.study_file.write_bytes(b"\xff")
    with pytest.raises(DocumentError, match=r"study\.yaml: this file is not UTF-8 text"):
        run.study_text()
    run.space_file.unlink()
    with pytest.raises(RunFolderError, match=r"space\.yaml: .*does not exist"):
        run.space_text()


def test_a_record_is_a_line_a_person_can_read(run, make_record):
    run.append_record(make_record())
    facts = json.loads(run.trials_file.read_text(encoding="utf-8"))
    assert (facts["schema"], facts["number"], facts["value"]) == ("inception-search/trial", 0, 0.75)
