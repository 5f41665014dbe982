"""Stage 3: a training step as a recorded graph against the same step launched op by op."""

from __future__ import annotations

import copy
import statistics
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor

import inception_search as ins
from benchmarks.gpu_stages.task import Task
from benchmarks.rounds import interleaved, ratio, summary
from inception_search.backend.recorder import Recorder, fastest_kernels
from inception_search.spec.network import Network
from inception_search.spec.transform import set_input
from inception_search.training.cuda_graph import WARM_UP, CapturedStep
from inception_search.training.fidelity import Fidelity
from inception_search.training.optimizers import make_optimizer
from inception_search.training.step import EagerStep, Step, Work
from tests.aten_ops import aten_ops
from tests.proxy_networks import MODULES, WIDTH, proxy_network

BATCH, STEPS, ROUNDS = 64, 20, 15  # a sample is so many steps
Make = Callable[[], Network]
PROXIES: dict[str, Make] = {
    **{f"{family}, 32x32": lambda family=family: proxy_network(family) for family in MODULES},  # type: ignore[misc]
    "inception_v1, 14x14": lambda: set_input(proxy_network("inception_v1"), height=14, width=14),
    "inception_v4, 28x28": lambda: set_input(proxy_network("inception_v4"), height=28, width=28),
}
IN_SMALL: dict[str, Make] = {"inception_v1, 8x8": lambda: set_input(proxy_network("inception_v1"), height=8, width=8)}


class Repeats(Recorder):
    """Stands in for the GPU's recorder in a dry run: a replay does the work again."""

    def warm_up(self, work: Callable[[], Tensor]) -> Tensor:
        return work()

    def record(self, work: Callable[[], Tensor]) -> tuple[Tensor, Callable[[], object]]:
        return work(), work


def run(task: Task) -> None:
    for name, make in (IN_SMALL if task.small else PROXIES).items():
        if task.left < 3 and not task.small:
            task.rows.note(f"{name}: left out, because the time of the stage was over")
            continue
        try:
            with fastest_kernels():
                task.rows.add(name, measured(task, make()))
        except Exception as error:  # the other networks can be measured
            task.rows.note(f"{name}: {type(error).__name__}: {error}")


def measured(task: Task, network: Network) -> dict[str, Any]:
    """Milliseconds, kernels and idle time of both steps."""
    batch, steps, rounds = (4, 2, 2) if task.small else (BATCH, STEPS, ROUNDS)
    images = torch.randn(batch, *network.input.shape, device=task.device).contiguous(memory_format=torch.channels_last)
    labels = torch.randint(10, (batch,), device=task.device)
    model = ins.compile(network, width=WIDTH, seed=0).to(task.device, memory_format=torch.channels_last)
    taken: dict[str, Step] = {}
    for name in ("eager", "captured"):
        own, fidelity = copy.deepcopy(model).train(), Fidelity()
        work = Work(own, make_optimizer(own, fidelity, capturable=name == "captured"), fidelity, (), None)
        recorder = Repeats() if task.small else None
        taken[name] = EagerStep(work) if name == "eager" else CapturedStep(work, task.device, recorder)

    def sample(step: Step) -> None:
        for _ in range(steps):
            step(images, labels, 1e-3, 1)
        task.settle()

    for step in taken.values():
        for _ in range(WARM_UP + 2):
            step(images, labels, 1e-3, 1)
        task.settle()
    calls = {name: lambda step=step: sample(step) for name, step in taken.items()}  # type: ignore[misc]
    times = {name: [value / steps for value in values] for name, values in interleaved(calls, rounds).items()}
    row: dict[str, Any] = {"batch": batch, "ms": summary(times), "speed_up": ratio(times["eager"], times["captured"])}
    row["notes"] = list(taken["captured"].notes)
    row["ops_of_an_eager_step"] = aten_ops(lambda: taken["eager"](images, labels, 1e-3, 1)).total()
    if task.device.type == "cuda":
        row["profile"] = {}
        for name, step in taken.items():
            try:
                row["profile"][name] = profiled(partial(sample, step), steps)
            except Exception as error:  # the times are worth more than the profile, which needs rights on some machines
                row["profile"][name] = {"why_not": f"{type(error).__name__}: {error}"}
    return row


def profiled(work: Callable[[], object], steps: int) -> dict[str, Any]:
    """Kernels of a step, and the share of the time in which the GPU runs none."""
    from torch.autograd import DeviceType
    from torch.profiler import ProfilerActivity, profile

    with profile(activities=[ProfilerActivity.CUDA]) as profiler:
        work()
    kernels = [event for event in profiler.events() or () if event.device_type == DeviceType.CUDA]
    if not kernels:
        return {"why_not": "the profiler recorded no kernel"}
    spans = [(event.time_range.start, event.time_range.end) for event in kernels]
    return {
        "kernels": round(len(kernels) / steps, 1),
        "idle": idle_share(spans),
        "median_kernel_us": statistics.median(end - start for start, end in spans),
    }


def idle_share(spans: list[tuple[float, float]]) -> float:
    """The share of the time from the first start to the last end that no span covers, 0..1."""
    ordered = sorted(spans)
    busy, reached = 0.0, ordered[0][0]
    for start, end in ordered:
        busy += max(0.0, end - max(start, reached))
        reached = max(reached, end)
    whole = reached - ordered[0][0]
    return round(1 - busy / whole, 3) if whole else 0.0
