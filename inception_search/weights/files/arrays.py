"""Numpy arrays, as HDF5 and TensorFlow readers give them, to tensors of the same shape and dtype."""

from __future__ import annotations

from typing import Any

import torch

from inception_search.errors import WeightsError


def is_bfloat16(dtype: Any) -> bool:
    """Whether a numpy dtype is bfloat16: by name, or as the two opaque bytes that HDF5 keeps it in."""
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
