"""The variants that benchmarks/inference.py compares: other runtimes on modules of timm and torchvision, and ours.

Each maker gets a task and returns a call without arguments that computes the logits of the task's images. A module is
copied for each variant. Images are in the layout that the variant computes in.
"""

from __future__ import annotations

import copy
import tempfile
import types
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

import inception_search as ins
import tests.torchvision_shim  # noqa: F401 - must come before torchvision and timm
from tests.conformance.images import images
from tests.conformance.random_weights import randomise

Call = Callable[[], Any]
BFLOAT16 = ", bfloat16"  # ends the names of variants that compute in it


class Subject(NamedTuple):
    """One network: whose module it is compared with, the document that computes the same, and its image size."""

    package: str
    document: str
    size: int


SUBJECTS = {
    "googlenet": Subject("torchvision", "inception_v1@torchvision", 224),
    "inception_v3": Subject("timm", "inception_v3", 299),
    "inception_v4": Subject("timm", "inception_v4", 299),
    "inception_resnet_v2": Subject("timm", "inception_resnet_v2", 299),
}


def reference(name: str) -> nn.Module:
    """The module of the other package, for inference, with weights that keep activations in range."""
    if SUBJECTS[name].package == "timm":
        import timm

        module: nn.Module = timm.create_model(name)
    else:
        import torchvision

        module = getattr(torchvision.models, name)(init_weights=False, transform_input=False, aux_logits=False)
    randomise(module.state_dict(), out_axis=0)
    return module.eval()


@dataclass
class Task:
    """What every variant of one network computes."""

    name: str
    batch: int
    threads: int

    @cached_property
    def module(self) -> nn.Module:
        """The reference in float32; never changed."""
        return reference(self.name)

    @cached_property
    def model(self) -> ins.api.NetworkModule:
        """Ours, with the weights of the reference."""
        return ins.compile(SUBJECTS[self.name].document, weights=self.module.state_dict()).eval()

    @cached_property
    def images(self) -> Tensor:
        """(N, 3, H, W), float32."""
        size = SUBJECTS[self.name].size
        return images((3, size, size), batch=self.batch).float()

    @property
    def channels_last(self) -> Tensor:
        """The images with the channels of a pixel side by side in memory."""
        return self.images.contiguous(memory_format=torch.channels_last)


def eager(task: Task) -> Call:
    """The module as it is: NCHW."""
    module, x = task.module, task.images
    return lambda: module(x)


def channels_last(task: Task, dtype: torch.dtype) -> Call:
    """The module in channels_last."""
    module, x = _in_channels_last(task, dtype)
    return lambda: module(x)


def compiled(task: Task, dtype: torch.dtype, freezing: bool) -> Call:
    """``torch.compile``, in channels_last; compiled when the first call is made, as always."""
    from torch._inductor import config

    module, x = _in_channels_last(task, dtype)
    # dynamic=False: torch remembers by file and line that the size of an input varies, and these share a line
    function = torch.compile(_with_own_code(lambda x: module(x)), dynamic=False)
    with config.patch(freezing=freezing):
        function(x)
    return lambda: function(x)


def _in_channels_last(task: Task, dtype: torch.dtype) -> tuple[nn.Module, Tensor]:
    module = copy.deepcopy(task.module).to(dtype, memory_format=torch.channels_last)  # type: ignore[call-overload]
    return module, task.channels_last.to(dtype)


def _with_own_code(function: Any) -> Any:
    """``function`` with a code object of its own.

    torch.compile keeps what it has compiled with the code object: variants that share one could use the code of each
    other, such as code without freezing for the variant with it.
    """
    return types.FunctionType(function.__code__.replace(), function.__globals__, "variant", None, function.__closure__)


def openvino(task: Task, dtype: torch.dtype) -> Call:
    """OpenVINO's own conversion of the module, set for latency, on all threads."""
    model = _converted(task, task.batch)
    compiled_model = _openvino_compiled(task, model, dtype, {"PERFORMANCE_HINT": "LATENCY"})
    x, request = task.images.numpy(), compiled_model.create_infer_request()
    return lambda: request.infer([x], share_inputs=True, share_outputs=True)[0]


