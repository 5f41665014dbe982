"""Published weights come from their cache or, if that is permitted, from their server; checked both times."""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import inception_search as ins
from inception_search.downloads.archive import install_archive
from inception_search.downloads.source import Source
from inception_search.errors import WeightsError
from inception_search.published.catalogue import PublishedWeights
from inception_search.published.obtain import UncheckedWarning, obtain
from tests.downloads.server import Server, random_bytes

CONTENT = random_bytes(300_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()
MD5 = hashlib.md5(CONTENT).hexdigest()
COMMIT = "0123456789abcdef0123456789abcdef01234567"
HUB_PATH = "/timm/inception_v4.tf_in1k/resolve/main/model.safetensors"


def on_server(network: str, url: str, **facts: Any) -> PublishedWeights:
    return replace(ins.published_weights(network)[0], url=url, **facts)


def hub_row(server: Server, monkeypatch: pytest.MonkeyPatch, **headers: str) -> PublishedWeights:
    """A row of timm, whose server redirects to another one, as the hub does."""
    given = {"X-Repo-Commit": COMMIT, "X-Linked-Etag": f'"{SHA256}"', **headers}
    server.put("/store/blob", CONTENT)
    server.put(HUB_PATH, b"", moved_to=f"{server.url}/store/blob", headers=given)
    monkeypatch.setenv("HF_ENDPOINT", server.url)
    return ins.published_weights("inception_v4@timm")[0]


def archive(*files: tuple[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name, content in files:
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return packed.getvalue()


@pytest.mark.parametrize(
    ("network", "facts"),
    [("inception_v3@torchvision", {"sha256": SHA256[:8]}), ("inception_v3@keras", {"md5": MD5})],
)
def test_a_file_is_downloaded_into_the_cache_of_its_package(
    home: Path, server: Server, network: str, facts: dict[str, Any]
) -> None:
    row = on_server(network, server.put("/w", CONTENT), **facts)
    path = obtain(row, download=True)
    assert path == row.path == row.location
    assert path.read_bytes() == CONTENT
    assert obtain(row) == obtain(row, download=True) == path
    assert len(server.requests) == 1


def test_without_permission_nothing_is_downloaded(home: Path, server: Server) -> None:
    row = on_server("inception_v3@torchvision", server.put("/w", CONTENT))
    with pytest.raises(WeightsError) as caught:
        obtain(row)
    assert str(caught.value) == (
        f"{row.location}: the weights of inception_v3@torchvision (IMAGENET1K_V1) are not in the cache; permit the "
        f"download with download=True, or store {row.url} as {row.location}"
    )
    assert server.requests == []


def test_a_damaged_file_in_a_cache_is_refused_or_replaced(home: Path, server: Server) -> None:
    row = on_server("inception_v3@torchvision", server.put("/w", CONTENT), sha256=SHA256[:8])
    row.location.parent.mkdir(parents=True)
    row.location.write_bytes(b"damaged")
    with pytest.raises(WeightsError, match=r"not the published one, got 'sha256 .*replace it with download=True"):
        obtain(row)
    assert obtain(row, download=True).read_bytes() == CONTENT


def test_a_wrong_download_does_not_reach_the_cache(home: Path, server: Server) -> None:
    row = on_server("inception_v3@torchvision", server.put("/w", b"something else"), sha256=SHA256[:8])
    with pytest.raises(WeightsError, match=r"the file inception_v3_google-0cc3c7bd\.pth is not the published one"):
        obtain(row, download=True)
    assert row.path is None


def test_offline_the_error_names_file_and_address(home: Path) -> None:
    row = on_server("inception_v3@torchvision", "http://127.0.0.1:1/w.pth")
    with pytest.raises(WeightsError) as caught:
        obtain(row, download=True)
    assert str(caught.value).startswith("http://127.0.0.1:1/w.pth: the download failed (")
    assert str(row.location) in str(caught.value)


def test_a_file_without_a_checksum_is_announced(home: Path, server: Server) -> None:
    row = on_server("inception_resnet_v1@facenet", server.put("/w", CONTENT))
    with pytest.warns(UncheckedWarning, match=r"no checksum is published for 20180402-114759-vggface2\.pt"):
        path = obtain(row, download=True)
    assert path.read_bytes() == CONTENT


def test_the_hubs_file_gets_the_layout_of_the_hubs_cache(
    home: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = hub_row(server, monkeypatch)
    path = obtain(row, download=True)
    root = home / ".cache" / "huggingface" / "hub" / "models--timm--inception_v4.tf_in1k"
    assert path == row.path == root / "snapshots" / COMMIT / "model.safetensors"
    assert path.resolve() == (root / "blobs" / SHA256).resolve()
    assert (root / "refs" / "main").read_text() == COMMIT
    assert path.read_bytes() == CONTENT
    before = len(server.requests)
    assert obtain(row, download=True) == path
    assert len(server.requests) == before


def test_the_hubs_file_is_checked(home: Path, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    row = hub_row(server, monkeypatch)
    server.put("/store/blob", b"something else")
    with pytest.raises(WeightsError, match=f"expected sha256 {SHA256}"):
        obtain(row, download=True)
    assert row.path is None
    server.put("/store/blob", CONTENT)
    obtain(row, download=True).resolve().write_bytes(b"damaged later")
    with pytest.raises(WeightsError, match="the file in the cache is not the published one"):
        obtain(row)
    assert obtain(row, download=True).read_bytes() == CONTENT


@pytest.mark.parametrize("headers", [{"X-Repo-Commit": ""}, {"X-Repo-Commit": "../x"}, {"X-Linked-Etag": '"a/../b"'}])
def test_a_server_that_is_no_hub(
    home: Path, server: Server, monkeypatch: pytest.MonkeyPatch, headers: dict[str, str]
) -> None:
    with pytest.raises(WeightsError, match="not one of the Hugging Face hub"):
        obtain(hub_row(server, monkeypatch, **headers), download=True)


@pytest.mark.parametrize("variable", ["HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"])
def test_the_hubs_offline_mode(home: Path, server: Server, monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    row = hub_row(server, monkeypatch)
    monkeypatch.setenv(variable, "1")
    with pytest.raises(WeightsError, match=f"{variable} forbids downloads"):
        obtain(row, download=True)
    assert server.requests == []


def test_the_hub_offline_and_without_the_file(home: Path, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", server.url)
    with pytest.raises(WeightsError, match=rf"{HUB_PATH}: the download failed \(HTTP Error 404"):
        obtain(ins.published_weights("inception_v4@timm")[0], download=True)
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:1")
    with pytest.raises(WeightsError, match=rf"127\.0\.0\.1:1{HUB_PATH}: the download failed"):
        obtain(ins.published_weights("inception_v4@timm")[0], download=True)


def test_an_archive_is_unpacked_into_our_cache(home: Path, server: Server) -> None:
    row = on_server("inception_v1@slim", server.put("/w.tar.gz", archive(("inception_v1.ckpt", CONTENT))))
    with pytest.warns(UncheckedWarning):
        path = obtain(row, download=True)
    assert path == row.path == row.location / "inception_v1.ckpt"
    assert path.read_bytes() == CONTENT
    assert [each.name for each in row.location.parent.iterdir()] == [row.location.name]
    assert obtain(row) == path


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (archive(("readme.txt", b"")), "contains no checkpoint"),
        (archive(("../outside.ckpt", b"")), "cannot be unpacked"),
        (gzip.compress(b"no tar"), "cannot be unpacked"),
        (archive(("inception_v1.ckpt", CONTENT))[:-200], "cannot be unpacked"),
    ],
    ids=["no checkpoint", "a path outside", "no tar", "cut"],  # the bytes contain the time
)
def test_bad_archives(home: Path, server: Server, content: bytes, words: str) -> None:
    row = on_server("inception_v1@slim", server.put("/w.tar.gz", content))
    with pytest.warns(UncheckedWarning), pytest.raises(WeightsError, match=words):
        obtain(row, download=True)
    assert row.path is None
    assert not (row.location.parent / "outside.ckpt").exists()
    assert not row.location.exists()


def test_an_empty_folder_is_no_checkpoint(home: Path, server: Server) -> None:
    """Such as that of a user who was about to unpack the archive by hand."""
    row = on_server("inception_v1@slim", server.put("/w.tar.gz", archive(("inception_v1.ckpt", CONTENT))))
    row.location.mkdir(parents=True)
    with pytest.warns(UncheckedWarning):
        assert obtain(row, download=True).read_bytes() == CONTENT


def test_an_archive_that_grows_when_unpacked_is_refused(tmp_path: Path) -> None:
    packed = tmp_path / "w.tar.gz"
    packed.write_bytes(archive(*((f"{index}.ckpt", bytes(100_000)) for index in range(20))))
    assert packed.stat().st_size < 10_000
    source = Source("http://x/w.tar.gz", "the file", WeightsError, "by hand", largest=1_000_000)
    with pytest.raises(WeightsError, match="the file is too large when unpacked; expected at most 1000000 bytes"):
        install_archive(source, packed, tmp_path / "unpacked")
    assert [path.name for path in tmp_path.iterdir()] == ["w.tar.gz"]
