"""The progress of a download: a bar in a terminal, one line elsewhere."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from inception_search.downloads import progress


@pytest.mark.parametrize(
    ("terminal", "words"), [(True, "4.0/8.0 MB"), (False, "downloading w.pth from https://example.org/w.pth\n")]
)
def test_progress(monkeypatch: pytest.MonkeyPatch, terminal: bool, words: str) -> None:
    console = Console(file=io.StringIO(), force_terminal=terminal, width=120)
    monkeypatch.setattr(progress, "progress_console", lambda: console)
    with progress.shown("w.pth", "https://example.org/w.pth") as watch:
        watch(4_000_000, 8_000_000)
    assert isinstance(console.file, io.StringIO)
    text = console.file.getvalue()
    assert words in text
    assert terminal or text == words
