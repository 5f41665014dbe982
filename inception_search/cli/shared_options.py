"""Options that several verbs share: numbers, and the printed size of a figure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from inception_search.cli.naming import PHASES, complete_palette, one_of
from inception_search.errors import one_line
from inception_search.numbers import EXAMPLES, number, spelling, whole

if TYPE_CHECKING:
    from inception_search.figures.figure import Figure


def integer(*names: str, least: int | None = None, most: int | None = None, **options: Any) -> Any:
    """A ``typer.Option`` for a whole number between ``least`` and ``most`` (None: no bound).

    5000000, 5_000_000, 5e6 and 5M are the same number.
    """

    def read(text: Any) -> int:
        value = whole(text)
        if not isinstance(value, int):
            raise typer.BadParameter(_refusal(text, "a whole number"))
        if (least is not None and value < least) or (most is not None and value > most):
            bounds = f"{least:,} or more" if most is None else f"from {least:,} to {most:,}"
            raise typer.BadParameter(f"{text!r} is out of range; expected {bounds}")
        return value

    return typer.Option(*names, parser=read, metavar="<int>", **options)


def real(*names: str, **options: Any) -> Any:
    """A ``typer.Option`` for a number."""

    def read(text: Any) -> float:
        value = number(text)
        if not isinstance(value, int | float):
            raise typer.BadParameter(_refusal(text, "a number"))
        return float(value)

    return typer.Option(*names, parser=read, metavar="<float>", **options)


def _refusal(text: Any, kind: str) -> str:
    hint = spelling(text)
    return f"{text!r} is not {kind}, like {EXAMPLES}" + (f"; {hint}" if hint else "")


WidthOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--width", help="Width on paper: 240pt, 229.5texpt (TeX's pt), 85mm, 3.3in, 640px. [default: natural size]"
    ),
]
TitleOption: TypeAlias = Annotated[
    str | None,
    typer.Option("--title", help='Title of the figure; --title "" omits it. [default: the names of what is drawn]'),
]
FontSizeOption: TypeAlias = Annotated[
    float | None, real("--font-size", help="Size of the text on paper, in points. [default: scaled with the figure]")
]
PaletteOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--palette",
        help="colour, grey, print or colour-blind; the last three have no dark mode. [default: colour]",
        autocompletion=complete_palette,
    ),
]
PassesOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--passes",
        help="The graph of ops after rewriting passes: inference or training (those that pay on this machine), or "
        "names of passes with commas between; without auxiliary classifiers. [default: none]",
        metavar="<str>",
        autocompletion=one_of(PHASES),
    ),
]


def tell_note(figure: Figure) -> None:
    """Print the figure's note, if it has one, on standard error."""
    if figure.note:
        typer.echo(f"note: {one_line(figure.note)}", err=True)
