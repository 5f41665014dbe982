"""The URL of a storage, whose password is used and never shown or stored."""

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
    """As a text the URL with ``***`` for its passwords; what a storage is opened with is :attr:`whole`."""

    whole: str | None
    """The URL as it was given; None where its password is not known."""

    def __new__(cls, url: str) -> StorageUrl:
        if isinstance(url, StorageUrl):
            return url
        self = super().__new__(cls, masked(url))
        self.whole = None if MASK in secrets_of(url) else str(url)
        return self

    @property
    def bare(self) -> str:
        """The URL without any password: two that differ in their passwords alone have it in common."""
        return _PLACEHOLDER.sub("", self).rstrip("?&")

    def hide(self, text: str) -> str:
        """``text``, such as what a driver says, without the passwords of this URL."""
        for secret in secrets_of(self.whole or ""):
            for form in {secret, unquote(secret), *secret.split("@")} - {""}:
                text = text.replace(form, MASK)
        return masked(text)


def unlocked(given: str | None, ask: Callable[[str], str | None]) -> StorageUrl | None:
    """The URL ``given`` with its password: its own, else that of the environment variable, else the one asked for.

    ``ask`` shows a question and gives the answer, or None where nobody can be asked. PostgreSQL's driver reads
    ``PGPASSWORD`` and ``~/.pgpass`` itself; a URL without any other password goes to it as it is. Raises ConfigError
    where a password is needed and none is found.
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
    asked_for = None if postgres and ("PGPASSWORD" in os.environ or _pgpass().is_file()) else _asked(url, ask)
    if asked_for or postgres:
        return _completed(url, asked_for or url.bare)
    raise ConfigError(
        f"the password of the storage {url} is not known: a run folder does not keep it",
        path="storage",
        found=raw(f"{VARIABLE} with another URL, {masked(known)}") if known else None,
        hint=NEEDED,
    )


def password_in(study_text: str) -> str | None:
    """What to tell where a ``study.yaml`` of an earlier version has the password of its storage in it."""
    line = next((line for line in study_text.splitlines() if line.startswith("storage:")), "")
    if masked(line) == line:
        return None
    return f"the password of the storage is taken out of this file; the next time, {NEEDED}"


def _completed(url: StorageUrl, whole: str) -> StorageUrl:
    """``url`` as it is shown, to be opened as ``whole``."""
    made = StorageUrl(str(url))
    made.whole = whole
    return made


def _asked(url: StorageUrl, ask: Callable[[str], str | None]) -> str | None:
    """``url`` with the answers to a question for each password it lacks; None where nobody can be asked."""
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
