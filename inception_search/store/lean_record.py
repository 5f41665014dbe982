"""Lean records: the large fields of a record stay in the file and are read on access, to save memory."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from pydantic import PrivateAttr

from inception_search.errors import DocumentError, Place
from inception_search.store.jsonl import line_at, unsealed
from inception_search.store.record import TrialRecord

LEFT = ("network", "curve", "facts", "resources", "rewrites")  # fields that stay in the file
ALIKE = ("data", "fidelity", "versions", "device")  # fields with equal values in most records of a study
NAMED = ("holes", "cost", "objectives")  # mappings with equal keys in most records
Shared: TypeAlias = dict[str, Any]


class Line(NamedTuple):
    """The location of a record: a file, the byte offset of its line, and the line number from 1, if it is known."""

    file: Path
    start: int
    number: int | None = None

    def record(self, text: str | None = None) -> TrialRecord:
        """The record; ``text`` is the line if the caller has already read it.

        Raises :class:`DocumentError` or :class:`SchemaVersionError`.
        """
        place = Place(str(self.file), self.number)
        text = line_at(self.file, self.start, place) if text is None else text
        plain = unsealed(text, place)
        return TrialRecord.from_json(plain, self.file, self.number, sealed=len(plain) < len(text))


class LeanRecord(TrialRecord):
    """A record that was checked once and keeps only its small fields in memory.

    Its network, its curve and the other fields of :data:`LEFT` are read from the file on each access.
    """

    _line: Line = PrivateAttr()
    _reached: float | None = PrivateAttr(default=None)

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            """Read a field that stayed in the file (Python calls this for attributes that are not set)."""
            return getattr(self._again(), name) if name in LEFT else super().__getattr__(name)

    @property
    def reached(self) -> float | None:
        """As :attr:`TrialRecord.reached`, but without reading the curve."""
        return self._reached if self.value is None else self.score

    def to_json(self) -> str:
        """The whole record as one line of JSON."""
        known = self._again()
        return known.model_copy(update={k: v for k, v in self.__dict__.items() if k not in LEFT}).to_json()

    def _again(self) -> TrialRecord:
        record = self._line.record()
        if record.number != self.number:
            raise DocumentError(
                "this file was changed while it was read",
                place=Place(str(self._line.file), self._line.number),
                found=record.number,
                expected=f"the record of trial {self.number}",
                hint="run the command again",
            )
        return record


def lean(record: TrialRecord, line: Line, shared: Shared) -> LeanRecord:
    """``record`` without its large fields, which stay at ``line``; ``shared`` stores values common to many records."""
    kept = {name: value for name, value in record.__dict__.items() if name not in LEFT}
    kept |= {name: shared.setdefault(repr(kept[name]), kept[name]) for name in ALIKE}
    kept |= {name: _interned(kept[name]) for name in NAMED}
    made = LeanRecord.__new__(LeanRecord)
    state = {"__dict__": kept, "__pydantic_fields_set__": shared.setdefault("", set(kept)), "__pydantic_extra__": None}
    made.__setstate__({**state, "__pydantic_private__": {"_line": line, "_reached": record.reached}})
    return made


def _interned(values: Mapping[str, Any]) -> dict[str, Any]:
    """``values`` with interned keys and string values, to save memory."""
    return {sys.intern(k): sys.intern(v) if isinstance(v, str) else v for k, v in values.items()}
