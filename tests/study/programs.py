"""Searches as programs of their own: started, watched, sent signals."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tests.bounds import PATIENCE

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-c", "from inception_search.cli.main import run; run()"]
SMALL = "baselines: false\ntrain_images: 64\nimage_size: 8\nworkers: 2\ndevice: cpu\n"


def start(arguments: list[str], cwd: Path) -> "subprocess.Popen[str]":
    """A program in a process group of its own, as a terminal starts it."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    pipe = subprocess.PIPE
    return subprocess.Popen(
        arguments, cwd=cwd, env=environment, stdout=pipe, stderr=pipe, text=True, start_new_session=True
    )


def wait_for(condition: Callable[[], object], seconds: float = PATIENCE) -> None:
    """Look until ``condition`` holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


def members(group: int) -> list[int]:
    """The living processes of a session that was started with ``start``."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[3]) == group and fields[0] != "Z":
                found.append(int(entry.name))
    return found


def jobs(run: Path) -> list[Path]:
    """The job files of a run folder."""
    return list((run / "jobs").glob("*.json"))


def kill_group(program: "subprocess.Popen[str]") -> None:
    """Leave nothing of a program behind."""
    for pid in members(program.pid):
        os.kill(pid, signal.SIGKILL)
    program.communicate()
