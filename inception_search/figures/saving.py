"""Writing a finished figure or page: all of it or nothing, and an error that says what to do."""

from __future__ import annotations

from pathlib import Path

from inception_search.errors import ConfigError, RunFolderError, StorageFullError
from inception_search.store.atomic import write_atomic


def save_as(target: Path, data: bytes | str) -> Path:
    """Write ``data`` to ``target`` and return it.

    :class:`ConfigError` where its folder is not there or may not be written to, :class:`StorageFullError` on a full
    disk.
    """
    if not target.parent.is_dir():
        raise ConfigError("no such folder", path=str(target.parent), hint="make the folder first")
    try:
        write_atomic(target, data)
    except StorageFullError:
        raise
    except RunFolderError as error:
        hint = "save it in a folder you may write to"
        raise ConfigError(error.rule, path=str(target), hint=hint) from error
    return target
