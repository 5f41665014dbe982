"""Numbers on the command line: 5000000, 5_000_000, 5e6 and 5M are read alike, in every option of every verb."""

from __future__ import annotations

from typing import Any

import typer

from inception_search.numbers import EXAMPLES, number, spelling, whole


def integer(*names: str, least: int | None = None, most: int | None = None, **options: Any) -> Any:
    """A ``typer.Option`` of a whole number between ``least`` and ``most`` (None: no bound)."""

    def read(text: Any) -> int:
        value = whole(text)
        if not isinstance(value, int):
            raise typer.BadParameter(_refusal(text, "a whole number"))
        if (least is not None and value < least) or (most is not None and value > most):
            bounds = f"{least:,} or more" if most is None else f"from {least:,} to {most:,}"
            raise typer.BadParameter(f"{text!r} is out of range; expected {bounds}")
        return value

    return typer.Option(*names, parser=read, metavar="INTEGER", **options)


def real(*names: str, **options: Any) -> Any:
    """A ``typer.Option`` of a number."""

    def read(text: Any) -> float:
        value = number(text)
        if not isinstance(value, int | float):
            raise typer.BadParameter(_refusal(text, "a number"))
        return float(value)

    return typer.Option(*names, parser=read, metavar="FLOAT", **options)


def _refusal(text: Any, kind: str) -> str:
    hint = spelling(text)
    return f"{text!r} is not {kind}, like {EXAMPLES}" + (f"; {hint}" if hint else "")
