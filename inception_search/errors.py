"""Every error a user can meet.

Each carries the facts a person needs to correct it: the file and line, the path inside the document, what was
found, what was expected and the likely fix. ``str(error)`` is one paragraph made of those facts; the command
line prints it unchanged, and never a traceback.
"""

from __future__ import annotations

import difflib
import reprlib
import sys
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Self

from inception_search.credentials import masked

SHOWN, RAW = 80, 400  # most characters shown of a found value, and of a text that describes one
LONGEST = 900  # most characters of each other part of an error
LONGEST_NAME = 200  # characters of a name that are compared with the known names
_MEND = "error.mend is called error.hint since 0.2, and the argument mend is called hint"


@dataclass(frozen=True)
class Place:
    """Where in the user's input something was found; every part may be missing."""

    file: str | None = None
    line: int | None = None
    path: str | None = None

    def __str__(self) -> str:
        where = visible(self.file)[:RAW] if self.file is not None else ""
        if self.line is not None:
            where = f"{where}:{visible(self.line)}" if where else f"line {visible(self.line)}"
        path = visible(self.path)[:RAW] if self.path is not None else ""
        return ": ".join(part for part in (where, path) if part)


class InceptionSearchError(Exception):
    """The base class of every error of this package; ``str(error)`` is one line with all fields below.

    ``of_value`` is True if an argument, or a value on the command line, caused the error.

    Args:
        rule: the message: what is wrong.
        place: where it was found: the file, the line, and the path inside the document.
        path: instead of ``place``: the path inside the document alone.
        found: the value that was found.
        expected: what was expected.
        hint: the likely fix.
        mend: the former name of ``hint``; it will be removed in version 0.3.

    >>> try:
    ...     ins.load("inception_v9")
    ... except ins.InceptionSearchError as error:
    ...     print(str(error)[:41])
    unknown network, got 'inception_v9'; expe
    """

    of_value: ClassVar[bool] = False

    def __init__(
        self,
        rule: str,
        *,
        place: Place | None = None,
        path: str | None = None,
        found: Any = None,
        expected: str | None = None,
        hint: str | None = None,
        mend: str | None = None,
    ) -> None:
        if mend is not None:
            warn(_MEND, DeprecationWarning)
        self.rule = rule
        self.place = place if isinstance(place, Place) else Place(path=path)
        self.found = found
        self.expected = expected
        self.hint = mend if hint is None else hint
        super().__init__(rule)

    @property
    def mend(self) -> str | None:
        """The former name of ``hint``; it will be removed in version 0.3."""
        warn(_MEND, DeprecationWarning)
        return self.hint

    @mend.setter
    def mend(self, hint: str | None) -> None:
        warn(_MEND, DeprecationWarning)
        self.hint = hint

    @property
    def path(self) -> str | None:
        """The path inside the document, such as ``mixed_6b.branches.1.0``; None if it is not known."""
        return self.place.path

    def at(self, *, file: str | None = None, line: int | None = None, path: str | None = None) -> Self:
        """Fill in missing parts of the error's place, and return the error; parts already known are kept.

        Args:
            file: the file.
            line: the line in the file.
            path: the path inside the document.
        """
        old = self.place
        self.place = replace(
            old,
            file=file if old.file is None else old.file,
            line=line if old.line is None else old.line,
            path=path if old.path is None else old.path,
        )
        return self

    def __str__(self) -> str:
        where, rule = str(self.place), _part(self.rule)
        text = f"{where}: {rule}" if where else rule
        if self.found is not None:
            text += f", got {shorten(self.found)}"
        if self.expected is not None and (expected := _part(self.expected)):
            text += f"; expected {expected}"
        if self.hint is not None and (hint := _part(self.hint)):
            text += f"; {hint}"
        return masked(text)


class DocumentError(InceptionSearchError):
    """A document (YAML or JSON) cannot be read, or breaks the rules of its schema."""


class SchemaVersionError(DocumentError):
    """A document was written for a schema version this package does not know."""


class LimitError(DocumentError):
    """A document or network exceeds the size limits that make reading it safe."""


class SpecError(DocumentError):
    """A step or network breaks a rule of level 1 (wrong type, misspelt field, illegal combination)."""


class DocumentWarning(UserWarning):
    """A document can be used, but probably does not mean what its author intended."""


class InputOrderWarning(DocumentWarning):
    """An input is written as height, width, channels; it is read as channels, height, width."""


class UnusedBlockWarning(DocumentWarning):
    """A network defines a block, or a search space an entry of ``define``, that nothing uses."""


class ShapeError(InceptionSearchError):
    """Shapes do not fit: a kernel exceeds its feature map, or a concat or sum joins shapes that do not match."""


class MapTooSmallError(ShapeError):
    """A kernel is larger than its feature map; the message gives the smallest input size that works.

    ``advice`` computes that size, in 0.1 to 2 seconds. It is called only when the message is read, because a search
    raises thousands of these errors that nobody reads.
    """

    advice: Callable[[], str | None] | None = None

    def __str__(self) -> str:
        advice, self.advice = self.advice, None
        self.hint = (advice() if advice is not None else None) or self.hint
        return super().__str__()


