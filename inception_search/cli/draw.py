"""``inception-search draw``: a figure of a network or module."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from inception_search.cli.naming import ITEM, complete_flow, complete_item, complete_module, complete_style
from inception_search.cli.rewritten import refuse_with_passes, rewriting
from inception_search.cli.shared_options import (
    FontSizeOption,
    PaletteOption,
    PassesOption,
    TitleOption,
    WidthOption,
    tell_note,
)
from inception_search.errors import unknown_name
from inception_search.figures.formats.table import FORMATS, TEXT

if TYPE_CHECKING:
    from inception_search.figures.figure import Figure
    from inception_search.items import Item

PRINTED = Path("-")
SUFFIXES = f"The suffix selects the format: {', '.join(FORMATS)}."


def draw(
    item: Annotated[str, typer.Argument(help=ITEM, autocompletion=complete_item)],
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help=f"Output file; - prints to standard output. {SUFFIXES} [default: NAME.svg]"),
    ] = None,
    form: Annotated[
        str | None,
        typer.Option(
            "--format", "-f", help="Format (svg, pdf, dot ...) if --out is omitted or -. [default: svg; txt for -]"
        ),
    ] = None,
    module: Annotated[
        str | None,
        typer.Option(
            help="The block or stage of the network to draw. [default: the whole network]",
            autocompletion=complete_module,
        ),
    ] = None,
    style: Annotated[
        str | None,
        typer.Option(
            help="plain (every convolution), paper (as in the network's paper), detail (with shapes, parameters and "
            "MACs) or overview (a box for each stage). [default: overview; plain for a module]",
            autocompletion=complete_style,
        ),
    ] = None,
    flow: Annotated[
        str | None,
        typer.Option(
            help="Direction of the data: down, up or right. [default: down; up with --style paper]",
            autocompletion=complete_flow,
        ),
    ] = None,
    blocks: Annotated[
        bool, typer.Option(show_default=False, help="Draw every module of the network beside it. [default: no]")
    ] = False,
    passes: PassesOption = None,
    title: TitleOption = None,
    width: WidthOption = None,
    font_size: FontSizeOption = None,
    palette: PaletteOption = None,
) -> None:
    """Draw a network or one of its modules."""
    from inception_search.items import item as named

    found = named(item, module)
    options: dict[str, Any] = {"flow": flow, "width": width, "font_size": font_size, "palette": palette}
    if passes is None:
        figure = _as_written(found, title, style=style, blocks=blocks, **options)
    else:
        refuse_with_passes(style=style, blocks=blocks)
        figure = _rewritten(found, title, passes, **options)
    tell_note(figure)
    if out == PRINTED:
        typer.echo(figure.text(_suffix(form or "txt", TEXT)), nl=False)
        return
    typer.echo(str(figure.save(out or Path(found.stem + _suffix(form or "svg", FORMATS)))))


def _as_written(found: Item, title: str | None, *, blocks: bool, **options: Any) -> Figure:
    from inception_search.figures.draw import draw as draw_item

    network = found.network
    if found.step is None:
        return draw_item(network, title=title, blocks=blocks, **options)
    caption = title if title is not None else f"{network.name}: {found.module}"
    return draw_item(found.step, title=caption, network=network, **options)


def _rewritten(found: Item, title: str | None, phase: str, **options: Any) -> Figure:
    from inception_search.figures.op_figures import draw_graph

    graph = rewriting(found, phase).result.graph
    return draw_graph(graph, title if title is not None else f"{found.name} for {phase}", **options)


def _suffix(form: str, known: Collection[str]) -> str:
    """``form`` as a suffix; raises :class:`UnknownNameError` if it is not in ``known``."""
    suffix = "." + form.lower().removeprefix(".")
    if suffix not in known:
        raise unknown_name("format", form, [name[1:] for name in known])
    return suffix
