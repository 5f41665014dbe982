"""A reader for pickles of plain values and uint8 arrays that runs no code from the file.

CIFAR-10 is published as pickles. A pickle may call any importable function, and may contain values that take endlessly
long to hash or print. This reader interprets the pickle itself. It supports the few opcodes of a batch and replaces
every name by an inert stand-in, so that not even numpy's C code processes data from a hostile file.
"""

from __future__ import annotations

import math
import pickletools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inception_search.errors import DataError, Place, raw

_LARGEST = 1 << 28  # bytes; the published batches have 31 million
_MOST_STEPS = 200_000  # opcodes, read in a second; the published batches have about 60,000
_LARGEST_MEMO = 1 << 20
_HINT = "fetch the file again from where it was published, and do not load it any other way"


def read_pickle(path: Path) -> dict[str, Any]:
    """The dict pickled in ``path``: str keys, plain values, arrays as uint8 numpy arrays.

    Raises DataError for a file that is not such a pickle, names objects other than numpy arrays, or is larger or has
    more opcodes than any batch.
    """
    place = Place(str(path))
    try:
        if path.stat().st_size > _LARGEST:
            raise DataError("the file is too large", place=place, expected=f"at most {_LARGEST} bytes")
        value = _Reader().read(path.read_bytes())
        return {_text(key): _plain(item) for key, item in value.items()}
    except DataError as error:
        raise error.at(file=str(path)) from None
    except Exception as error:  # a damaged or hostile pickle can cause any exception
        reason = f"{type(error).__name__}: {error}"
        raise DataError("the file is not a readable batch", place=place, found=raw(reason), hint=_HINT) from error


class _Reader:
    """An interpreter for the few opcodes of plain values and uint8 arrays, each with bounded work.

    Python's unpickler hashes every key, which may take endlessly long for nested tuples. Here keys must be text. Values
    may be nested in any way, because nothing traverses them.
    """

    def __init__(self) -> None:
        self._stack: list[Any] = []
        self._marks: list[int] = []
        self._memo: dict[int, Any] = {}
        self._known = _stand_ins()

    def read(self, content: bytes) -> dict[Any, Any]:
        """The dict that ``content`` describes."""
        for step, (opcode, argument, _) in enumerate(pickletools.genops(content)):
            if step >= _MOST_STEPS:
                raise DataError("the pickle takes too many steps", expected=f"at most {_MOST_STEPS}", hint=_HINT)
            if opcode.name in _LITERALS:
                self._stack.append(argument)
            elif opcode.name in _MADE:
                self._stack.append(_MADE[opcode.name]())
            elif opcode.name in _STEPS:
                _STEPS[opcode.name](self, argument)
            else:
                raise DataError("the pickle does something no batch needs", found=opcode.name, hint=_HINT)
        value = self._stack.pop()
        if not isinstance(value, dict):
            raise DataError("the pickle is not a dict", found=type(value).__name__, hint=_HINT)
        return value

    def nothing(self, _: Any) -> None:
        """Ignore the opcode: protocol version, length of a frame, end."""

    def mark(self, _: Any) -> None:
        """Push a mark, which begins a row of items."""
        self._marks.append(len(self._stack))

    def row(self) -> list[Any]:
        """Pop the items since the last mark."""
        start = self._marks.pop()
        items = self._stack[start:]
        del self._stack[start:]
        return items

    def last(self, count: int) -> list[Any]:
        """Pop ``count`` items."""
        return [self._stack.pop() for _ in range(count)][::-1]

    def put(self, number: Any) -> None:
        """Store the top of the stack in the memo under ``number`` (default: the next free number)."""
        number = len(self._memo) if number is None else int(number)
        if number > _LARGEST_MEMO:
            raise DataError("the pickle numbers its parts too high", found=number, hint=_HINT)
        self._memo[number] = self._stack[-1]

    def get(self, number: Any) -> None:
        """Push a value from the memo."""
        self._stack.append(self._memo[int(number)])

    def extend(self, items: list[Any]) -> None:
        """Append ``items`` to the list on top of the stack."""
        if not isinstance(self._stack[-1], list):
            raise DataError("the pickle appends to an object that is not a list", hint=_HINT)
        self._stack[-1].extend(items)

    def fill(self, items: list[Any]) -> None:
        """Add ``items``, alternating keys and values, to the dict on top of the stack."""
        keys, values = items[::2], items[1::2]
        if not isinstance(self._stack[-1], dict) or not all(isinstance(key, str | bytes) for key in keys):
            raise DataError("the pickle uses something other than a text as a key", hint=_HINT)
        self._stack[-1].update(zip(keys, values, strict=True))

    def make_dict(self, items: list[Any]) -> None:
        """Push a dict of ``items``, alternating keys and values."""
        self._stack.append({})
        self.fill(items)

    def find(self, module: Any, name: Any) -> None:
        """Push the stand-in of a name."""
        if not isinstance(module, str) or not isinstance(name, str):
            raise DataError("the pickle uses something other than a text as a name", hint=_HINT)
        if (module, name) not in self._known:
            raise DataError("the pickle names something no batch needs", found=f"{module}.{name}", hint=_HINT)
        self._stack.append(self._known[module, name])

    def call(self, _: Any) -> None:
        """Call a stand-in."""
        function, arguments = self.last(2)
        if not any(function is known for known in self._known.values()) or not isinstance(arguments, tuple):
            raise DataError("the pickle calls an object that is not a function", hint=_HINT)
        self._stack.append(function(*arguments))

    def build(self, _: Any) -> None:
        """Set the state of a stand-in."""
        state = self._stack.pop()
        if not isinstance(self._stack[-1], _PickledArray | _PickledType):
            raise DataError("the pickle changes an object that is not an array", hint=_HINT)
        self._stack[-1].__setstate__(state)

    def add(self, value: Any) -> None:
        """Push a value."""
        self._stack.append(value)


