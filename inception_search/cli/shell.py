"""What a shell and the command line have in common: exit codes, usable streams, and completion."""

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
"""The exit codes, as the README lists them: something went wrong; a value that cannot be; stopped by Ctrl-C."""


def prepare_streams() -> None:
    """Make all three usable: closed ones lead nowhere, characters that a terminal does not have are replaced."""
    open_standard_descriptors()
    if sys.stdin is None:
        sys.stdin = open(os.devnull, encoding="utf-8")  # noqa: SIM115, PTH123 - open until the end
    sys.stdout = _usable(sys.stdout)
    sys.stderr = _usable(sys.stderr)


def silence(stream: TextIO) -> None:
    """Let what a stream still holds, and all that follows, lead nowhere: its reader or its disk is gone."""
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
    except (OSError, ValueError):  # no file of the system: a test's, or a notebook's
        return


def _usable(stream: TextIO | None) -> TextIO:
    if stream is None:
        return open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123 - open until the end
    if isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
        stream.reconfigure(errors="replace")
    return stream


ASKS = "_INCEPTION_SEARCH_COMPLETE"  # set by the shell that asks, by the scripts of --install-completion
_BREAKS = re.compile(r"[@:=]+\Z")


def answer_tab(app: Callable[[], object]) -> None:
    """Run ``app``, which prints what the word at the cursor may become.

    Typer checks values with pydantic, and goes on without what it could not check: here it is never loaded. Bash takes
    a word apart at each @, : and =, and replaces only the last part: ``app`` is given the word as it was typed.
    """
    sys.modules["pydantic"] = None  # type: ignore[assignment]
    if os.environ[ASKS] != "complete_bash":
        app()
        return
    words, kept = as_typed(os.environ.get("COMP_WORDS", "").split("\n"), int(os.environ.get("COMP_CWORD", "0")))
    os.environ |= {"COMP_WORDS": "\n".join(words), "COMP_CWORD": str(len(words) - 1)}
    said = io.StringIO()
    try:
        with redirect_stdout(said):
            app()
    finally:
        print(*(name.removeprefix(kept) for name in said.getvalue().split("\n")), sep="\n", end="")


def as_typed(parts: list[str], current: int) -> tuple[list[str], str]:
    """The words up to the cursor, and the part of the last word that bash keeps (it replaces the rest).

    An @ is replaced with what follows it, a : or = stays.

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
