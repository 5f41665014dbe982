"""Names written with braces, as in a shell: ``branch{0,1.{0,1}}`` is branch0, branch1.0, branch1.1.

``{1..3}`` and ``{b..d}`` are ranges; several groups make every combination, the left one slowest; white space
around the items of a group does not count. ``3*`` alone or as an item is three items ``*``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_RANGE = re.compile(r"(\d+)\.\.(\d+)|([a-z])\.\.([a-z])")
_STARS = re.compile(r"(\d+)\*")


def expand(text: str) -> tuple[str, ...]:
    """The names ``text`` stands for; ``ValueError`` when its braces do not match."""
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
