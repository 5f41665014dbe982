"""Every error a user can meet.

Each carries the facts a person needs to mend it: the file and line, the path inside the document, what was
found, what was expected and the likely mend. ``str(error)`` is one paragraph made of those facts; the command
line prints it as it is and never a traceback.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, Self

from inception_search.credentials import masked


@dataclass(frozen=True)
class Place:
    """Where in the user's input something was found; every part may be missing."""

    file: str | None = None
    line: int | None = None
    path: str | None = None

    def __str__(self) -> str:
        where = self.file or ""
        if self.line is not None:
            where = f"{where}:{self.line}" if where else f"line {self.line}"
        return ": ".join(part for part in (where, self.path) if part)


class InceptionSearchError(Exception):
    """Base class: ``rule`` says what is wrong; the keyword facts say where, and what to write instead."""

    def __init__(
        self,
        rule: str,
        *,
        place: Place | None = None,
        path: str | None = None,
        found: Any = None,
        expected: str | None = None,
        mend: str | None = None,
    ) -> None:
        self.rule = rule
        self.place = place or Place(path=path)
        self.found = found
        self.expected = expected
        self.mend = mend
        super().__init__(rule)

    @property
    def path(self) -> str | None:
        """Path inside the document, e.g. ``mixed_6b.branches.1.0``."""
        return self.place.path

    def at(self, *, file: str | None = None, line: int | None = None, path: str | None = None) -> Self:
        """The same error with missing parts of its place filled in; parts already known are kept."""
        old = self.place
        self.place = replace(
            old, file=old.file or file, line=old.line if old.line is not None else line, path=old.path or path
        )
        return self

    def __str__(self) -> str:
        where = str(self.place)
        text = f"{where}: {self.rule}" if where else self.rule
        if self.found is not None:
            text += f", got {shorten(self.found)}"
        if self.expected:
            text += f"; expected {self.expected}"
        if self.mend:
            text += f"; {self.mend}"
        return masked(text)


class DocumentError(InceptionSearchError):
    """A document (YAML or JSON text) cannot be read as what it claims to be."""


class SchemaVersionError(DocumentError):
    """A document was written for a schema version this package does not know."""


class LimitError(DocumentError):
    """A document or network is larger than the limits that keep reading it safe."""


class SpecError(DocumentError):
    """A step or network breaks a rule of level 1 (wrong type, misspelt field, illegal combination)."""


class UnusedBlockWarning(UserWarning):
    """A document defines a block that no stage and no auxiliary classifier uses."""


class ShapeError(InceptionSearchError):
    """Shapes do not fit: a kernel larger than its map, a concat of unequal maps, a sum of unequal shapes."""


class MapTooSmallError(ShapeError):
    """A kernel is larger than its map; once it is read, it says the least input that works.

    ``advice`` finds that out, in a tenth of a second or two: a search meets thousands of such errors that nobody reads.
    """

    advice: Callable[[], str | None] | None = None

    def __str__(self) -> str:
        advice, self.advice = self.advice, None
        self.mend = (advice() if advice is not None else None) or self.mend
        return super().__str__()


class NotInSpaceError(InceptionSearchError):
    """A network is not a point of a space; the path says which part of it is outside."""


class UnknownNameError(InceptionSearchError):
    """A name (network, space, dataset, op, block ...) that nothing answers to."""


class EditError(InceptionSearchError):
    """An edit does not fit the network it is applied to, or none can be found that does."""


class DataError(InceptionSearchError):
    """A dataset is missing, empty, corrupt or does not fit the request."""


class RunFolderError(InceptionSearchError):
    """A run folder is in use, not writable, of another study, or damaged."""


class RunInUseError(RunFolderError):
    """Another process holds the run folder."""


class StorageFullError(RunFolderError):
    """The disk is full; nothing already recorded is lost."""


class ConfigError(InceptionSearchError):
    """A search configuration or a command-line option has a value that cannot be used."""


class ProcessStartError(InceptionSearchError):
    """The process of a trial cannot be started here; the study stops, and nothing is recorded of that trial."""


class CompileError(InceptionSearchError):
    """A graph cannot be lowered to PyTorch as asked."""


class WeightsError(InceptionSearchError):
    """A weight file is damaged, hostile, of an unknown kind, or does not fit the network; the model is unchanged."""


class TrainingError(InceptionSearchError):
    """A training run ended without a usable result (diverged, out of memory, out of time)."""


class CheckpointError(TrainingError):
    """A training checkpoint is damaged, or of another network, data, fidelity or seed; nothing was trained."""


def unknown_name(what: str, name: str, known: Iterable[str], **facts: Any) -> UnknownNameError:
    """An :class:`UnknownNameError` that lists what is known and suggests the nearest spelling."""
    names = sorted(known)
    return UnknownNameError(
        f"unknown {what}",
        found=name,
        expected="one of " + ", ".join(names) if names else None,
        mend=did_you_mean(name, names),
        **facts,
    )


def did_you_mean(name: str, known: Iterable[str]) -> str | None:
    """``"did you mean 'x'?"`` for the nearest known spelling, or None."""
    near = difflib.get_close_matches(name.lower(), list(known), n=1, cutoff=0.6)
    return f"did you mean {near[0]!r}?" if near else None


def shorten(value: Any) -> str:
    """``repr(value)`` on one line, control characters escaped, cut to 80 characters (:func:`raw` text: 400)."""
    text, limit = (str(value), 400) if isinstance(value, _Raw) else (repr(value), 80)
    return text if len(text) <= limit else text[: limit - 3] + "..."


class _Raw(str):
    """Text shown without quotes by :func:`shorten`."""


def raw(text: str) -> str:
    """Mark ``text`` to be shown as it is (no quotes) in the *found* part of an error."""
    return _Raw(text)
