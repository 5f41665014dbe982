"""The journal under torn lines, full disks, kills and company."""

import errno
import json
import os
import random
import signal
import time

import optuna
import pytest
from optuna.storages import JournalStorage

from inception_search.errors import RunFolderError, StorageFullError
from inception_search.optuna_bridge.storage import JournalBackend
from tests.bounds import bounded

LOGS = [{"op_code": 0, "name": "a"}, {"op_code": 4, "x": [1.5, None]}, {"op_code": 8, "attr": {"µ": "ü"}}]


@pytest.fixture(autouse=True)
def _quiet():
    optuna.logging.set_verbosity(optuna.logging.ERROR)


def logs(path, start=0):
    return list(JournalBackend(path).read_logs(start))


def load(path, create=False):
    storage = JournalStorage(JournalBackend(path))
    sampler = optuna.samplers.RandomSampler(seed=0)
    make = optuna.create_study if create else optuna.load_study
    return make(study_name="s", storage=storage, sampler=sampler)


def run_trial(study, value):
    trial = study.ask()
    trial.suggest_float("x", 0, 1)
    study.tell(trial, value)
    return trial.number


def run_trials(study, count):
    for _ in range(count):
        run_trial(study, 0.25)


def values(study):
    return {trial.number: trial.value for trial in study.trials if trial.state.name == "COMPLETE"}


def test_logs_come_back_from_any_number(tmp_path):
    backend = JournalBackend(str(tmp_path / "j"))
    backend.append_logs(LOGS[:1])
    backend.append_logs(LOGS[1:])
    for start in range(5):
        assert list(backend.read_logs(start)) == LOGS[start:]
        assert logs(tmp_path / "j", start) == LOGS[start:]


def test_only_new_bytes_are_read_again(tmp_path):
    path = tmp_path / "j"
    backend = JournalBackend(path)
    backend.append_logs(LOGS[:2])
    assert list(backend.read_logs(0)) == LOGS[:2]
    with path.open("r+b") as file:
        file.write(b"#####")
    backend.append_logs(LOGS[2:])
    assert list(backend.read_logs(2)) == LOGS[2:]


def test_another_process_writes_and_this_one_sees_it(tmp_path, fork):
    path = tmp_path / "j"
    backend = JournalBackend(path)
    backend.append_logs(LOGS[:1])
    assert list(backend.read_logs(0)) == LOGS[:1]
    os.waitpid(fork(lambda: JournalBackend(path).append_logs(LOGS[1:])), 0)
    assert list(backend.read_logs(1)) == LOGS[1:]


def test_cut_at_every_byte_then_append_and_reload(tmp_path):
    path = tmp_path / "j"
    JournalBackend(path).append_logs(LOGS)
    whole = path.read_bytes()
    ends = [0] + [at + 1 for at, byte in enumerate(whole) if byte == ord("\n")]
    for cut in range(len(whole) + 1):
        path.write_bytes(whole[:cut])
        kept = sum(end <= cut for end in ends[1:])
        assert logs(path) == LOGS[:kept], f"read after a cut at byte {cut}"
        JournalBackend(path).append_logs([{"new": cut}])
        kept += cut + 1 in ends[1:]  # only its newline was missing
        assert logs(path) == [*LOGS[:kept], {"new": cut}], f"append after a cut at byte {cut}"


@pytest.mark.parametrize("step", [11, pytest.param(1, marks=pytest.mark.slow)])
def test_a_study_cut_at_any_byte_goes_on(tmp_path, step):
    path = tmp_path / "j"
    study = load(path, create=True)
    created = path.stat().st_size
    run_trial(study, 0.5)
    acknowledged = path.stat().st_size
    run_trial(study, 0.25)
    whole = path.read_bytes()
    for cut in range(created, len(whole) + 1, step):
        path.write_bytes(whole[:cut])
        number = run_trial(load(path), 1.0)
        found = values(load(path))
        assert found[number] == 1.0, f"cut at byte {cut}"
        assert cut < acknowledged or found[0] == 0.5, f"cut at byte {cut}"
        assert set(found.values()) <= {0.5, 0.25, 1.0}


# (a damaged line, with its newline)
DAMAGED = [b"garbage\n", b"\n", b"[]\n", b"12\n", b"\x00\x00\n", b"\xff\n", b"[" * 100_000 + b"\n"]


@pytest.mark.parametrize("line", DAMAGED)
def test_a_damaged_line_is_named(tmp_path, line):
    path = tmp_path / "journal.log"
    JournalBackend(path).append_logs(LOGS[:1])
    with path.open("ab") as file:
        file.write(line)
    JournalBackend(path).append_logs(LOGS[1:])
    for _ in range(2):  # the second time like the first
        with pytest.raises(RunFolderError, match=r"journal\.log:2: the journal is damaged.*trials\.jsonl"):
            logs(path)


def test_optuna_passes_the_error_of_a_damaged_line_on(tmp_path):
    load(tmp_path / "j", create=True)
    with (tmp_path / "j").open("a") as file:
        file.write("garbage\n")
    with pytest.raises(RunFolderError, match=r"j:\d+: the journal is damaged"):
        load(tmp_path / "j")


