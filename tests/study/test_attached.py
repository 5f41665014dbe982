"""Workers that help from other terminals: real programs on one run folder, and the driver that has it."""

import json
import os
import shutil
import signal
import threading
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from inception_search.errors import DocumentError, ProcessStartError, RunFolderError, RunInUseError
from inception_search.runner import worker as worker_room
from inception_search.runner.executor import Ended, Epoch
from inception_search.runner.remote_executor import ALIVE, DRIVER, EVENTS, ORDERS, RemoteExecutor
from inception_search.runner.worker import Worker
from inception_search.store.heartbeat import Presence
from inception_search.store.jsonl import append_line, read_lines
from inception_search.store.provenance import common_facts
from inception_search.store.run_folder import RunFolder
from inception_search.study import search as study
from inception_search.study.study import Study
from tests.bounds import PATIENCE
from tests.study.programs import SMALL, jobs, members, wait_for
from tests.study.spaces import TINY

LISTENS = "0A"  # the state of such a socket in /proc/net/tcp

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for processes in /proc")


def make_worker(run: RunFolder, stop: threading.Event | None = None) -> Worker:
    """A worker of a study that is never done."""
    stop = stop or threading.Event()
    return Worker(run, "cpu", trial_seconds=3600.0, is_done=lambda: False, note=lambda text: None, stop=stop)


def write_search(folder: Path, **options: Any) -> str:
    (folder / "tiny.yaml").write_text(TINY)
    lines = "".join(f"{name}: {value}\n" for name, value in options.items())
    (folder / "search.yaml").write_text(f"{SMALL}space: tiny.yaml\nrun: run\npruner: none\n{lines}")
    return "search.yaml"


def at_work(run: Path) -> list[Path]:
    """The folders of workers that have trained an epoch."""
    return [path.parent for path in (run / "workers").glob(f"*/{EVENTS}") if epochs(path.parent)]


def epochs(worker: Path) -> list[int]:
    """The epochs that a worker has reported, in order."""
    said = [json.loads(line) for _, line in read_lines(worker / EVENTS)]
    return [event["metrics"]["epoch"] for event in said if event["event"] == "epoch"]


def _opened(files: Path) -> Iterator[str]:
    """What a process has open."""
    for file in files.iterdir():
        with suppress(FileNotFoundError):  # a file closed meanwhile; a socket that is listened on stays open
            yield str(file.readlink())


def listening(programs: Iterable[int]) -> set[str]:
    """The network sockets on which these processes listen."""
    rows = [
        line.split()
        for table in ("tcp", "tcp6", "udp", "udp6")
        if (path := Path("/proc/net", table)).exists()
        for line in path.read_text().splitlines()[1:]
        if line.split()[3] == LISTENS or table.startswith("udp")
    ]
    open_here = {f"socket:[{row[9]}]" for row in rows}
    found = set()
    for pid in programs:
        with suppress(FileNotFoundError):  # a process that has ended meanwhile listens no more
            found |= set(_opened(Path(f"/proc/{pid}/fd")))
    return open_here & found


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        (
            {"inception-search": "9.9"},
            "another version of inception-search.*9.9; install inception-search 9.9",
        ),
        ({"torch": "9.9"}, "another version of torch.*expected 9.9; install torch 9.9"),
        ({"space": "0" * 16}, "reads another space.*the same folder"),
    ],
)
def test_a_worker_with_other_versions_or_another_space_is_refused(tmp_path, changed, words):
    run = RunFolder.create(tmp_path / "run", study_text="fake: true\n", space_text=TINY)
    run.workers_folder.mkdir(exist_ok=True)
    facts = {"session": "one", "common": {**common_facts(run), **changed}}
    with Presence(run.workers_folder / DRIVER, facts):
        worker = make_worker(run)
        with pytest.raises(RunFolderError, match=words):
            worker.until_done(idle=5)
    assert [path.name for path in run.workers_folder.iterdir() if path.is_dir()] == []


