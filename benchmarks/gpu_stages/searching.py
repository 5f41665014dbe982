"""A search as a command, watched from outside until it ends or its time is over."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import inception_search as ins
from inception_search.errors import InceptionSearchError

COMMAND = [sys.executable, "-c", "from inception_search.cli.main import run; run()", "search"]
EVERY = 0.5  # seconds between looks at the run folder
PATIENCE = 10.0  # seconds after Ctrl-C until it is killed

Row = dict[str, Any]


def searched(
    folder: Path, options: dict[str, Any], seconds: float, report: Callable[[Row], None], *, least: int = 1
) -> Row:
    """Search for ``seconds``; ``report`` gets the figures whenever a trial has ended.

    A search with fewer than ``least`` trials by then, because its start took long, gets as much time again.

    Returns trials that ended, seconds with the start of the program, trials per hour with and without that start, and
    the best value over time.
    """
    flags = [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]
    log = folder / "search.log"
    begun = time.monotonic()
    figures: Row = {"trials": 0, "seconds": 0.0, "curve": []}
    with log.open("wb") as output:
        program = subprocess.Popen(
            [*COMMAND, *flags, f"--run={folder / 'run'}", "--no-baselines"], stdout=output, stderr=subprocess.STDOUT
        )
        try:
            while program.poll() is None and time.monotonic() - begun < seconds * (1 + (figures["trials"] < least)):
                time.sleep(EVERY)
                if _look(folder / "run", figures, time.monotonic() - begun):
                    report(figures)
        finally:
            _stop(program)
    _look(folder / "run", figures, time.monotonic() - begun)
    if not figures["trials"]:
        raise RuntimeError(f"the search ended without a trial:\n{log.read_text(errors='replace')[-2000:]}")
    report(figures)
    return figures


def records_of(folder: Path) -> list[Any]:
    """The trials that ended, of the search in ``folder``."""
    with suppress(InceptionSearchError):  # there is no study yet
        return [record for record in ins.Study.open(folder).records if record.state in ("complete", "pruned", "failed")]
    return []


def _look(run: Path, figures: Row, now: float) -> bool:
    """Write what is in the run folder to ``figures``; whether a trial has ended since the last time."""
    records = records_of(run)
    if len(records) <= figures["trials"]:
        return False
    values = [record.value for record in records if record.state == "complete" and record.value is not None]
    point = {"seconds": round(now, 1), "trials": len(records), "best": max(values, default=None)}
    figures["curve"].append(point)
    figures |= {"trials": len(records), "seconds": round(now, 2)}
    figures["failed"] = sum(record.state == "failed" for record in records)
    figures["trials_per_hour"] = round(3600 * len(records) / now)
    first = figures["curve"][0]
    if now > first["seconds"]:
        figures["trials_per_hour_after_the_first"] = round(
            3600 * (len(records) - first["trials"]) / (now - first["seconds"])
        )
    return True


def _stop(program: subprocess.Popen[bytes]) -> None:
    """Ctrl-C, which stops a search cleanly; then SIGKILL."""
    if program.poll() is None:
        program.send_signal(signal.SIGINT)
        try:
            program.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            program.kill()
            program.wait()
