"""What is downloaded: the address, its published checksum, and the error that a failure raises."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from inception_search.errors import InceptionSearchError, Place

_BLOCK = 1 << 20


@dataclass(frozen=True)
class Checksum:
    """A checksum in lower-case hex, or its beginning, as file names contain it."""

    algorithm: Literal["md5", "sha256"]
    digest: str

    def of(self, file: Path) -> str:
        """The checksum of a file, with as many digits as this one has."""
        found = hashlib.new(self.algorithm, usedforsecurity=False)
        with file.open("rb") as opened:
            while block := opened.read(_BLOCK):
                found.update(block)
        return found.hexdigest()[: len(self.digest)]

    def fits(self, file: Path) -> bool:
        """Whether a file has this checksum."""
        return self.of(file) == self.digest

    def __str__(self) -> str:
        return f"{self.algorithm} {self.digest}"


@dataclass(frozen=True)
class Source:
    """A file on a server.

    ``what`` names it in errors ("the archive"), and ``largest`` limits its size in bytes. A failure raises an error of
    class ``kind``, with ``by_hand`` as the way to get the file without this package.
    """

    url: str
    what: str
    kind: type[InceptionSearchError]
    by_hand: str
    checksum: Checksum | None = None
    largest: int = 4 << 30

    def error(self, rule: str, *, found: str | None = None, expected: str | None = None) -> InceptionSearchError:
        """The error for a failure: the address, what is wrong, and the way to get the file by hand."""
        return self.kind(rule, place=Place(self.url), found=found, expected=expected, hint=self.by_hand)

    def wrong(self, found: str) -> InceptionSearchError:
        """The error for content with the checksum ``found``."""
        assert self.checksum is not None
        return self.error(
            f"{self.what} is not the published one",
            found=f"{self.checksum.algorithm} {found}",
            expected=str(self.checksum),
        )
