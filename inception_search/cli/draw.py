"""``inception-search draw``: a picture of a network or module."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from inception_search.canonical.catalogue import load, names
from inception_search.errors import unknown_name
from inception_search.spec.network import Network
from inception_search.spec.step import AnyStep


def draw(
    item: Annotated[str, typer.Argument(help="A network (name or path), or a module: inception_v4.inception_a")],
    out: Annotated[Path | None, typer.Option("--out", "-o", help="File: .svg, .png or .html.")] = None,
    module: Annotated[str | None, typer.Option(help="The block or stage of the network to draw.")] = None,
    style: Annotated[str | None, typer.Option(help="paper, detail or overview.")] = None,
    flow: Annotated[str, typer.Option(help="down or up.")] = "down",
    blocks: Annotated[bool, typer.Option(help="Draw every module of the network beside it.")] = False,
    title: Annotated[str | None, typer.Option(help="Title of the picture.")] = None,
) -> None:
    """Draw a network or one of its modules."""
    from inception_search.figures.draw import draw as draw_item

    name, _, part = item.partition(".")
    if name.partition("@")[0] in names() and part:
        item, module = name, part
    network = load(item)
    if module is None:
        figure = draw_item(network, style=style, flow=flow, title=title, blocks=blocks)  # type: ignore[arg-type]
    else:
        step = _part(network, module)
        caption = title if title is not None else f"{network.name}: {module}"
        figure = draw_item(step, style=style, flow=flow, title=caption, network=network)  # type: ignore[arg-type]
    path = figure.save(out or Path(f"{network.name}{'.' + module if module else ''}.svg"))
    typer.echo(str(path))


def _part(network: Network, name: str) -> AnyStep:
    parts = {**network.stages, **network.blocks}
    if name not in parts:
        raise unknown_name(f"module of {network.name}", name, parts)
    return parts[name]
