"""What a trial's process does, in this one."""

import json
import re
import signal
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import suppress
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest
import torch

from inception_search.data.catalogue import load_data
from inception_search.data.frozen import freeze
from inception_search.errors import StorageFullError
from inception_search.runner import trial_process
from inception_search.runner.executor import BAD_DISK, READY
from inception_search.runner.job import Job
from inception_search.space.space import Space
from inception_search.spec.transform import set_input
from tests.study.spaces import TINY


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("data") / "data.safetensors"
    freeze(load_data("digits", image_size=8, limit=64), path)
    return path


@pytest.fixture
def job(tmp_path: Path, data: Path) -> Iterator[Callable[..., Path]]:
    """Write a job; interrupts and threads of this process are put back."""
    before, threads = signal.getsignal(signal.SIGINT), torch.get_num_threads()

    def write(**changes: Any) -> Path:
        network = set_input(Space(TINY).fixed_points["v1_3a"], channels=1, height=8, width=8)
        facts = {
            "number": 4,
            "attempt": 2,
            "arch_id": "a1-0",
            "started": "2025-01-31T12:00:00+00:00",
            "network": network.to_dict(),
            "data": str(data),
            "fidelity": {"epochs": 2, "threads": 1},
            "seed": 0,
            "device": "cpu",
            "result": str(tmp_path / "4.json"),
            "checkpoint": str(tmp_path / "4.safetensors"),
        }
        path = tmp_path / "job.json"
        Job(**{**facts, **changes}).write(path)
        return path

    yield write
    signal.signal(signal.SIGINT, before)
    torch.set_num_threads(threads)


def answers(connection: Connection, *replies: bytes) -> list[dict[str, Any]]:
    """Answer every epoch in a thread of its own; the metrics that came."""
    heard: list[dict[str, Any]] = []

    def work() -> None:
        with suppress(EOFError):  # it may fail before it reports anything
            assert connection.recv_bytes() == READY
            for reply in replies:
                heard.append(json.loads(connection.recv_bytes()))
                connection.send_bytes(reply)

    threading.Thread(target=work, daemon=True).start()
    return heard


def result(path: Path) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads((path.parent / "4.json").read_text())
    return answer


def test_leaves_a_result_that_repeats_its_job_and_the_weights(job):
    ours, theirs = Pipe()
    heard = answers(ours, b"go on", b"go on")
    path = job()
    trial_process.main(str(path), theirs)
    said = result(path)
    assert (said["state"], said["attempt"], said["arch_id"]) == ("complete", 2, "a1-0")
    assert said["started"] == "2025-01-31T12:00:00+00:00"
    assert [epoch["epoch"] for epoch in said["curve"]] == [1, 2]
    assert said["curve"] == heard
    assert said["value"] == heard[-1]["validation_accuracy"]
    assert (path.parent / "4.safetensors").is_file()


def test_a_state_that_cannot_be_used_is_told_and_set_aside(job, tmp_path, caplog):
    ours, theirs = Pipe()
    heard = answers(ours, b"go on", b"go on")
    state = tmp_path / "4.state"
    state.write_bytes(b"nothing of use")
    path = job(state=str(state))
    trial_process.main(str(path), theirs)
    assert result(path)["curve"] == heard
    assert [epoch["epoch"] for epoch in heard] == [1, 2]
    assert caplog.messages == [
        f"{state} cannot be used and was set aside as 4.state.corrupt; its training begins again"
    ]
    assert (tmp_path / "4.state.corrupt").read_bytes() == b"nothing of use"


def test_stops_where_it_is_told_to_and_keeps_no_weights(job):
    ours, theirs = Pipe()
    answers(ours, b"stop")
    path = job()
    trial_process.main(str(path), theirs)
    assert result(path)["state"] == "pruned"
    assert len(result(path)["curve"]) == 1
    assert not (path.parent / "4.safetensors").exists()


def test_says_nothing_when_nobody_listens(job):
    ours, theirs = Pipe()
    ours.close()
    path = job()
    with pytest.raises(SystemExit) as ended:
        trial_process.main(str(path), theirs)
    assert ended.value.code == 0
    assert not (path.parent / "4.json").exists()


