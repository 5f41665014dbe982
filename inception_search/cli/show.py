"""``inception-search show``: prints a network as a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from inception_search.cli.naming import ITEM, complete_item
from inception_search.cli.shared_options import integer
from inception_search.errors import ConfigError

if TYPE_CHECKING:
    from inception_search.graph.cost_table import Row
    from inception_search.graph.graph import Graph
    from inception_search.items import Item

INSIDE = 2  # path components from a module to its branches


def show(
    network: Annotated[str, typer.Argument(help=ITEM, autocompletion=complete_item)],
    depth: Annotated[
        int,
        integer(least=0, help="Level of detail: 1 stages (or branches of a module), 2, 3 ... deeper parts, 0 all ops."),
    ] = 1,
    input_size: Annotated[
        int | None, integer(least=1, help="Side of the square images in pixels. [default: the network's]")
    ] = None,
    channels: Annotated[int | None, integer(least=1, help="Channels of the images. [default: the network's]")] = None,
    classes: Annotated[int | None, integer(least=1, help="Number of classes. [default: the network's]")] = None,
    aux: Annotated[
        bool, typer.Option(show_default=False, help="Include the auxiliary classifiers. [default: yes]")
    ] = True,
    as_text: Annotated[
        bool, typer.Option("--yaml", help="Print the network document (YAML) instead of the table.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of the table.")] = False,
) -> None:
    """Print a network or module: path, ops, output shape, parameters and multiply-adds (MACs) of each part."""
    from inception_search.graph.cost_table import cost_table
    from inception_search.items import item
    from inception_search.lowering import lower, lower_module
    from inception_search.spec.documents.to_yaml import text

    shown = _sized(item(network), input_size, channels, classes)
    if as_text:
        typer.echo(text(shown.whole), nl=False)
        return
    graph = lower(shown.network, aux=aux) if shown.module is None else lower_module(shown.network, shown.module)
    parts = None if depth == 0 else depth if shown.module is None else depth + INSIDE
    rows = cost_table(graph, parts)
    if as_json:
        from inception_search.cli.output import print_json

        print_json(_data(shown, graph, rows))
    else:
        _print(shown, graph, rows)


def _sized(found: Item, side: int | None, channels: int | None, classes: int | None) -> Item:
    from inception_search.spec.transform import set_classes, set_input

    if classes is not None and found.module is not None:
        hint = f"write {found.name.rpartition('.')[0]} for the whole network"
        raise ConfigError("a module has no classes", path="--classes", found=classes, hint=hint)
    network = set_input(found.network, channels=channels, height=side, width=side)
    return found._replace(network=set_classes(network, classes) if classes else network)


def _id(shown: Item, graph: Graph) -> str:
    from inception_search.graph.types import FeatureMap
    from inception_search.spec.as_network import alone
    from inception_search.spec.identity.arch_id import arch_id

    if shown.step is None:
        return arch_id(shown.network)
    entered = graph.nodes[0].type
    assert isinstance(entered, FeatureMap)
    return arch_id(alone(shown.step, entered, shown.network))


def _data(shown: Item, graph: Graph, rows: Sequence[Row]) -> dict[str, Any]:
    from inception_search.graph.receptive_field import receptive_field

    cost = graph.cost()
    totals = {**cost.to_dict(), "receptive_field": receptive_field(graph).side}
    totals |= {"aux_params": cost.aux_params, "aux_macs": cost.aux_macs}
    parts = [{**row._asdict(), "ops": row.ops.split("+"), "type": list(row.type)} for row in rows]
    entered = list(graph.nodes[0].type)
    return {"name": shown.name, "arch_id": _id(shown, graph), "input": entered, "cost": totals, "rows": parts}


def _print(shown: Item, graph: Graph, rows: Sequence[Row]) -> None:
    from rich.table import Table

    from inception_search.cli.output import stdout_console
    from inception_search.graph.receptive_field import receptive_field

    cost, field = graph.cost(), receptive_field(graph)
    table = Table(title=f"{shown.name} on {'x'.join(map(str, graph.nodes[0].type))}", box=None, pad_edge=False)
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
    console.print(
        f"field      {field.height}x{field.width} pixels, receptive field of the last feature map", highlight=False
    )
    console.print(f"arch_id    {_id(shown, graph)}", highlight=False)


def _number(value: int) -> str:
    return f"{value:,}" if value else ""
