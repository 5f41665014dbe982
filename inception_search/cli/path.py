"""``inception-search path``: the edits from one network to another."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from inception_search.canonical.catalogue import load
from inception_search.cli.output import stdout_console
from inception_search.edits.history import Move
from inception_search.edits.history import path as edits_between


def path(
    start: Annotated[str, typer.Argument(help="A shipped network's name, or the path of a document")],
    goal: Annotated[str, typer.Argument(help="The network to arrive at")],
    space: Annotated[str, typer.Option(help="The space to stay in: a shipped one's name, or a path.")] = "inception",
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Picture: .svg, .png or .html.")] = None,
    picture: Annotated[bool, typer.Option("--draw/--no-draw", help="Draw the edits, too.")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, every network included; draw nothing.")] = False,
) -> None:
    """Print and draw the edits that lead from one network to another, each step a valid network with its cost."""
    networks = load(start), load(goal)
    moves = edits_between(*networks, space=space)
    if as_json:
        typer.echo(json.dumps([move.to_dict() for move in moves], indent=2))
        return
    _print(moves)
    if picture:
        from inception_search.figures.steps import Edited, draw_steps

        names = [network.name.replace("/", "_") for network in networks]
        steps = [Edited(_heading(index, move), move.network, move.part) for index, move in enumerate(moves)]
        figure = draw_steps(f"From {names[0]} to {names[1]}", steps)
        typer.echo(str(figure.save(out or Path(f"{names[0]}_to_{names[1]}.svg"))))


def _print(moves: tuple[Move, ...]) -> None:
    table = Table(box=None, pad_edge=False)
    table.add_column("", justify="right")
    table.add_column("edit", overflow="fold")
    for name in ("parameters", "change", "MACs", "change"):
        table.add_column(name, justify="right", no_wrap=True)
    for index, move in enumerate(moves):
        old = moves[max(0, index - 1)].cost
        params, macs = move.cost.params - old.params, move.cost.macs - old.macs
        words = "; ".join((move.title, *move.more))
        figures = (f"{move.cost.params:,}", _change(params), f"{move.cost.macs:,}", _change(macs))
        table.add_row(str(index) if index else "", words, *figures)
    stdout_console().print(table)
    goal = f"that is {moves[-1].network.name}" if len(moves) > 1 else "the two are one architecture"
    typer.echo(f"\n{len(moves) - 1} edits: {goal}")


def _change(value: int) -> str:
    return f"{value:+,}" if value else ""


def _heading(index: int, move: Move) -> str:
    cost = f"{move.cost.params / 1e6:.1f} M parameters, {move.cost.macs / 1e9:.2f} G MACs"
    return f"{index}. {move.title}: {cost}" if index else f"{move.title}: {cost}"
