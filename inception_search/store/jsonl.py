"""Append-only files of JSON lines that survive kills, power cuts and full disks.

A line is valid once it ends in a newline. The next writer repairs the incomplete line of a killed one. A reader
never sees a line that might still be removed.
"""

from __future__ import annotations

import json
import os
import re
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from inception_search.errors import DocumentError, Place, RunFolderError
from inception_search.store.disk import NO_FOLLOW, sync_folder, typed_errors, write_all
from inception_search.store.flock import locked

_CHUNK = 1 << 16  # bytes read at a time when looking backwards for the last newline


def append_line(path: str | Path, text: str) -> int:
    """Append one line durably and return its offset in bytes; creates a missing file. See :func:`append_lines`."""
    return append_lines(path, [text])


def append_lines(path: str | Path, texts: Sequence[str], *, create: bool = True, durable: bool = True) -> int:
    """Append all ``texts`` durably, one line each, or none of them; safe with any number of writing processes.

    Returns the offset in bytes of the first of them. An incomplete last line is repaired first: completed if it is
    valid JSON, else moved to ``<file>.torn``. Without ``create`` a missing file is an error. Without ``durable`` the
    lines survive a kill of this process, but a power cut only after the next durable append or :func:`sync_file`.
    Raises :class:`StorageFullError` or :class:`RunFolderError`; the file is then unchanged.
    """
    path = Path(path)
    data = b"".join(_line(text) for text in texts)
    with typed_errors(path), _opened(path, create=create) as fd, locked(fd, path):
        end = _repaired_end(fd, path)
        _write_or_roll_back(fd, data, end, durable=durable)
        return end


def sync_file(path: Path) -> None:
    """Write everything that was appended to ``path`` to disk."""
    with typed_errors(path), _opened(path, create=False) as fd:
        os.fsync(fd)


def read_lines(path: str | Path) -> Iterator[tuple[int, str]]:
    """The complete lines as ``(line number from 1, text)``; an incomplete last line is omitted.

    Raises :class:`RunFolderError` if the file cannot be read, :class:`DocumentError` if a line is not UTF-8.
    """
    return ((number, text) for number, _, text in placed_lines(path))


def placed_lines(path: str | Path) -> Iterator[tuple[int, int, str]]:
    """The complete lines as ``(line number from 1, offset in bytes, text)``; see :func:`read_lines`.

    Only one line is in memory at a time.
    """
    path = Path(path)
    for number, (start, line) in enumerate(_complete(path), start=1):
        yield number, start, _decoded(line, Place(str(path), number))


def line_at(path: str | Path, start: int, place: Place) -> str:
    """The line at the byte offset ``start`` from :func:`placed_lines`; errors name ``place``.

    Raises the same errors as :func:`read_lines`.
    """
    with typed_errors(Path(path)):
        fd = os.open(path, os.O_RDONLY | NO_FOLLOW)
        with os.fdopen(fd, "rb") as file:
            file.seek(start)
            return _decoded(file.readline().removesuffix(b"\n"), place)


def complete_lines(path: Path, start: int = 0) -> list[bytes]:
    """The complete lines after the byte offset ``start``, without their newlines.

    Raises :class:`RunFolderError` if the file is missing, unreadable or shorter than ``start``.
    """
    return [line for _, line in _complete(path, start)]


def _complete(path: Path, start: int = 0) -> Iterator[tuple[int, bytes]]:
    """Offset in bytes and text, without newline, of each complete line after the offset ``start``."""
    with typed_errors(path):
        fd = os.open(path, os.O_RDONLY | NO_FOLLOW)
        with os.fdopen(fd, "rb") as file:
            # Under the lock no append is in progress, so all bytes up to this size are final.
            with locked(fd, path, shared=True):
                size = os.fstat(fd).st_size
            if size < start:
                raise _shortened(path, size, start)
            file.seek(start)
            for line in file:
                if start + len(line) > size or not line.endswith(b"\n"):
                    return
                yield start, line[:-1]
                start += len(line)


