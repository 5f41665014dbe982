"""The tensors of rewritten layers, read from the layers of the plain network whenever they are used.

Tensors of several layers that a rewrite joins can share one storage: each layer's tensor is then a view of its part,
and joining them takes no time. Gradients reach the layers' own parameters as views too. Optimizers, ``state_dict`` and
checkpoints see the plain network's tensors only.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import is_
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.graph import increment_version

from inception_search.errors import CompileError
from inception_search.passes.expressions import Expression, Joined, Stored, evaluate

Read = Callable[[], Tensor]


class BoundTensor:
    """The value of an expression over the tensors of ``root``; its layers are looked up once."""

    def __init__(self, expression: Expression, root: nn.Module) -> None:
        self.expression = expression
        self.places = {key: place(root, key) for key in stored_keys(expression)}

    def __call__(self) -> Tensor:
        """The current value; gradients reach the stored tensors."""
        return evaluate(self.expression, self._get)

    def _get(self, key: str) -> Tensor:
        layer, name = self.places[key]
        value: Tensor = getattr(layer, name)
        return value


class SharedTensor:
    """The tensors of several layers joined on their first axis; see :meth:`share`."""

    def __init__(self, keys: Sequence[str], root: nn.Module) -> None:
        self.places = [place(root, key) for key in keys]
        self.whole: Tensor | None = None
        self.tensors: list[Tensor] = []
        self.addresses: list[int] = []

    def __call__(self) -> Tensor:
        """The joined tensor; without a copy if the layers' tensors share one storage."""
        values = [getattr(layer, name) for layer, name in self.places]
        whole = self.whole
        if whole is None or torch.compiler.is_compiling() or not self._shares(values):
            return torch.cat(values)
        if torch.is_grad_enabled() and any(value.requires_grad for value in values):
            joined: Tensor = _Join.apply(whole, *values)  # type: ignore[no-untyped-call]
            return joined
        return whole

    def share(self) -> None:
        """Move the layers' tensors into one storage, as views; the tensors stay the same objects."""
        values = [getattr(layer, name) for layer, name in self.places]
        if self.whole is not None and self._shares(values):
            return
        first = values[0]
        if any(v.dtype != first.dtype or v.device != first.device or _is_fixed(v) for v in values):
            return
        with torch.no_grad():
            whole = self.whole = torch.cat([value.detach() for value in values])
            for value, part in zip(values, torch.split(whole, [len(value) for value in values]), strict=True):
                value.data = part
        self.tensors, self.addresses = values, [value.data_ptr() for value in values]

    def write(self, joined: Tensor) -> None:
        """Write ``joined``, which an operation has changed, to the layers' tensors, unless it is their storage."""
        values = [getattr(layer, name) for layer, name in self.places]
        if joined is self.whole:
            for value in values:  # who watches a layer's tensor sees that it has changed
                increment_version(value)
            return
        torch._foreach_copy_(values, list(torch.split(joined, [len(value) for value in values])))

    def _shares(self, values: Sequence[Tensor]) -> bool:
        """Whether the tensors are still views of :attr:`whole`; moving a model or a functional call replaces them."""
        try:
            same = all(map(is_, values, self.tensors)) and len(values) == len(self.tensors)
            return same and [value.data_ptr() for value in values] == self.addresses
        except RuntimeError:  # a tensor of torch.func has no address
            return False


class _Join(torch.autograd.Function):
    """The storage that the tensors share, as a value that depends on each of them."""

    @staticmethod
    def forward(ctx: Any, whole: Tensor, *values: Tensor) -> Tensor:
        """``whole``, (sum of N_i, ...)."""
        ctx.sizes = [len(value) for value in values]
        ctx.save_for_backward(*values)  # so that autograd notices if one of them was overwritten in between
        return whole.detach()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """The part of each tensor, as a view."""
        _ = ctx.saved_tensors
        return (None, *torch.split(gradients[0], ctx.sizes))


def _is_fixed(value: Tensor) -> bool:
    """Whether a tensor must stay where it is: in the memory that processes share, or made in inference mode."""
    return value.is_inference() or (value.device.type == "cpu" and value.is_shared())  # type: ignore[no-untyped-call]


def bind(expression: Expression, root: nn.Module) -> Read:
    """A function that returns the current value of ``expression`` over the tensors of ``root``."""
    if isinstance(expression, Stored):
        layer, name = place(root, expression.key)
        return lambda: getattr(layer, name)
    if isinstance(expression, Joined) and all(isinstance(part, Stored) for part in expression.parts):
        return SharedTensor(stored_keys(expression), root)
    return BoundTensor(expression, root)


def stored_keys(expression: Expression) -> list[str]:
    """The ``state_dict`` keys that ``expression`` reads, in order."""
    if isinstance(expression, Stored):
        return [expression.key]
    return [key for part in expression.parts for key in stored_keys(part)]


def place(root: nn.Module, key: str) -> tuple[nn.Module, str]:
    """The layer that has the tensor ``key``, and the tensor's name in it."""
    path, _, name = key.rpartition(".")
    try:
        layer = root.get_submodule(path)
    except AttributeError:
        layer = None
    if layer is None or not isinstance(getattr(layer, name, None), Tensor):
        found = "no such layer" if layer is None else f"{type(layer).__name__} without {name}"
        hint = "use the model as ins.compile made it, or leave out optimize"
        raise CompileError("a layer is not the one of the document", path=path, found=found, hint=hint)
    return layer, name
