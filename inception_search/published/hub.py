"""The cache of the Hugging Face hub, in the layout that ``huggingface_hub`` reads and writes.

``blobs/`` has the files under their SHA-256, ``snapshots/COMMIT/`` links to them by name, and ``refs/main`` has the
commit of the main branch. The server gives the SHA-256 and the commit of a file in its first answer.
"""

from __future__ import annotations

import os
import re
import threading
from email.message import Message
from http.client import HTTPException
from pathlib import Path

from inception_search.downloads.fetch import fetch
from inception_search.downloads.source import Checksum, Source
from inception_search.downloads.transfer import Watch, first_headers
from inception_search.errors import warn

_COMMIT = "X-Repo-Commit"
_HASH = re.compile(r"[0-9a-f]{64}")
_SAFE = re.compile(r"[0-9a-zA-Z-]{1,128}")


def fetch_into_cache(source: Source, repository: Path, file: str, watch: Watch | None = None) -> Path:
    """Download ``source`` into the cache folder of its repository; returns the file in the snapshot.

    Raises ``source.error``.
    """
    try:
        headers = first_headers(source.url, _COMMIT)
    except (OSError, HTTPException) as error:
        raise source.error(f"the download failed ({error})") from error
    commit, name = headers.get(_COMMIT, ""), _etag(headers)
    if not _SAFE.fullmatch(commit) or not _SAFE.fullmatch(name):
        raise source.error("the answer is not one of the Hugging Face hub: it has no commit, or no checksum")
    checksum = Checksum("sha256", name) if _HASH.fullmatch(name) else None
    expected = Source(source.url, source.what, source.kind, source.by_hand, checksum, source.largest)
    blob = fetch(expected, repository / "blobs" / name, watch=watch, note=warn)
    try:
        return _linked(blob, repository, commit, file)
    except OSError as error:
        raise source.error(f"{source.what} cannot be stored ({error})") from error


def checksum_of(path: Path) -> Checksum | None:
    """The SHA-256 of a file in a snapshot, which is the name of its blob; None for a file that is no link to one."""
    blob = path.resolve().name
    return Checksum("sha256", blob) if _HASH.fullmatch(blob) else None


def _etag(headers: Message) -> str:
    tag: str = headers.get("X-Linked-Etag") or headers.get("ETag") or ""
    return tag.removeprefix("W/").strip('"')


def _linked(blob: Path, repository: Path, commit: str, file: str) -> Path:
    """``file`` in the snapshot of ``commit`` as a link to ``blob``, or the blob itself where links are not allowed."""
    place = repository / "snapshots" / commit / file
    place.parent.mkdir(parents=True, exist_ok=True)
    fresh = place.with_name(f".{file}.{os.getpid()}.{threading.get_ident()}")
    try:
        fresh.symlink_to(os.path.relpath(blob, place.parent))
    except OSError:  # Windows without the right to make links
        blob.replace(fresh)
    fresh.replace(place)
    refs = repository / "refs" / "main"
    refs.parent.mkdir(exist_ok=True)
    refs.write_text(commit, encoding="utf-8")
    return place
