"""``inception-search diff``: compares two networks or modules, in text and as a figure."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from inception_search.cli.naming import ITEM, complete_item, complete_module
from inception_search.cli.rewritten import Rewriting, refuse_with_passes, rewriting
from inception_search.cli.shared_options import (
    FontSizeOption,
    PaletteOption,
    PassesOption,
    TitleOption,
    WidthOption,
    tell_note,
)
from inception_search.errors import ConfigError

if TYPE_CHECKING:
    from inception_search.compare.diff_entry import Status
    from inception_search.figures.diff.diff import Diff
    from inception_search.items import Item

DIFFERENT = 1
COLOURS: dict[Status, str] = {"added": "green", "removed": "red", "changed": "yellow", "same": ""}


def diff(
    a: Annotated[str, typer.Argument(help=ITEM, autocompletion=complete_item)],
    b: Annotated[
        str | None,
        typer.Argument(help="Network or module to compare it with; none with --passes", autocompletion=complete_item),
    ] = None,
    module: Annotated[
        list[str] | None,
        typer.Option(
            help="The block or stage to compare; given twice: that of A, then that of B. [default: none]",
            metavar="<str>",
            autocompletion=complete_module,
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", help="File of the figure: .svg, .png, .pdf, .html, .tikz ... [default: A_to_B.svg]"
        ),
    ] = None,
    passes: PassesOption = None,
    title: TitleOption = None,
    width: WidthOption = None,
    font_size: FontSizeOption = None,
    palette: PaletteOption = None,
    picture: Annotated[
        bool, typer.Option("--draw/--no-draw", show_default=False, help="Draw the two side by side. [default: yes]")
    ] = True,
    as_markdown: Annotated[
        bool, typer.Option("--markdown", help="Print a fenced Markdown `diff` block; draw only with --out.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON; draw only with --out.")] = False,
    exit_code: Annotated[bool, typer.Option("--exit-code", help="Exit with code 1 if the two differ.")] = False,
) -> None:
    """Show the differences from A to B: added, removed and changed parts, with parameters, MACs and shapes.

    The text is printed; the figure is written to a file. With --passes: from A as written to A after rewriting passes.
    """
    draws = out is not None or (picture and not as_json and not as_markdown)
    found: Diff | Rewriting
    lines: Iterable[tuple[Status, str]]
    if passes is not None:
        refuse_with_passes(B=b, as_json=as_json, module=(module or [])[1:])
        found = rewriting(_item(a, module), passes)
        lines, stem = found.lines(), f"{found.item.stem}_rewritten"
    else:
        items = _items((a, b), module or [])
        found = _compared(items, (a, str(b)))
        lines, stem = _lines(found), f"{items[0].stem}_to_{items[1].stem}"
    _print(found, lines, as_markdown, as_json)
    if draws:
        figure = found.draw(title=title, width=width, font_size=font_size, palette=palette)  # type: ignore[arg-type]  # checked there
        tell_note(figure)
        typer.echo(str(figure.save(out or Path(f"{stem}.svg"))), err=as_json)
    if exit_code and found:
        raise typer.Exit(DIFFERENT)


def _item(words: str, modules: list[str] | None) -> Item:
    from inception_search.items import item as named

    return named(words, modules[0] if modules else None)


def _items(words: tuple[str, str | None], modules: list[str]) -> tuple[Item, Item]:
    a, b = words
    if b is None:
        raise ConfigError("a second network or module is missing", hint="name it, or write --passes inference")
    if len(modules) > 2:
        raise ConfigError("there are two sides", path="--module", found=len(modules), expected="one module, or two")
    return _item(a, modules[:1]), _item(b, modules[-1:])


def _compared(items: tuple[Item, Item], words: tuple[str, str]) -> Diff:
    from inception_search.figures.diff.diff import diff_of

    a, b = items
    names = (a.name, b.name) if a.name != b.name else words
    networks = (a.network, b.network)
    return diff_of(a.whole, b.whole, names=names, networks=networks)


def _lines(found: Diff) -> Iterable[tuple[Status, str]]:
    from inception_search.compare.text import printed

    return printed(found)


def _print(found: Diff | Rewriting, lines: Iterable[tuple[Status, str]], as_markdown: bool, as_json: bool) -> None:
    """Print JSON, a Markdown block, or lines that are coloured on a terminal; signs carry the same information."""
    from rich.text import Text

    from inception_search.cli.output import print_json, stdout_console

    if as_json and not isinstance(found, Rewriting):
        print_json(found.to_dict())
    elif as_markdown:
        typer.echo(_markdown(lines))
    else:
        console = stdout_console()
        for status, line in lines:
            console.print(Text(line, style=COLOURS[status]), soft_wrap=True)


def _markdown(lines: Iterable[tuple[Status, str]]) -> str:
    """A block that code hosts colour; they use ``!`` for changed lines."""
    marked = ["!" + line[1:] if status == "changed" else line for status, line in lines]
    return "\n".join(("```diff", *marked, "```"))
