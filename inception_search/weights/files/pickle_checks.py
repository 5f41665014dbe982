"""Checks before a pickle is read: the number of its opcodes, and the expanded size of its nested tuples.

PyTorch's restricted reader runs no code, but a pickle can keep it busy without end. It hashes every key, and
the hash of nested tuples takes exponential time if each is used twice.
"""

from __future__ import annotations

import pickletools
from typing import IO

from inception_search.errors import WeightsError

LARGEST_PICKLE = 1 << 25  # bytes, without the numbers; the largest networks have 0.5 million
_MOST_STEPS = 350_000  # opcodes, read in a second; a tensor takes about thirty
_LARGEST_VALUE = 100_000  # parts of a tuple, including the parts of nested tuples
_MOST_PARTS = 10_000_000  # parts of all values, counted at each use; a tensor takes about a hundred
_HINT = "get the file as safetensors, or from where it was published"

# For each opcode: how many values it pops (besides those up to a mark), and how many it pushes.
_SLICE = (pickletools.markobject, pickletools.stackslice)
_TAKES = {code.name: sum(kind not in _SLICE for kind in code.stack_before) for code in pickletools.opcodes}
_LEAVES = {code.name: len(code.stack_after) for code in pickletools.opcodes}
_TO_MARK = {code.name for code in pickletools.opcodes if pickletools.stackslice in code.stack_before}
_TUPLES = {name for name in _TAKES if name.startswith("TUPLE")}


def check_pickle(stream: IO[bytes], pickles: int = 1) -> None:
    """Read the opcodes of ``pickles`` pickles in ``stream``; raises WeightsError if reading would take too long."""
    steps = 0
    for _ in range(pickles):
        sizes = _Sizes()
        try:
            for opcode, argument, _position in pickletools.genops(stream):
                steps += 1
                if steps > _MOST_STEPS:
                    rule = "the PyTorch file takes too many steps to be read"
                    raise WeightsError(rule, found=steps, expected=f"at most {_MOST_STEPS}", hint=_HINT)
                sizes.step(opcode, argument)
        except (ValueError, IndexError, KeyError, UnicodeError) as error:
            rule = "the PyTorch file is damaged, cut off or not of weights; nothing of it was run"
            raise WeightsError(rule, found=type(error).__name__, hint=_HINT) from None


def too_large(size: int) -> WeightsError:
    """The error for a pickle of ``size`` bytes."""
    rule, expected = "the pickle in the PyTorch file is too large", f"at most {LARGEST_PICKLE} bytes"
    return WeightsError(rule, found=size, expected=expected, hint=_HINT)


class _Sizes:
    """A model of the unpickler's stack that has, for each value, its number of parts after expansion of all tuples."""

    def __init__(self) -> None:
        self._stack: list[int] = []
        self._marks: list[int] = []
        self._memo: dict[int, int] = {}
        self._used = 0

    def step(self, opcode: pickletools.OpcodeInfo, argument: object) -> None:
        """Apply ``opcode`` to the sizes on the stack."""
        name = opcode.name
        if name == "MARK":
            self._marks.append(len(self._stack))
        elif name in ("PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"):
            self._memo[len(self._memo) if argument is None else int(str(argument))] = self._stack[-1]
        elif name in ("GET", "BINGET", "LONG_BINGET"):
            self._stack.append(self._memo[int(str(argument))])
        else:
            taken = self._taken(name)
            # A call makes torch.Size, which is a tuple too; hashing a large tuple as a key takes long.
            size = 1 + sum(taken) if name.startswith("TUPLE") or name == "REDUCE" else 1
            self._used += sum(taken)
            if size > _LARGEST_VALUE or self._used > _MOST_PARTS:
                rule = "the PyTorch file holds tuples within tuples without end"
                raise WeightsError(rule, expected=f"at most {_LARGEST_VALUE} parts", hint=_HINT)
            self._stack += taken * 2 if name == "DUP" else [size] * _LEAVES[name]

    def _taken(self, name: str) -> list[int]:
        """The sizes of the values that the opcode ``name`` pops from the stack."""
        taken: list[int] = []
        if name in _TO_MARK:
            start = self._marks.pop()
            taken = self._stack[start:]
            del self._stack[start:]
        for _ in range(_TAKES[name]):
            taken.append(self._stack.pop())
        return taken
