"""``inception-search draw``: a picture of a network or module."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from inception_search.cli.item import HELP
from inception_search.cli.item import item as named


def draw(
    item: Annotated[str, typer.Argument(help=HELP)],
    out: Annotated[Path | None, typer.Option("--out", "-o", help="File: .svg, .png or .html.")] = None,
    module: Annotated[str | None, typer.Option(help="The block or stage of the network to draw.")] = None,
    style: Annotated[str | None, typer.Option(help="plain, paper, detail or overview.")] = None,
    flow: Annotated[str | None, typer.Option(help="down or up (paper: up).")] = None,
    blocks: Annotated[bool, typer.Option(help="Draw every module of the network beside it.")] = False,
    title: Annotated[str | None, typer.Option(help="Title of the picture.")] = None,
) -> None:
    """Draw a network or one of its modules."""
    from inception_search.figures.draw import draw as draw_item

    found = named(item, module)
    network = found.network
    if found.step is None:
        figure = draw_item(network, style=style, flow=flow, title=title, blocks=blocks)  # type: ignore[arg-type]
    else:
        caption = title if title is not None else f"{network.name}: {found.module}"
        figure = draw_item(found.step, style=style, flow=flow, title=caption, network=network)  # type: ignore[arg-type]
    typer.echo(str(figure.save(out or Path(f"{found.stem}.svg"))))
