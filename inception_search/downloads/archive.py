"""Download of a published archive: verified before unpacking, and installed completely or not at all."""

from __future__ import annotations

import tarfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from inception_search.downloads.fetch import checked_transfer
from inception_search.downloads.source import Source
from inception_search.downloads.transfer import Watch


def fetch_archive(source: Source, target: Path, *, folder: str | None = None, watch: Watch | None = None) -> Path:
    """Download the tar file ``source``, check it, and unpack it as the folder ``target``; returns ``target``.

    ``folder``: only this folder of the archive (default: all of it). A failed download leaves nothing behind. Raises
    ``source.error``.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=target.parent, prefix=".download-") as temporary:
            archive = Path(temporary) / "archive"
            checked_transfer(source, archive, watch)
            return install_archive(source, archive, target, folder=folder)
    except OSError as error:  # a full disk, no permission
        raise source.error(f"{source.what} cannot be stored ({error})") from error


def install_archive(
    source: Source,
    archive: Path,
    target: Path,
    *,
    folder: str | None = None,
    check: Callable[[Path], None] | None = None,
) -> Path:
    """Unpack the file ``archive``, which was downloaded from ``source``, as ``target``, completely or not at all.

    All work is done in a temporary folder beside ``target``, which is always removed; one rename installs the result.
    ``check`` raises if the unpacked folder is not the expected one, and nothing is then installed.
    """
    with TemporaryDirectory(dir=target.parent, prefix=".download-") as temporary:
        unpacked = Path(temporary) / "unpacked"
        _unpack(source, archive, unpacked)
        if check is not None:
            check(unpacked)
        return _move(source, unpacked if folder is None else unpacked / folder, target)


def _unpack(source: Source, archive: Path, goal: Path) -> None:
    try:
        with tarfile.open(archive) as tar:
            tar.extractall(goal, members=_limited(source, tar), filter="data")
    except (tarfile.TarError, EOFError, zlib.error, OSError) as error:  # a damaged gzip file is an OSError
        raise source.error(f"{source.what} cannot be unpacked ({error})") from error


def _limited(source: Source, tar: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    """The members of ``tar``; raises before the one with which they are larger than ``source`` may be."""
    total = 0
    for member in tar:
        total += member.size + tarfile.BLOCKSIZE  # the header counts, so that their number is limited, too
        if total > source.largest:
            raise source.error(f"{source.what} is too large when unpacked", expected=f"at most {source.largest} bytes")
        yield member


def _move(source: Source, unpacked: Path, goal: Path) -> Path:
    if not unpacked.is_dir():
        raise source.error(f"{source.what} does not contain the expected folder", expected=unpacked.name)
    return unpacked.rename(goal)
