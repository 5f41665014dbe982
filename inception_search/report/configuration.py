"""Every option of the study, as it was run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from inception_search.report.html import table
from inception_search.report.material import Material


def configuration_section(material: Material) -> str:
    """A row for each setting, nested ones by their dotted path."""
    return table("The study as it was run.", ("Setting", "Value$"), list(_flat(material.study, "")), dense=True)


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