def test_a_journal_that_vanished_is_not_silently_begun_anew(tmp_path):
    path = tmp_path / "j"
    backend = JournalBackend(path)
    backend.append_logs(LOGS)
    path.unlink()
    with pytest.raises(RunFolderError, match="does not exist"):
        backend.append_logs(LOGS)
    with pytest.raises(RunFolderError, match="does not exist"):
        backend.read_logs(0)
    assert not path.exists()


def test_a_journal_that_was_shortened_is_noticed(tmp_path):
    path = tmp_path / "j"
    backend = JournalBackend(path)
    backend.append_logs(LOGS)
    assert len(list(backend.read_logs(0))) == 3
    path.write_text("{}\n")
    with pytest.raises(RunFolderError, match=r"shortened.*got 3; expected at least \d\d bytes.*from a copy"):
        backend.read_logs(3)


def test_values_that_json_does_not_know_are_refused_before_anything_is_written(tmp_path):
    backend = JournalBackend(tmp_path / "j")
    with pytest.raises(TypeError):
        backend.append_logs([{"fine": 1}, {"not": object()}])
    assert logs(tmp_path / "j") == []


@pytest.mark.parametrize("at", range(1, 9))
def test_a_full_disk_stops_a_study_that_then_goes_on(tmp_path, disk, at):
    path = tmp_path / "j"
    study = load(path, create=True)
    run_trial(study, 0.5)
    full = disk.fails(errno.ENOSPC, at=at, calls=("write", "fsync"), for_good=True)
    with full, pytest.raises(StorageFullError, match=r"j: the disk is full.*free some space"):
        run_trials(study, 4)
    before = values(study)
    number = run_trial(study, 1.0)
    assert values(study) == values(load(path)) == {**before, number: 1.0}
    assert before[0] == 0.5


def test_a_journal_on_a_read_only_disk_can_be_read(tmp_path, disk):
    path = tmp_path / "j"
    run_trial(load(path, create=True), 0.5)
    study = load(path)
    with disk.fails(errno.EROFS, calls=("write", "ftruncate"), for_good=True):
        assert values(load(path)) == {0: 0.5}
        with pytest.raises(RunFolderError, match="read-only"):
            study.ask()


def test_four_processes_share_a_study(tmp_path, fork):
    path = tmp_path / "j"
    load(path, create=True)

    def work(who):
        study = load(path)
        for count in range(8):
            run_trial(study, who + count / 100)

    children = [fork(lambda who=who: work(who)) for who in range(4)]
    assert [os.waitpid(pid, 0)[1] for pid in children] == [0] * 4
    found = values(load(path))
    assert sorted(found) == list(range(32))
    assert sorted(found.values()) == sorted(who + count / 100 for who in range(4) for count in range(8))


def test_a_writer_killed_with_the_lock_holds_nobody_up(tmp_path, fork):
    path = tmp_path / "j"
    backend = JournalBackend(path)

    def work():
        os.fsync = lambda fd: os.kill(os.getpid(), signal.SIGKILL)
        JournalBackend(path).append_logs(LOGS[:1])

    _, status = os.waitpid(fork(work), 0)
    assert os.WTERMSIG(status) == signal.SIGKILL
    with bounded(10, time.monotonic):
        backend.append_logs(LOGS[1:])
    assert logs(path)[-2:] == LOGS[1:]


def test_operations_within_the_delay_are_read_at_once_and_reach_the_disk_by_sync(tmp_path, monkeypatch):
    path, synced = tmp_path / "j", []
    backend = JournalBackend(path, delay=3600.0)
    monkeypatch.setattr(os, "fsync", synced.append)
    for log in LOGS:
        backend.append_logs([log])
    assert len(synced) == 1  # the first operation
    assert logs(path) == LOGS
    backend.sync()
    backend.sync()  # nothing is left to write
    assert len(synced) == 2


def tell_until_killed(path, pipe):
    study = load(path)
    while True:
        value = random.SystemRandom().random()
        number = run_trial(study, value)
        os.write(pipe, (json.dumps([number, value]) + "\n").encode())


@pytest.mark.parametrize(("kills", "seed"), [(8, 1), pytest.param(200, 2, marks=pytest.mark.slow)])
def test_killed_workers_lose_no_trial_they_had_told(tmp_path, fork, kills, seed):
    path = tmp_path / "j"
    load(path, create=True)
    chance, told = random.Random(seed), {}
    reading, writing = os.pipe()
    workers = [fork(lambda: tell_until_killed(path, writing)) for _ in range(3)]
    for _ in range(kills):
        time.sleep(chance.uniform(0.02, 0.1))
        victim = workers.pop(0)
        os.kill(victim, signal.SIGKILL)
        os.waitpid(victim, 0)
        workers.append(fork(lambda: tell_until_killed(path, writing)))
    for worker in workers:
        os.kill(worker, signal.SIGKILL)
        os.waitpid(worker, 0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        acknowledged = [json.loads(line) for line in pipe.read().split("\n")[:-1]]
    told = dict(acknowledged)
    assert len(told) == len(acknowledged) > kills  # enough was done, and no number given twice
    study = load(path)
    found = values(study)
    assert {number: found.get(number) for number in told} == told
    assert len(found) - len(told) <= kills + 3  # told, but killed before they could say so
    assert [trial.number for trial in study.trials] == list(range(len(study.trials)))
    assert run_trial(study, 1.0) == len(study.trials) - 1
