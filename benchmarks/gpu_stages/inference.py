"""Stage 4: inference of four networks in bfloat16: ours with and without branches on streams, timm, torch.compile."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from contextlib import nullcontext
from importlib import import_module
from typing import Any
from unittest import mock

import torch
from torch import Tensor, nn

import inception_search as ins
from benchmarks.gpu_stages.task import Task
from benchmarks.rounds import interleaved, ratio, summary

# name -> (document, package of the module it is compared with, its name there, image size)
NETWORKS = {
    "v1": ("inception_v1@torchvision", "torchvision", "googlenet", 224),
    "v3": ("inception_v3", "timm", "inception_v3", 299),
    "v4": ("inception_v4", "timm", "inception_v4", 299),
    "Inception-ResNet-v2": ("inception_resnet_v2", "timm", "inception_resnet_v2", 299),
}
BATCHES = (1, 32, 256)
COMPILED = ("v1", "v3")
FIRST_MODE, SECOND_MODE = "reduce-overhead", "max-autotune-no-cudagraphs"
GOALS = {"v1": 1.6, "v3": 1.35}  # branches / sequential at batch 1
PEAKS = {"H200": 989e12, "H100": 989e12, "A100": 312e12}  # dense bfloat16 operations per second
ROUNDING = 0.05  # largest difference from float32, as a share of the largest logit
ROUNDS, REPEATS = 15, {1: 20, 32: 5, 256: 2}  # calls in a sample, by batch
NEEDED = {FIRST_MODE: 15.0, SECOND_MODE: 30.0}  # seconds without which a compilation is not begun
SEQUENTIAL, BRANCHES, OWN = "ours, sequential", "ours, branches", "our module, eager, channels_last"
Call = Callable[[], Tensor]


class Subject:
    """One network on the device, and the calls that compute its logits."""

    def __init__(self, task: Task, name: str) -> None:
        self.task, self.name = task, name
        self.document, self.package, self.theirs, self.size = NETWORKS[name]
        small: dict[str, Any] = {"width": 0.125, "input_size": 96} if task.small else {}
        self.size = small.get("input_size", self.size)
        self.dtype = torch.float32 if task.small else torch.bfloat16
        self.model = ins.compile(self.document, seed=0, **small).to(task.device).eval()
        self.macs = int(ins.lower(self.model.network, aux=False).cost().macs)
        self.modules: dict[str, nn.Module] = {OWN: self.cast(ins.compile(self.document, seed=0, **small))}
        self.missing = "" if task.small else self.add_theirs()

    def add_theirs(self) -> str:
        """Make the other package's module; why not, if it cannot be made."""
        try:
            package = _imported(self.package)
            if self.package == "timm":
                module = package.create_model(self.theirs)
            else:
                module = package.models.googlenet(init_weights=False, transform_input=False, aux_logits=False)
        except Exception as error:  # not installed, or for another torch
            return f"{self.name}: {self.package} is left out: {type(error).__name__}: {error}"
        self.modules[f"{self.package}, eager, channels_last"] = self.cast(module)
        return ""

    def cast(self, module: nn.Module) -> nn.Module:
        """In the dtype and layout of the measurement."""
        found: nn.Module = module.to(self.task.device, self.dtype, memory_format=torch.channels_last).eval()  # type: ignore[call-overload]
        return found

    def images(self, batch: int) -> Tensor:
        """Random images, channels_last."""
        images = torch.randn(batch, 3, self.size, self.size, device=self.task.device, dtype=self.dtype)
        return images.contiguous(memory_format=torch.channels_last)

    def ours(self, batch: int, *, branches: bool) -> tuple[Call, Tensor, dict[str, Any]]:
        """``ins.optimize``, the images, and how it was made."""
        none = mock.patch("inception_search.execution.specialised.forks", return_value=[])
        begun = time.perf_counter()
        dtype = "float32" if self.task.small else "bfloat16"
        with nullcontext() if branches else none:
            fast = ins.optimize(self.model, batch_size=batch, dtype=dtype, record=False)
        images = self.images(batch)
        fast(images)
        seconds = round(time.perf_counter() - begun, 2)
        about = {"seconds_to_make": seconds, "forks": fast.code.count("streams.fork()"), "notes": list(fast.notes)}
        return lambda: fast(images), images, about


def _imported(package: str) -> Any:
    """timm or torchvision, also where the installed torchvision is for another torch."""
    try:
        return import_module(package)
    except RuntimeError:
        import_module("tests.torchvision_shim")
        return import_module(package)


