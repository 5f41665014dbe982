"""Weights of a rewritten graph, as expressions over the stored weights of the plain network.

A pass never computes numbers: it states how each tensor of a new layer is made from tensors of the layers that it
replaces. The same expression then serves training, where it is evaluated in every step and gradients reach the stored
weights, and inference, where it is evaluated once. ``str()`` shows an expression as text.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Expression(ABC):
    """Base of all expressions: frozen dataclasses, whose fields with expressions are the operands."""

    @property
    def parts(self) -> tuple[Expression, ...]:
        """The operands, in the order of the fields; an operand that is None is left out."""
        values = [getattr(self, each.name) for each in fields(self)]
        listed = (value if isinstance(value, tuple) else (value,) for value in values)
        return tuple(part for each in listed for part in each if isinstance(part, Expression))

    @abstractmethod
    def compute(self, *values: Tensor) -> Tensor:
        """The value, from the values of :attr:`parts`; differentiable."""


@dataclass(frozen=True)
class Stored(Expression):
    """A tensor of the plain network, by its ``state_dict`` key."""

    key: str

    def compute(self, *values: Tensor) -> Tensor:
        """The stored tensor, which is given."""
        return values[0]

    def __str__(self) -> str:
        return self.key


@dataclass(frozen=True)
class Joined(Expression):
    """Tensors one after the other on their first axis: the filters of several convolutions."""

    values: tuple[Expression, ...]

    def compute(self, *values: Tensor) -> Tensor:
        """(sum of N_i, ...)."""
        import torch

        return torch.cat(values)

    def __str__(self) -> str:
        return f"join({', '.join(map(str, self.values))})"


@dataclass(frozen=True)
class Slice(Expression):
    """``width`` entries of the first axis, beginning at ``start``."""

    value: Expression
    start: int
    width: int

    def compute(self, *values: Tensor) -> Tensor:
        """(width, ...)."""
        return values[0][self.start : self.start + self.width]

    def __str__(self) -> str:
        return f"{self.value}[{self.start}:{self.start + self.width}]"


@dataclass(frozen=True)
class Times(Expression):
    """A tensor times a constant."""

    value: Expression
    factor: float

    def compute(self, *values: Tensor) -> Tensor:
        """The shape of the tensor."""
        return values[0] * self.factor

    def __str__(self) -> str:
        return f"{self.factor:g} * {self.value}"


@dataclass(frozen=True)
class Sum(Expression):
    """The sum of tensors of one shape."""

    values: tuple[Expression, ...]

    def compute(self, *values: Tensor) -> Tensor:
        """The shape of the tensors."""
        total = values[0]
        for value in values[1:]:
            total = total + value
        return total

    def __str__(self) -> str:
        return f"({' + '.join(map(str, self.values))})"


@dataclass(frozen=True)
class Embedded(Expression):
    """A kernel (O, I, h, w) inside a larger one of zeros: ``size`` (H, W), first entry at ``start`` (row, column)."""

    kernel: Expression
    start: tuple[int, int]
    size: tuple[int, int]

    def compute(self, *values: Tensor) -> Tensor:
        """(O, I, H, W)."""
        import torch.nn.functional as F

        (top, left), (height, width) = self.start, self.size
        kernel = values[0]
        right, bottom = width - left - kernel.shape[3], height - top - kernel.shape[2]
        return F.pad(kernel, (left, right, top, bottom)) if max(top, left, right, bottom) else kernel

    def __str__(self) -> str:
        return f"embed({self.kernel}, {self.size[0]}x{self.size[1]} at {self.start[0]},{self.start[1]})"


@dataclass(frozen=True)
class NormScale(Expression):
    """The factor of each channel in a batch norm in evaluation: ``gamma / sqrt(variance + eps)``."""

    variance: Expression
    gamma: Expression | None
    eps: float

    def compute(self, *values: Tensor) -> Tensor:
        """(C,)."""
        scale = (values[0] + self.eps).rsqrt()
        return scale if self.gamma is None else scale * values[1]

    def __str__(self) -> str:
        root = f"rsqrt({self.variance} + {self.eps:g})"
        return root if self.gamma is None else f"{self.gamma} * {root}"


@dataclass(frozen=True)
class NormShift(Expression):
    """The bias of a convolution with a folded norm: ``beta + (bias - mean) * scale``."""

    scale: Expression
    mean: Expression
    beta: Expression
    bias: Expression | None

    def compute(self, *values: Tensor) -> Tensor:
        """(C,)."""
        scale, mean, beta, *bias = values
        return beta + ((bias[0] - mean) if bias else -mean) * scale

    def __str__(self) -> str:
        centre = f"-{self.mean}" if self.bias is None else f"({self.bias} - {self.mean})"
        return f"({self.beta} + {centre} * {self.scale})"


@dataclass(frozen=True)
class ScaledFilters(Expression):
    """A weight (O, ...) with each filter times its entry of ``scale`` (O,)."""

    kernel: Expression
    scale: Expression

    def compute(self, *values: Tensor) -> Tensor:
        """The shape of the weight."""
        kernel, scale = values
        return kernel * scale.reshape(-1, *[1] * (kernel.ndim - 1))

    def __str__(self) -> str:
        return f"{self.kernel} * ({self.scale})"


@dataclass(frozen=True)
class ScaledInputs(Expression):
    """A weight (O, I / groups, ...) with its entries for each input channel times that channel's ``scale`` (I,)."""

    kernel: Expression
    scale: Expression

    def compute(self, *values: Tensor) -> Tensor:
        """The shape of the weight."""
        kernel, scale = values
        filters, channels = kernel.shape[:2]
        groups = len(scale) // channels
        each = scale.reshape(groups, 1, channels).expand(groups, filters // groups, channels)
        return kernel * each.reshape(filters, channels, *[1] * (kernel.ndim - 2))

    def __str__(self) -> str:
        return f"{self.kernel} *inputs ({self.scale})"


@dataclass(frozen=True)
class FilterSums(Expression):
    """The sum of each filter of a weight (O, ...): what it gives for an input of ones."""

    kernel: Expression

    def compute(self, *values: Tensor) -> Tensor:
        """(O,)."""
        return values[0].flatten(1).sum(1)

    def __str__(self) -> str:
        return f"sums({self.kernel})"


@dataclass(frozen=True)
class AsKernel(Expression):
    """The weight (O, C * H * W) of a linear layer as a kernel (O, C, H, W)."""

    weight: Expression
    shape: tuple[int, int, int]

    def compute(self, *values: Tensor) -> Tensor:
        """(O, C, H, W)."""
        return values[0].reshape(len(values[0]), *self.shape)

    def __str__(self) -> str:
        return f"kernel({self.weight})"


@dataclass(frozen=True)
class Zeros(Expression):
    """Zeros of the shape of another tensor: the bias of a convolution that has none beside others that have one."""

    like: Expression
    """A tensor with as many entries on its first axis as there are zeros."""

    def compute(self, *values: Tensor) -> Tensor:
        """(N,)."""
        return values[0].new_zeros(len(values[0]))

    def __str__(self) -> str:
        return "0"


def joined(values: Iterable[Expression]) -> Joined:
    """The tensors joined; those that are joined themselves are taken apart, so that one storage can hold all."""
    return Joined(tuple(part for value in values for part in (value.parts if isinstance(value, Joined) else (value,))))


def evaluate(expression: Expression, get: Callable[[str], Tensor]) -> Tensor:
    """The value of ``expression``; ``get`` returns the stored tensor of a ``state_dict`` key."""
    if isinstance(expression, Stored):
        return expression.compute(get(expression.key))
    return expression.compute(*(evaluate(part, get) for part in expression.parts))