@pytest.mark.slow  # quickly: a worker that is stopped, below, and one in a campaign of kills
def test_two_workers_help_until_the_study_is_done(program, tmp_path):
    run = tmp_path / "run"
    options = {"epochs": 8, "train_images": 64, "image_size": 8, "device": "cpu", "pruner": "none", "workers": 2}
    study.search(TINY, run=run, trials=1, baselines=False, **options)
    file = run / "study.yaml"
    file.write_text(file.read_text().replace("trials: 1\n", "trials: 16\n"))
    workers = [program("worker", "run") for _ in range(2)]  # first: they wait for a search
    search = program("resume", "run")
    wait_for(lambda: len(at_work(run)) == 2)
    everyone = [pid for each in (search, *workers) for pid in members(each.pid)]
    assert len(everyone) >= 6
    assert listening(everyone) == set()
    with pytest.raises(RunInUseError, match=f"in use by process {search.pid}") as refused:
        study.resume(run)
    assert "\n" not in str(refused.value)

    _, err = search.communicate(timeout=PATIENCE)
    assert search.returncode == 0, err
    ended = 0
    for worker in workers:
        _, said = worker.communicate(timeout=PATIENCE)
        assert worker.returncode == 0, said
        assert "the study in run is done" in said
        ended += int(said.split()[-4])
    assert 2 <= ended < 16
    records = Study.open(run).records
    assert [record.attempt for record in records if record.state == "complete"] == [1] * 16
    assert not list((run / "workers").iterdir())


