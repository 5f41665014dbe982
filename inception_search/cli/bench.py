"""``inception-search bench``: writes a plan for another machine, and times plans on this one."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from inception_search.cli.naming import NETWORK, complete_device, complete_item, complete_space, one_of
from inception_search.cli.shared_options import integer
from inception_search.errors import ConfigError

if TYPE_CHECKING:
    from inception_search.measures.device_table import DeviceTable
    from inception_search.measures.plan_sources import Source

RUNTIMES = ("torch", "onnxruntime", "openvino")
PROGRAM = "time_plan.pyz"


def bench(
    network: Annotated[
        str,
        typer.Argument(
            metavar="NET|RUN",
            help=f"{NETWORK}; of a run folder, the best trials and random networks of its space are timed "
            "[default: the plan, or --space]",
            autocompletion=complete_item,
        ),
    ] = "",
    plan: Annotated[
        Path | None,
        typer.Option(
            help=f"File of the plan. It is written, with {PROGRAM} beside it, unless it is there. [default: no file]"
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="Time the plan on this machine and write this table. [default: no timing]"),
    ] = None,
    space: Annotated[
        str | None,
        typer.Option(help="Plan for a search in this space. [default: none]", autocompletion=complete_space),
    ] = None,
    shape: Annotated[
        str | None,
        typer.Option(help="Channels, height and width of the images of --space: 3x32x32. [default: the space's]"),
    ] = None,
    classes: Annotated[
        int | None, integer(least=1, help="Number of classes of --space. [default: the space's]")
    ] = None,
    max_macs: Annotated[
        int | None, integer(least=1, help="Plan for networks of at most so many multiply-adds. [default: any]")
    ] = None,
    ops: Annotated[
        int, integer(least=1, help="Number of ops in the plan. Those of its networks are always in it.")
    ] = 1000,
    networks: Annotated[
        int, integer(least=1, most=100, help="Number of whole networks in the plan of a run or space.")
    ] = 6,
    batch_size: Annotated[int, integer(least=1, help="Images in a batch.")] = 1,
    runtime: Annotated[
        str, typer.Option(help=f"Runtime: {', '.join(RUNTIMES)}.", autocompletion=one_of(RUNTIMES))
    ] = "torch",
    device: Annotated[
        str, typer.Option(help="Device of the runtime, such as cpu.", autocompletion=complete_device)
    ] = "cpu",
    threads: Annotated[int | None, integer(least=1, help="CPU threads. [default: the runtime's number]")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace existing files.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Measure latency on the machine that networks are for: plan here, time there, search with the table.

    With --plan alone, it writes the plan and a program that times it on machines without this package. With -o, it
    times the plan on this machine. search --latency-table TABLE --max-latency-ms 20 then searches for that machine.
    """
    from inception_search.on_device.parts import PlanError

    if plan is None and out is None:
        hint = "give --plan FILE to time on another machine, or --out FILE to time on this one"
        raise ConfigError("nothing to write", hint=hint)
    if plan is not None and out is None and plan.exists() and not force:
        hint = "give --out TABLE to time it, or --force to write it again"
        raise ConfigError("the plan exists", path="plan", found=str(plan), hint=hint)
    chosen = {"network": network, "space": space, "shape": shape, "classes": classes, "networks": networks}
    chosen["max_macs"] = max_macs
    try:
        data, is_new = _plan(plan, force and out is None, chosen, ops, batch_size)
        if plan is not None and is_new:
            _write_plan(plan, data, quiet=as_json or out is not None)
        if out is not None:
            _time(data, out, as_json, runtime=runtime, device=device, threads=threads, force=force)
    except PlanError as error:
        raise ConfigError(str(error)) from None


def _plan(
    file: Path | None, again: bool, chosen: dict[str, Any], ops: int, batch_size: int
) -> tuple[dict[str, Any], bool]:
    """The plan, and whether it is a new one: one that is there is used."""
    from inception_search.measures.device_plan import make_plan
    from inception_search.on_device.files import read_plan

    there = file is not None and file.exists() and not again
    if there and file is not None and not (chosen["network"] or chosen["space"]):
        return read_plan(file), False
    source = _source(**chosen)
    if there and file is not None:
        found = read_plan(file)
        if found["about"] != source.about:
            hint = "choose another --plan, or leave out what to plan"
            rule = f"the plan is for {found['about']}, not for {source.about}"
            raise ConfigError(rule, path="plan", found=str(file), hint=hint)
        return found, False
    networks, about = source.networks, source.about
    return make_plan(networks, source.others, about=about, most_ops=ops, batch_size=batch_size), True


