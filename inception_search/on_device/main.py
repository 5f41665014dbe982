"""The program for machines without the toolkit, which ``inception-search bench`` writes as one file."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from inception_search.on_device.files import read_plan
from inception_search.on_device.parts import PlanError
from inception_search.on_device.runtime import RUNTIMES
from inception_search.on_device.time_plan import time_plan


def main(arguments: Sequence[str] | None = None) -> int:
    """Time a plan by the arguments of the command line; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="time_plan.pyz", description="Time the ops and networks of a plan on this machine, and write a table."
    )
    parser.add_argument("plan", type=Path, help="the plan, which `inception-search bench` writes")
    parser.add_argument("-o", "--out", type=Path, default=Path("table.json"), help="the table [default: table.json]")
    parser.add_argument("--runtime", default="torch", help=f"{', '.join(RUNTIMES)} [default: torch]")
    parser.add_argument("--device", default="cpu", help="device of the runtime, such as cpu or cuda [default: cpu]")
    parser.add_argument("--threads", type=int, help="CPU threads [default: the runtime's own number]")
    parser.add_argument("--force", action="store_true", help="replace a table that is there")
    given = parser.parse_args(arguments)
    options = {name: getattr(given, name) for name in ("runtime", "device", "threads", "force")}
    try:
        table = time_plan(read_plan(given.plan), given.out, **options, say=_say)
    except PlanError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped; the same command goes on from the last saved op", file=sys.stderr)
        return 130
    print(summary(table, given.out))
    return 0


def summary(table: dict[str, object], out: Path) -> str:
    """What was timed, in one sentence for each thing that failed."""
    ops = [row for row in table["ops"] if isinstance(row, dict)] if isinstance(table["ops"], list) else []
    failed = [row for row in ops if row["ms"] is None]
    lines = [f"wrote {out}: {len(ops) - len(failed):,} ops were timed"]
    lines += [f"{row['key']}: {row['why']}" for row in failed[:3]]
    lines += [f"and {len(failed) - 3:,} more ops failed"] if len(failed) > 3 else []
    return "\n".join(lines)


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)
