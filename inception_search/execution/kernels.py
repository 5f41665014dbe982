"""The calls that generated code makes: fused oneDNN ops where the installed torch has them, else plain ATen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from inception_search.errors import ConfigError

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}
_FUSED = "_convolution_pointwise"
# Kind of an activation -> its name, scalars and algorithm in fused oneDNN ops
ATTRIBUTES: dict[str, tuple[str, list[float], str]] = {
    "relu": ("relu", [], ""),
    "relu6": ("hardtanh", [0.0, 6.0], ""),
    "leaky_relu": ("leaky_relu", [0.01], ""),
    "gelu": ("gelu", [], "none"),
    "silu": ("swish", [], ""),
    "tanh": ("tanh", [], ""),
    "sigmoid": ("sigmoid", [], ""),
}
PLAIN: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": torch.relu,
    "relu6": F.relu6,
    "leaky_relu": F.leaky_relu,
    "elu": F.elu,
    "gelu": F.gelu,
    "silu": F.silu,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
}


def fused_op(name: str, overload: str = "default") -> Callable[..., Tensor] | None:
    """A fused oneDNN op of torch; None if the installed torch lacks it or was built without oneDNN."""
    if not torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]
        return None
    found = getattr(torch.ops.mkldnn, name, None)
    return getattr(found, overload, None)


def pack(weight: Tensor, place: Sequence[Any], input_shape: Sequence[int]) -> Tensor | None:
    """A weight in the layout that oneDNN prefers for this place and shape (N, C, H, W); None if torch cannot.

    ``place`` is (padding, stride, dilation, groups).
    """
    reorder = fused_op("_reorder_convolution_weight")
    if reorder is None:
        return None
    try:
        return reorder(weight.contiguous(memory_format=torch.channels_last), *place, list(input_shape))
    except (RuntimeError, TypeError):  # an op of another torch, with other arguments
        return None


@cache
def can_fuse(act: str | None, added: bool, dtype: torch.dtype) -> bool:
    """Whether a convolution with this activation, after a sum if ``added``, is one correct call here.

    It is tried once on small values, and compared with the separate calls.
    """
    overload = "binary" if added else "default"
    if fused_op(_FUSED, overload) is None or (act is not None and act not in ATTRIBUTES):
        return False
    values = torch.linspace(-8, 8, 2 * 4 * 4 * 4).reshape(2, 4, 4, 4).to(dtype, memory_format=torch.channels_last)
    weight, bias = torch.linspace(-1, 1, 16).reshape(4, 4, 1, 1).to(dtype), torch.linspace(-1, 1, 4).to(dtype)
    place = ([0, 0], [1, 1], [1, 1], 1)
    with torch.inference_mode():
        packed = pack(weight, place, values.shape)
        if packed is None:
            return False
        expected = F.conv2d(values.float(), weight.float(), bias.float()) + (values.float() if added else 0)
        expected = expected if act is None else PLAIN[act](expected)
        try:
            call = kernels()["conv_add" if added else "conv"]
            other = (values,) if added else ()
            found = call(values, *other, packed, bias, *place, *fused_arguments(act, added))
        except (RuntimeError, TypeError):
            return False
    tolerance = 1e-5 if dtype == torch.float32 else 2e-2
    return bool((found.float() - expected).abs().max() <= tolerance * expected.abs().max())


def fused_arguments(act: str | None, added: bool) -> tuple[Any, ...]:
    """The last arguments of ``conv``, or of ``conv_add`` if ``added``."""
    name, scalars, algorithm = ATTRIBUTES[act] if act is not None else (None, [], None)
    if added:
        return ("add", None, name, scalars, algorithm)
    return (name or "none", scalars, algorithm or "")


def kernels() -> dict[str, Callable[..., Tensor]]:
    """The fused convolutions that generated code calls, by name; those that torch lacks are left out."""
    names = {"conv": (_FUSED, "default"), "conv_add": (_FUSED, "binary"), "conv_add_": (_FUSED + "_", "binary")}
    found = {name: fused_op(*op) for name, op in names.items()}
    return {name: op for name, op in found.items() if op is not None}


def check_dtype(dtype: str, device: torch.device) -> torch.dtype:
    """``dtype`` as torch's; raises ConfigError for an unknown one, or one that the CPU lacks."""
    if dtype not in DTYPES:
        raise ConfigError("not a dtype to compute in", path="dtype", found=dtype, expected=" or ".join(DTYPES))
    if dtype == "bfloat16" and device.type == "cpu" and not _has_bfloat16():
        hint = 'use dtype="float32"; bfloat16 needs a CPU with AVX-512 (or AVX2 with VNNI), and a torch with oneDNN'
        raise ConfigError("this CPU cannot compute in bfloat16", path="dtype", found=dtype, hint=hint)
    return DTYPES[dtype]


def _has_bfloat16() -> bool:
    supported = fused_op("_is_mkldnn_bf16_supported")
    return supported is not None and bool(supported())
