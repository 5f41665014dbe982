"""An Optuna storage of the user's, by URL: opened with time limits, named so that no two studies meet in it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import optuna
from optuna.storages import RDBStorage

from inception_search.credentials import MASK
from inception_search.errors import ConfigError, raw
from inception_search.optuna_bridge.storage_url import NEEDED, StorageUrl

NAME = "inception-search"
CONNECT = 5.0  # seconds a server has to answer: the search waits meanwhile
# What drivers call that time; a driver that is not here has its own.
_TIME_LIMITS = {"sqlite": "timeout", "postgresql": "connect_timeout", "mysql": "connect_timeout"}


def open_storage(url: str) -> Any:
    """The storage at ``url``; whatever Optuna and the server's driver raise when it cannot be opened."""
    url = StorageUrl(url).whole or url
    dialect = re.split(r"[+:]", url, maxsplit=1)[0]
    limit = {_TIME_LIMITS[dialect]: int(CONNECT)} if dialect in _TIME_LIMITS else {}
    return optuna.storages.get_storage(RDBStorage(url, engine_kwargs={"connect_args": limit, "pool_pre_ping": True}))


def check_storage(url: str | None) -> None:
    """Raise ConfigError if the storage of a study that is to begin cannot be opened."""
    if url is None:
        return
    try:
        open_storage(url)
    except Exception as error:  # every driver has errors of its own
        raise does_not_open(url, error) from None


def does_not_open(url: str, error: Exception) -> ConfigError:
    """The error of a storage that cannot be used; without its password."""
    known = StorageUrl(url)
    hint = "start the server, correct the URL, or leave out storage; the run folder is whole without it"
    if MASK in known and known.whole == known.bare:
        hint = f"no password was found: {NEEDED}"
    found = raw(known.hide(str(first_line(error))))
    return ConfigError(f"the Optuna storage at {known} cannot be opened", path="storage", found=found, hint=hint)


def new_name(path: Path, token: str) -> str:
    """The name of a new study: the folder's, and something no other study has."""
    return f"{NAME}: {path.name} {token[:8]}"


def first_line(error: Exception) -> str:
    """The kind of an error and the first line of what it says, to be shown as it is."""
    return raw(f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}")
