"""``inception-search path``: the edits from one network to another."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from inception_search.cli.naming import NETWORK, complete_item, complete_space
from inception_search.cli.shared_options import FontSizeOption, PaletteOption, TitleOption, WidthOption, tell_note
from inception_search.numbers import counted

if TYPE_CHECKING:
    from inception_search.edits.edit_path import Move
    from inception_search.figures.figure import Figure
    from inception_search.figures.printing.size import Print
    from inception_search.spec.network import Network

SPACE = "inception"  # the space in which names such as A..B:3 are resolved
NUMBERS = ("step", "parameters", "change in parameters", "MACs", "change in MACs")


def path(
    start: Annotated[str, typer.Argument(help=NETWORK, autocompletion=complete_item)],
    goal: Annotated[str, typer.Argument(help="The network at the end of the path", autocompletion=complete_item)],
    space: Annotated[
        str,
        typer.Option(
            help="Space that contains every network of the path: a name or a file.", autocompletion=complete_space
        ),
    ] = SPACE,
    via: Annotated[
        list[str] | None,
        typer.Option(
            help="A network that the path passes through; may be repeated. [default: none]",
            metavar="<str>",
            autocompletion=complete_item,
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", help="File of the figure: .svg, .png, .pdf, .html, .tikz ... [default: START_to_GOAL.svg]"
        ),
    ] = None,
    title: TitleOption = None,
    width: WidthOption = None,
    font_size: FontSizeOption = None,
    palette: PaletteOption = None,
    picture: Annotated[
        bool, typer.Option("--draw/--no-draw", show_default=False, help="Draw the edits. [default: yes]")
    ] = True,
    as_diff: Annotated[
        bool, typer.Option("--diff", help="Draw each edited module before and after, with the changes marked.")
    ] = False,
    as_markdown: Annotated[bool, typer.Option("--markdown", help="Print the table in Markdown.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON with every network; draw nothing.")] = False,
) -> None:
    """Print and draw the edits that lead from one network to another.

    Each step is a valid network, shown with its parameters and multiply-adds (MACs).
    """
    from inception_search.cli.output import markdown, print_json
    from inception_search.edits.edit_path import path as edits_between
    from inception_search.figures.printing.size import print_of
    from inception_search.items import load

    networks = load(start), load(goal)
    moves = edits_between(*networks, space=space, via=[load(name) for name in via or ()])
    if as_json:
        print_json([move.to_dict() for move in moves])
        return
    rows = _rows(moves)
    if as_markdown:
        typer.echo(markdown(rows, NUMBERS))
    else:
        _print(rows, networks[1].name)
    if picture:
        names = [network.name.replace("/", "_") for network in networks]
        less = f"one step, as {start}..{goal}:1" if space == SPACE and not via else ""
        shown = f"From {names[0]} to {names[1]}" if title is None else title
        figure = _drawn(shown, moves, as_diff, print_of(width, font_size, palette), less)
        tell_note(figure)
        typer.echo(str(figure.save(out or Path(f"{names[0]}_to_{names[1]}.svg"))))


def _drawn(title: str, moves: tuple[Move, ...], as_diff: bool, how: Print | None = None, less: str = "") -> Figure:
    """The strip of the edits: the resulting modules, or each before and after, in the print format ``how``."""
    from inception_search.figures.diff.edit_strip import Edited, draw_diffs, draw_steps

    if as_diff:
        titles = [f"{index}. {move.words}" if index else move.words for index, move in enumerate(moves)]
        return draw_diffs(
            title, [Edited(heading, *_shown(move)) for heading, move in zip(titles, moves, strict=True)], how, less
        )
    return draw_steps(
        title, [Edited(_heading(index, move), *_shown(move)) for index, move in enumerate(moves)], how, less
    )


def _shown(move: Move) -> tuple[Network, str | None]:
    return move.network, move.part


def _rows(moves: tuple[Move, ...]) -> list[dict[str, str]]:
    rows = []
    for index, move in enumerate(moves):
        old = moves[max(0, index - 1)].cost
        params, macs = move.cost.params - old.params, move.cost.macs - old.macs
        rows.append(
            {
                "step": str(index) if index else "",
                "edit": move.words,
                "parameters": f"{move.cost.params:,}",
                "change in parameters": _change(params),
                "MACs": f"{move.cost.macs:,}",
                "change in MACs": _change(macs),
            }
        )
    return rows


def _print(rows: list[dict[str, str]], goal: str) -> None:
    from rich.table import Table

    from inception_search.cli.output import stdout_console

    table = Table(box=None, pad_edge=False)
    for column in rows[0]:
        number = column in NUMBERS
        table.add_column(column, justify="right" if number else "left", no_wrap=number, overflow="fold")
    for row in rows:
        table.add_row(*row.values())
    stdout_console().print(table)
    edits = len(rows) - 1
    sentence = f"{counted(edits, 'edit')} {'leads' if edits == 1 else 'lead'} to {goal}"
    typer.echo(f"\n{sentence if edits else 'the two are one architecture'}")


def _change(value: int) -> str:
    return f"{value:+,}" if value else ""


def _heading(index: int, move: Move) -> str:
    cost = f"{move.cost.params / 1e6:.1f} M parameters, {move.cost.macs / 1e9:.2f} G MACs"
    return f"{index}. {move.words}: {cost}" if index else f"{move.words}: {cost}"