def _decoded(line: bytes, place: Place) -> str:
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError as error:
        raise DocumentError(
            "this line is not UTF-8 text",
            place=place,
            hint="the file was damaged; delete the line, or restore the file from a copy",
        ) from error


def _shortened(path: Path, size: int, start: int) -> RunFolderError:
    return RunFolderError(
        "the file was shortened by something else while in use",
        place=Place(file=str(path)),
        found=size,
        expected=f"at least {start} bytes",
        hint="stop the search, restore the file from a copy and resume",
    )


def _line(text: str) -> bytes:
    if "\n" in text:
        raise ValueError("a line of a JSON-lines file cannot contain a newline")
    return text.encode("utf-8") + b"\n"


@contextmanager
def _opened(path: Path, *, create: bool) -> Iterator[int]:
    fd = _open(path, create=create)
    try:
        yield fd
    finally:
        os.close(fd)


def _open(path: Path, *, create: bool) -> int:
    flags = os.O_RDWR | os.O_APPEND | NO_FOLLOW
    try:
        return os.open(path, flags)
    except FileNotFoundError:
        if not create:
            raise
    fd = os.open(path, flags | os.O_CREAT, 0o666)
    sync_folder(path.parent)
    return fd


def _repaired_end(fd: int, path: Path) -> int:
    """Repair an incomplete last line; returns the size of the file, which then is empty or ends in a newline."""
    size = os.fstat(fd).st_size
    if size == 0 or os.pread(fd, 1, size - 1) == b"\n":
        return size
    start = _after_last_newline(fd, size)
    tail = os.pread(fd, size - start, start)
    if _is_whole(tail):
        _write_or_roll_back(fd, b"\n", size)
        return size + 1
    with _opened(path.with_name(f"{path.name}.torn"), create=True) as aside:
        _write_or_roll_back(aside, tail + b"\n", os.fstat(aside).st_size)
    os.ftruncate(fd, start)
    return start


def _after_last_newline(fd: int, size: int) -> int:
    end = size
    while end > 0:
        start = max(0, end - _CHUNK)
        found = os.pread(fd, end - start, start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        end = start
    return 0


def _is_whole(tail: bytes) -> bool:
    """Whether a line without newline is complete. A bare number is not: ``12`` may be the start of ``123``."""
    try:
        return isinstance(json.loads(tail.decode("utf-8")), dict | list)
    except (ValueError, RecursionError):
        return False


def _write_or_roll_back(fd: int, data: bytes, end: int, *, durable: bool = True) -> None:
    try:
        write_all(fd, data)
        if durable:
            os.fsync(fd)
    except BaseException:
        with suppress(OSError):  # if this fails too, the next append repairs the incomplete line
            os.ftruncate(fd, end)
        raise


_SEALED = re.compile(r'(\{.*), "check": "([0-9a-f]{8})"\}', re.DOTALL)


def sealed(text: str) -> str:
    """``text``, a JSON object with at least one field, with a checksum as its last field.

    ``check`` is the CRC-32 of all text before it, so that a byte changed on the disk is detected on reading. Lines of
    older versions, or written by hand, have no checksum and are accepted.
    """
    body = text[:-1]
    return f'{body}, "check": "{_check(body)}"}}'


def unsealed(text: str, place: Place | None = None) -> str:
    """``text`` without the checksum of :func:`sealed`, if it has one; DocumentError if the checksum is wrong."""
    found = _SEALED.fullmatch(text)
    if found is None:
        return text
    body, check = found.groups()
    if _check(body) != check:
        raise DocumentError(
            "checksum mismatch: the text was modified after it was written",
            place=place,
            hint="restore the file from a copy, or delete the line; after a change by hand, delete its check",
        )
    return f"{body}}}"


def _check(body: str) -> str:
    return f"{zlib.crc32(body.encode('utf-8', 'surrogatepass')):08x}"
