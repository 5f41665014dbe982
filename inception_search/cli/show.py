"""``inception-search show``: a network as a table."""

from __future__ import annotations

import json
from typing import Annotated

import typer
from rich.table import Table

from inception_search.canonical.catalogue import load
from inception_search.cli.numbers import integer
from inception_search.cli.output import stdout_console
from inception_search.graph.cost import cost_table
from inception_search.graph.receptive_field import receptive_field
from inception_search.lowering import lower
from inception_search.spec.identity import arch_id
from inception_search.spec.text import network_text
from inception_search.spec.transform import set_classes, set_input


def show(
    network: Annotated[str, typer.Argument(help="A shipped network's name, or the path of a document")],
    depth: Annotated[int, integer(least=0, help="Parts of a path per row; 0: every op.")] = 1,
    input_size: Annotated[int | None, integer(least=1, help="Side of square images in pixels.")] = None,
    channels: Annotated[int | None, integer(least=1, help="Channels of the images.")] = None,
    classes: Annotated[int | None, integer(least=1, help="Number of classes.")] = None,
    aux: Annotated[bool, typer.Option(help="Show the auxiliary classifiers, too.")] = True,
    as_text: Annotated[bool, typer.Option("--yaml", help="Print the document instead.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Print a network: path, ops, output shape, parameters and multiply-adds (MACs) of each part."""
    net = set_input(load(network), channels=channels, height=input_size, width=input_size)
    net = set_classes(net, classes) if classes else net
    if as_text:
        typer.echo(network_text(net), nl=False)
        return
    graph = lower(net, aux=aux)
    rows, cost, field = cost_table(graph, depth or None), graph.cost(), receptive_field(graph)
    if as_json:
        parts = [{**row._asdict(), "type": list(row.type)} for row in rows]
        seen = {"receptive_field": field.side}
        totals = {**cost.to_dict(), **seen, "aux_params": cost.aux_params, "aux_macs": cost.aux_macs}
        typer.echo(json.dumps({"name": net.name, "arch_id": arch_id(net), "cost": totals, "rows": parts}, indent=2))
        return
    table = Table(title=f"{net.name} on {'x'.join(map(str, net.input.shape))}", box=None, pad_edge=False)
    for name in ("path", "op", "output", "parameters", "MACs"):
        table.add_column(name, justify="right" if name in ("parameters", "MACs", "output") else "left")
    for row in rows:
        table.add_row(row.path, row.ops, str(row.type), _number(row.params), _number(row.macs))
    console = stdout_console()
    console.print(table)
    more = f" (+ {cost.aux_params:,} in auxiliary classifiers)" if cost.aux_params else ""
    console.print(f"\nparameters {cost.params:,}{more}", highlight=False)
    console.print(f"MACs       {cost.macs:,} for one image", highlight=False)
    console.print(f"memory     {cost.activation_bytes / 2**20:,.1f} MiB of float32 activations", highlight=False)
    console.print(f"depth      {cost.depth} layers with weights", highlight=False)
    console.print(f"field      {field.height}x{field.width} pixels seen by a position of the last map", highlight=False)
    console.print(f"arch_id    {arch_id(net)}", highlight=False)


def _number(value: int) -> str:
    return f"{value:,}" if value else ""
