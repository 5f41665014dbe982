"""The server of the tests of downloads; no proxy, no pauses."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from inception_search.downloads import transfer
from tests.downloads.server import Server, serving

PROXIES = ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "no_proxy", "NO_PROXY")


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(transfer, "PAUSE", 0.0)
    with serving() as running:
        yield running
    gc.collect()  # a connection that was left open is a failure of the test that left it
