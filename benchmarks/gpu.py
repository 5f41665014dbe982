"""Everything that is written for a GPU, tested and measured by one command within ten minutes.

    python benchmarks/gpu.py --out DIR                 on a machine with a GPU; nothing needs to be installed but torch
    python benchmarks/gpu.py --out DIR --dry-run       every stage on the CPU in small: shows that the command works

Stages, in the order of their worth: the tests for a GPU; trials per hour; the recorded training step; inference; a
search. Each is a process of its own with its own time limit, and writes ``DIR/STAGE.json`` with every result, so that a
failure or hang costs only what was not measured yet. ``DIR/STAGE.log`` is its output and ``DIR/gpu.json`` the summary
of all, with the goals. docs/gpu.md describes what is carried to a machine without a network.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any
from zipfile import ZipFile

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.gpu_stages.task import write_json  # noqa: E402

SHARES = {"tests": 0.22, "trials": 0.3, "step": 0.13, "inference": 0.42, "search": 1.0}  # of the time that is left
RESERVE = 8.0  # seconds at the end, for the summary and for processes that do not end at once
LEAST = 5.0  # seconds without which a stage is not begun
EARLIER = 0.9  # of the limit of a stage: the time after which it should end by itself
PATIENCE = 3.0  # seconds between SIGTERM and SIGKILL
TAIL = 2000  # characters of the output of a stage that are kept in the summary


@dataclass(frozen=True)
class Stage:
    """A stage: its name, its share of the time that is left, and its program.

    ``{file}`` and ``{seconds}`` in ``command`` are replaced by the file of the results and the time for the work.
    """

    name: str
    share: float
    command: tuple[str, ...]

    def arguments(self, file: Path, seconds: float) -> list[str]:
        """The command line."""
        return [part.format(file=file, seconds=round(seconds, 1)) for part in self.command]


def run_stages(stages: Sequence[Stage], out: Path, seconds: float, facts: dict[str, Any]) -> dict[str, Any]:
    """Run the stages one after another; returns the summary, which is written after every stage."""
    end = time.monotonic() + seconds
    summary: dict[str, Any] = {**facts, "stages": {}}
    for stage in stages:
        left = end - time.monotonic()
        print(f"{stage.name}: ", end="", flush=True)
        limit = stage.share * left
        row = run_stage(stage, out, limit) if limit >= LEAST else {"state": "not begun: no time was left"}
        summary["stages"][stage.name] = row
        write_json(out / "gpu.json", summary)
        print(f"{row['state']} after {row.get('seconds', 0)} s", flush=True)
        for goal in [] if facts.get("dry_run") else row.get("goals", []):
            missed = "" if goal["reached"] else " (not reached)"
            print(f"  {goal['what']}: {goal['found']}, goal {goal['goal']}{missed}")
    return summary


def run_stage(stage: Stage, out: Path, limit: float) -> dict[str, Any]:
    """Run a stage in a session of its own, which ends with it; its results so far are kept in any case."""
    file, log = out / f"{stage.name}.json", out / f"{stage.name}.log"
    file.unlink(missing_ok=True)
    begun = time.monotonic()
    with log.open("wb") as output:
        program = subprocess.Popen(
            stage.arguments(file, EARLIER * limit),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=ROOT,
            start_new_session=True,
        )
        try:
            code = program.wait(limit)
            state = "complete" if code == 0 else f"failed with exit code {code}"
        except subprocess.TimeoutExpired:
            state = f"stopped at its limit of {limit:.0f} s"
        finally:
            end_group(program)
    row = {"state": state, "seconds": round(time.monotonic() - begun, 1), "limit": round(limit, 1)}
    if state != "complete":
        row["output"] = log.read_text(errors="replace")[-TAIL:]
    return row | _read(file)


def end_group(program: subprocess.Popen[bytes]) -> None:
    """End a stage with all processes that it has started."""
    for sent, patience in ((signal.SIGTERM, PATIENCE), (signal.SIGKILL, PATIENCE)):
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(program.pid, sent)
        with suppress(subprocess.TimeoutExpired):  # a process that waits for a broken device may not even be killed
            program.wait(patience)


def _read(file: Path) -> dict[str, Any]:
    with suppress(OSError, ValueError):
        found: dict[str, Any] = json.loads(file.read_text())
        return found
    return {}


def unpack_wheels(folder: Path, target: Path) -> None:
    """Make the packages of wheels importable below ``target``, without pip; those that are installed are left out."""
    for wheel in sorted(folder.glob("*.whl")):
        name = wheel.name.split("-")[0]
        try:
            print(f"{name} {version(name)} is installed; {wheel.name} is not used")
        except PackageNotFoundError:
            with ZipFile(wheel) as archive:
                archive.extractall(target)


def stages_of(options: argparse.Namespace, scratch: Path) -> list[Stage]:
    """The chosen stages."""
    more = ["--scratch", str(scratch)]
    more += ["--data", str(options.data.resolve())] if options.data else []
    more += ["--dry-run"] if options.dry_run else []
    command = (sys.executable, "-m", "benchmarks.gpu_stages.run")
    chosen = [name for name in SHARES if options.only in (None, name)]
    stages = [Stage(name, SHARES[name], (*command, name, "{file}", "--seconds", "{seconds}", *more)) for name in chosen]
    return [*stages[:-1], replace(stages[-1], share=1.0)]


@contextmanager
def terminated_as_interrupted() -> Iterator[None]:
    """SIGTERM ends the command as Ctrl-C does, so that the stage under way ends, too."""

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def main() -> int:
    """Run the stages; 1 if one did not end by itself without an error."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", type=Path, required=True, help="folder of the results")
    parser.add_argument("--minutes", type=float, default=9.0, help="time limit of all stages together")
    parser.add_argument("--dry-run", action="store_true", help="every stage on the CPU in small")
    parser.add_argument("--only", choices=SHARES, metavar="STAGE", help=f"one of {', '.join(SHARES)}")
    parser.add_argument("--data", type=Path, help="folder with the files of Fashion-MNIST (default: Debian's)")
    parser.add_argument("--wheels", type=Path, help="folder with wheels of packages that the machine lacks")
    options = parser.parse_args()
    begun = time.monotonic()
    options.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="gpu-") as name, terminated_as_interrupted():
        scratch = Path(name)
        if options.wheels:
            unpack_wheels(options.wheels, scratch / "packages")
        paths = [str(ROOT), str(ROOT / "benchmarks"), str(scratch / "packages"), os.environ.get("PYTHONPATH", "")]
        os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
        if options.dry_run:
            os.environ |= {"CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1"}
        facts = {"date": date.today().isoformat(), "minutes": options.minutes, "dry_run": options.dry_run}
        left = 60 * options.minutes - RESERVE - (time.monotonic() - begun)
        stages = run_stages(stages_of(options, scratch), options.out, left, facts)["stages"]
    print(options.out / "gpu.json")
    return int(any(row["state"] != "complete" for row in stages.values()))


if __name__ == "__main__":
    sys.exit(main())
