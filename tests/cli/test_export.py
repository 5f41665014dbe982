"""``inception-search export``: options, and a stop in the middle."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from inception_search.exports.safetensors_format import SafetensorsFormat
from tests.cli.conftest import Command

NETWORK = """schema: inception-search/network
version: 1
name: small
input: 3x16x16
stages: {stem: 3x3 8}
head: {pool: avg, classes: 3}
"""


@pytest.fixture
def document(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("small.yaml").write_text(NETWORK)
    return Path("small.yaml")


def test_int8_without_images_names_the_option(document: Path, command: Command) -> None:
    said = command("export", document, "--to", "onnx", "--int8")
    assert said.code == 2
    assert "add --calibrate with a dataset (such as digits) or a folder" in said.err
    assert "ins.load_data" not in said.err


def test_sigterm_leaves_nothing_behind(document: Path, command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(kind: SafetensorsFormat, job: Any, path: Path) -> None:
        path.write_bytes(b"half")
        os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(SafetensorsFormat, "write", stopped)
    before, files = signal.getsignal(signal.SIGTERM), sorted(Path().iterdir())
    try:
        said = command("export", document, "--to", "safetensors")
    finally:
        signal.signal(signal.SIGTERM, before)
    assert said.code == 143
    assert sorted(Path().iterdir()) == files