class NotInSpaceError(InceptionSearchError):
    """A network is not a point of a space; the path says which part of it is outside."""


class UnknownNameError(InceptionSearchError):
    """A name (of a network, space, dataset, op, block ...) is unknown; ``place`` is where it is written."""

    of_value = True


class UnknownDialectError(UnknownNameError):
    """A network has no dialect of that name; ``place`` is the document of the network."""


class EditError(InceptionSearchError):
    """An edit does not fit the network it is applied to, or no edit that fits can be found."""


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

    of_value = True


class MissingRequirementError(ConfigError):
    """A package, or process forking, is missing that these option values need; other values may work without it."""

    of_value = False


class ArgumentError(ConfigError, TypeError):
    """A public function got an argument that it does not take, or lacks one that it needs."""


class ProcessStartError(InceptionSearchError):
    """The process of a trial cannot be started; the study stops and records nothing for that trial."""


class PluginError(InceptionSearchError):
    """An op, space, strategy, dataset or proxy of another package cannot be used, or its name is taken."""


class CompileError(InceptionSearchError):
    """A graph cannot be built or measured as a PyTorch module."""


class WeightsError(InceptionSearchError):
    """A weight file is damaged, hostile, of an unknown kind, or does not fit the network; the model is unchanged."""


class TrainingError(InceptionSearchError):
    """A training run ended without a usable result (diverged, out of memory, out of time)."""

    OUT_OF_MEMORY: ClassVar[str] = "out of memory"
    """The first words of the reason of an out-of-memory failure, in errors and in records."""


class CheckpointError(TrainingError):
    """A checkpoint is damaged, or belongs to another network, data, fidelity or seed; nothing was trained."""


def unknown_name(
    what: str, name: str, known: Iterable[str], *, kind: type[UnknownNameError] = UnknownNameError, **facts: Any
) -> UnknownNameError:
    """An :class:`UnknownNameError` (of class ``kind``) that lists the known names and suggests the nearest one."""
    names = sorted(known)
    return kind(
        f"unknown {what}",
        found=name,
        expected="one of " + ", ".join(names) if names else None,
        hint=did_you_mean(name, names),
        **facts,
    )


def did_you_mean(name: Any, known: Iterable[str]) -> str | None:
    """``"did you mean 'x'?"`` for the nearest known spelling; None if no known name is near."""
    names = {each.lower(): each for each in known}
    near = difflib.get_close_matches(_text(name)[:LONGEST_NAME].lower(), list(names), n=1, cutoff=0.6)
    return f"did you mean {names[near[0]]!r}?" if near else None


def shorten(value: Any) -> str:
    """``repr(value)`` on one line, control characters escaped, cut to 80 characters (:func:`raw` text: 400).

    Only the beginning of a long or deeply nested value is formatted. If ``repr`` fails, the text names the type.
    """
    if isinstance(value, _Raw):
        text, limit = value[: RAW + 1], RAW
    else:
        text, limit = _repr(value), SHOWN
    text = one_line(text)
    return text if len(text) <= limit else text[: limit - 3] + "..."


def one_line(text: object) -> str:
    """``text`` as one paragraph: line breaks become spaces, other control characters are escaped."""
    return visible(" ".join(_text(text).split()))


def _part(text: object) -> str:
    """A part of an error on one line, cut to ``LONGEST`` characters."""
    line = one_line(text)
    return line if len(line) <= LONGEST else line[: LONGEST - 3] + "..."


def _text(value: object) -> str:
    try:
        return str(value)
    except Exception:  # __str__ of the caller's object may raise anything
        return _repr(value)


def visible(text: object) -> str:
    """``text`` with every character that does not print (line breaks, terminal controls) written as its escape."""
    words = _text(text)
    if words.isprintable():
        return words
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in words)


class _Short(reprlib.Repr):
    """A ``repr`` that cuts texts to the length shown, and long collections after their beginning."""

    def __init__(self) -> None:
        super().__init__()
        self.maxlist = self.maxtuple = self.maxdict = self.maxset = self.maxfrozenset = self.maxdeque = 40
        self.maxstring = self.maxother = self.maxlong = self.maxarray = 400
        self.maxlevel = 8

    def repr_str(self, x: str, level: int) -> str:
        return repr(x[: self.maxstring])

    def repr_int(self, x: int, level: int) -> str:
        return repr(x) if x.bit_length() < 1024 else f"a whole number of {x.bit_length():,} bits"

    def repr_bytes(self, x: bytes, level: int) -> str:
        return repr(x[: self.maxstring])


def _repr(value: Any) -> str:
    try:
        return _Short().repr(value)
    except Exception:  # __repr__ of the caller's object may raise anything; the error about it must still print
        return f"a value of type {type(value).__name__}"


class _Raw(str):
    """Text shown without quotes by :func:`shorten`."""


def raw(text: str) -> str:
    """Mark ``text`` to be shown without quotes in the *found* part of an error."""
    return _Raw(text)


_PACKAGE = str(Path(__file__).parent)


def warn(message: str, category: type[Warning] = UserWarning) -> None:
    """Warn with the location of the innermost line of code outside this package."""
    level, frame = 1, sys._getframe()
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level)
