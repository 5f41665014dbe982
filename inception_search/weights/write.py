"""Atomic writing of weight files, with errors that name the file."""

from __future__ import annotations

from pathlib import Path

from inception_search.errors import RunFolderError, StorageFullError, WeightsError
from inception_search.store.atomic import write_atomic


def write_whole(path: Path, content: bytes) -> None:
    """Create or replace the file ``path`` atomically; raises :class:`WeightsError` if it cannot be written."""
    check_folder(path)
    try:
        write_atomic(path, content)
    except StorageFullError as error:
        raise WeightsError(error.rule, hint="free some space, then write it again").at(file=str(path)) from error
    except RunFolderError as error:  # its hints are about run folders, not weight files
        rule, hint = f"the file cannot be written: {error.rule}", "choose another place"
        raise WeightsError(rule, hint=hint).at(file=str(path)) from error


def check_folder(path: Path) -> None:
    """Raise :class:`WeightsError` unless there is a folder for the file ``path``."""
    if not path.parent.is_dir():
        found, hint = str(path.parent), "make it first, or check the path"
        raise WeightsError("there is no such folder to write to", found=found, hint=hint).at(file=str(path))
