"""Download of a published archive: verified before unpacking, and installed completely or not at all."""

from __future__ import annotations

import hashlib
import tarfile
import urllib.request
import zlib
from http.client import HTTPException
from pathlib import Path
from tempfile import TemporaryDirectory

from inception_search.errors import DataError, Place

_BLOCK = 1 << 20
_TIMEOUT = 60  # seconds without a response


def fetch_archive(url: str, *, md5: str, folder: str, into: Path, largest: int) -> Path:
    """Download the tar file at ``url``, check its ``md5``, and put its ``folder`` under ``into``.

    ``largest`` limits the archive in bytes. All work is done in a temporary folder beside the destination, which is
    always removed; one rename installs the result. Raises DataError.
    """
    try:
        into.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=into, prefix=".download-") as temporary:
            archive = Path(temporary) / "archive"
            _check_md5(url, _download(url, archive, largest), md5)
            unpacked = Path(temporary) / "unpacked"
            _unpack(archive, unpacked, url)
            return _move(unpacked / folder, into / folder, url)
    except (OSError, HTTPException) as error:  # URLError, timeouts and full disks are OSErrors
        hint = "check the network and the disk, or fetch and unpack the archive by hand"
        raise DataError(f"the download failed ({error})", place=Place(url), hint=hint) from error


def _download(url: str, archive: Path, largest: int) -> str:
    """Write the content of ``url`` to ``archive``; returns its MD5 in hex."""
    digest = hashlib.md5(usedforsecurity=False)
    size = 0
    with urllib.request.urlopen(url, timeout=_TIMEOUT) as answer, archive.open("wb") as file:
        while block := answer.read(_BLOCK):
            size += len(block)
            if size > largest:
                raise DataError("the archive is too large", place=Place(url), expected=f"at most {largest} bytes")
            digest.update(block)
            file.write(block)
    return digest.hexdigest()


def _check_md5(url: str, found: str, expected: str) -> None:
    if found != expected:
        raise DataError(
            "the archive is not the published one",
            place=Place(url),
            found=f"md5 {found}",
            expected=f"md5 {expected}",
            hint="try again, or fetch and unpack the archive by hand",
        )


def _unpack(archive: Path, goal: Path, url: str) -> None:
    try:
        with tarfile.open(archive) as tar:
            tar.extractall(goal, filter="data")
    except (tarfile.TarError, EOFError, zlib.error) as error:
        raise DataError(f"the archive cannot be unpacked ({error})", place=Place(url)) from error


def _move(unpacked: Path, goal: Path, url: str) -> Path:
    if not unpacked.is_dir():
        raise DataError("the archive does not contain the expected folder", place=Place(url), expected=goal.name)
    return unpacked.rename(goal)
