"""PyTorch without compilation, in channels_last format."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import torch
import torch.nn.functional as F
from torch import Tensor

from inception_search.on_device.parts import Part, PlanError, arrays, images
from inception_search.on_device.runtime import Runtime, processor

Attributes: TypeAlias = Mapping[str, Any]


class Torch(Runtime):
    """PyTorch without compilation, in channels_last format."""

    version = str(torch.__version__)

    def __init__(self, device: str, threads: int | None) -> None:
        try:
            self.place = torch.device(device)
            torch.zeros(1, device=self.place)
        except (RuntimeError, AssertionError) as error:
            raise PlanError(f"torch has no device {device!r}: {str(error).splitlines()[0]}") from None
        if threads is not None:
            torch.set_num_threads(threads)
        self.on_gpu = self.place.type == "cuda"
        if self.on_gpu:
            torch.backends.cudnn.benchmark = True
        self.threads = torch.get_num_threads()
        self.device = torch.cuda.get_device_name(self.place) if self.on_gpu else processor()

    def prepare(self, part: Part, batch_size: int) -> Callable[[], Any]:
        """As :meth:`Runtime.prepare`."""
        missing = sorted({call[0] for call in part["calls"]} - CALLS.keys())
        if missing:
            raise PlanError(f"the runtime torch cannot run the operator {missing[0]}")
        known = {name: self._tensor(value) for name, value in {**images(part, batch_size), **arrays(part)}.items()}
        last = {name: index for index, call in enumerate(part["calls"]) for name in call[1]}
        done: list[list[str]] = [[] for _ in part["calls"]]
        for name, index in last.items():
            if name not in known:
                done[index].append(name)
        steps = [(CALLS[kind], inputs, output, given) for kind, inputs, output, given in part["calls"]]

        def call() -> Any:
            values = dict(known)
            with torch.inference_mode():
                for (compute, inputs, output, given), ended in zip(steps, done, strict=True):
                    values[output] = compute([values[name] for name in inputs], given)
                    for name in ended:
                        del values[name]
            return values[part["output"]]

        return call

    def wait(self) -> None:
        """As :meth:`Runtime.wait`."""
        if self.on_gpu:
            torch.cuda.synchronize(self.place)

    def _tensor(self, array: Any) -> Tensor:
        value = torch.from_numpy(array.copy())
        if not value.is_floating_point():  # positions, which the program reads
            return value
        value = value.to(self.place)
        return value.contiguous(memory_format=torch.channels_last) if value.dim() == 4 else value


def _padded(x: Tensor, given: Attributes, value: float, limit: float = 2.0) -> tuple[Tensor, tuple[int, int]]:
    """``x``, and its padding (down, across) if torch can pad it in the window; else ``x`` padded with ``value``.

    ``limit``: the least ratio of kernel to padding; torch's pooling pads by at most half of the kernel.
    """
    top, left, bottom, right = given.get("pads", (0, 0, 0, 0))
    kernel = given["kernel_shape"]
    if (top, left) == (bottom, right) and limit * top <= kernel[0] and limit * left <= kernel[1]:
        return x, (top, left)
    return F.pad(x, (left, right, top, bottom), value=value), (0, 0)


def _conv(values: Sequence[Tensor], given: Attributes) -> Tensor:
    x, padding = _padded(values[0], given, 0.0, limit=0.0)
    bias = values[2] if len(values) > 2 else None
    return F.conv2d(x, values[1], bias, tuple(given["strides"]), padding, tuple(given["dilations"]), given["group"])


def _max_pool(values: Sequence[Tensor], given: Attributes) -> Tensor:
    x, padding = _padded(values[0], given, -math.inf)
    return F.max_pool2d(x, given["kernel_shape"], given["strides"], padding)


def _average_pool(values: Sequence[Tensor], given: Attributes) -> Tensor:
    kernel, strides, counts = given["kernel_shape"], given["strides"], bool(given.get("count_include_pad", 0))
    x, padding = _padded(values[0], given, 0.0)
    if x is values[0] or counts:
        return F.avg_pool2d(x, kernel, strides, padding, count_include_pad=counts)
    inside = F.avg_pool2d(_padded(torch.ones_like(values[0][:1, :1]), given, 0.0)[0], kernel, strides)
    return F.avg_pool2d(x, kernel, strides) / inside


def _slice(values: Sequence[Tensor], given: Attributes) -> Tensor:
    x, begin, end, axis = values[0], *(int(each) for each in values[1:])
    return x.narrow(axis, begin, min(end, x.shape[axis]) - begin)


def _pad(values: Sequence[Tensor], given: Attributes) -> Tensor:
    sizes = [int(size) for size in values[1]]
    half = len(sizes) // 2
    return F.pad(values[0], [size for axis in reversed(range(half)) for size in (sizes[axis], sizes[half + axis])])


CALLS: dict[str, Callable[[Sequence[Tensor], Attributes], Tensor]] = {
    "Conv": _conv,
    "Gemm": lambda v, given: F.linear(*v),
    "MatMul": lambda v, given: torch.matmul(*v),
    "BatchNormalization": lambda v, given: F.batch_norm(v[0], v[3], v[4], v[1], v[2], eps=given["epsilon"]),
    "LRN": lambda v, given: F.local_response_norm(v[0], given["size"], given["alpha"], given["beta"], given["bias"]),
    "MaxPool": _max_pool,
    "AveragePool": _average_pool,
    "GlobalAveragePool": lambda v, given: v[0].mean((2, 3), keepdim=True),
    "GlobalMaxPool": lambda v, given: v[0].amax((2, 3), keepdim=True),
    "ReduceMax": lambda v, given: v[0].amax(tuple(given["axes"]), keepdim=bool(given["keepdims"])),
    "ReduceL2": lambda v, given: v[0].norm(dim=tuple(given["axes"]), keepdim=bool(given["keepdims"])),
    "Flatten": lambda v, given: v[0].flatten(1),
    "Concat": lambda v, given: torch.cat(tuple(v), given["axis"]),
    "Slice": _slice,
    "Pad": _pad,
    "Add": lambda v, given: v[0] + v[1],
    "Mul": lambda v, given: v[0] * v[1],
    "Div": lambda v, given: v[0] / v[1],
    "Max": lambda v, given: torch.maximum(*v),
    "Pow": lambda v, given: v[0] ** v[1],
    "Sqrt": lambda v, given: v[0].sqrt(),
    "Erf": lambda v, given: v[0].erf(),
    "Clip": lambda v, given: torch.clamp(*v),
    "Relu": lambda v, given: v[0].relu(),
    "LeakyRelu": lambda v, given: F.leaky_relu(v[0], given["alpha"]),
    "Elu": lambda v, given: F.elu(v[0]),
    "Tanh": lambda v, given: v[0].tanh(),
    "Sigmoid": lambda v, given: v[0].sigmoid(),
}
"""The ONNX operators that ops write, as functions of their tensors and attributes."""
