"""The machines and versions of a study, the commands that reproduce it, and its configuration."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from inception_search.report.blocks import Block, Commands, Prose, Table
from inception_search.report.material import Material

UNKNOWN = "not recorded"
FIRST = ("from trial", "system", "processor", "cores", "device", "python", "torch", "optuna", "inception-search")


def environment_section(material: Material) -> list[Block]:
    """A table with one column per environment, in order."""
    known = material.environments or [_of_old(material.study)]
    names = list(dict.fromkeys((*FIRST, *(name for each in known for name in each))))
    if len(known) == 1:
        names.remove("from trial")
    columns = ("", *(["Value"] if len(known) == 1 else [_since(each) for each in known]))
    rows = [(name, *(each.get(name, UNKNOWN) for each in known)) for name in names]
    about = (
        "Hardware and software of the search."
        if len(known) == 1
        else "Hardware and software of the search, also after it was resumed."
    )
    return [Table(about, columns, rows), *_attached(material), *_nodes(material)]


def _since(environment: Mapping[str, str]) -> str:
    return f"From trial {environment.get('from trial', '?')}"


def _of_old(study: Mapping[str, Any]) -> dict[str, str]:
    """The facts of a study from a version without an environments file."""
    facts = study.get("facts")
    facts = facts if isinstance(facts, Mapping) else {}
    versions = facts.get("versions")
    known = {str(name): str(version) for name, version in versions.items()} if isinstance(versions, Mapping) else {}
    return {**({"device": str(facts["device"])} if "device" in facts else {}), **known}


def _attached(material: Material) -> list[Block]:
    """The devices named in the records if there are several, because attached workers may use others."""
    devices = _distinct([record.device for record in material.records if record.device])
    if len(devices) < 2:
        return []
    return [Table("Devices named in the records.", ("Device", "Trials#"), devices)]


def _nodes(material: Material) -> list[Block]:
    """The nodes of a Ray cluster that finished trials, if there are any."""
    trained = [record for record in material.records if record.node]
    rows = []
    for name in sorted({str(record.node) for record in trained}):
        own = [record for record in trained if record.node == name]
        devices = ", ".join(sorted({record.device for record in own if record.device}))
        rows.append((name, devices, str(len(own)), f"{sum(record.seconds for record in own):.1f}"))
    columns = ("Node", "Device", "Trials#", "Seconds of training#")
    return [Table("Nodes of the Ray cluster that finished trials.", columns, rows)] if rows else []


def _distinct(values: Sequence[str]) -> list[tuple[str, str]]:
    return [(value, str(values.count(value))) for value in sorted(set(values))]


def reproduce_section(material: Material) -> list[Block]:
    """One command per line, with an explanation."""
    run = material.run
    at = shlex.quote(run)
    again = shlex.quote(f"{run}-again")
    study, space = shlex.quote(f"{run}/study.yaml"), shlex.quote(f"{run}/space.yaml")
    table = f" --latency-table {shlex.quote(f'{run}/latency_table.json')}" if material.latency else ""
    lines = [
        (f"inception-search search {study} --space {space}{table} --run {again}", "the same search in a new folder"),
        (f"inception-search resume {at}", "continue the search; --trials N extends it"),
        (f"inception-search finalize {at}", "retrain the best networks and the baselines, and test each once"),
        (f"inception-search report {at}", "write this page again"),
        (f"inception-search dashboard {at}", "the study in optuna-dashboard, with a figure of each module"),
    ]
    return [Commands(lines), Prose(_exact(material))]


def _exact(material: Material) -> str:
    if material.option("workers") == 1:
        return (
            "With one worker, as here, the same processor and the same versions give the same networks and the same "
            "curves to the last bit."
        )
    return (
        "A seed gives the same curve of one network on the same processor. Which networks are tried depends on the "
        "order in which workers finish: only `--workers 1` repeats a search exactly."
    )


def configuration_section(material: Material) -> list[Block]:
    """A table with one row per setting; nested settings are named by their dotted path."""
    return [Table("The study as it was run.", ("Setting", "Value$"), list(_flat(material.study, "")), dense=True)]


def _flat(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """Every leaf of nested settings with its dotted path."""
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from _flat(inner, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list | tuple) and any(isinstance(item, Mapping | list | tuple) for item in value):
        for index, inner in enumerate(value):
            yield from _flat(inner, f"{path}.{index}")
    elif isinstance(value, list | tuple):
        yield path, ", ".join(map(str, value)) or "none"
    else:
        yield path, "none" if value is None or value == {} else str(value)
