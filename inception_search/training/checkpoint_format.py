"""Training state as bytes: a safetensors file with a checksum, without pickle.

Tensors are stored as tensors of the file, everything else as JSON in its metadata. The metadata also contains the
SHA-256 of all bytes of the file, computed with zeros in place of the digest. It detects any truncation or change.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Protocol

import safetensors
import safetensors.torch
import torch
from torch import Tensor

from inception_search.errors import CheckpointError

_MARK = b'"sha256":"'  # unique in the header, because JSON escapes quotes inside strings
_ZEROS = "0" * 64


class Checkpoint(Protocol):
    """The storage of the state of one training; implementations must make :meth:`save` atomic."""

    def load(self) -> bytes | None:
        """The bytes saved last; None if there are none."""

    def save(self, data: bytes) -> None:
        """Replace the saved bytes by ``data``."""


def pack(tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> bytes:
    """``tensors`` (any device, any layout) and ``facts`` (plain JSON values, no NaN) as bytes."""
    owned = {name: _owned(tensor) for name, tensor in tensors.items()}
    text = json.dumps(facts, allow_nan=False)
    data = safetensors.torch.save(owned, metadata={"facts": text, "sha256": _ZEROS})
    start = data.index(_MARK) + len(_MARK)
    digest = hashlib.sha256(data).hexdigest().encode()
    return b"".join((data[:start], digest, data[start + len(digest) :]))


def unpack(data: bytes) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The inverse of :func:`pack`, with contiguous tensors on the CPU; raises CheckpointError for damaged bytes."""
    _verify(data)
    try:
        size = int.from_bytes(data[:8], "little")
        facts = json.loads(json.loads(data[8 : 8 + size])["__metadata__"]["facts"])
        return safetensors.torch.load(data), facts
    except (safetensors.SafetensorError, ValueError, KeyError, TypeError) as error:
        raise CheckpointError(f"not a training checkpoint: {error}") from None


def _verify(data: bytes) -> None:
    start = data.find(_MARK) + len(_MARK)
    if start < len(_MARK):
        raise CheckpointError("not a training checkpoint", hint="begin the training again without it")
    view, end = memoryview(data), start + len(_ZEROS)
    digest = hashlib.sha256(view[:start])
    digest.update(_ZEROS.encode())
    digest.update(view[end:])
    if view[start:end] != digest.hexdigest().encode():
        hint = "begin the training again without it"
        raise CheckpointError("the checkpoint is damaged: its SHA-256 does not match", hint=hint)


def _owned(tensor: Tensor) -> Tensor:
    """A contiguous copy on the CPU that shares memory with nothing."""
    copy = torch.empty(tensor.shape, dtype=tensor.dtype)
    return copy.copy_(tensor.detach())
