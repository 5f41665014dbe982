"""A file arrives whole and checked, or not at all: whatever the server, the disk and other processes do."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import socket
import threading
import time
from pathlib import Path

import pytest

from inception_search.downloads import transfer
from inception_search.downloads.fetch import fetch
from inception_search.downloads.source import Checksum, Source
from inception_search.errors import WeightsError
from tests.downloads.server import Server, random_bytes

CONTENT = random_bytes(1_000_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()


def source(url: str, digest: str = SHA256, largest: int = 10**7) -> Source:
    return Source(url, "the file", WeightsError, "fetch it by hand", Checksum("sha256", digest), largest)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("digest", [SHA256, SHA256[:8]])
def test_a_file_is_put_in_its_place(server: Server, tmp_path: Path, digest: str) -> None:
    seen: list[tuple[int, int | None]] = []
    target = tmp_path / "new" / "w.pth"
    url = server.put("/w.pth", CONTENT)
    fetch(source(url, digest), target, watch=lambda done, total: seen.append((done, total)))
    assert target.read_bytes() == CONTENT
    assert names(target.parent) == ["w.pth"]
    assert seen == sorted(seen)
    assert seen[-1] == (len(CONTENT), len(CONTENT))


def test_a_file_that_is_there_is_not_fetched_again(server: Server, tmp_path: Path) -> None:
    url = server.put("/w.pth", CONTENT)
    for _ in range(2):
        fetch(source(url), tmp_path / "w.pth")
    assert len(server.requests) == 1


def test_a_damaged_file_in_its_place_is_replaced(server: Server, tmp_path: Path) -> None:
    (tmp_path / "w.pth").write_bytes(b"damaged")
    fetch(source(server.put("/w.pth", CONTENT)), tmp_path / "w.pth")
    assert (tmp_path / "w.pth").read_bytes() == CONTENT


def test_a_cut_connection_is_continued(server: Server, tmp_path: Path) -> None:
    url = server.put("/w.pth", CONTENT, cut_after=[400_000, 300_000])
    fetch(source(url), tmp_path / "w.pth")
    assert (tmp_path / "w.pth").read_bytes() == CONTENT
    assert [requested for _, requested in server.requests] == [None, "bytes=400000-", "bytes=700000-"]


@pytest.mark.parametrize("how", [{"ranges": False}, {"etag": None}])
def test_a_server_that_cannot_continue_starts_again(server: Server, tmp_path: Path, how: dict[str, object]) -> None:
    url = server.put("/w.pth", CONTENT, cut_after=[400_000], **how)
    fetch(source(url), tmp_path / "w.pth")
    assert (tmp_path / "w.pth").read_bytes() == CONTENT


def test_an_interrupted_download_is_continued_by_the_next_call(server: Server, tmp_path: Path) -> None:
    url = server.put("/w.pth", CONTENT, cut_after=[400_000], statuses=[])

    def stop(done: int, total: int | None) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch(source(url), tmp_path / "w.pth", watch=stop)
    assert not (tmp_path / "w.pth").exists()
    server.files["/w.pth"].cut_after.clear()
    fetch(source(url), tmp_path / "w.pth")
    assert (tmp_path / "w.pth").read_bytes() == CONTENT
    requested = server.requests[-1][1]
    assert requested is not None
    assert requested.startswith("bytes=")
    assert names(tmp_path) == ["w.pth"]


def test_parts_of_two_versions_are_never_joined(server: Server, tmp_path: Path) -> None:
    (tmp_path / ".w.pth.part").write_bytes(random_bytes(400_000, seed=1))
    (tmp_path / ".w.pth.part.version").write_text('"old"')
    url = server.put("/w.pth", CONTENT, etag='"new"')
    fetch(source(url), tmp_path / "w.pth")
    assert (tmp_path / "w.pth").read_bytes() == CONTENT


def test_a_damaged_part_of_an_earlier_call_is_discarded(server: Server, tmp_path: Path) -> None:
    (tmp_path / ".w.pth.part").write_bytes(b"x" * 400_000)
    (tmp_path / ".w.pth.part.version").write_text('"1"')
    fetch(source(server.put("/w.pth", CONTENT)), tmp_path / "w.pth")
    assert (tmp_path / "w.pth").read_bytes() == CONTENT


def test_a_part_that_is_too_long_is_discarded(server: Server, tmp_path: Path) -> None:
    (tmp_path / ".w.pth.part").write_bytes(b"x" * (len(CONTENT) + 9))
    (tmp_path / ".w.pth.part.version").write_text('"1"')
    fetch(source(server.put("/w.pth", CONTENT)), tmp_path / "w.pth")
    assert (tmp_path / "w.pth").read_bytes() == CONTENT


def test_a_wrong_checksum_is_refused(server: Server, tmp_path: Path) -> None:
    url = server.put("/w.pth", b"something else")
    with pytest.raises(WeightsError) as caught:
        fetch(source(url, "0123abcd"), tmp_path / "w.pth")
    found = hashlib.sha256(b"something else").hexdigest()[:8]
    assert f"{url}: the file is not the published one, got 'sha256 {found}'; expected sha256 0123abcd" in str(
        caught.value
    )
    assert names(tmp_path) == [".w.pth.lock"]


def test_a_redirect_is_followed(server: Server, tmp_path: Path) -> None:
    server.put("/far.pth", CONTENT, cut_after=[400_000])
    url = server.put("/w.pth", b"", moved_to=f"{server.url}/far.pth")
    fetch(source(url), tmp_path / "w.pth")
    assert (tmp_path / "w.pth").read_bytes() == CONTENT
    assert server.requests[-1] == ("/far.pth", "bytes=400000-")


def test_a_redirect_from_https_to_http_is_refused() -> None:
    from urllib.error import HTTPError
    from urllib.request import Request

    handler = transfer._Redirects()
    with pytest.raises(HTTPError, match="insecure address http://other"):
        handler.redirect_request(Request("https://one/w"), None, 302, "", {}, "http://other/w")  # type: ignore[arg-type]


def test_a_redirect_to_another_protocol_is_refused(server: Server, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="insecure address ftp://other/w"):
        fetch(source(server.put("/w.pth", b"", moved_to="ftp://other/w")), tmp_path / "w.pth")


def test_a_part_that_was_not_requested_is_not_taken_for_the_file(server: Server, tmp_path: Path) -> None:
    """Without a checksum nothing else would notice it."""
    url = server.put("/w.pth", CONTENT, cut_after=[400_000], wrong_parts=1)
    fetch(Source(url, "the file", WeightsError, "fetch it by hand"), tmp_path / "w.pth")
    assert (tmp_path / "w.pth").read_bytes() == CONTENT


@pytest.mark.parametrize("status", [404, 403])
def test_a_missing_file_is_an_error_without_another_attempt(server: Server, tmp_path: Path, status: int) -> None:
    url = server.put("/w.pth", CONTENT, statuses=[status] * 9)
    with pytest.raises(WeightsError) as caught:
        fetch(source(url), tmp_path / "w.pth")
    assert str(caught.value).startswith(f"{url}: the download failed (HTTP Error {status}: ")
    assert str(caught.value).endswith("fetch it by hand")
    assert len(server.requests) == 1


def test_a_busy_server_gets_another_request(server: Server, tmp_path: Path) -> None:
    url = server.put("/w.pth", CONTENT, statuses=[503, 429])
    fetch(source(url), tmp_path / "w.pth")
    assert (tmp_path / "w.pth").read_bytes() == CONTENT


def test_a_server_that_stays_busy_is_given_up(server: Server, tmp_path: Path) -> None:
    url = server.put("/w.pth", CONTENT, statuses=[503] * 99)
    with pytest.raises(WeightsError, match="HTTP Error 503"):
        fetch(source(url), tmp_path / "w.pth")
    assert len(server.requests) == transfer.ATTEMPTS


def test_a_slow_server_gets_another_request_and_continues(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server sends half and then nothing: after the time limit a second request fetches the other half."""
    monkeypatch.setattr(transfer, "TIMEOUT", 0.3)
    never = threading.Event()
    url = server.put("/w.pth", CONTENT, slow=never)

    def recover(done: int, total: int | None) -> None:
        server.files["/w.pth"].slow = None

    try:
        fetch(source(url), tmp_path / "w.pth", watch=recover)
    finally:
        never.set()
    assert (tmp_path / "w.pth").read_bytes() == CONTENT
    assert server.requests[-1][1] == "bytes=500000-"


