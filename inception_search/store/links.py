"""No link inside a run folder leads a write out of it: what a study owns there is a plain file or a folder."""

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

    To be called before anything in a run folder is written: a folder that came from others could else make a write,
    or the removal of a file, happen outside of it. ``run`` itself may be a link, and what a study does not own may be
    anything. A folder that is not there yet is fine.
    """
    with typed_errors(run):
        for entry in _owned(run):
            found = _kind(entry)
            if found is not None:
                wanted = "folder" if entry.name in FOLDERS else "file"
                raise RunFolderError(
                    f"this is {found}, and nothing is written through it",
                    place=Place(entry.path),
                    hint=f"remove it from the run folder, or put the {wanted} itself in its place",
                )


def _owned(run: Path) -> Iterator[os.DirEntry[str]]:
    """Every file and folder in a run folder that a study may write to; a link is not looked behind."""
    for entry in _entries(run):
        if entry.name in FOLDERS:
            yield entry
            yield from _below(entry)
        elif entry.name.startswith(_FILES) or is_temporary(Path(entry.name)):  # also x.torn and x.corrupt
            yield entry


def _below(entry: os.DirEntry[str]) -> Iterator[os.DirEntry[str]]:
    """All that a folder holds, however deep."""
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
    except (FileNotFoundError, NotADirectoryError):  # a worker has just left; a report's page is no folder
        return []


def _kind(entry: os.DirEntry[str]) -> str | None:
    """What an entry is that is neither file nor folder."""
    if entry.is_symlink():
        return f"a symbolic link to {os.readlink(entry.path)!r}"  # noqa: PTH115 - its text, not a path
    plain = entry.is_file(follow_symlinks=False) or entry.is_dir(follow_symlinks=False)
    return None if plain else "a pipe, a socket or a device"
