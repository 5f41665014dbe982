"""The command line, called in this process."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from inception_search.cli.main import run
from tests.study.spaces import TINY

QUICK = ["--no-baselines", "--epochs", "1", "--train-images", "64", "--image-size", "8", "--workers", "2"]


class Said(NamedTuple):
    """What a command came to."""

    code: int
    out: str
    err: str


Command = Callable[..., Said]


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Command:
    """Run ``inception-search`` with some arguments in an empty folder with ``tiny.yaml`` in it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "160")
    (tmp_path / "tiny.yaml").write_text(TINY)

    def call(*arguments: object) -> Said:
        capsys.readouterr()
        monkeypatch.setattr(sys, "argv", ["inception-search", *map(str, arguments)])
        code = 0
        try:
            run()
        except SystemExit as exit_:
            code = int(exit_.code or 0)
        return Said(code, *capsys.readouterr())

    return call
