"""The page on proxies is about the proxies there are, and its example runs."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from inception_search.proxies.table import PROXIES

PAGE = (Path(__file__).parents[2] / "docs" / "proxies.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", PROXIES)
def test_every_proxy_has_a_row_with_what_it_needs_and_its_paper(name: str) -> None:
    (row,) = [line for line in PAGE.splitlines() if line.startswith("| `") and f"`{name}`" in line.split("|")[1]]
    assert row.split("|")[2].strip() == PROXIES[name].needs
    assert PROXIES[name].paper in row


def test_the_example_in_python_runs() -> None:
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("{'naswot': ")
    assert "it needs images" in done.stdout
