"""The result type of all readers, and the checks for tensors from any file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch

from inception_search.errors import WeightsError, raw

MOST_NAMES = 10_000  # tensors of a file; the largest networks here have some two thousand
_HINT = "check that it is the right file; a network has far fewer tensors"
_DTYPES = frozenset(
    {torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.bool}
    | {torch.int8, torch.int16, torch.int32, torch.int64}
    | {torch.uint8, torch.uint16, torch.uint32, torch.uint64}
)


@dataclass(frozen=True)
class Contents:
    """The tensors of one source under its own names and in its own order, and the names of omitted entries."""

    kind: str
    tensors: Mapping[str, torch.Tensor]
    metadata: Mapping[str, str] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()


def admitted(tensors: Mapping[str, torch.Tensor], max_bytes: int) -> dict[str, torch.Tensor]:
    """``tensors`` on the CPU and without gradients; shapes and dtypes are kept.

    Raises WeightsError if there are none, if one is not a plain dense array of numbers, or if they take more
    than ``max_bytes`` together.
    """
    check_count(len(tensors))
    if not tensors:
        raise WeightsError("there are no weights in it", expected="at least one named tensor")
    for name, tensor in tensors.items():
        _check(name, tensor)
    check_total(sum(_bytes(tensor) for tensor in tensors.values()), max_bytes)
    return {name: tensor.detach().cpu() for name, tensor in tensors.items()}


def check_count(found: int, what: str = "tensors", most: int = MOST_NAMES) -> None:
    """Raise WeightsError if a file has more entries (``what``) than any network; called before any is read."""
    if found > most:
        raise WeightsError(f"the file has too many {what}", found=found, expected=f"at most {most}", hint=_HINT)


def check_total(found: int, max_bytes: int) -> None:
    """Raise WeightsError if ``found`` bytes of tensors exceed ``max_bytes``."""
    if found > max_bytes:
        raise WeightsError(
            "the tensors are too large",
            found=raw(f"{found} bytes"),
            expected=f"at most {max_bytes} bytes",
            hint="check that it is the right file; raise max_bytes if it is",
        )


def _check(name: str, tensor: torch.Tensor) -> None:
    if tensor.layout is not torch.strided or tensor.is_quantized or tensor.is_meta:
        kind = "meta" if tensor.is_meta else "quantized" if tensor.is_quantized else "sparse"
        rule, hint = f"{kind} tensors cannot be read", "save the weights as plain dense tensors"
        raise WeightsError(rule, path=name, expected="a dense tensor with its values", hint=hint)
    if tensor.dtype not in _DTYPES:
        raise WeightsError("the dtype cannot be read", path=name, found=tensor.dtype, expected="floats or integers")
    stored = tensor.untyped_storage().nbytes()
    if stored < _bytes(tensor):  # with strides of 0, one stored number appears as a tensor of any size
        raise WeightsError(
            "the tensor claims more values than are stored",
            path=name,
            found=raw(f"shape {tuple(tensor.shape)} over {stored} stored bytes"),
            expected=f"{_bytes(tensor)} stored bytes",
            hint="save the tensor with .contiguous(), or get the file from where it was published",
        )


def _bytes(tensor: torch.Tensor) -> int:
    return tensor.numel() * tensor.element_size()


def is_bfloat16(dtype: Any) -> bool:
    """Whether a numpy dtype is bfloat16: by name, or as the two opaque bytes that HDF5 stores."""
    return str(dtype) == "bfloat16" or (dtype.kind == "V" and dtype.itemsize == 2 and dtype.fields is None)


def is_numeric(dtype: Any) -> bool:
    """Whether a numpy dtype has a tensor dtype of floats, integers or booleans."""
    return is_bfloat16(dtype) or (dtype.kind in "fiub" and dtype.itemsize <= 8)


def to_tensor(value: Any, name: str) -> torch.Tensor:
    """``value`` (a numpy array or scalar) as a tensor; raises WeightsError for values that are not numbers."""
    import numpy as np

    array = np.asarray(value)
    if not is_numeric(array.dtype):
        rule = "the values are not numbers that a tensor can hold"
        raise WeightsError(rule, path=name, found=str(array.dtype), expected="floats, integers or booleans")
    if is_bfloat16(array.dtype):
        return torch.from_numpy(np.array(array).view(np.int16)).view(torch.bfloat16)
    native = array.dtype.newbyteorder("=")
    plain = array.dtype == native and array.flags.c_contiguous and array.flags.writeable
    return torch.from_numpy(array if plain else np.array(array, dtype=native, order="C"))
