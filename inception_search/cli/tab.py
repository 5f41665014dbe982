"""Shell completion: keeps Typer from importing pydantic, and undoes the way bash splits words at @, : and =."""

from __future__ import annotations

import io
import os
import re
import sys
from collections.abc import Callable
from contextlib import redirect_stdout

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
