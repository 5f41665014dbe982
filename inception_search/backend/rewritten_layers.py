"""Layers of rewritten graphs. They own no tensors: theirs are read from the layers of the plain network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from inception_search.backend.bound_tensors import Read, SharedTensor
from inception_search.backend.writes import mark_statistics_written
from inception_search.graph.ops import Conv
from inception_search.graph.torch_modules import tf_zeros


class Fixed:
    """A tensor that is computed by :meth:`refresh` and kept until the next one."""

    def __init__(self, read: Read) -> None:
        self.read = read
        self.value: Tensor | None = None

    def __call__(self) -> Tensor:
        """The kept value, without gradient."""
        if self.value is None:
            self.refresh()
        assert self.value is not None
        return self.value

    def refresh(self) -> None:
        """Compute the value from the current tensors; it can be used with and without gradients of the images."""
        with torch.inference_mode(mode=False), torch.no_grad():
            value = self.read()
            four = value.ndim == 4 and value.is_contiguous(memory_format=torch.channels_last)
            self.value = value.detach().clone(memory_format=torch.channels_last if four else torch.contiguous_format)


class ConvOf(nn.Module):
    """A convolution of (N, C, H, W) with the given tensors."""

    def __init__(self, op: Conv, tensors: Mapping[str, Read]) -> None:
        super().__init__()
        self.op = op
        self.weight, self.bias = tensors["weight"], tensors.get("bias")

    def forward(self, x: Tensor) -> Tensor:
        """(N, width, H', W')."""
        op, padding = self.op, self.op.padding
        if padding == "tf":
            x = F.pad(x, tf_zeros((x.shape[2], x.shape[3]), op.kernel, op.stride, op.dilation))
            padding = (0, 0)
        bias = self.bias() if self.bias is not None else None
        return F.conv2d(x, self.weight(), bias, op.stride, padding, op.dilation, op.groups)

    def extra_repr(self) -> str:
        """The number of filters and the kernel, for ``print``."""
        return f"{self.op.width}, kernel_size={self.op.kernel}, stride={self.op.stride}"


class LinearOf(nn.Module):
    """A linear layer on (N, C) with the given tensors."""

    def __init__(self, tensors: Mapping[str, Read]) -> None:
        super().__init__()
        self.weight, self.bias = tensors["weight"], tensors.get("bias")

    def forward(self, x: Tensor) -> Tensor:
        """(N, width)."""
        return F.linear(x, self.weight(), self.bias() if self.bias is not None else None)


class NormOf(nn.Module):
    """The batch norms of consecutive groups of channels as one, in the mode and with the momentum that they have.

    It counts batches in Python, not on the device; :meth:`flush` writes the counts to the norms.
    """

    def __init__(self, norms: Sequence[_BatchNorm], tensors: Mapping[str, Read]) -> None:
        super().__init__()
        self.norms = tuple(norms)  # in a tuple, so that they are not submodules: the model sets their modes
        self.weight, self.bias = tensors.get("weight"), tensors["bias"]
        self.mean, self.variance = tensors["running_mean"], tensors["running_var"]
        self.pending = 0

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W), or (N, C), normalised; in training mode the running statistics are updated."""
        first = self.norms[0]
        if any(_settings(norm) != _settings(first) for norm in self.norms[1:]) or first.momentum is None:
            parts = torch.split(x, [norm.num_features for norm in self.norms], 1)
            return torch.cat([norm(part) for norm, part in zip(self.norms, parts, strict=True)], 1)
        mean, variance = self.mean(), self.variance()
        weight = self.weight() if self.weight is not None else None
        y = F.batch_norm(x, mean, variance, weight, self.bias(), first.training, first.momentum, first.eps)
        if first.training:
            self._update(mean, variance)
        return y

    def _update(self, mean: Tensor, variance: Tensor) -> None:
        for read, value in ((self.mean, mean), (self.variance, variance)):
            if isinstance(read, SharedTensor):
                read.write(value)
        if self.norms[0].num_batches_tracked is not None:
            self.pending += 1
        if not torch.compiler.is_compiling():
            mark_statistics_written(self.norms)

    def flush(self) -> None:
        """Add the batches since the last call to the counters of the norms."""
        for norm in self.norms:
            if self.pending and norm.num_batches_tracked is not None:
                norm.num_batches_tracked.add_(self.pending)
        self.pending = 0

    def extra_repr(self) -> str:
        """The number of channels, for ``print``."""
        return str(sum(norm.num_features for norm in self.norms))


def _settings(norm: _BatchNorm) -> tuple[bool, float | None, float]:
    return norm.training, norm.momentum, norm.eps


class EvaluatedNorm(nn.Module):
    """A batch norm in evaluation, with the given tensors."""

    def __init__(self, eps: float, tensors: Mapping[str, Read]) -> None:
        super().__init__()
        self.eps, self.tensors = eps, dict(tensors)

    def forward(self, x: Tensor) -> Tensor:
        """The shape of ``x``."""
        t = {name: read() for name, read in self.tensors.items()}
        return F.batch_norm(x, t["running_mean"], t["running_var"], t.get("weight"), t["bias"], False, 0.0, self.eps)
