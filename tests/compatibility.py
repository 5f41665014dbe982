"""The fast tests on the oldest and the newest Python and torch that install here: ``make compatibility``.

Each pair of versions has an environment of its own in ``.venv-compat/``, which is kept; nothing else is changed. By
default the pairs are the oldest Python with the oldest torch that pyproject.toml allows, and the newest of both.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENTS = ROOT / ".venv-compat"
NEWEST = "newest"
MANAGED = (  # where pyenv and uv keep interpreters
    (Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions", "*/bin/python3"),
    (Path.home() / ".local/share/uv/python", "*/bin/python3"),
)


class Interpreter(NamedTuple):
    """A Python that runs here."""

    version: tuple[int, int]
    program: str

    @property
    def name(self) -> str:
        """Its version, such as 3.11."""
        return "{}.{}".format(*self.version)


class Outcome(NamedTuple):
    """What came of a pair of versions: as they were installed, and how the tests ended."""

    python: str
    torch: str
    said: str
    passed: bool


def main() -> int:
    """Try the pairs, say what came of each, and end with 1 unless all passed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--torch", default="", help="versions, such as '2.11 2.14.1 newest'")
    parser.add_argument("--python", default="", help="versions, such as '3.11 3.13'")
    parser.add_argument("--tests", default="", help="what pytest is given; all fast tests when left out")
    options = parser.parse_args()
    found = {python.name: python for python in interpreters()}
    print(f"found: Python {', '.join(found)}", flush=True)
    outcomes = [
        attempt(found.get(python), python, torch, options.tests.split())
        for python, torch in pairs(list(found), options.python.split(), options.torch.split())
    ]
    print("\n| Python | torch | result |\n|---|---|---|")
    for outcome in outcomes:
        print(f"| {outcome.python} | {outcome.torch} | {outcome.said} |")
    return 0 if all(outcome.passed for outcome in outcomes) else 1


def pairs(found: list[str], pythons: list[str], torches: list[str]) -> Iterable[tuple[str, str]]:
    """Versions of Python and torch to try: all of those asked for, else the two oldest and the two newest."""
    oldest = allowed()["torch"]
    if not pythons and not torches:
        return dict.fromkeys(((found[0], oldest), (found[-1], NEWEST)))
    ends = list(dict.fromkeys((found[0], found[-1])))
    return [(python, torch) for python in pythons or ends for torch in torches or (oldest, NEWEST)]


def allowed() -> dict[str, str]:
    """The oldest versions of Python and torch that pyproject.toml allows."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    torch = next(each for each in project["dependencies"] if re.match(r"torch\b", each))
    return {"python": project["requires-python"].removeprefix(">="), "torch": torch.removeprefix("torch>=")}


def interpreters() -> list[Interpreter]:
    """The Pythons of this machine that the project allows, oldest first; on PATH, or kept by pyenv or uv."""
    least = tuple(map(int, allowed()["python"].split(".")))
    found: dict[tuple[int, int], str] = {}
    for program in candidates():
        asked = [program, "-c", "import sys, venv, ensurepip; print(*sys.version_info[:2])"]
        answer = subprocess.run(asked, capture_output=True, text=True, check=False).stdout.split()
        if len(answer) == 2 and (version := (int(answer[0]), int(answer[1]))) >= least:
            found.setdefault(version, program)
    return [Interpreter(*each) for each in sorted(found.items())]


def candidates() -> Iterator[str]:
    """Programs that may be a Python."""
    for minor in range(11, 30):
        if program := shutil.which(f"python3.{minor}"):
            yield program
    for folder, pattern in MANAGED:
        yield from map(str, sorted(folder.glob(pattern)))


def attempt(python: Interpreter | None, name: str, torch: str, tests: list[str]) -> Outcome:
    """Install one pair of versions and run the tests with it."""
    if python is None:
        return Outcome(name, torch, "no such Python on this machine", False)
    folder = ENVIRONMENTS / f"py{name}-torch{torch}"
    try:
        install(python, torch, folder)
    except subprocess.CalledProcessError as error:
        reasons = re.findall(r"^ERROR: (.*)", error.stderr or "", re.MULTILINE) or [str(error)]
        return Outcome(name, torch, f"not installable: {reasons[-1]}", False)
    version = run(folder, "-c", "import torch; print(torch.__version__)").stdout.strip() or "does not import"
    print(f"testing Python {name} with torch {version}", flush=True)
    command = [str(folder / "bin/python"), "-m", "pytest", "-q", "-n", "auto", "-p", "no:cacheprovider", *tests]
    last = "nothing was run"
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout or ():
            print(line, end="", flush=True)
            last = line.strip("= \n") or last
    return Outcome(name, version, last, process.returncode == 0)


def install(python: Interpreter, torch: str, folder: Path) -> None:
    """Make the environment, unless it is there; the versions of everything but torch are those of constraints.txt."""
    ready = folder / "ready"
    if ready.exists():
        return
    print(f"installing Python {python.name} with torch {torch}", flush=True)
    subprocess.run([python.program, "-m", "venv", "--clear", folder], check=True, capture_output=True, text=True)
    pinned = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    constraints = folder / "constraints.txt"
    constraints.write_text(re.sub(r"^torch==.*\n", "", pinned, flags=re.MULTILINE), encoding="utf-8")
    for needed in (
        ("torch" if torch == NEWEST else f"torch=={torch}.*",),
        ("--constraint", str(constraints), "--editable", f"{ROOT}[dev]"),
        ("--no-deps", "--requirement", str(ROOT / "tests/references.txt")),
    ):
        run(folder, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *needed).check_returncode()
    ready.touch()


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python in an environment."""
    return subprocess.run([folder / "bin/python", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)


if __name__ == "__main__":
    sys.exit(main())
