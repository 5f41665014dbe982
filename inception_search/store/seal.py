"""A checksum at the end of a line of JSON: a byte that changed on the disk is seen before its number is believed.

The text stays JSON, whose last field is ``check``: the CRC-32 of all before it. Lines without one are of older
versions, or written by hand, and are believed.
"""

from __future__ import annotations

import re
import zlib

from inception_search.errors import DocumentError, Place

_SEALED = re.compile(r'(\{.*), "check": "([0-9a-f]{8})"\}', re.DOTALL)


def sealed(text: str) -> str:
    """``text``, a JSON object with at least one field, with its checksum."""
    body = text[:-1]
    return f'{body}, "check": "{_check(body)}"}}'


def unsealed(text: str, place: Place | None = None) -> str:
    """What :func:`sealed` was given; a text without a checksum as it is. Raises :class:`DocumentError`."""
    found = _SEALED.fullmatch(text)
    if found is None:
        return text
    body, check = found.groups()
    if _check(body) != check:
        raise DocumentError(
            "the checksum is another: this was changed since it was written",
            place=place,
            hint="restore the file from a copy, or delete the line; after a change by hand, delete its check",
        )
    return f"{body}}}"


def _check(body: str) -> str:
    return f"{zlib.crc32(body.encode('utf-8', 'surrogatepass')):08x}"
