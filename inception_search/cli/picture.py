"""What the verbs that draw have in common: options for paper, and the note of a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from inception_search.cli.naming import complete_palette
from inception_search.cli.numbers import real
from inception_search.errors import one_line

if TYPE_CHECKING:
    from inception_search.figures.figure import Figure

WidthOption: TypeAlias = Annotated[
    str | None,
    typer.Option("--width", help="Width of the picture on paper: 240pt, 229.5texpt (TeX's pt), 85mm, 3.3in, 640px."),
]
TitleOption: TypeAlias = Annotated[
    str | None, typer.Option("--title", help='Title of the picture; --title "" leaves it out.')
]
FontSizeOption: TypeAlias = Annotated[
    float | None, real("--font-size", help="Type size of the picture on paper, in points.")
]
PaletteOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--palette",
        help="colour, grey, print or colour-blind (all but the first: white paper).",
        autocompletion=complete_palette,
    ),
]


def tell_note(figure: Figure) -> None:
    """Say on standard error what to know of the picture, where there is something."""
    if figure.note:
        typer.echo(f"note: {one_line(figure.note)}", err=True)
