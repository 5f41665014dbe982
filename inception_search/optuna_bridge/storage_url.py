"""The URL of a storage; its password is used but never shown or stored."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote, unquote

from inception_search.credentials import MASK, masked, secrets_of
from inception_search.errors import ConfigError, raw

VARIABLE = "INCEPTION_SEARCH_STORAGE"
"""The environment variable that may hold the whole URL, with its password."""

NEEDED = (
    f"set the environment variable {VARIABLE} to the whole URL with its password, or run this in a terminal, which "
    "asks for it; PostgreSQL's driver also reads PGPASSWORD and ~/.pgpass"
)
_PLACEHOLDER = re.compile(r"(?P<password>:\*\*\*(?=@))|(?<=[?&])(?P<parameter>[^=&]+)=\*\*\*&?")


class StorageUrl(str):
    """The URL with ``***`` for its passwords as a string; :attr:`whole` is the URL for opening the storage."""

    whole: str | None
    """The complete URL; None if its password is unknown."""

    def __new__(cls, url: str) -> StorageUrl:
        if isinstance(url, StorageUrl):
            return url
        self = super().__new__(cls, masked(url))
        self.whole = None if MASK in secrets_of(url) else str(url)
        return self

    @property
    def bare(self) -> str:
        """The URL without passwords, equal for two URLs that differ only in their passwords."""
        return _PLACEHOLDER.sub("", self).rstrip("?&")

    def hide(self, text: str) -> str:
        """``text``, such as a driver's message, without the passwords of this URL."""
        for secret in secrets_of(self.whole or ""):
            for form in {secret, unquote(secret), *secret.split("@")} - {""}:
                text = text.replace(form, MASK)
        return masked(text)


def unlocked(given: str | None, ask: Callable[[str], str | None]) -> StorageUrl | None:
    """The URL ``given`` with its password: its own, that of the environment variable, or the user's answer.

    ``ask`` shows a prompt and returns the answer, or None without a terminal. PostgreSQL's driver reads ``PGPASSWORD``
    and ``~/.pgpass`` itself, so a PostgreSQL URL without a password is returned unchanged. Raises ConfigError if a
    password is needed and not found.
    """
    if given is None:
        return None
    url = StorageUrl(given)
    if url.whole is not None and url.bare != url:
        return url
    known = os.environ.get(VARIABLE)
    if known and StorageUrl(known).whole and StorageUrl(known).bare == url.bare:
        return _completed(url, known)
    if url.whole is not None:
        return url
    postgres = url.startswith("postgres")
    answered = None if postgres and ("PGPASSWORD" in os.environ or _pgpass().is_file()) else _prompted(url, ask)
    if answered or postgres:
        return _completed(url, answered or url.bare)
    raise ConfigError(
        f"the password of the storage {url} is unknown: a run folder does not store it",
        path="storage",
        found=raw(f"{VARIABLE} with another URL, {masked(known)}") if known else None,
        hint=NEEDED,
    )


def password_in(study_text: str) -> str | None:
    """The message for a ``study.yaml`` of an earlier version that contains the password of its storage."""
    line = next((line for line in study_text.splitlines() if line.startswith("storage:")), "")
    if masked(line) == line:
        return None
    return f"the password of the storage is taken out of this file; the next time, {NEEDED}"


def _completed(url: StorageUrl, whole: str) -> StorageUrl:
    """``url`` in its masked form, opened as ``whole``."""
    made = StorageUrl(str(url))
    made.whole = whole
    return made


def _prompted(url: StorageUrl, ask: Callable[[str], str | None]) -> str | None:
    """``url`` with the answers to a prompt for each missing password; None without a terminal."""
    whole = str(url)
    for found in _PLACEHOLDER.finditer(url):
        name = found["parameter"]
        secret = ask(f"{name or 'password'} of the storage {url}: ")
        if secret is None:
            return None
        filled = found[0].replace(MASK, quote(secret, safe=""))
        whole = whole.replace(found[0], filled, 1)
    return whole


def _pgpass() -> Path:
    named = os.environ.get("PGPASSFILE")
    return Path(named) if named else Path("~/.pgpass").expanduser()
