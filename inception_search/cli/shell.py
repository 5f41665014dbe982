"""Interaction with the shell: exit codes, usable streams, and completion."""

from __future__ import annotations

import io
import os
import re
import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from typing import TextIO

from inception_search.store.disk import open_standard_descriptors

FAILED, REFUSED, INTERRUPTED = 1, 2, 130
"""The exit codes in the README: failure, invalid value, stopped by Ctrl-C."""


def prepare_streams() -> None:
    """Make the standard streams usable: closed ones become the null device, unencodable characters are replaced."""
    open_standard_descriptors()
    if sys.stdin is None:
        sys.stdin = open(os.devnull, encoding="utf-8")  # noqa: SIM115, PTH123 - open until the end
    sys.stdout = _usable(sys.stdout)
    sys.stderr = _usable(sys.stderr)


def silence(stream: TextIO) -> None:
    """Redirect a stream to the null device because its reader or its disk is gone."""
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
    except (OSError, ValueError):  # not a system file, for instance in a test or a notebook
        return


def _usable(stream: TextIO | None) -> TextIO:
    if stream is None:
        return open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123 - open until the end
    if isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
        stream.reconfigure(errors="replace")
    return stream


ASKS = "_INCEPTION_SEARCH_COMPLETE"  # set by the completion scripts that --install-completion writes
_BREAKS = re.compile(r"[@:=]+\Z")


def answer_tab(app: Callable[[], object]) -> None:
    """Run ``app``, which prints the completions of the word at the cursor.

    Typer validates values with pydantic but also works without it, so pydantic is blocked to save time. Bash splits a
    word at each @, : and =, and replaces only the last part; ``app`` gets the whole word.
    """
    sys.modules["pydantic"] = None  # type: ignore[assignment]
    if os.environ[ASKS] != "complete_bash":
        app()
        return
    words, kept = as_typed(os.environ.get("COMP_WORDS", "").split("\n"), int(os.environ.get("COMP_CWORD", "0")))
    os.environ |= {"COMP_WORDS": "\n".join(words), "COMP_CWORD": str(len(words) - 1)}
    printed = io.StringIO()
    try:
        with redirect_stdout(printed):
            app()
    finally:
        print(*(name.removeprefix(kept) for name in printed.getvalue().split("\n")), sep="\n", end="")


def as_typed(parts: list[str], current: int) -> tuple[list[str], str]:
    """The words up to the cursor, and the part of the last word that bash keeps.

    Bash replaces the rest of the word. An @ is replaced too; a : or = is kept.

    >>> as_typed(["inception-search", "show", "inception_v3", "@", "ti"], 4)
    (['inception-search', 'show', 'inception_v3@ti'], 'inception_v3')
    """
    words: list[str] = []
    kept, after_break = "", False
    for part in parts[: current + 1]:
        is_break = bool(_BREAKS.match(part))
        if words and (is_break or after_break):
            kept = (words[-1] + part if is_break else words[-1]).removesuffix("@")
            words[-1] += part
        else:
            kept = ""
            words.append(part)
        after_break = is_break
    return words, kept