# Opcodes whose argument is the value, and opcodes that create a value without argument.
_LITERALS = frozenset(
    {
        *("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT"),
        *("STRING", "BINSTRING", "SHORT_BINSTRING", "UNICODE", "SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8"),
        *("SHORT_BINBYTES", "BINBYTES", "BINBYTES8"),
    }
)
_MADE: dict[str, Callable[[], Any]] = {
    "NONE": lambda: None,
    "NEWTRUE": lambda: True,
    "NEWFALSE": lambda: False,
    "EMPTY_LIST": list,
    "EMPTY_TUPLE": tuple,
    "EMPTY_DICT": dict,
}
_STEPS: dict[str, Callable[[_Reader, Any], object]] = {
    **dict.fromkeys(("PROTO", "FRAME", "STOP"), _Reader.nothing),
    "MARK": _Reader.mark,
    "POP": lambda reader, _: reader.last(1),
    "POP_MARK": lambda reader, _: reader.row(),
    **dict.fromkeys(("PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"), _Reader.put),
    **dict.fromkeys(("GET", "BINGET", "LONG_BINGET"), _Reader.get),
    "APPEND": lambda reader, _: reader.extend(reader.last(1)),
    "APPENDS": lambda reader, _: reader.extend(reader.row()),
    "LIST": lambda reader, _: reader.add(reader.row()),
    "TUPLE": lambda reader, _: reader.add(tuple(reader.row())),
    "TUPLE1": lambda reader, _: reader.add(tuple(reader.last(1))),
    "TUPLE2": lambda reader, _: reader.add(tuple(reader.last(2))),
    "TUPLE3": lambda reader, _: reader.add(tuple(reader.last(3))),
    "DICT": lambda reader, _: reader.make_dict(reader.row()),
    "SETITEM": lambda reader, _: reader.fill(reader.last(2)),
    "SETITEMS": lambda reader, _: reader.fill(reader.row()),
    "GLOBAL": lambda reader, name: reader.find(*name.split(" ", 1)),
    "STACK_GLOBAL": lambda reader, _: reader.find(*reader.last(2)),
    "REDUCE": _Reader.call,
    "BUILD": _Reader.build,
}


class _PickledType:
    """A stand-in for a numpy dtype, which stores its name."""

    def __init__(self, name: Any, *_: Any) -> None:
        self.name = _text(name) if isinstance(name, str | bytes) else ""

    def __setstate__(self, state: Any) -> None:
        """Ignore byte order and other facts, which do not matter for one-byte values."""


class _PickledArray:
    """A stand-in for a numpy array, which stores its shape, dtype and bytes."""

    state: Any = None

    def __setstate__(self, state: Any) -> None:
        self.state = state

    def to_numpy(self) -> NDArray[np.uint8]:
        """The uint8 array; raises DataError if the state is not that of such an array."""
        match self.state:
            case (_, tuple() as shape, _PickledType(name="u1"), False | 0, bytes() | str() as content):
                content = content.encode("latin1") if isinstance(content, str) else content
                if _fits(shape, len(content)):
                    return np.frombuffer(content, dtype=np.uint8).reshape(shape)
        raise DataError("an array in the pickle is not one of bytes in row order", hint=_HINT)


def _fits(shape: tuple[Any, ...], count: int) -> bool:
    """Whether ``shape`` is at most four integers with the product ``count``."""
    return len(shape) <= 4 and all(type(n) is int and 0 <= n <= count for n in shape) and math.prod(shape) == count


def _stand_ins() -> dict[tuple[str, str], Callable[..., Any]]:
    def reconstruct(*_: Any) -> _PickledArray:
        return _PickledArray()

    def encode(text: str, codec: str) -> bytes:
        if codec != "latin1":
            raise DataError("bytes in the pickle are encoded in an unknown way", expected="latin1")
        return text.encode("latin1")

    return {
        ("numpy.core.multiarray", "_reconstruct"): reconstruct,
        ("numpy._core.multiarray", "_reconstruct"): reconstruct,
        ("numpy", "ndarray"): type("ndarray", (), {}),
        ("numpy", "dtype"): type("dtype", (_PickledType,), {}),
        ("_codecs", "encode"): encode,
    }


def _text(value: str | bytes) -> str:
    return value.decode("latin1") if isinstance(value, bytes) else value


def _plain(value: Any) -> Any:
    """``value``, with an array converted to numpy and the bytes in a list to text."""
    if isinstance(value, _PickledArray):
        return value.to_numpy()
    if isinstance(value, list):
        return [_text(item) if isinstance(item, bytes) else item for item in value]
    return value
