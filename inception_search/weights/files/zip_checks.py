"""Checks of sizes, names and checksums before anything is read from a zip file."""

from __future__ import annotations

import io
import zipfile
import zlib
from pathlib import Path, PurePosixPath, PureWindowsPath

from inception_search.errors import WeightsError, raw
from inception_search.weights.files.contents import check_count

_SLACK = 1 << 20  # bytes that compression may save on small texts
_LARGEST_TABLE = 1 << 22  # bytes; a name takes about a hundred
_HINT = "fetch the file again from where it was published"


class _Bounded(io.BufferedReader):
    """A file that raises WeightsError for a very large read, which means a huge table of contents."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is None or size < 0:
            here = self.tell()
            size = self.seek(0, 2) - here
            self.seek(here)
        if size > _LARGEST_TABLE:
            rule = "the table of contents of the zip file is too large"
            raise WeightsError(rule, found=size, expected=f"at most {_LARGEST_TABLE} bytes", hint=_HINT)
        return super().read(size)


def checked_zip_names(path: Path, max_bytes: int) -> list[str]:
    """The names of the entries in the zip file ``path``, after the checksum of every entry was verified.

    Raises WeightsError for a damaged file, one that unpacks to much more than its size (weights do not
    compress), names that lead out of the archive, and names that occur twice.
    """
    try:
        with _Bounded(io.FileIO(path)) as file, zipfile.ZipFile(file) as archive:
            entries = archive.infolist()
            check_count(len(entries), "entries")
            _check_names([entry.filename for entry in entries])
            _check_sizes(entries, path.stat().st_size, max_bytes)
            damaged = archive.testzip()
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise WeightsError("the zip file is damaged or cut off", found=raw(str(error)), hint=_HINT) from None
    if damaged is not None:
        rule = "the zip file is damaged: the checksum of an entry is wrong"
        raise WeightsError(rule, found=damaged, hint=_HINT)
    return [entry.filename for entry in entries]


def _check_sizes(entries: list[zipfile.ZipInfo], size: int, max_bytes: int) -> None:
    for entry in entries:
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise WeightsError("an entry of the zip file is compressed in an unknown way", found=entry.filename)
    total, limit = sum(entry.file_size for entry in entries), min(max_bytes, size * 11 // 10 + _SLACK)
    if total > limit:
        raise WeightsError(
            "the zip file unpacks to too much (a zip bomb?)",
            found=raw(f"{total} bytes in a file of {size}"),
            expected=f"at most {limit} bytes",
            hint="weights do not compress like this; get the file from where it was published",
        )


def _check_names(names: list[str]) -> None:
    for name in names:
        parts = PurePosixPath(name.replace("\\", "/")).parts
        if ".." in parts or name.startswith(("/", "\\")) or PureWindowsPath(name).drive:
            raise WeightsError("a name in the zip file leads out of it", found=name, hint=_HINT)
    if len(set(names)) != len(names):
        raise WeightsError("a name occurs twice in the zip file", hint=_HINT)
