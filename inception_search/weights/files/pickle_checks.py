"""Checks before a pickle is read: how many steps it takes, and that what it makes can be hashed and written out.

PyTorch's limited reader runs no code, but it takes as long as a pickle wants: it computes the hash of every key, and
that of tuples within tuples, each used twice, never ends.
"""

from __future__ import annotations

import pickletools
from typing import IO

from inception_search.errors import WeightsError

LARGEST_PICKLE = 1 << 25  # bytes, without the numbers; the largest networks have 0.5 million
_MOST_STEPS = 350_000  # opcodes, a second's work; a tensor takes about thirty
_LARGEST_VALUE = 100_000  # parts of a tuple, its own tuples' parts included
_MOST_PARTS = 10_000_000  # of all values that are used, counted at each use; a tensor takes about a hundred
_HINT = "get the file as safetensors, or from where it was published"

# Of each opcode: how many values it takes off the stack, those up to a mark apart, and how many it leaves there.
_SLICE = (pickletools.markobject, pickletools.stackslice)
_TAKES = {code.name: sum(kind not in _SLICE for kind in code.stack_before) for code in pickletools.opcodes}
_LEAVES = {code.name: len(code.stack_after) for code in pickletools.opcodes}
_TO_MARK = {code.name for code in pickletools.opcodes if pickletools.stackslice in code.stack_before}
_TUPLES = {name for name in _TAKES if name.startswith("TUPLE")}


def check_pickle(stream: IO[bytes], pickles: int = 1) -> None:
    """Read the opcodes of ``pickles`` pickles in ``stream``; WeightsError when they take too many steps to be read."""
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
    """The stack of a pickle's reader with a number for each value: how many parts a tuple has, however often used."""

    def __init__(self) -> None:
        self._stack: list[int] = []
        self._marks: list[int] = []
        self._memo: dict[int, int] = {}
        self._used = 0

    def step(self, opcode: pickletools.OpcodeInfo, argument: object) -> None:
        """Do to the numbers what ``opcode`` does to values."""
        name = opcode.name
        if name == "MARK":
            self._marks.append(len(self._stack))
        elif name in ("PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"):
            self._memo[len(self._memo) if argument is None else int(str(argument))] = self._stack[-1]
        elif name in ("GET", "BINGET", "LONG_BINGET"):
            self._stack.append(self._memo[int(str(argument))])
        else:
            taken = self._taken(name)
            # torch.Size is a tuple that a call makes; a large tuple takes its time wherever it becomes a key.
            size = 1 + sum(taken) if name.startswith("TUPLE") or name == "REDUCE" else 1
            self._used += sum(taken)
            if size > _LARGEST_VALUE or self._used > _MOST_PARTS:
                rule = "the PyTorch file holds tuples within tuples without end"
                raise WeightsError(rule, expected=f"at most {_LARGEST_VALUE} parts", hint=_HINT)
            self._stack += taken * 2 if name == "DUP" else [size] * _LEAVES[name]

    def _taken(self, name: str) -> list[int]:
        """The numbers of the values that the opcode called ``name`` takes off the stack."""
        taken: list[int] = []
        if name in _TO_MARK:
            start = self._marks.pop()
            taken = self._stack[start:]
            del self._stack[start:]
        for _ in range(_TAKES[name]):
            taken.append(self._stack.pop())
        return taken
