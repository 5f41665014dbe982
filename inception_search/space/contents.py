"""The section ``contains`` of a space: its forms, and the check that every entry is a point of the space."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from inception_search.canonical.catalogue import SUFFIXES
from inception_search.errors import NotInSpaceError, Place, SpecError
from inception_search.space.holes import Params
from inception_search.spec.documents.yaml_reader import MarkedDict

if TYPE_CHECKING:
    from inception_search.space.document import SpaceDocument
    from inception_search.spec.network import Network

ENTRY = "a name such as inception_v3.mixed_5b, or {module: inception_v3.mixed_5b, width: 0.25}"
SECTION = "{v3_5b: {module: inception_v3.mixed_5b, width: 0.25}, ...}, or a list of names such as inception_v3.mixed_5b"
_LONGEST = 64  # characters of a label


def written_out(contains: Any, file: str | None, line: int | None = None) -> MarkedDict:
    """``contains`` of a space document with every entry as fields under its label.

    An entry may be the name of a module or network alone. In a list, the label is made from the name:
    ``inception_v3.mixed_5b`` becomes ``inception_v3_mixed_5b``. ``line`` is the line of the section.

    Raises :class:`SpecError` with the place of an entry that has another form.

    >>> written_out(["inception_v3.mixed_5b"], None)
    {'inception_v3_mixed_5b': {'module': 'inception_v3.mixed_5b'}}
    """
    if isinstance(contains, list):
        contains = _labelled(contains, file)
    if not isinstance(contains, dict):
        raise SpecError("not a usable value", place=Place(file, line, "contains"), found=contains, expected=SECTION)
    lines = getattr(contains, "lines", {})
    entries = {label: _fields(label, entry, file, lines.get(label)) for label, entry in contains.items()}
    return MarkedDict(entries, getattr(contains, "line", None), lines)


def _fields(label: str, entry: Any, file: str | None, line: int | None) -> Any:
    """An entry as fields."""
    if isinstance(entry, dict):
        return entry
    if not isinstance(entry, str):
        place = Place(file, line, f"contains.{label}")
        raise SpecError("not a usable value", place=place, found=entry, expected=ENTRY)
    whole = "." not in entry or "/" in entry or entry.endswith(SUFFIXES)
    return MarkedDict({"network" if whole else "module": entry}, line)


def _labelled(names: list[Any], file: str | None) -> MarkedDict:
    """A list of names as a mapping from labels to names."""
    found = MarkedDict((), getattr(names, "line", None))
    lines = getattr(names, "lines", None) or [None] * len(names)
    for index, (name, line) in enumerate(zip(names, lines, strict=True)):
        place = Place(file, line, f"contains.{index}")
        if not isinstance(name, str):
            hint = "a list contains only names; give each entry a label: {v3_5b: {module: inception_v3.mixed_5b, ...}}"
            raise SpecError("not a name", place=place, found=name, hint=hint)
        label = re.sub(r"[^a-z0-9_]+", "_", name.lower()).strip("_")
        if not label[:1].isalpha() or len(label) > _LONGEST or name.endswith(SUFFIXES):
            hint = "write it under a label of its own: {my_label: NAME}"
            raise SpecError("no label can be made from this name", place=place, found=name, hint=hint)
        if label in found:
            hint = "remove one of them, or give each a label: {my_label: NAME, ...}"
            raise SpecError(f"two entries with the label {label!r}", place=place, found=name, hint=hint)
        found[label] = name
        if line is not None:
            found.lines[label] = line
    return found


class HasContents(Protocol):
    """The attributes of a space that this module needs."""

    @property
    def file(self) -> str | None: ...
    @property
    def lines(self) -> Mapping[str, int]: ...
    @property
    def document(self) -> SpaceDocument: ...
    @property
    def fixed_points(self) -> Mapping[str, Network]: ...
    def encode(self, network: Network) -> Params: ...


def contained_point(space: HasContents, label: str) -> Params:
    """The point of the entry ``label`` of ``contains``.

    Raises :class:`NotInSpaceError`, which names the entry and its part that is outside.
    """
    try:
        return space.encode(space.fixed_points[label])
    except NotInSpaceError as error:
        place = Place(space.file, space.lines.get(label), f"contains.{label}")
        raise NotInSpaceError(
            f"it is not a point of the space: {error}", place=place, hint=_hint(space, label)
        ) from None


def check_contents(space: HasContents) -> None:
    """Raise the error of the first entry of ``contains`` that is not a point of ``space``, or not a network."""
    for label in space.fixed_points:
        contained_point(space, label)


def _hint(space: HasContents, label: str) -> str:
    fixed = space.document.contains[label]
    if fixed.network is not None:
        return "widen the template, or remove the entry"
    return "widen the template, give the entry another width, or remove it"
