"""The file of published weights: from the cache of its ecosystem, or downloaded into it; checked before use."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from inception_search.downloads.archive import install_archive
from inception_search.downloads.fetch import fetch
from inception_search.downloads.source import Checksum, Source
from inception_search.downloads.transfer import Watch
from inception_search.errors import Place, WeightsError, warn
from inception_search.published import hub
from inception_search.published.caches import address, checkpoint_in
from inception_search.published.catalogue import PublishedWeights, by_hand, missing

Shown = Callable[[str, str], AbstractContextManager[Watch | None]]
"""Shows the progress of the download of a file (name, URL) while the context lasts."""

_OFFLINE = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")


class UncheckedWarning(UserWarning):
    """A file was downloaded for which no checksum is published."""


def obtain(row: PublishedWeights, *, download: bool = False, shown: Shown | None = None) -> Path:
    """The file of ``row`` in its cache, with the published checksum; with ``download`` it is fetched if necessary.

    Raises :class:`WeightsError` if it is missing or damaged, or if the download fails.
    """
    path = row.path
    if path is not None:
        wrong = _wrong(row, path)
        if wrong is None:
            return path
        if not download:
            raise wrong
    elif not download:
        raise missing(row)
    with (shown or _silent)(row.file, address(row)) as watch:
        return _download(row, watch)


def _silent(name: str, url: str) -> AbstractContextManager[Watch | None]:
    return nullcontext()


def _download(row: PublishedWeights, watch: Watch | None) -> Path:
    source = Source(address(row), f"the file {row.file}", WeightsError, by_hand(row), checksum_of(row))
    if row.cache == "Hugging Face hub":
        _check_online(row)
        return hub.fetch_into_cache(source, row.location, row.file, watch)
    if source.checksum is None:
        warn(f"no checksum is published for {row.file}: only its size is checked", UncheckedWarning)
    if row.cache == "own":
        return _unpacked(row, source, watch)
    return fetch(source, row.location, watch=watch, note=warn)


def _unpacked(row: PublishedWeights, source: Source, watch: Watch | None) -> Path:
    """The checkpoint in the archive ``source``, unpacked into our own cache."""
    folder = row.location

    def check(unpacked: Path) -> None:
        if checkpoint_in(unpacked) is None:
            raise source.error(f"{source.what} contains no checkpoint")

    fetch(
        source,
        folder,
        watch=watch,
        note=warn,
        install=lambda file: install_archive(source, file, folder, check=check),
        is_there=lambda path: checkpoint_in(path) is not None,
    )
    found = checkpoint_in(folder)
    assert found is not None  # checked before it was installed
    return found


def _wrong(row: PublishedWeights, path: Path) -> WeightsError | None:
    """The error for a file in a cache that is not the published one; None if it is, or if no checksum is known."""
    checksum = hub.checksum_of(path) if row.cache == "Hugging Face hub" else checksum_of(row)
    if checksum is None or row.cache == "own" or checksum.fits(path):
        return None
    return WeightsError(
        "the file in the cache is not the published one",
        place=Place(str(path)),
        found=f"{checksum.algorithm} {checksum.of(path)}",
        expected=str(checksum),
        hint="replace it with download=True, or delete it",
    )


def checksum_of(row: PublishedWeights) -> Checksum | None:
    """The published checksum of a row."""
    if row.sha256 is not None:
        return Checksum("sha256", row.sha256)
    return None if row.md5 is None else Checksum("md5", row.md5)


def _check_online(row: PublishedWeights) -> None:
    for name in _OFFLINE:
        if os.environ.get(name, "").upper() in {"1", "ON", "YES", "TRUE"}:
            raise WeightsError(
                f"{name} forbids downloads from the Hugging Face hub",
                place=Place(address(row)),
                hint=f"unset {name}, or {by_hand(row)}",
            )