def _source(
    network: str, space: str | None, shape: str | None, classes: int | None, networks: int, max_macs: int | None
) -> Source:
    """What is to be planned."""
    from inception_search.items import is_run_folder, item
    from inception_search.measures.budget import Budget
    from inception_search.measures.plan_sources import from_network, from_run, from_space

    budget = None if max_macs is None else Budget(max_macs=max_macs)
    if space is not None and not network:
        from inception_search.space.load_space import load_space

        return from_space(load_space(space), networks, _shape(shape), classes, budget)
    if space is not None or not network:
        hint = "give NET, a run folder or --space SPACE, or a --plan that exists"
        raise ConfigError("a plan is for one network, run or space", hint=hint)
    if shape is not None or classes is not None:
        hint = "a network and a study have their own images and classes"
        raise ConfigError("shape and classes are for a space", path="shape", found=shape or classes, hint=hint)
    if is_run_folder(network):
        from inception_search.store.run_folder import RunFolder

        return from_run(RunFolder.open(network), networks, budget)
    return from_network(network, item(network).network)


def _shape(text: str | None) -> tuple[int, int, int] | None:
    if text is None:
        return None
    found = re.fullmatch(r"(\d{1,5})[x,](\d{1,5})[x,](\d{1,5})", text.strip().lower().replace("×", "x"))
    if found is None or "0" in found.groups():
        expected = "channels, height and width, such as 3x32x32"
        raise ConfigError("not the shape of images", path="shape", found=text, expected=expected)
    channels, height, width = map(int, found.groups())
    return channels, height, width


def _write_plan(plan: Path, data: dict[str, Any], quiet: bool) -> None:
    """Write the plan, and the program beside it."""
    from inception_search.on_device.archive import program
    from inception_search.on_device.files import write
    from inception_search.store.atomic import write_atomic

    write(plan, data)
    write_atomic(plan.with_name(PROGRAM), program())
    if not quiet:
        typer.echo(f"wrote {plan} ({len(data['ops']):,} ops, {len(data['networks'])} networks) and {PROGRAM} beside it")
        typer.echo("on the other machine, which needs NumPy and one of the runtimes:")
        typer.echo(f"  python {PROGRAM} {plan.name} -o table.json --runtime {' or '.join(RUNTIMES)}")


def _time(data: dict[str, Any], out: Path, as_json: bool, **options: Any) -> None:
    """Time a plan on this machine, and print how far sums of ops are from whole networks."""
    from inception_search.cli.output import print_json
    from inception_search.measures.device_table import device_table
    from inception_search.on_device.main import summary
    from inception_search.on_device.time_plan import time_plan

    table = time_plan(data, out, **options, say=lambda sentence: typer.echo(sentence, err=True))
    if as_json:
        print_json({"table": str(out), "target": table["target"], "networks": _compared(device_table(out))})
        return
    typer.echo(summary(table, out))
    _print(device_table(out))


def _compared(table: DeviceTable) -> list[dict[str, Any]]:
    return [
        {"name": each.name, "whole_ms": each.whole, "sum_of_ops_ms": each.ops, "scaled_sum_ms": each.scaled}
        for each in table.networks
    ]


def _print(table: DeviceTable) -> None:
    from rich.table import Table

    from inception_search.cli.output import stdout_console

    images = "an image" if table.batch_size == 1 else f"{table.batch_size} images"
    typer.echo(f"milliseconds for {images} on {table.target}:")
    shown = Table("network")
    for column in ("whole", "sum of ops", "difference", "scaled sum", "difference"):
        shown.add_column(column, justify="right")
    for each in table.networks:
        cells = [f"{each.whole:.3g}", f"{each.ops:.3g}", _percent(each.ops / each.whole)]
        cells += ["", ""] if each.scaled is None else [f"{each.scaled:.3g}", _percent(each.scaled / each.whole)]
        shown.add_row(each.name, *cells)
    stdout_console().print(shown)


def _percent(ratio: float) -> str:
    """The difference of a ratio from 1, in percent."""
    return f"{100 * (ratio - 1):+.1f} %".replace("-", "−")
