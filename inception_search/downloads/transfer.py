"""Transfer of one file over HTTP: continued after a cut connection, with limits on time and size.

Proxies are those of the environment (``https_proxy``, ``no_proxy`` ...), as urllib reads them.
"""

from __future__ import annotations

import time
import urllib.request
from collections.abc import Callable
from email.message import Message
from http.client import HTTPException
from pathlib import Path
from typing import IO, Any, NoReturn
from urllib.error import HTTPError

from inception_search._version import __version__
from inception_search.downloads.source import Source

TIMEOUT = 30.0  # seconds without a byte
PAUSE = 1.0  # seconds before another attempt, times the number of attempts without progress
ATTEMPTS = 4  # attempts in a row without progress
_MOST_ATTEMPTS = 100
_BLOCK = 1 << 18
_BUSY = {408, 425, 429, 500, 502, 503, 504}  # statuses of a server that may answer later
_RESTART = 416  # the partial file is longer than the published one

Watch = Callable[[int, int | None], None]
"""Is called with the bytes so far and the total number of bytes (None if the server does not give it)."""


class _CutError(OSError):
    """The connection ended before the last byte."""


class _DiskError(Exception):
    """The disk refused to store a block; another attempt would not help."""


def transfer(source: Source, partial: Path, watch: Watch | None = None) -> None:
    """Write the content of ``source`` to ``partial``, continuing one that an earlier attempt left there.

    A cut or silent connection is opened again and continued. A server that cannot continue starts from the first byte.
    Raises ``source.error``; the partial file is kept, for a later call.
    """
    fails, moved = 0, False
    for _ in range(_MOST_ATTEMPTS):
        before = _size(partial)
        try:
            _continue(source, partial, watch)
            return
        except _DiskError as error:
            raise source.error(f"{source.what} cannot be stored ({error})") from error
        except HTTPError as error:
            error.close()  # it is the answer, with an open connection
            problem: Exception = error
            transient = error.code in _BUSY or (error.code == _RESTART and before > 0)
            if error.code == _RESTART:
                forget(partial)
        except (OSError, HTTPException) as error:  # no network, a cut connection, a timeout
            moved = moved or _size(partial) > before
            problem, transient = error, moved or isinstance(error, TimeoutError | ConnectionResetError)
        fails = 0 if _size(partial) > before else fails + 1
        if not transient or fails >= ATTEMPTS:
            break
        time.sleep(PAUSE * fails)
    raise source.error(f"the download failed ({_in_words(problem)})") from problem


def forget(partial: Path) -> None:
    """Remove a partial file, and the note on which version of the published file it is a part of."""
    partial.unlink(missing_ok=True)
    _version_file(partial).unlink(missing_ok=True)


def first_headers(url: str, until: str) -> Message:
    """The headers of the first answer in a chain of redirects that has the header ``until``, or of the last answer.

    Raises OSError if the server cannot be reached or refuses.
    """
    request = urllib.request.Request(url, headers=_headers(), method="HEAD")
    try:
        with urllib.request.build_opener(_Redirects(until)).open(request, timeout=TIMEOUT) as answer:
            headers: Message = answer.headers
            return headers
    except HTTPError as error:
        error.close()
        if until in error.headers:
            return error.headers
        raise


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects to https, and from http to http, but not from an answer that has the header ``until``."""

    def __init__(self, until: str | None = None) -> None:
        self.until = until

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        """The request for the new address; None, which ends in an HTTPError, if it is not followed."""
        if self.until is not None and self.until in headers:
            return None
        allowed = "https:" if req.full_url.startswith("https:") else ("https:", "http:")
        if not newurl.startswith(allowed):
            raise HTTPError(req.full_url, code, f"a redirect to the insecure address {newurl}", headers, fp)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _continue(source: Source, partial: Path, watch: Watch | None) -> None:
    """One attempt. Raises OSError or HTTPException if the connection breaks, _DiskError, or ``source.error``."""
    done, version = _size(partial), _read_version(partial)
    headers = _headers() | ({"Range": f"bytes={done}-", "If-Range": version} if done and version else {})
    request = urllib.request.Request(source.url, headers=headers)
    with urllib.request.build_opener(_Redirects()).open(request, timeout=TIMEOUT) as answer:
        if not _continues(answer, done):
            if answer.status == 206:  # another part than the one that was requested: the next attempt gets all of it
                forget(partial)
                raise _CutError(f"the server sent another part, {answer.headers.get('Content-Range', '')!r}")
            done = 0
            _on_disk(lambda: _note_version(partial, answer.headers))
        total = _total(answer.headers, done)
        if (total or 0) > source.largest:
            _too_large(source)
        with _on_disk(lambda: partial.open("ab" if done else "wb")) as file:
            while block := answer.read1(_BLOCK):  # what has come, so that a cut connection loses nothing
                done += len(block)
                if done > source.largest:
                    _too_large(source)
                _store(file, block)
                if watch is not None:
                    watch(done, total)
    if total is not None and done < total:
        raise _CutError(f"the connection was cut after {done} of {total} bytes")


def _continues(answer: Any, done: int) -> bool:
    """Whether an answer is the rest of the file from byte ``done`` on."""
    begins = answer.headers.get("Content-Range", "").startswith(f"bytes {done}-")
    return bool(done and answer.status == 206 and begins)


def _total(headers: Message, done: int) -> int | None:
    length = headers.get("Content-Length", "")
    return done + int(length) if length.isdecimal() else None


def _headers() -> dict[str, str]:
    return {"User-Agent": f"inception-search/{__version__}", "Accept-Encoding": "identity"}


def _too_large(source: Source) -> NoReturn:
    raise source.error(f"{source.what} is too large", expected=f"at most {source.largest} bytes")


def _store(file: IO[bytes], block: bytes) -> None:
    _on_disk(lambda: file.write(block))


def _on_disk(act: Callable[[], Any]) -> Any:
    """The result of an operation on the disk, whose errors must not be taken for those of the network."""
    try:
        return act()
    except OSError as error:
        raise _DiskError(str(error)) from error


def _size(partial: Path) -> int:
    return partial.stat().st_size if partial.is_file() else 0


def _version_file(partial: Path) -> Path:
    return partial.with_name(f"{partial.name}.version")


def _note_version(partial: Path, headers: Message) -> None:
    """Keep the server's name for this version of the file, so that the parts of two versions are never joined."""
    tag = headers.get("ETag", "")
    version = tag if tag.startswith('"') else headers.get("Last-Modified", "")
    forget(partial)
    _version_file(partial).write_text(version, encoding="utf-8")


def _read_version(partial: Path) -> str:
    file = _version_file(partial)
    return file.read_text(encoding="utf-8") if file.is_file() else ""


def _in_words(problem: Exception) -> str:
    return f"no byte came for {TIMEOUT:g} seconds" if isinstance(problem, TimeoutError) else str(problem)
