"""Reading ``names/<network>.yaml``: how other implementations call the layers of a canonical network.

For each implementation: its style, and for each part of our document (a stage, ``head``, ``head.embedding``,
``aux.<name>``) the names of its layers, in the order in which our graph has them. A name is a text with braces
(:func:`expand`), a name that ends in ``*`` an automatic one of Keras; tensors
that do not follow the style are written out in a mapping. ``like`` takes over an implementation written above, but
for the parts written here; ``null`` leaves a part out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from inception_search.canonical.weight_styles import STYLES, Style
from inception_search.errors import DocumentError, Place, unknown_name
from inception_search.spec.documents.files import read_text, shipped_folder, shipped_names
from inception_search.spec.documents.parse import check_header
from inception_search.spec.documents.yaml_reader import MarkedDict, MarkedList, read_yaml

_RANGE = re.compile(r"(\d+)\.\.(\d+)|([a-z])\.\.([a-z])")
_STARS = re.compile(r"(\d+)\*")


def expand(text: str) -> tuple[str, ...]:
    """The names ``text`` stands for, as in a shell; ``ValueError`` when its braces do not match.

    ``{1..3}`` and ``{b..d}`` are ranges; several groups make every combination, the left one slowest; white space
    around the items of a group does not count. ``3*`` alone or as an item is three items ``*``.

    >>> expand("branch{0,1.{0,1}}")
    ('branch0', 'branch1.0', 'branch1.1')
    """
    before, brace, rest = text.partition("{")
    if "}" in before:
        raise ValueError("a closing brace without an opening one")
    if not brace:
        stars = _STARS.fullmatch(text)
        return ("*",) * int(stars[1]) if stars else (text,)
    end = _closing(rest)
    tails = expand(rest[end + 1 :])
    return tuple(before + item + tail for item in _items(rest[:end]) for tail in tails)


def _closing(text: str) -> int:
    """Where the group ends that ``text`` begins in."""
    depth = 1
    for index, char in enumerate(text):
        depth += (char == "{") - (char == "}")
        if not depth:
            return index
    raise ValueError("an opening brace without a closing one")


def _items(group: str) -> Iterator[str]:
    """The items of a group, its own groups expanded."""
    if span := _RANGE.fullmatch(group):
        if span[1]:
            yield from map(str, range(int(span[1]), int(span[2]) + 1))
        else:
            yield from map(chr, range(ord(span[3]), ord(span[4]) + 1))
        return
    for item in _split(group):
        yield from expand(item.strip())


def _split(group: str) -> Iterator[str]:
    """``group`` cut at the commas that are in no group of its own."""
    depth = start = 0
    for index, char in enumerate(group):
        depth += (char == "{") - (char == "}")
        if char == "," and not depth:
            yield group[start:index]
            start = index + 1
    yield group[start:]


SCHEMA = "inception-search/weight-names"
VERSION = 1
FOLDER = "canonical/names"
_HEADER = ("schema", "version", "network")
_TENSORS = ("weight", "bias", "norm")


class Names(NamedTuple):
    """The names of a layer's weight and bias, and that under which its norm is; None: it has none."""

    weight: str
    bias: str | None
    norm: str | None


class TableLayer(NamedTuple):
    """The names of one layer, when it has a norm and when it has none."""

    normed: Names
    alone: Names


class Table(NamedTuple):
    """One implementation of a network: the names of its layers, by part of our document."""

    style: Style
    parts: Mapping[str, tuple[TableLayer, ...]]


def table_names() -> tuple[str, ...]:
    """The networks that have a file of names, sorted."""
    return shipped_names(FOLDER)


@lru_cache(maxsize=64)
def read_tables(network: str) -> Mapping[str, Table]:
    """The implementations of a network of :func:`table_names`, in the order of the file.

    Raises :class:`~inception_search.errors.DocumentError` with file and line for a mistake in the file.
    """
    if network not in table_names():
        raise unknown_name("network with weight names", network, table_names())
    path = shipped_folder() / FOLDER / f"{network}.yaml"
    return tables_from_text(read_text(path), str(path))