def openvino_streams(task: Task, dtype: torch.dtype) -> Call:
    """OpenVINO with a stream for each thread, each with its share of the batch."""
    import numpy as np
    import openvino as ov

    streams = task.threads
    model = _converted(task, task.batch // streams)
    queue = ov.AsyncInferQueue(_openvino_compiled(task, model, dtype, {"NUM_STREAMS": str(streams)}), streams)
    parts = np.split(task.images.numpy(), streams)
    answers: list[Any] = [None] * streams

    def keep(request: Any, place: int) -> None:
        answers[place] = request.get_output_tensor(0).data.copy()

    queue.set_callback(keep)

    def call() -> Any:
        for place, part in enumerate(parts):
            queue.start_async([part], place)
        queue.wait_all()
        return np.concatenate(answers)

    return call


def _converted(task: Task, batch: int) -> Any:
    import openvino as ov

    return ov.convert_model(task.module, example_input=task.images[:batch], input=[list(task.images[:batch].shape)])


def _openvino_compiled(task: Task, model: Any, dtype: torch.dtype, options: dict[str, str]) -> Any:
    import openvino as ov

    # without the hint, float32 networks are computed in bfloat16 where the processor has AMX
    precision = "bf16" if dtype == torch.bfloat16 else "f32"
    fixed = {"INFERENCE_PRECISION_HINT": precision, "INFERENCE_NUM_THREADS": str(task.threads)}
    compiled_model = ov.Core().compile_model(model, "CPU", fixed | options)
    used = compiled_model.get_property("INFERENCE_PRECISION_HINT").to_string()
    if used != precision:
        raise RuntimeError(f"computes in {used}, not in {precision}, on this processor")
    return compiled_model


def onnxruntime(task: Task) -> Call:
    """ONNX Runtime on torch's own export of the module."""
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = task.threads
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "model.onnx"
        torch.onnx.export(task.module, (task.images,), file, dynamo=True, verbose=False)
        session = ort.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    feed = {session.get_inputs()[0].name: task.images.numpy()}
    return lambda: session.run(None, feed)[0]


def ours(task: Task, dtype: str) -> Call:
    """``ins.optimize``."""
    fast, x = ins.optimize(task.model, batch_size=task.batch, dtype=dtype), task.channels_last
    return lambda: fast(x)


def ours_workers(task: Task, dtype: str) -> Call:
    """``ins.optimize`` and ``predict`` with a one-thread worker for each thread."""
    workers, share = task.threads, task.batch // task.threads
    fast, x = ins.optimize(task.model, batch_size=share, dtype=dtype), task.channels_last
    return lambda: fast.predict(x, batch_size=share, workers=workers)


def ours_small(task: Task) -> Call:
    """The same in batches of four, without recorded graphs and without the model's own weights."""
    torch.set_num_threads(1)  # as a worker has: other numbers of threads need other packed weights
    fast, x = ins.optimize(task.model, batch_size=4, record=False), task.images
    torch.set_num_threads(task.threads)
    fast.release_model()
    workers = task.threads  # the call must not keep the task, which has the weights
    return lambda: fast.predict(x, batch_size=4, workers=workers)


Maker = Callable[[Task], Call]
FLOAT32: dict[str, Maker] = {
    "eager": eager,
    "eager, channels_last": partial(channels_last, dtype=torch.float32),
    "torch.compile": partial(compiled, dtype=torch.float32, freezing=False),
    "torch.compile, freezing": partial(compiled, dtype=torch.float32, freezing=True),
    "ONNX Runtime": onnxruntime,
    "OpenVINO": partial(openvino, dtype=torch.float32),
    "ours": partial(ours, dtype="float32"),
}
IN_BFLOAT16: dict[str, Maker] = {
    "eager, channels_last": partial(channels_last, dtype=torch.bfloat16),
    "torch.compile, freezing": partial(compiled, dtype=torch.bfloat16, freezing=True),
    "OpenVINO": partial(openvino, dtype=torch.bfloat16),
    "ours": partial(ours, dtype="bfloat16"),
}
# A thread for each part of the batch, in place of all threads for every operation.
FLOAT32_PARTS: dict[str, Maker] = {
    "OpenVINO, streams": partial(openvino_streams, dtype=torch.float32),
    "ours, workers": partial(ours_workers, dtype="float32"),
}
IN_BFLOAT16_PARTS: dict[str, Maker] = {
    "OpenVINO, streams": partial(openvino_streams, dtype=torch.bfloat16),
    "ours, workers": partial(ours_workers, dtype="bfloat16"),
}


LEAST_MEMORY = "ours, workers, model released"


def makers(batch: int) -> dict[str, Maker]:
    """The variants for a size of the batch, by name."""
    plain = FLOAT32 | (FLOAT32_PARTS if batch > 1 else {})
    halved = IN_BFLOAT16 | (IN_BFLOAT16_PARTS if batch > 1 else {})
    return plain | {f"{name}{BFLOAT16}": maker for name, maker in halved.items()}


def all_makers(batch: int) -> dict[str, Maker]:
    """As :func:`makers`, with what is measured for its memory only."""
    return makers(batch) | {LEAST_MEMORY: ours_small}