def test_a_disk_that_refuses_is_no_fault_of_the_network(job, monkeypatch):
    def write_atomic(path: Path, data: object) -> None:
        raise StorageFullError("the disk is full")

    ours, theirs = Pipe()
    answers(ours, b"go on", b"go on")
    path = job()
    monkeypatch.setattr(trial_process, "write_atomic", write_atomic)
    with pytest.raises(SystemExit) as ended:
        trial_process.main(str(path), theirs)
    assert ended.value.code == BAD_DISK


def test_neither_are_images_that_are_gone(job):
    path = job(data="/nowhere/data.safetensors")
    with pytest.raises(SystemExit) as ended:
        trial_process.main(str(path), Pipe()[1])
    assert ended.value.code == BAD_DISK
    assert not (path.parent / "4.json").exists()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"fidelity": {"epochs": 2, "learning_rate": 1e30, "threads": 1}}, "diverged"),
        ({"fidelity": {"epochz": 2}}, "fidelity.epochz: unknown option"),
        ({"device": "nonsense"}, "RuntimeError: .*trial_process.py:"),
    ],
)
def test_what_goes_wrong_is_said_in_the_result(job, changes, words):
    ours, theirs = Pipe()
    answers(ours, b"go on", b"go on")
    path = job(**changes)
    trial_process.main(str(path), theirs)
    assert result(path)["state"] == "failed"
    assert result(path)["attempt"] == 2
    assert re.search(words, result(path)["reason"], re.DOTALL)


def test_a_result_that_is_no_number_is_a_failure_and_no_lost_process(job, monkeypatch):
    ours, theirs = Pipe()
    answers(ours, b"go on", b"go on")
    monkeypatch.setattr(trial_process.RunningJob, "tested", lambda trial, model: {"test_loss": float("nan")})
    path = job()
    trial_process.main(str(path), theirs)
    assert result(path)["state"] == "failed"
    assert result(path)["reason"].startswith("ValueError")


def test_a_process_whose_device_may_be_broken_takes_no_other_job(job, monkeypatch):
    def broken(trial: Any, connection: Connection) -> None:
        raise RuntimeError("an illegal memory access was encountered")

    monkeypatch.setattr(trial_process.RunningJob, "trained", broken)
    path = job()
    ours, theirs = Pipe()
    ours.send_bytes(str(path).encode())
    trial_process.serve(theirs)
    assert result(path)["state"] == "failed"
    assert ours.recv_bytes() == READY
    with pytest.raises(EOFError):
        ours.recv_bytes()


def test_images_that_do_not_fit_on_the_device_are_a_lack_of_memory(job, monkeypatch):
    """Such a trial runs again when fewer share the GPU."""

    def full(path: Path, device: torch.device) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")

    monkeypatch.setattr(trial_process, "_data", full)
    path = job()
    trial_process.main(str(path), Pipe()[1])
    assert result(path)["reason"].startswith("out of memory while training")


def test_a_process_keeps_no_network_of_an_earlier_job(job, monkeypatch):
    """A compiled network refers to itself; on a GPU it would keep the memory of its recorded steps, too."""
    kept: list[weakref.ref[Any]] = []
    build = trial_process.build

    def remembered(*args: Any, **options: Any) -> Any:
        assert all(reference() is None for reference in kept)
        model = build(*args, **options)
        kept.append(weakref.ref(model))
        return model

    monkeypatch.setattr(trial_process, "build", remembered)
    ours, theirs = Pipe()
    path = job()
    for _ in range(2):
        ours.send_bytes(str(path).encode())
    monkeypatch.setattr(trial_process.RunningJob, "reporter", lambda trial, connection: lambda metrics: True)
    monkeypatch.setattr(trial_process, "_sent", lambda connection, message: len(kept) < 2)
    trial_process.serve(theirs)
    assert len(kept) == 2
    assert result(path)["state"] == "complete"


def test_a_job_of_version_0_1_is_read(job):
    path = job()
    whole = json.loads(path.read_text())
    whole.pop("check", None)
    path.write_text(json.dumps({**whole, "others": [], "if_faster": True}))
    assert Job.read(path).number == whole["number"]