def tables_from_text(text: str, file: str) -> Mapping[str, Table]:
    """The implementations written in the ``text`` of a file of names."""
    data = check_header(read_yaml(text, file), SCHEMA, VERSION, {}, file)
    reader = _Reader(file)
    if data.get("network") != (name := Path(file).stem):
        raise reader.error("not the network the file is named after", data.line, data.get("network"), name)
    return MappingProxyType(reader.tables(data))


class _Reader:
    def __init__(self, file: str) -> None:
        self.file = file
        self.automatic = 0  # layers so far that Keras has named

    def tables(self, data: MarkedDict) -> dict[str, Table]:
        """Every implementation; one that is like another begins with what that one says."""
        written: dict[str, dict[str, Any]] = {}
        for name, value in data.items():
            if name not in _HEADER:
                written[name] = self.whole(value, written, data.lines[name])
        return {name: self.table(value, data.lines[name]) for name, value in written.items()}

    def whole(self, value: Any, above: Mapping[str, dict[str, Any]], line: int) -> dict[str, Any]:
        """The entries of one implementation with those of the one it is like; each value with its line."""
        if isinstance(value, str):
            value = MarkedDict({"like": value}, line, {"like": line})
        if not isinstance(value, MarkedDict):
            raise self.error("not an implementation", line, value, "a mapping, or the name of one above")
        own = {key: (item, value.lines[key]) for key, item in value.items() if key != "like"}
        if "like" not in value:
            return own
        if value["like"] not in above:
            expected = "one of " + ", ".join(above) if above else None
            raise self.error("like an implementation that is not above", value.lines["like"], value["like"], expected)
        both = {**above[value["like"]], **own}
        return {key: item for key, item in both.items() if item[0] is not None}

    def table(self, written: Mapping[str, Any], line: int) -> Table:
        style, at = written.get("style", (None, line))
        if style not in STYLES:
            raise self.error("no style of tensor names", at, style, "one of " + ", ".join(STYLES))
        self.automatic = 0
        parts = {
            part: tuple(self.layers(value, STYLES[style], at))
            for part, (value, at) in written.items()
            if part != "style"
        }
        return Table(STYLES[style], MappingProxyType(parts))

    def layers(self, value: Any, style: Style, line: int) -> Iterator[TableLayer]:
        """The layers of one part."""
        lines = value.lines if isinstance(value, MarkedList) else [line]
        for item, at in zip(value if isinstance(value, MarkedList) else [value], lines, strict=True):
            if isinstance(item, MarkedDict):
                yield self.written_out(item, at)
            elif isinstance(item, str):
                yield from (self.layer(name, style) for name in self.expanded(item, at))
            else:
                raise self.error("not the name of a layer", at, item, "a text, or a mapping of weight, bias and norm")

    def expanded(self, text: str, line: int) -> tuple[str, ...]:
        try:
            return expand(text)
        except ValueError as error:
            raise self.error(str(error), line, text) from None

    def layer(self, name: str, style: Style) -> TableLayer:
        norm = style.norm.format(name)
        if name.endswith("*"):
            name, norm = numbered("conv2d", self.automatic), numbered("batch_normalization", self.automatic)
            self.automatic += 1
        normed, alone = style.conv.format(name), style.alone.format(name)
        return TableLayer(
            Names(normed + style.weight, normed + style.bias, norm),
            Names(alone + style.weight, alone + style.bias, None),
        )

    def written_out(self, item: MarkedDict, line: int) -> TableLayer:
        bad = [key for key, value in item.items() if key not in _TENSORS or not isinstance(value, str)]
        if bad or "weight" not in item:
            expected = "the names of weight and, where it has them, of bias and norm"
            raise self.error("not the tensors of a layer", line, dict(item), expected)
        names = Names(item["weight"], item.get("bias"), item.get("norm"))
        return TableLayer(names, names)

    def error(self, rule: str, line: int | None, found: Any, expected: str | None = None) -> DocumentError:
        return DocumentError(rule, place=Place(self.file, line), found=found, expected=expected)


def numbered(name: str, number: int) -> str:
    """The automatic name of Keras: ``conv2d``, ``conv2d_1``, ``conv2d_2``."""
    return f"{name}_{number}" if number else name
