"""Reading YAML and JSON text within bounds: plain data that remembers its lines.

Works on PyYAML's event stream, so that size, depth and node limits hold before anything is built. Anchors, merge
keys and tags are refused; keys are strings and unique; numbers are finite. Only JSON's scalars exist (``true``,
``null``, ``12``, ``1e-3``); ``yes``, ``on`` and ``1:30`` are text.
"""

from __future__ import annotations

import math
import re
from typing import Any

import yaml

from inception_search.errors import DocumentError, LimitError, Place
from inception_search.spec.limits import (
    MAX_DOCUMENT_BYTES,
    MAX_DOCUMENT_DEPTH,
    MAX_DOCUMENT_NODES,
    MAX_SCALAR_LENGTH,
)

_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})\Z")
_DIGITS = re.compile(r"[-+]?[0-9]{19,}\Z")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|(0|[1-9][0-9]*)(\.[0-9]*)?)([eE][-+]?[0-9]+)?\Z")
_NOT_FINITE = re.compile(r"[-+]?(\.(inf|Inf|INF|nan|NaN|NAN)|Infinity|NaN)\Z")
_SURROGATE = re.compile("[\ud800-\udfff]")
_WORDS = {"true": True, "false": False, "null": None, "~": None, "": None}


class MarkedDict(dict[str, Any]):
    """A mapping that knows its line and the line of each key."""

    line: int | None = None

    def __init__(self, items: Any = (), line: int | None = None, lines: dict[str, int] | None = None) -> None:
        super().__init__(items)
        self.line = line
        self.lines = lines or {}


class MarkedList(list[Any]):
    """A list that knows its line and the line of each item."""

    line: int | None = None

    def __init__(self, items: Any = (), line: int | None = None, lines: list[int] | None = None) -> None:
        super().__init__(items)
        self.line = line
        self.lines = lines or []


def read_yaml(text: str, file: str | None = None) -> Any:
    """The data of one YAML (or JSON) document.

    Raises :class:`DocumentError` (syntax, anchors, tags, duplicate keys, non-finite numbers) or
    :class:`LimitError`, each with file and line.
    """
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > MAX_DOCUMENT_BYTES:
        raise LimitError(
            "the document is too large",
            place=Place(file),
            found=size,
            expected=f"at most {MAX_DOCUMENT_BYTES} bytes",
            hint="split it, or use repeat and blocks",
        )
    try:
        loader = yaml.SafeLoader(text)
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        rule = f"not valid YAML: the character U+{ord(text[error.position]):04X} is not allowed"
        raise DocumentError(rule, place=Place(file, line)) from None
    try:
        return _Reader(loader, file).document()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = " ".join(part for part in (error.context, error.problem) if part)
        raise DocumentError(f"not valid YAML: {problem}", place=Place(file, mark.line + 1 if mark else None)) from None
    except (yaml.YAMLError, ValueError, IndexError, AttributeError, OverflowError) as error:
        reason = " ".join(str(error).split())
        raise DocumentError(f"not valid YAML: {reason}", place=Place(file, loader.line + 1)) from None


def is_text(word: str) -> bool:
    """Whether ``word``, written without quotes, is read as text (not as a number, a truth value or null)."""
    return word not in _WORDS and not any(p.match(word) for p in (_INTEGER, _DIGITS, _FLOAT, _NOT_FINITE))


class _Reader:
    def __init__(self, loader: yaml.SafeLoader, file: str | None) -> None:
        self.file = file
        self.line = 1
        self.nodes = 0
        self.loader = loader

    def document(self) -> Any:
        while isinstance(event := self.next(), yaml.StreamStartEvent | yaml.DocumentStartEvent):
            pass
        if isinstance(event, yaml.StreamEndEvent):
            raise self.error("the document is empty")
        value = self.value(event, 1)
        self.next()  # the end of the document
        if not isinstance(self.next(), yaml.StreamEndEvent):
            raise self.error("more than one document in the file", hint="keep one; drop the '---' lines")
        return value

    def next(self) -> Any:
        event = self.loader.get_event()  # type: ignore[no-untyped-call]
        self.line = event.start_mark.line + 1
        return event

    def value(self, event: Any, depth: int) -> Any:
        self.nodes += 1
        if self.nodes > MAX_DOCUMENT_NODES:
            raise self.limit("the document has too many nodes", f"at most {MAX_DOCUMENT_NODES}")
        if depth > MAX_DOCUMENT_DEPTH:
            raise self.limit("the document is nested too deeply", f"at most {MAX_DOCUMENT_DEPTH} levels")
        if isinstance(event, yaml.AliasEvent) or event.anchor:
            raise self.error("anchors and aliases are not used here", hint="define a block and name it instead")
        if event.tag is not None and event.tag != "!":
            raise self.error("tags are not used here", found=event.tag, hint="write the plain value")
        if isinstance(event, yaml.ScalarEvent):
            return self.scalar(event)
        if isinstance(event, yaml.SequenceStartEvent):
            return self.sequence(depth)
        return self.mapping(depth)

    def sequence(self, depth: int) -> MarkedList:
        items = MarkedList(line=self.line)
        while not isinstance(event := self.next(), yaml.SequenceEndEvent):
            items.lines.append(self.line)
            items.append(self.value(event, depth + 1))
        return items

    def mapping(self, depth: int) -> MarkedDict:
        items = MarkedDict(line=self.line)
        while not isinstance(event := self.next(), yaml.MappingEndEvent):
            line = self.line
            if not isinstance(event, yaml.ScalarEvent):
                raise self.error("a key must be plain text")
            self.value(event, depth + 1)  # the checks on anchors, tags and counts
            key = self.joined(event.value)
            if not key.isprintable():
                raise self.error("a key has control characters", found=key)
            if key == "<<":
                raise self.error("merge keys are not used here", hint="write the fields out")
            if key in items:
                raise self.error("duplicate key", found=key, hint="keep one of the two")
            value = self.value(self.next(), depth + 1)
            items[key] = value
            items.lines[key] = line
        return items

    def scalar(self, event: Any) -> Any:
        text = self.joined(event.value)
        if len(text) > MAX_SCALAR_LENGTH:
            raise self.limit("a text is too long", f"at most {MAX_SCALAR_LENGTH} characters")
        if not event.implicit[0]:  # quoted
            return text
        if text in _WORDS:
            return _WORDS[text]
        if _INTEGER.match(text):
            return int(text)
        if _DIGITS.match(text):
            raise self.limit("a number is too large", "at most 18 digits")
        if _NOT_FINITE.match(text):
            raise self.error("a number is not finite", found=text)
        if _FLOAT.match(text):
            return self.finite(text)
        return text

    def joined(self, text: str) -> str:
        """``text`` with the surrogate pairs of JSON's ``\\ud83d\\ude00`` as one character each."""
        if not _SURROGATE.search(text):
            return text
        try:
            return text.encode("utf-16", "surrogatepass").decode("utf-16")
        except UnicodeDecodeError:
            raise self.error("half of a surrogate pair is no character", found=text) from None

    def finite(self, text: str) -> float:
        number = float(text)
        if not math.isfinite(number):
            raise self.error("a number is not finite", found=text)
        return number

    def error(self, rule: str, **facts: Any) -> DocumentError:
        return DocumentError(rule, place=Place(self.file, self.line), **facts)

    def limit(self, rule: str, expected: str) -> LimitError:
        return LimitError(rule, place=Place(self.file, self.line), expected=expected)
