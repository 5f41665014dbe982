"""A checksum in the first line of a document that a study wrote: a digit that changed would be another network."""

from __future__ import annotations

import re
import zlib

from inception_search.errors import DocumentError, Place

_FIRST = re.compile(r"# checksum ([0-9a-f]{8})\b.*\n")


def with_checksum(text: str) -> str:
    """``text`` below a comment with its CRC-32; without the comment it is read unchecked."""
    return (
        f"# checksum {_crc(text)} of all lines below; to edit this network, copy the file and delete this line\n{text}"
    )


def check_checksum(text: str, file: str) -> None:
    """Raise :class:`DocumentError` where the first line has a checksum and the others do not have that one."""
    found = _FIRST.match(text)
    if found is not None and found[1] != _crc(text[found.end() :]):
        raise DocumentError(
            "the checksum in the first line does not fit the rest: the file was changed since it was written",
            place=Place(file),
            hint="`inception-search report RUN` writes the best.yaml of a study again; to use it as it is, copy it to "
            "another file and delete the first line there",
        )


def _crc(text: str) -> str:
    return f"{zlib.crc32(text.encode('utf-8', 'surrogatepass')):08x}"
