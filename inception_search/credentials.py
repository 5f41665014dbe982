"""Passwords and tokens inside URLs are replaced by ``***`` before a text is shown or stored."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

MASK = "***"

# scheme://user:SECRET@host: up to the last @ before the query, since people write passwords with @ and / unescaped.
# The limit on the scheme keeps the time for a long text of dots from growing with the square of its length.
_PASSWORD = re.compile(r"(?P<head>[a-z][\w+.-]{0,40}:/{1,3}[^\s:/@?#'\"]*:)(?P<secret>[^@\s]*(?:@[^\s?#@]*)*)@", re.I)
# https://TOKEN@host: a database has users there, a web server has tokens.
_TOKEN = re.compile(r"\b(?P<head>(?:https?|git|ftps?):/{1,3})(?P<secret>[^\s:/@?#'\"]+)@", re.I)
# ?password=SECRET, &sslpassword=SECRET, and "password=SECRET" as drivers write it in their messages.
_PARAMETER = re.compile(
    r"(?P<head>(?:^|[?&;,\s({'\"])[\w.-]*(?:password|passwd|passphrase|pwd|secret|token|api_?key|credentials?"
    r"|signature|odbc_connect)\s?=\s?)(?P<secret>[^&;,\s'\")}]+)",
    re.I,
)
_FORMS = ((_PASSWORD, "@"), (_TOKEN, "@"), (_PARAMETER, ""))


def masked(text: str) -> str:
    """``text`` with ``***`` for each password or token of a URL in it.

    >>> masked("postgresql://me:secret@host/db?sslpassword=other")
    'postgresql://me:***@host/db?sslpassword=***'
    """
    if "@" not in text and "=" not in text:
        return text
    text = re.sub(r"\S+", lambda word: _without_password(word[0]), text)
    for pattern, end in _FORMS[1:]:
        text = pattern.sub(rf"\g<head>{MASK}{end}", text)
    return text


def _without_password(word: str) -> str:
    """``word`` with ``***`` for its passwords. The text after its last @ is skipped: no password can end there."""
    before, at, after = word.rpartition("@")
    return _PASSWORD.sub(rf"\g<head>{MASK}@", before + at) + after


def masked_values(value: Any) -> Any:
    """``value`` with every text in its mappings, lists and tuples :func:`masked`."""
    if isinstance(value, Mapping):
        return {key: masked_values(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [masked_values(inner) for inner in value]
    return str(masked(value)) if isinstance(value, str) else value


def secrets_of(url: str) -> tuple[str, ...]:
    """The passwords and tokens in ``url``, with its escapes."""
    found = [match["secret"] for pattern, _ in _FORMS for match in pattern.finditer(url)]
    return tuple(secret for secret in found if secret)
