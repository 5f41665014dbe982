"""Output of tables and JSON."""

from __future__ import annotations

import json
import math
import os
import sys
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import typer
from rich.console import Console

_PIPED = 160  # columns assumed for a file or pipe


def stdout_console() -> Console:
    """Standard output with the width of its terminal, or wide enough for tables without one."""
    measured = sys.stdout.isatty() or "COLUMNS" in os.environ
    return Console(width=None if measured else _PIPED)


def print_json(data: Any) -> None:
    """Print ``data`` as JSON on standard output; infinities and NaN become null."""
    typer.echo(json.dumps(_finite(data), indent=2, allow_nan=False))


def _finite(data: Any) -> Any:
    if isinstance(data, Mapping):
        return {key: _finite(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [_finite(value) for value in data]
    return None if isinstance(data, float) and not math.isfinite(data) else data


def markdown(rows: Sequence[Mapping[str, str]], numbers: Collection[str]) -> str:
    """``rows`` as a Markdown table with the columns in ``numbers`` right-aligned."""
    rules = ["---:" if column in numbers else "---" for column in rows[0]]
    lines = [list(rows[0]), rules, *([value.replace("|", "\\|") for value in row.values()] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
