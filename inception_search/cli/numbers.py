"""Whole numbers as people write them on a command line: 5000000, 5_000_000, 5e6."""

from __future__ import annotations

from contextlib import suppress

import typer


def whole(text: str) -> int:
    """The number in ``text``; typer.BadParameter for anything that is not whole."""
    with suppress(ValueError):
        return int(text)
    with suppress(ValueError):
        if (value := float(text)).is_integer():
            return int(value)
    raise typer.BadParameter(f"{text!r} is not a whole number, like 5000000 or 5e6")
