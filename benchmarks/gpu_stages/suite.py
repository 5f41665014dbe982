"""Stage 1: the tests marked ``gpu``; a dry run takes a few of them on the CPU."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from benchmarks.gpu_stages.task import Rows, Task

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "tests" / "gpu"
HANG = 60  # seconds after which the stack of a test that hangs is printed
SELECTED = ["-m", "gpu"]
IN_SMALL = ["-m", "not gpu", "-k", "(test_every_op_forward and Conv) or not_finite"]


class Outcomes:
    """Writes the outcome of every test when it is known."""

    def __init__(self, rows: Rows) -> None:
        self.rows, self.counts = rows, dict.fromkeys(("passed", "failed", "skipped"), 0)

    def pytest_runtest_logreport(self, report: Any) -> None:
        if report.when == "call" or report.outcome != "passed":
            self.counts[report.outcome] += 1
            row = {"outcome": report.outcome, "seconds": round(report.duration, 2)}
            if report.outcome != "passed":
                row["why"] = str(report.longrepr)[-1500:]
            self.rows.add(report.nodeid.removeprefix("tests/gpu/"), row)


def run(task: Task) -> None:
    try:
        import pytest
    except ModuleNotFoundError:
        task.rows.note("the tests are left out: pytest is not installed (carry its wheels: --wheels DIR)")
        return
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # the machine's own plugins are not needed, and may be broken
    outcomes = Outcomes(task.rows)
    # Fixtures of other tests, and the options of pyproject.toml, need packages that a GPU machine may lack.
    alone = ["--confcutdir", str(FOLDER), "--override-ini", "addopts=", "--override-ini", "filterwarnings="]
    watched = ["--override-ini", f"faulthandler_timeout={HANG}", "-p", "no:cacheprovider", "-q", "--tb=short"]
    selected = IN_SMALL if task.small else SELECTED
    pytest.main([*alone, *watched, *selected, "--rootdir", str(ROOT), str(FOLDER)], plugins=[outcomes])
    if not sum(outcomes.counts.values()):
        task.rows.note("no test was found")
    task.rows.add("all", outcomes.counts)
    task.rows.goal("tests that fail", 0, outcomes.counts["failed"], at_most=True)
