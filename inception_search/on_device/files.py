"""The two files of this room: the plan, which lists what is to be timed, and the table with the times."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from inception_search.on_device.parts import PlanError

PLAN, TABLE, VERSION = "inception-search/latency-plan", "inception-search/latency-table", 1


def read_plan(path: Path) -> dict[str, Any]:
    """The plan in a file; raises PlanError if it is not a plan."""
    plan = _read(path, PLAN, "a plan, which `inception-search bench NETWORK --plan FILE` writes")
    wrong = [name for name in ("batch_size", "ops", "networks") if name not in plan]
    if wrong:
        raise PlanError(f"{path}: the plan has no {wrong[0]!r}; write it again with `inception-search bench`")
    return plan


def read_table(path: Path) -> dict[str, Any]:
    """The table in a file; raises PlanError if it is not a table."""
    return _read(path, TABLE, "a table of latencies, which `inception-search bench -o FILE` writes")


def fingerprint(plan: Mapping[str, Any]) -> str:
    """A text that differs between plans with other content."""
    return hashlib.sha256(json.dumps(plan, sort_keys=True).encode()).hexdigest()[:16]


def write(path: Path, data: Mapping[str, Any]) -> None:
    """Write a plan or table completely or not at all; raises PlanError if the file cannot be written."""
    rows = {name: value for name, value in data.items() if isinstance(value, list)}
    text = json.dumps({name: value for name, value in data.items() if name not in rows}, indent=1)
    for name, value in rows.items():  # one row a line
        lines = ",\n  ".join(json.dumps(row) for row in value)
        text = text[:-2] + f',\n "{name}": [\n  {lines}\n ]\n}}'
    beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        beside.write_text(text + "\n", encoding="utf-8")
        beside.replace(path)
    except OSError as error:
        raise PlanError(f"{path}: the file cannot be written ({error.strerror})") from None
    finally:
        with contextlib.suppress(OSError):
            beside.unlink(missing_ok=True)


def _read(path: Path, schema: str, expected: str) -> dict[str, Any]:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise PlanError(f"{path}: the file cannot be read ({error.strerror})") from None
    except (ValueError, RecursionError):
        raise PlanError(f"{path}: this is not JSON; expected {expected}") from None
    found = data.get("schema") if isinstance(data, dict) else None
    if found != schema:
        what = f"schema {found!r}" if found else "JSON of another kind"
        raise PlanError(f"{path}: found {what}; expected {expected}")
    if data.get("version") != VERSION:
        have = f"version {data.get('version')!r}"
        raise PlanError(f"{path}: found {have}; this program reads version {VERSION}: write the file with this version")
    return dict(data)