def test_a_server_that_sends_nothing_is_given_up(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transfer, "TIMEOUT", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:  # accepts, and answers nothing
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/w.pth"
        with pytest.raises(WeightsError, match=r"no byte came for 0\.1 seconds"):
            fetch(source(url), tmp_path / "w.pth")


def test_no_network_is_an_error_at_once(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{probe.getsockname()[1]}/w.pth"
    with pytest.raises(WeightsError) as caught:
        fetch(source(url), tmp_path / "w.pth")
    assert str(caught.value).startswith(f"{url}: the download failed (")
    assert "fetch it by hand" in str(caught.value)


@pytest.mark.parametrize("honest", [True, False])
def test_a_file_that_is_too_large_is_refused(server: Server, tmp_path: Path, honest: bool) -> None:
    url = server.put("/w.pth", CONTENT, headers={} if honest else {"Content-Length": ""})
    with pytest.raises(WeightsError, match="the file is too large; expected at most 1000 bytes"):
        fetch(source(url, largest=1000), tmp_path / "w.pth")


def test_a_disk_that_refuses_is_named(server: Server, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(WeightsError, match="the file cannot be stored"):
        fetch(source(server.put("/w.pth", CONTENT)), tmp_path / "file" / "w.pth")


def _fetch_in_process(url: str, target: Path, notes: multiprocessing.SimpleQueue[str]) -> None:
    fetch(source(url), target, note=notes.put)


def test_of_two_processes_one_downloads(server: Server, tmp_path: Path) -> None:
    half = threading.Event()
    url, target = server.put("/w.pth", CONTENT, slow=half), tmp_path / "w.pth"
    context = multiprocessing.get_context("spawn")
    notes = context.SimpleQueue()
    workers = [context.Process(target=_fetch_in_process, args=(url, target, notes)) for _ in range(2)]
    for worker in workers:
        worker.start()
    note = notes.get()  # the second waits while the first is at its half
    half.set()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0]
    assert note == "waiting for another process that downloads w.pth"
    assert target.read_bytes() == CONTENT
    assert len(server.requests) == 1
    assert names(tmp_path) == ["w.pth"]


def test_a_process_that_was_killed_leaves_a_part_that_is_continued(server: Server, tmp_path: Path) -> None:
    half = threading.Event()
    url, target = server.put("/w.pth", CONTENT, slow=half), tmp_path / "w.pth"
    context = multiprocessing.get_context("spawn")
    notes = context.SimpleQueue()
    worker = context.Process(target=_fetch_in_process, args=(url, target, notes))
    worker.start()
    part = tmp_path / ".w.pth.part"
    while worker.is_alive() and (not part.exists() or part.stat().st_size < 262_144):
        time.sleep(0.01)
    worker.kill()
    worker.join()
    server.files["/w.pth"].slow = None
    fetch(source(url), target)
    half.set()
    assert target.read_bytes() == CONTENT
    assert (server.requests[-1][1] or "").startswith("bytes=")


def test_proxies_of_the_environment_are_used(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy gets the whole address in the first line of the request."""
    server.put("http://weights.invalid/w.pth", CONTENT)
    monkeypatch.setenv("http_proxy", server.url)
    fetch(source("http://weights.invalid/w.pth"), tmp_path / "w.pth")
    assert (tmp_path / "w.pth").read_bytes() == CONTENT


def test_a_lock_file_that_cannot_be_removed_is_no_error(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Windows does not remove files that are open."""
    real = Path.unlink

    def unlink(path: Path, missing_ok: bool = False) -> None:
        if path.suffix == ".lock":
            raise PermissionError(13, "The process cannot access the file")
        real(path, missing_ok=missing_ok)

    monkeypatch.setattr(Path, "unlink", unlink)
    fetch(source(server.put("/w.pth", CONTENT)), tmp_path / "w.pth")
    assert (tmp_path / "w.pth").read_bytes() == CONTENT


@pytest.mark.skipif(os.name != "posix", reason="locks are those of POSIX")
def test_a_file_system_without_locks(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from inception_search.store.flock import cannot_lock

    def refuse(fd: int, path: Path) -> bool:
        raise cannot_lock(path)

    monkeypatch.setattr("inception_search.downloads.fetch.try_lock", refuse)
    fetch(source(server.put("/w.pth", CONTENT)), tmp_path / "w.pth")
    assert names(tmp_path) == ["w.pth"]
