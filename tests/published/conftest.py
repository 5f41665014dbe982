"""Caches in a folder of the test, and the server of the tests of downloads."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.downloads.conftest import server as server

VARIABLES = ("TORCH_HOME", "HF_HOME", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_ENDPOINT", "KERAS_HOME")
OFFLINE = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The home folder of a user without any cache and without any of the variables."""
    for name in (*VARIABLES, *OFFLINE, "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setattr("torch.hub._hub_dir", None, raising=False)
    return tmp_path / "home"
