"""A device that is not the CPU, on any machine: ``meta``, whose tensors have shapes but no values.

An op that mixes its tensors with those of the CPU fails as it does on a GPU, and so does every wait for a value.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from typing import Any
from unittest import mock

import torch
from torch import Tensor
from torch.nn.utils import clip_grad_norm_
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from inception_search.training import cuda_graph, step, trainer
from tests.execution.stand_ins import Again

DEVICE = torch.device("meta")
_COPIES = ("_to_copy", "copy_", "_foreach_copy_")  # the ops that move values between devices


class OtherGenerator(torch.Generator):
    """A generator that takes itself to be on the other device, which has none."""

    device = DEVICE

    def __new__(cls, device: object = None) -> OtherGenerator:
        return super().__new__(cls)


class _OneDevice(TorchDispatchMode):
    """Refuses ops on tensors of both devices; as on a GPU, a number may be on the CPU."""

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        tensors = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Tensor)]
        if any(tensor.is_meta for tensor in tensors) and func.overloadpacket.__name__ not in _COPIES:
            elsewhere = [tensor for tensor in tensors if not tensor.is_meta and tensor.ndim]
            if elsewhere:
                where = f"one of shape {tuple(elsewhere[0].shape)} is on the CPU"
                raise RuntimeError(f"{func} of tensors on two devices: {where}")
            if func.overloadpacket.__name__.startswith("_fused_"):
                return None  # these write their results over their arguments, and have no version without values
        return func(*args, **(kwargs or {}))


def _no_autocast(*_: object, **__: object) -> AbstractContextManager[None]:
    """Autocast has no dtype for the other device."""
    return nullcontext()


def _clip_one_by_one(parameters: list[Tensor], largest: float, foreach: bool) -> Tensor:
    """The other device has no calls for many tensors."""
    return clip_grad_norm_(parameters, largest, foreach=False)


@contextmanager
def other_device() -> Iterator[None]:
    """Inside, training works on ``DEVICE`` as on a GPU, without values."""
    with ExitStack() as patches:
        patches.enter_context(mock.patch.object(torch, "autocast", _no_autocast))
        for name in ("sgd", "adam"):
            patches.enter_context(mock.patch(f"torch.optim.{name}._device_dtype_check_for_fused"))
        patches.enter_context(mock.patch.object(step, "clip_grad_norm_", _clip_one_by_one))
        patches.enter_context(mock.patch.object(trainer, "Generator", OtherGenerator))
        patches.enter_context(mock.patch.object(cuda_graph, "Recorder", Again))
        patches.enter_context(_OneDevice())
        yield
