"""Timing the ops and networks of a plan with one runtime; an interrupted run goes on where it stopped."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from inception_search.on_device.files import TABLE, VERSION, fingerprint, read_table, write
from inception_search.on_device.parts import EMPTY, Part, PlanError
from inception_search.on_device.runtime import Runtime, open_runtime
from inception_search.on_device.stopwatch import milliseconds

SWEEPS = 2  # over all ops; other load that lasts for a while spoils one of them
SAVE_SECONDS = 20.0  # between two writings of the unfinished table
UNSTEADY = 0.1  # the change of a network's time from begin to end that is worth a note


def time_plan(
    plan: Mapping[str, Any],
    out: Path,
    *,
    runtime: str = "torch",
    device: str = "cpu",
    threads: int | None = None,
    force: bool = False,
    say: Callable[[str], None] = lambda _: None,
) -> dict[str, Any]:
    """Time everything that a plan lists, and write the table.

    Args:
        plan: what is to be timed.
        out: the file of the table. The unfinished table of an interrupted run is completed.
        runtime: a name of :data:`~inception_search.on_device.runtime.RUNTIMES`.
        device: the device of the runtime.
        threads: CPU threads (default: the runtime's own number).
        force: replace a file that is there.
        say: receives progress, one sentence at a time.

    Returns:
        The table.

    Raises:
        PlanError: the runtime, a part or the file cannot be used.
    """
    session = _Session(plan, out, open_runtime(runtime, device, threads), runtime, force, say)
    session.run()
    return session.table


class _Session:
    def __init__(
        self,
        plan: Mapping[str, Any],
        out: Path,
        runtime: Runtime,
        name: str,
        force: bool,
        say: Callable[[str], None],
    ) -> None:
        self.plan, self.out, self.runtime, self.say = plan, out, runtime, say
        facts = {
            "runtime": name,
            "version": runtime.version,
            "device": runtime.device,
            "threads": runtime.threads,
            "machine": f"{platform.system()} {platform.machine()}",
        }
        head = {"schema": TABLE, "version": VERSION, "plan": fingerprint(plan), "about": plan.get("about", "")}
        self.table: dict[str, Any] = {
            **head,
            "batch_size": plan["batch_size"],
            "finished": False,
            "target": facts,
            "call_ms": 0.0,
            "ops": [],
            "networks": [],
        }
        if not force and out.exists():
            self._continue()
        self.saved = time.monotonic()

    def run(self) -> None:
        """Time the ops twice, the networks before, between and after; write the table."""
        write(self.out, self.table)  # a folder that cannot be written is an error before the work
        try:
            self.table["call_ms"] = self._time(EMPTY)
            times = [self._networks()]
            for sweep in range(1, SWEEPS + 1):
                self._ops(sweep)
                times.append(self._networks())
        finally:  # also for Ctrl-C
            write(self.out, self.table)
        self._record_networks(times)
        self.table["finished"] = True
        write(self.out, self.table)

    def _ops(self, sweep: int) -> None:
        """Time the ops that were timed in earlier sweeps only; of two times, the shorter counts."""
        rows = {row["key"]: row for row in self.table["ops"]}
        for index, op in enumerate(self.plan["ops"], 1):
            row = rows.get(op["key"])
            if row is None:
                row = {**{name: value for name, value in op.items() if name != "part"}, "ms": None, "sweeps": 0}
                self.table["ops"].append(row)
            if row["sweeps"] < sweep and "why" not in row:
                self._time_op(row, op["part"])
                row["sweeps"] = sweep
            if time.monotonic() - self.saved > SAVE_SECONDS:
                write(self.out, self.table)
                self.saved = time.monotonic()
                self.say(f"{index:,} of {len(self.plan['ops']):,} ops are timed, sweep {sweep} of {SWEEPS}")

    def _time_op(self, row: dict[str, Any], part: Part) -> None:
        """Time an op, without the time of an empty call."""
        try:
            found = max(self._time(part) - self.table["call_ms"], 0.0)
            row["ms"] = found if row["ms"] is None else min(row["ms"], found)
        except PlanError as error:
            row["ms"], row["why"] = None, str(error)

    def _time(self, part: Part) -> float:
        try:
            call = self.runtime.prepare(part, self.plan["batch_size"])
            return milliseconds([call], self.runtime.wait)[0]
        except PlanError:
            raise
        except Exception as error:  # each runtime has errors of its own
            lines = str(error).strip().splitlines() or [type(error).__name__]
            raise PlanError(f"it cannot be run: {lines[0]}") from error

    def _networks(self) -> dict[str, float]:
        """The times of the networks that can be run."""
        count = len(self.plan["networks"])
        self.say("timing the network" if count == 1 else f"timing {count} networks")
        found: dict[str, float] = {}
        for network in self.plan["networks"]:
            try:
                found[network["name"]] = self._time(network["part"])
            except PlanError as error:
                self.say(f"note: {network['name']}: {error}")
        return found

    def _record_networks(self, measured: Sequence[Mapping[str, float]]) -> None:
        unsteady = []
        for network in self.plan["networks"]:
            times = [each[network["name"]] for each in measured if network["name"] in each]
            row = {"name": network["name"], "ms": min(times, default=None), "ops": network["ops"]}
            self.table["networks"].append(row)
            if times and max(times) > (1 + UNSTEADY) * min(times):
                unsteady.append(max(times) / min(times) - 1)
        if unsteady:
            change = f"of {len(unsteady)} of {len(self.plan['networks'])} by up to {100 * max(unsteady):.0f} %"
            self.say(f"note: times of networks changed, {change}: close other programs, and time the plan again")

    def _continue(self) -> None:
        """Take over the rows of an unfinished table of the same plan on the same machine; refuse other files."""
        found = read_table(self.out)
        same = found.get("plan") == self.table["plan"] and found.get("target") == self.table["target"]
        if not same or found.get("finished"):
            what = "a finished table" if same else "the table of another plan, machine or runtime"
            raise PlanError(f"{self.out}: {what} is there; choose another file, or replace it with --force")
        self.table["ops"] = found["ops"]
        if found["ops"]:
            self.say(f"{self.out} has {len(found['ops']):,} ops of this plan; the others are timed")
