"""The gallery is what the figures draw now, byte for byte, and shows every shipped network."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import inception_search as ins

DOCS = Path(__file__).parents[2] / "docs"
GALLERY = DOCS / "gallery"


@pytest.mark.parametrize("seed", ["4711", pytest.param("0", marks=pytest.mark.slow)])
def test_no_picture_has_drifted(seed: str) -> None:
    command = [sys.executable, str(DOCS / "gallery.py"), "--check"]
    env = {**os.environ, "PYTHONHASHSEED": seed}
    done = subprocess.run(command, env=env, cwd=DOCS.parent, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_page_shows_every_network_and_picture_once() -> None:
    shown = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", (GALLERY / "README.md").read_text(encoding="utf-8"))
    assert sorted(shown) == sorted(path.name for path in GALLERY.glob("*.svg"))
    assert {f"{name}.svg" for name in ins.list_models(dialects=False)} <= set(shown)


def test_a_module_is_under_ten_kilobytes() -> None:
    modules = [path for path in GALLERY.glob("*.svg") if path.name.count(".") > 1]
    assert len(modules) > 50
    assert max(path.stat().st_size for path in modules) < 10_000
