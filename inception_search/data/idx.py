"""Reader of idx files, the format MNIST and its successors are published in (plain or gzipped)."""

from __future__ import annotations

import gzip
import math
import zlib
from pathlib import Path
from typing import IO, cast

import torch
from torch import Tensor

from inception_search.errors import DataError, Place

_UNSIGNED_BYTE = 0x08
_LARGEST = 1 << 30  # bytes of payload; a larger claim in a header is not believed


def read_idx(path: Path, dimensions: int) -> Tensor:
    """The uint8 tensor in the idx file ``path``, which must have ``dimensions`` dimensions.

    Raises DataError naming the file when the header, the sizes or the compressed stream are not sound.
    """
    try:
        with _open(path) as stream:
            return _read(stream, path, dimensions)
    except (OSError, EOFError, zlib.error) as error:
        raise _bad(path, f"cannot be read ({error})") from error


def _open(path: Path) -> IO[bytes]:
    return cast(IO[bytes], gzip.open(path)) if path.suffix == ".gz" else path.open("rb")


def _read(stream: IO[bytes], path: Path, dimensions: int) -> Tensor:
    header = stream.read(4 + 4 * dimensions)
    magic = bytes([0, 0, _UNSIGNED_BYTE, dimensions])
    if header[:4] != magic or len(header) < 4 + 4 * dimensions:
        raise _bad(path, "is not an idx file of the kind wanted", header[:4].hex(), f"the magic {magic.hex()}")
    sizes = [int.from_bytes(header[i : i + 4], "big") for i in range(4, len(header), 4)]
    wanted = math.prod(sizes)
    if not 0 < wanted <= _LARGEST:
        raise _bad(path, "has impossible sizes in its header", sizes, f"1..{_LARGEST} values")
    payload = stream.read(wanted + 1)
    if len(payload) != wanted:
        found = f"more than {wanted} bytes" if len(payload) > wanted else f"{len(payload)} bytes"
        raise _bad(path, f"does not hold the {wanted} bytes its header announces", found)
    return torch.frombuffer(bytearray(payload), dtype=torch.uint8).reshape(sizes)


def _bad(path: Path, rule: str, found: object = None, expected: str | None = None) -> DataError:
    hint = "fetch the file again"
    return DataError(f"the file {rule}", place=Place(str(path)), found=found, expected=expected, hint=hint)
