"""``benchmarks/gpu.py``: every stage works, on the CPU in small; a stage that fails or hangs costs only itself."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from benchmarks.gpu import ROOT, SHARES, Stage, run_stages, unpack_wheels
from benchmarks.gpu_stages.steps import idle_share
from benchmarks.gpu_stages.task import Rows
from tests.bounds import PATIENCE, bounded

HANG = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(1e6)"


def stage(name: str, *lines: str, share: float = 0.5) -> Stage:
    """A stage that runs ``lines`` in Python; ``FILE`` there is the file of its results."""
    file = "import sys; FILE = sys.argv[1]"
    return Stage(name, share, (sys.executable, "-c", "\n".join((file, *lines)), "{file}"))


WRITES = "import json; open(FILE, 'w').write(json.dumps(dict(rows=dict(first=1))))"


def ran(out: Path, *stages: Stage, seconds: float = 40.0) -> dict[str, Any]:
    found: dict[str, Any] = run_stages(stages, out, seconds, {"dry_run": False})["stages"]
    assert json.loads((out / "gpu.json").read_text())["stages"] == found
    return found


def test_a_dry_run(tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / "benchmarks" / "gpu.py"), "--out", str(tmp_path), "--dry-run", "--minutes=60"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=5 * PATIENCE)
    summary = json.loads((tmp_path / "gpu.json").read_text())
    assert done.returncode == 0, [row.get("output") for row in summary["stages"].values()]
    assert list(summary["stages"]) == list(SHARES)
    for name, row in summary["stages"].items():
        assert row["state"] == "complete"
        assert row["rows"]
        assert row["notes"] == [], name
        assert row["facts"]["device"] == "cpu"
    assert summary["stages"]["tests"]["rows"]["all"]["failed"] == 0
    assert {"what", "goal", "found", "reached"} == set(summary["stages"]["trials"]["goals"][0])


def test_a_stage_that_fails_costs_only_itself(tmp_path: Path) -> None:
    found = ran(tmp_path, stage("bad", WRITES, "raise ValueError('no kernel image')"), stage("good", WRITES))
    assert found["bad"]["state"] == "failed with exit code 1"
    assert found["bad"]["output"].endswith("ValueError: no kernel image\n")
    assert found["bad"]["rows"] == {"first": 1}, "what was measured before is kept"
    assert found["good"]["state"] == "complete"
    assert "output" not in found["good"]


def test_a_stage_that_hangs_is_ended_with_its_processes(tmp_path: Path) -> None:
    """It ignores SIGTERM, and so does a process that it has started."""
    child = f"subprocess.Popen([sys.executable, '-c', {HANG!r}])"
    lines = ("import subprocess", f"child = {child}", "open(FILE + '.pid', 'w').write(str(child.pid))", WRITES, HANG)
    with bounded(PATIENCE, time.monotonic):
        found = ran(tmp_path, stage("hangs", *lines, share=0.1), stage("good", WRITES), seconds=70.0)
    assert found["hangs"]["state"].startswith("stopped at its limit")
    assert found["hangs"]["rows"] == {"first": 1}
    assert found["good"]["state"] == "complete"
    pid = int((tmp_path / "hangs.json.pid").read_text())
    deadline = time.monotonic() + PATIENCE
    while _lives(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _lives(pid)


def _lives(pid: int) -> bool:
    """Whether a process is there and has not ended; nobody may have waited for it yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_stage_without_time_is_not_begun(tmp_path: Path) -> None:
    found = ran(tmp_path, stage("late", WRITES), seconds=1.0)
    assert found == {"late": {"state": "not begun: no time was left"}}


def test_results_of_an_earlier_run_are_not_taken_for_new_ones(tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_text('{"rows": {"old": 1}}')
    assert "rows" not in ran(tmp_path, stage("bad", "raise SystemExit(3)"))["bad"]


def test_wheels_of_missing_packages_are_unpacked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("no_such_package", "numpy"):
        with ZipFile(tmp_path / f"{name}-1.0-py3-none-any.whl", "w") as wheel:
            wheel.writestr(f"{name}/__init__.py", "")
    unpack_wheels(tmp_path, tmp_path / "packages")
    assert [path.name for path in (tmp_path / "packages").iterdir()] == ["no_such_package"]
    assert "numpy-1.0-py3-none-any.whl is not used" in capsys.readouterr().out


def test_goals(tmp_path: Path) -> None:
    rows = Rows(tmp_path / "a.json")
    rows.goal("speed", 10, 12.5)
    rows.goal("failures", 0, 2, at_most=True)
    rows.goal("speed", 10, 9.0)  # a later figure replaces the earlier one
    assert json.loads(rows.file.read_text())["goals"] == [
        {"what": "failures", "goal": 0, "found": 2, "reached": False},
        {"what": "speed", "goal": 10, "found": 9.0, "reached": False},
    ]


SPANS = {
    "one kernel": ([(0.0, 10.0)], 0.0),
    "a gap": ([(0.0, 2.0), (8.0, 10.0)], 0.6),
    "two streams": ([(0.0, 6.0), (2.0, 4.0), (5.0, 10.0)], 0.0),
    "in any order": ([(5.0, 10.0), (0.0, 4.0)], 0.1),
}


@pytest.mark.parametrize("name", SPANS)
def test_idle_time(name: str) -> None:
    spans, expected = SPANS[name]
    assert idle_share(spans) == pytest.approx(expected)