def run(task: Task) -> None:
    torch.set_grad_enabled(False)
    names = ["v1"] if task.small else list(NETWORKS)
    batches = BATCHES[:1] if task.small else BATCHES
    for batch in batches:
        for name in names:
            _guarded(task, f"{name}, batch {batch}", 4.0, lambda: measured(task, Subject(task, name), batch))  # noqa: B023
        if batch == 1:
            for name in names[:1] if task.small else COMPILED:
                _guarded(task, f"{name}, {FIRST_MODE}", NEEDED[FIRST_MODE], lambda: compiled(task, name, FIRST_MODE))  # noqa: B023
    if not task.small:
        for name in COMPILED:
            _guarded(task, f"{name}, {SECOND_MODE}", NEEDED[SECOND_MODE], lambda: compiled(task, name, SECOND_MODE))  # noqa: B023


def _guarded(task: Task, what: str, needed: float, work: Callable[[], None]) -> None:
    """Do ``work`` if there is time; its failure is a note."""
    if task.left < needed and not task.small:
        task.rows.note(f"{what}: left out, because the time of the stage was over")
        return
    try:
        work()
    except Exception as error:  # the other measurements can be made
        task.rows.note(f"{what}: {type(error).__name__}: {error}")
    gc.collect()
    if task.device.type == "cuda":
        torch.cuda.empty_cache()


def measured(task: Task, subject: Subject, batch: int) -> None:
    """The row of a network and batch."""
    if subject.missing and batch == 1:
        task.rows.note(subject.missing)
    row: dict[str, Any] = {}
    calls: dict[str, Call] = {}
    for name, branches in ((SEQUENTIAL, False), (BRANCHES, True)):
        call, images, row[name] = subject.ours(batch, branches=branches)
        expected = subject.model(images.float())
        difference = float((call() - expected).abs().max() / expected.abs().max())
        row[name]["difference"] = float(f"{difference:.2g}")
        if difference <= ROUNDING:
            calls[name] = call
        else:
            task.rows.note(f"{subject.name}, batch {batch}: {name} is not timed: it differs by {difference:.2g}")
    images = subject.images(batch)
    calls |= {name: lambda module=module: module(images) for name, module in subject.modules.items()}  # type: ignore[misc]
    times = timed(task, calls, batch)
    row["ms"] = summary(times)
    row["ratios"] = {name: ratio(times[name], times[BRANCHES]) for name in times if BRANCHES in times}
    peak = next((value for card, value in PEAKS.items() if card in task.rows.content["facts"]["device"]), None)
    if peak:
        share = {name: 2e3 * subject.macs * batch / (each["median"] * peak) for name, each in row["ms"].items()}
        row["share_of_peak"] = {name: round(value, 4) for name, value in share.items()}
    task.rows.add(f"{subject.name}, batch {batch}", row)
    if batch == 1 and subject.name in GOALS and SEQUENTIAL in row["ratios"]:
        found = row["ratios"][SEQUENTIAL]["ratio"]
        task.rows.goal(f"{subject.name}, batch 1: {BRANCHES} / {SEQUENTIAL}", GOALS[subject.name], found)


def timed(task: Task, calls: dict[str, Call], batch: int) -> dict[str, list[float]]:
    """Milliseconds of one call, for each round."""
    repeats, rounds = (1, 2) if task.small else (REPEATS[batch], ROUNDS)

    def sample(call: Call) -> None:
        for _ in range(repeats):
            call()
        task.settle()

    for call in calls.values():
        sample(call)
    samples = {name: lambda call=call: sample(call) for name, call in calls.items()}  # type: ignore[misc]
    found = interleaved(samples, rounds, warm=batch == 1)
    return {name: [value / repeats for value in values] for name, values in found.items()}


def compiled(task: Task, name: str, mode: str) -> None:
    """torch.compile of the other package's module (else of ours) at batch 1, beside ours."""
    subject = Subject(task, name)
    package, module = list(subject.modules.items())[-1]
    images = subject.images(1)
    begun = time.perf_counter()
    options: dict[str, Any] = {"backend": "eager"} if task.small else {"mode": mode}
    function = torch.compile(module, dynamic=False, **options)
    for _ in range(3):  # graphs are recorded in the second call
        function(images)
    task.settle()
    seconds = round(time.perf_counter() - begun, 1)
    ours, _, about = subject.ours(1, branches=True)
    times = timed(task, {BRANCHES: ours, mode: lambda: function(images)}, 1)
    row = {"of": package, "seconds_to_compile": seconds, BRANCHES: about, "ms": summary(times)}
    row["ratio"] = ratio(times[mode], times[BRANCHES])
    task.rows.add(f"{name}, batch 1, torch.compile {mode}", row)
    if mode == FIRST_MODE:
        task.rows.goal(f"{name}, batch 1: {BRANCHES} / torch.compile {mode}", 1.0, row["ratio"]["ratio"])
    torch._dynamo.reset()
