"""The Python of whole pages of the documentation runs from top to bottom, and prints what the pages say it prints."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[1] / "docs"
EXAMPLE = re.compile(r"```python\n(?P<code>.*?)```(?:\n\n```\n(?P<printed>.*?)```)?", re.DOTALL)


@pytest.mark.parametrize("page", ["graphs.md"])
def test_a_page_prints_what_it_says(page: str, tmp_path: Path) -> None:
    examples = list(EXAMPLE.finditer((DOCS / page).read_text(encoding="utf-8")))
    code = "\n".join(example["code"] for example in examples)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "".join(example["printed"] or "" for example in examples)
