"""Protection against links in a run folder: all files and folders of a study must be plain ones."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from inception_search.errors import Place, RunFolderError
from inception_search.store.atomic import is_temporary
from inception_search.store.disk import typed_errors

FOLDERS = ("results", "jobs", "checkpoints", "workers", "figures", "finals")
_FILES = (
    *("study.yaml", "space.yaml", "journal.log", "trials.jsonl", "run.lock", "env.json", "report.html", "best.yaml"),
    *("growing.json", "finals.jsonl", "finals.json", "finals.md", "proxies.json"),
)


def refuse_links(run: Path) -> None:
    """Raise :class:`RunFolderError` naming the first link, pipe or device among a study's files and folders in ``run``.

    Call this before writing into a run folder. With links, a folder received from others could make a write or
    removal happen outside the folder. ``run`` itself may be a link, files that a study does not own may be anything,
    and missing folders are accepted.
    """
    with typed_errors(run):
        for entry in _owned(run):
            found = _kind(entry)
            if found is not None:
                expected = "folder" if entry.name in FOLDERS else "file"
                raise RunFolderError(
                    f"this is {found}, and nothing is written through it",
                    place=Place(entry.path),
                    hint=f"remove it from the run folder, or put the {expected} itself in its place",
                )


def _owned(run: Path) -> Iterator[os.DirEntry[str]]:
    """Every file and folder in a run folder that a study may write to; links are not followed."""
    for entry in _entries(run):
        if entry.name in FOLDERS:
            yield entry
            yield from _below(entry)
        elif entry.name.startswith(_FILES) or is_temporary(Path(entry.name)):  # also x.torn and x.corrupt
            yield entry


def _below(entry: os.DirEntry[str]) -> Iterator[os.DirEntry[str]]:
    """All entries below a folder, recursively."""
    waiting = [entry]
    while waiting:
        found = waiting.pop()
        if found.is_dir(follow_symlinks=False):
            inside = _entries(found.path)
            yield from inside
            waiting += inside


def _entries(folder: str | Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except (FileNotFoundError, NotADirectoryError):  # a worker has just removed it, or it is a file
        return []


def _kind(entry: os.DirEntry[str]) -> str | None:
    """A description of an entry that is neither a file nor a folder; None for these."""
    if entry.is_symlink():
        return f"a symbolic link to {os.readlink(entry.path)!r}"  # noqa: PTH115 - its text, not a path
    plain = entry.is_file(follow_symlinks=False) or entry.is_dir(follow_symlinks=False)
    return None if plain else "a pipe, a socket or a device"
