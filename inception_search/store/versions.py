"""Conversion of a line of ``trials.jsonl`` of any version to a record document of the current version."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from pydantic_core import from_json

from inception_search.errors import DocumentError, Place, SchemaVersionError

SCHEMA: Final = "inception-search/trial"
VERSION: Final = 2

Document = dict[str, Any]
Upgrade = Callable[[Document], Document]

UPGRADES: Mapping[int, Upgrade] = {1: dict}  # version 2 only adds optional fields
"""For each version ``n``, the function that converts a document to version ``n + 1``."""


class Kind(NamedTuple):
    """The kind of the lines in a file: a name for messages, the schema, and the current version."""

    words: str
    schema: str
    version: int


TRIAL = Kind("trial record", SCHEMA, VERSION)


def present_document(
    line: str,
    place: Place,
    upgrades: Mapping[int, Upgrade] = UPGRADES,
    *,
    sealed: bool = False,
    kind: Kind = TRIAL,
) -> Document:
    """The JSON document in ``line``, converted to the current version of its ``kind``; errors name ``place``.

    ``sealed`` means that the checksum was correct, so that a faster JSON reader is safe.

    Raises :class:`DocumentError` if it is of another kind, :class:`SchemaVersionError` for unknown versions.
    """
    document = _parsed(line, place, from_json if sealed else json.loads, kind)
    version = document.get("version")
    if type(version) is not int:
        raise DocumentError(f"a {kind.words} needs a version", place=place, found=version, expected="an integer")
    while version < kind.version and version in upgrades:
        version += 1
        document = {**upgrades[version - 1](document), "version": version}
    if version != kind.version:
        raise _unknown_version(version, place, kind)
    return _without_layout(document) if '"@' in line else document


def _without_layout(document: Document) -> Document:
    """``document`` without the entries of a point that begin with ``@``, which release 0.1 wrote."""
    point = document.get("holes")
    if not isinstance(point, dict):
        return document
    return {**document, "holes": {name: value for name, value in point.items() if not name.startswith("@")}}


def _parsed(line: str, place: Place, read: Callable[[str], Any], kind: Kind) -> Document:
    try:
        document = read(line)
    except (ValueError, RecursionError) as error:
        raise DocumentError(
            "this line is not a JSON document",
            place=place,
            found=line,
            hint="the file was damaged; delete the line, or restore the file from a copy",
        ) from error
    if not isinstance(document, dict) or document.get("schema") != kind.schema:
        raise DocumentError(
            f"this is not a {kind.words}",
            place=place,
            found=document.get("schema") if isinstance(document, dict) else document,
            expected=f"an object with schema {kind.schema!r}",
        )
    return document


def _unknown_version(version: int, place: Place, kind: Kind) -> SchemaVersionError:
    newer = version > kind.version
    age = "newer" if newer else "older"
    return SchemaVersionError(
        f"this {kind.words} has version {version}, which is {age} than this package can read",
        place=place,
        expected=f"version {kind.version}",
        hint="install a newer inception-search" if newer else "read it with an older inception-search",
    )
