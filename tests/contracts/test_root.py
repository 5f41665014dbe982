"""The root of the repository holds what it should and nothing that a test or an example left there."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
KNOWN = {
    "CHANGELOG.md",
    "CITATION.cff",
    "CONTRIBUTING.md",
    "LICENSE",
    "Makefile",
    "README.md",
    "SECURITY.md",
    "benchmarks",
    "constraints.txt",
    "docs",
    "mkdocs.yml",
    "inception_search",
    "pyproject.toml",
    "runs",
    "search_spaces",
    "tests",
}


def test_the_root_holds_known_names_only() -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("not a checkout")
    # What is neither tracked nor ignored counts, too: a picture that a test wrote here is found before it is committed.
    command = ["git", "-C", str(ROOT), "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    there = [line for line in listed if (ROOT / line).exists()]
    names = {line.partition("/")[0] for line in there}
    assert {name for name in names if not name.startswith(".")} == KNOWN
