"""Reading a pickle of plain values and uint8 arrays without running anything it names.

CIFAR-10 is published as pickles. A pickle may name any importable function and have it called; this reader
hands every name to inert stand-ins of its own, so not even numpy's C code sees what a hostile file says.
"""

from __future__ import annotations

import io
import math
import pickle
import pickletools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inception_search.errors import DataError, Place, raw

_LARGEST = 1 << 28  # bytes; the published batches have 31 million
_MEMO = frozenset({"PUT", "BINPUT", "LONG_BINPUT"})
_LARGEST_MEMO = 1 << 20
_MEND = "fetch the file again from where it was published, and do not load it any other way"


def read_pickle(path: Path) -> dict[str, Any]:
    """The dict pickled in ``path``: str keys, plain values, arrays as uint8 numpy arrays.

    Raises DataError for a file that is not such a pickle or names anything but numpy arrays.
    """
    place = Place(str(path))
    try:
        if path.stat().st_size > _LARGEST:
            raise DataError("the file is too large", place=place, expected=f"at most {_LARGEST} bytes")
        content = path.read_bytes()
        _check_opcodes(content)
        value = _Reader(io.BytesIO(content), encoding="latin1").load()
        return {_text(key): _plain(item) for key, item in value.items()}
    except DataError as error:
        raise error.at(file=str(path)) from None
    except Exception as error:  # a damaged or hostile pickle can make its reader raise anything
        reason = f"{type(error).__name__}: {error}"
        raise DataError("the file is not a readable batch", place=place, found=raw(reason), mend=_MEND) from error


def _check_opcodes(content: bytes) -> None:
    """Refuse what would make the unpickler reserve memory that the file does not fill.

    Reading the opcodes checks announced lengths against the bytes there are; memo numbers are checked here.
    """
    for opcode, argument, _ in pickletools.genops(content):
        if opcode.name in _MEMO and int(argument or 0) > _LARGEST_MEMO:
            raise DataError("the pickle numbers its parts too high", found=argument, mend=_MEND)


class _Reader(pickle.Unpickler):
    """Knows the names that pickled uint8 arrays need, as stand-ins made afresh for each file."""

    def __init__(self, stream: io.BytesIO, *, encoding: str) -> None:
        super().__init__(stream, encoding=encoding)
        self._known = _stand_ins()

    def find_class(self, module: str, name: str, /) -> Any:
        try:
            return self._known[module, name]
        except KeyError:
            raise DataError("the pickle names something no batch needs", found=f"{module}.{name}", mend=_MEND) from None


class _PickledType:
    """Stands for a numpy dtype: remembers its name."""

    def __init__(self, name: Any, *_: Any) -> None:
        self.name = _text(name)

    def __setstate__(self, state: Any) -> None:
        """Byte order and the like: nothing that matters to one-byte values."""


class _PickledArray:
    """Stands for a numpy array: remembers its shape, type and bytes."""

    state: Any = None

    def __setstate__(self, state: Any) -> None:
        self.state = state

    def to_numpy(self) -> NDArray[np.uint8]:
        """The uint8 array; DataError if the state is not that of one."""
        match self.state:
            case (_, tuple() as shape, _PickledType(name="u1"), False | 0, bytes() | str() as content):
                content = content.encode("latin1") if isinstance(content, str) else content
                if math.prod(shape) == len(content):
                    return np.frombuffer(content, dtype=np.uint8).reshape(shape)
        raise DataError("an array in the pickle is not one of bytes in row order", mend=_MEND)


def _stand_ins() -> dict[tuple[str, str], Callable[..., Any]]:
    def reconstruct(*_: Any) -> _PickledArray:
        return _PickledArray()

    def encode(text: str, codec: str) -> bytes:
        if codec != "latin1":
            raise DataError("bytes in the pickle are encoded in an unknown way", found=codec, expected="latin1")
        return text.encode("latin1")

    return {
        ("numpy.core.multiarray", "_reconstruct"): reconstruct,
        ("numpy._core.multiarray", "_reconstruct"): reconstruct,
        ("numpy", "ndarray"): type("ndarray", (), {}),
        ("numpy", "dtype"): type("dtype", (_PickledType,), {}),
        ("_codecs", "encode"): encode,
    }


def _text(value: Any) -> str:
    return value.decode("latin1") if isinstance(value, bytes) else str(value)


def _plain(value: Any) -> Any:
    """``value`` with an array turned to numpy and the bytes in a list to text."""
    if isinstance(value, _PickledArray):
        return value.to_numpy()
    if isinstance(value, list):
        return [_text(item) if isinstance(item, bytes) else item for item in value]
    return value