@pytest.mark.parametrize("number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.slow)])
def test_a_worker_that_is_stopped_loses_at_most_the_epoch_it_is_in(program, tmp_path, number):
    search = program("search", write_search(tmp_path, trials=3, epochs=100000))
    run = tmp_path / "run"
    wait_for(lambda: jobs(run))
    workers = [program("worker", "run") for _ in range(2)]
    wait_for(lambda: len(at_work(run)) == 1 and len(list((run / "workers").glob(f"*/{ALIVE}"))) == 2)
    (first,) = at_work(run)
    assert listening(pid for each in (search, *workers) for pid in members(each.pid)) == set()
    wait_for(lambda: len(epochs(first)) > 3)
    done = epochs(first)[-1]
    (pid,) = [worker.pid for worker in workers if f"-{worker.pid}-" in first.name]
    os.killpg(pid, number)  # a scheduler that takes the machine back, or Ctrl-C, tells all processes
    (gone, other) = sorted(workers, key=lambda worker: worker.pid != pid)
    _, said = gone.communicate(timeout=PATIENCE)
    assert gone.returncode == 0, said

    wait_for(lambda: [folder for folder in at_work(run) if folder != first])
    (second,) = [folder for folder in at_work(run) if folder != first]
    assert f"-{other.pid}-" in second.name
    assert epochs(second)[0] >= done
    os.killpg(search.pid, signal.SIGINT)
    _, err = search.communicate(timeout=PATIENCE)
    assert search.returncode == 130
    assert "was returned by a worker that exits; it continues elsewhere from its last epoch" in err
    assert "lost its process" not in err


def test_a_worker_that_may_leave_leaves_nothing_behind(fake_study):
    run = fake_study().run
    (run.path / "workers").mkdir(exist_ok=True)
    with Presence(run.path / "workers" / DRIVER, {"session": "abc"}):
        stop = threading.Event()
        worker = make_worker(run, stop=stop)
        thread = threading.Thread(target=worker.until_done, args=(60.0,), daemon=True)
        thread.start()
        wait_for(lambda: list((run.path / "workers").glob(f"*-abc/{ALIVE}")))
        (folder,) = (run.path / "workers").glob("*-abc")
        append_line(folder / ORDERS, json.dumps({"order": "leave"}))
        thread.join(PATIENCE)
        assert not thread.is_alive()
        assert not folder.exists()


class Unable:
    """A worker's processes: one that cannot be started, or that is killed before it begins."""

    def __init__(self, killed: bool) -> None:
        self.killed, self.running, self.events = killed, {}, []

    def submit(self, number: int, job_file: Path) -> None:
        if not self.killed:
            raise ProcessStartError("no process for a trial can be started")
        self.events.append(Ended(number, -9, began=False))

    def wait(self, timeout: float) -> list[Ended]:
        events, self.events = self.events, []
        return events

    def cancel(self) -> None:
        """None is running."""


@pytest.mark.parametrize(
    ("killed", "said"), [(False, Ended(7, None, handed_back=True)), (True, Ended(7, -9, began=False))]
)
def test_a_worker_that_starts_no_process_says_nothing_against_the_trial(fake_study, monkeypatch, killed, said):
    run, stop, errors = fake_study().run, threading.Event(), []
    attached = RemoteExecutor(run, look=0.0)
    monkeypatch.setattr(worker_room, "ProcessExecutor", lambda *args, **options: Unable(killed))

    def attend() -> None:
        try:
            make_worker(run, stop=stop).until_done(60.0)
        except ProcessStartError as error:
            errors.append(error)

    thread = threading.Thread(target=attend, daemon=True)
    thread.start()
    wait_for(lambda: attached.capacity == 1)
    attached.submit(7, run.path / "jobs" / "7.json")
    events: list[Any] = []
    wait_for(lambda: events.extend(attached.wait(0.0)) or events)
    stop.set()
    thread.join(30)
    assert (events, len(errors), thread.is_alive()) == ([said], not killed, False)
    attached.close(False)


@pytest.mark.parametrize("at", ["its first sign of life", "the end of a trial"])
def test_a_worker_whose_folder_a_search_removes_attaches_again(fake_study, monkeypatch, at):
    run, stop, removed = fake_study().run, threading.Event(), []

    def remove() -> None:
        if not removed:
            removed.extend((run.path / "workers").glob("*-abc"))
            shutil.rmtree(removed[0])

    class Removed(Unable):
        def submit(self, number: int, job_file: Path) -> None:
            remove()
            super().submit(number, job_file)

    class LatePresence(Presence):
        def __init__(self, *args: Any) -> None:
            if at == "its first sign of life":
                remove()
            super().__init__(*args)

    monkeypatch.setattr(worker_room, "ProcessExecutor", lambda *args, **options: Removed(killed=True))
    (run.path / "workers").mkdir(exist_ok=True)
    with Presence(run.path / "workers" / DRIVER, {"session": "abc"}):
        monkeypatch.setattr(worker_room, "Presence", LatePresence)
        thread = threading.Thread(target=make_worker(run, stop=stop).until_done, args=(60.0,), daemon=True)
        thread.start()
        wait_for(lambda: list((run.path / "workers").glob(f"*-abc/{ALIVE}")))
        if at == "the end of a trial":
            (folder,) = (run.path / "workers").glob("*-abc")
            append_line(folder / ORDERS, json.dumps({"order": "run", "number": 7}))
            wait_for(lambda: removed and list((run.path / "workers").glob(f"*-abc/{ALIVE}")))
        assert removed
        assert thread.is_alive()
        stop.set()
        thread.join(PATIENCE)
        assert not thread.is_alive()


DAMAGE = ["not JSON\n", '["a list"]\n', '{"number": 7, "event": "epoch"}\n', '{"number": 7}\n', "\0" * 9 + "\n"]


@pytest.mark.parametrize("damage", [*DAMAGE, None], ids=repr)
def test_a_worker_whose_messages_are_damaged_is_let_go_and_its_trial_runs_elsewhere(fake_study, damage):
    run, notes = fake_study().run, []
    attached = RemoteExecutor(run, notes.append, look=0.0)
    folder = run.path / "workers" / f"host-{attached.session}"
    folder.mkdir()
    with Presence(folder / ALIVE, {"session": attached.session}):
        assert attached.capacity == 1
        attached.submit(7, run.path / "jobs" / "7.json")
        append_line(folder / EVENTS, json.dumps({"number": 7, "event": "epoch", "metrics": {}}))
        assert attached.wait(0.0) == [Epoch(7, {})]
        said = (folder / EVENTS).read_bytes()
        (folder / EVENTS).write_bytes(said[:3] if damage is None else said + damage.encode())
        assert attached.wait(0.0) + attached.wait(0.0) == [Ended(7, None)]
        assert not folder.exists()
        assert attached.capacity == 0
    assert notes[1].startswith(f"worker {folder.name} is let go: ")
    attached.close(False)


def test_a_worker_that_cannot_read_its_orders_ends_with_a_sentence(fake_study):
    run = fake_study().run
    (run.path / "workers").mkdir(exist_ok=True)
    with Presence(run.path / "workers" / DRIVER, {"session": "abc"}) as driver:
        worker = make_worker(run)
        folder = run.path / "workers" / f"{driver.facts['host']}-{os.getpid()}-abc"
        folder.mkdir()
        (folder / ORDERS).write_text("{\n")
        with pytest.raises(DocumentError, match=r"message between search and worker was damaged") as raised:
            worker.until_done(60.0)
    assert ORDERS in str(raised.value)
