"""The whole network as one recorded graph with branches on streams, with stand-ins for the recorder and the streams.

On a GPU this never ran here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from unittest.mock import Mock

import pytest
import torch
from torch import Tensor

import inception_search as ins
from inception_search.backend.recorder import Recorder, Replay
from inception_search.execution.branches import Fork, forks
from inception_search.execution.captured import Captured, choose_forks
from inception_search.execution.specialised import Specialised
from tests.execution.stand_ins import NETWORK, Again, Logged


class Fails(Again):
    def record(self, work: Callable[[], Tensor]) -> tuple[Tensor, Replay]:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried\nto allocate")


def specialised() -> tuple[ins.Network, Specialised, Callable[[Tensor], Tensor]]:
    model = ins.compile(ins.load(NETWORK), seed=0).eval()
    fast = ins.optimize(model, batch_size=2, record=False)
    made = fast._code(fast._graph(12, 12), 2, fused=False, overwrites=False)
    return model.network, made, model


@pytest.fixture
def images() -> Tensor:
    return torch.randn(2, 3, 12, 12, generator=torch.Generator().manual_seed(0))


def test_every_outermost_concatenation_can_fork() -> None:
    _, made, _ = specialised()
    found = forks(made.plan)
    paths = [made.plan.steps[fork.join].node.path for fork in found]
    assert [path.partition(".")[0] for path in paths] == ["first", "second"]
    first = {}
    for position, branch in found[0].branch_of.items():
        first.setdefault(branch, []).append(made.plan.steps[position].node.path)
    assert [len(paths) for paths in first.values()] == [2, 4, 3], "a chain stays on one stream"


def test_forked_code_gives_the_same_numbers(images: Tensor) -> None:
    _, made, model = specialised()
    streams = Logged()
    possible = forks(made.plan)
    with torch.inference_mode():
        run = made._compiled(made.source.text(possible), streams)
        torch.testing.assert_close(run(images), model(images), rtol=1e-5, atol=1e-6)
    assert streams.log.count("fork") == streams.log.count("join") == 2
    assert streams.log[0] == "fork"
    assert "branch 1" in streams.log[: streams.log.index("join")]


def test_what_a_branch_reads_is_kept_until_the_join() -> None:
    """Another stream could reuse the memory of a value that was freed while a branch still reads it."""
    _, made, _ = specialised()
    lines = made.source.text(forks(made.plan)).splitlines()
    read_by_all = [line.split(" = ")[0].strip() for line in lines if "# stem" in line][-1]
    freed = next(number for number, line in enumerate(lines) if line.strip().startswith("del") and read_by_all in line)
    joined = next(number for number, line in enumerate(lines) if "join" in line)
    assert freed > joined


def test_a_recorded_network(images: Tensor) -> None:
    _, made, model = specialised()
    with torch.inference_mode():
        made.capture(images, Again(), Logged())
        for seed in range(2):
            other = torch.randn(2, 3, 12, 12, generator=torch.Generator().manual_seed(seed))
            first = made(other)
            torch.testing.assert_close(first, model(other), rtol=1e-5, atol=1e-6)
            made(images)
            torch.testing.assert_close(first, model(other), rtol=1e-5, atol=1e-6)
    assert made.notes == () or "CUDA" not in made.notes[-1]


def test_a_recording_that_fails(images: Tensor) -> None:
    _, made, model = specialised()
    with torch.inference_mode():
        made.capture(images, Fails(), Logged())
        torch.testing.assert_close(made(images), model(images), rtol=1e-5, atol=1e-6)
    assert made.notes[-1] == "the network is not recorded as a CUDA graph: CUDA out of memory. Tried"


class Stale(Again):
    """A recording that replays nothing."""

    def record(self, work: Callable[[], Tensor]) -> tuple[Tensor, Replay]:
        return torch.zeros_like(work()), lambda: None


def test_a_recording_with_another_result_is_not_used(images: Tensor) -> None:
    _, made, model = specialised()
    with torch.inference_mode():
        made.capture(images, Stale(), Logged())
        torch.testing.assert_close(made(images), model(images), rtol=1e-5, atol=1e-6)
    assert made.notes[-1].endswith("not recorded as a CUDA graph: the first replay gives another result")


def test_a_fork_with_another_result_is_not_used(images: Tensor) -> None:
    """Streams that are not joined would give such results."""

    class Unjoined(Again):
        def record(self, work: Callable[[], Tensor]) -> tuple[Tensor, Replay]:
            before = streams.log.count("fork")
            result = work()
            return result.mul_(2 if streams.log.count("fork") > before else 1), lambda: None

    _, made, model = specialised()
    streams = Logged()
    with torch.inference_mode():
        plain = made.code
        made.capture(images, Unjoined(), streams)
        torch.testing.assert_close(made(images), model(images), rtol=1e-5, atol=1e-6)
    assert "fork" in streams.log, "otherwise no fork was tried"
    assert made.code == plain


def test_only_forks_that_save_time_are_kept() -> None:
    _, made, _ = specialised()
    first, second = forks(made.plan)
    seconds = {(): 1.0, (first.join,): 0.8, (first.join, second.join): 0.9, (second.join,): 0.5}
    now, taken = [0.0], dict[int, float]()

    def make(chosen: Sequence[Fork]) -> Captured:
        captured = Captured(lambda x: x, torch.zeros(1, 1, 1, 1), Again())
        cost = seconds[tuple(fork.join for fork in chosen)]
        captured.replay = lambda: now.__setitem__(0, now[0] + cost)
        taken[id(captured)] = cost
        return captured

    best, kept = choose_forks(make, [first, second], lambda: None, lambda: now[0])
    assert kept == [first]
    assert taken[id(best)] == 0.8


def test_a_recorder_works_on_one_stream_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Torch's default stream would be that of another device if one was recorded before."""
    used: list[object] = []

    class Stream:
        def wait_stream(self, other: object) -> None:
            assert other is not self

    @contextmanager
    def on(stream: object) -> Iterator[None]:
        used.append(stream)
        yield

    @contextmanager
    def recorded(graph: object, *, stream: object, capture_error_mode: str) -> Iterator[None]:
        used.append(stream)
        yield

    current = Stream()
    for name, value in {"Stream": Stream, "stream": on, "graph": recorded, "CUDAGraph": Mock}.items():
        monkeypatch.setattr(torch.cuda, name, value)
    monkeypatch.setattr(torch.cuda, "current_stream", lambda: current)
    first, second = Recorder(), Recorder()
    for recorder in (first, second):
        recorder.warm_up(lambda: torch.zeros(1))
        recorder.record(lambda: torch.zeros(1))
    assert used == [first.stream] * 2 + [second.stream] * 2
    assert first.stream is not second.stream
