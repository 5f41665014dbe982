"""CIFAR-10 in its published forms."""

from __future__ import annotations

import hashlib
import io
import socket
import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from inception_search.data import cifar10
from inception_search.data.catalogue import load_data
from inception_search.downloads.archive import fetch_archive
from inception_search.downloads.source import Checksum, Source
from inception_search.errors import DataError
from tests.data.datasets_on_disk import (
    CIFAR_CLASSES,
    cifar_batches,
    random_images,
    write_cifar_binary,
    write_cifar_python,
    write_cifar_python2,
    write_pickle,
)

PY, BIN = "cifar-10-batches-py", "cifar-10-batches-bin"
FORMS: dict[str, Callable[[Path], Path]] = {
    "python": lambda root: write_cifar_python(root / PY),
    "python, protocol 4": lambda root: write_cifar_python(root / PY, protocol=4),
    "python 2": lambda root: write_cifar_python2(root / PY),
    "binary": lambda root: write_cifar_binary(root / BIN),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_same_images(tmp_path: Path, form: str) -> None:
    FORMS[form](tmp_path)
    data = load_data("cifar10", root=tmp_path)
    assert data.describe()["sizes"] == {"train": 135, "validation": 15, "test": 30}
    assert data.classes == CIFAR_CLASSES
    pixels, labels = cifar_batches(30, 3)["test_batch"]
    assert torch.equal(data.test.images, torch.from_numpy(pixels).reshape(30, 3, 32, 32))
    assert data.test.labels.tolist() == labels


def test_the_forms_agree_to_the_last_bit(tmp_path: Path) -> None:
    prints = {load_data("cifar10", root=write(tmp_path / form)).fingerprint for form, write in FORMS.items()}
    assert len(prints) == 1


@pytest.mark.parametrize("where", [".", PY, "elsewhere"])
def test_the_folder_is_found_in_root_as_root_and_beside_root(tmp_path: Path, where: str) -> None:
    write_cifar_python(tmp_path / PY)
    assert load_data("cifar10", root=tmp_path / where).name == "cifar10"


def rewrite(name: str, **changes: object) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        pixels, labels = cifar_batches(30, 3)["test_batch"]
        write_pickle(folder / name, {"data": pixels, "labels": labels} | changes)

    return change


UNSOUND: dict[str, tuple[Callable[[Path], object], str]] = {
    "a batch missing": (lambda f: (f / "data_batch_3").unlink(), "CIFAR-10 is incomplete: missing data_batch_3"),
    "no class names": (lambda f: write_pickle(f / "batches.meta", {}), "batches.meta: the file has no list"),
    "no images": (rewrite("test_batch", data=None), "test_batch: the batch has no array 'data' of images, got"),
    "a different shape": (rewrite("test_batch", data=random_images(30, (5,))), "got (30, 5); expected (N, 3072)"),
    "floats": (rewrite("test_batch", data=np.zeros((30, 3072))), "not one of bytes in row order"),
    "objects": (rewrite("test_batch", data=np.array([[{}]])), "not one of bytes in row order"),
    "column order": (
        rewrite("test_batch", data=np.asfortranarray(random_images(30, (3072,)))),
        "not one of bytes in row order",
    ),
    "no labels": (rewrite("test_batch", labels="012"), "test_batch: the batch has no list 'labels'"),
    "true for a label": (rewrite("test_batch", labels=[True] * 30), "no list 'labels' of numbers 0..255"),
    "too few labels": (rewrite("test_batch", labels=[0]), "got '1 labels for 30 images'"),
    "label 3": (rewrite("test_batch", labels=[3] * 30), "test_batch: label out of range, got 3; expected 0..2"),
    "label past int64": (rewrite("test_batch", labels=[2**70] * 30), "no list 'labels' of numbers 0..255"),
    "shorter batch": (
        rewrite("data_batch_2", data=random_images(29, (3072,)), labels=[0] * 29),
        "data_batch_2: the batch has a different number of records, got 29; expected 30 as in the first batch",
    ),
}


@pytest.mark.parametrize("case", UNSOUND)
def test_unsound_python_form(tmp_path: Path, case: str) -> None:
    damage, words = UNSOUND[case]
    folder = write_cifar_python(tmp_path / PY)
    damage(folder)
    with pytest.raises(DataError) as caught:
        load_data("cifar10", root=tmp_path)
    assert str(caught.value).startswith(str(folder))
    assert words in str(caught.value)


def cut(name: str, size: int) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_bytes((folder / name).read_bytes()[:size])


UNSOUND_BINARY: dict[str, tuple[Callable[[Path], object], str]] = {
    "half a record": (
        cut("data_batch_1.bin", 5000),
        "data_batch_1.bin: the file does not hold whole records, got '5000 bytes'; expected a multiple of 3073",
    ),
    "empty": (cut("test_batch.bin", 0), "test_batch.bin: the file does not hold whole records, got '0 bytes'"),
    "records cut off": (cut("data_batch_4.bin", 3073), "data_batch_4.bin: the batch has a different number of"),
    "two classes": (cut("batches.meta.txt", 20), "label out of range, got 2; expected 0..1"),
    "no classes": (cut("batches.meta.txt", 0), "batches.meta.txt: the file names no classes"),
}


@pytest.mark.parametrize("case", UNSOUND_BINARY)
def test_unsound_binary_form(tmp_path: Path, case: str) -> None:
    damage, words = UNSOUND_BINARY[case]
    damage(write_cifar_binary(tmp_path / BIN))
    with pytest.raises(DataError) as caught:
        load_data("cifar10", root=tmp_path)
    assert words in str(caught.value)


def test_not_there_and_no_download_allowed(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        load_data("cifar10", root=tmp_path / "data")
    assert str(caught.value).startswith(f"{tmp_path / 'data'}: CIFAR-10 is not there")
    assert "--download" in str(caught.value)
    assert cifar10.URL in str(caught.value)


def archive(tmp_path: Path, *extra: tarfile.TarInfo) -> Path:
    """A .tar.gz of a small CIFAR-10 in its python form, and empty ``extra`` members."""
    folder = write_cifar_python(tmp_path / "published" / PY)
    path = tmp_path / "published.tar.gz"
    with tarfile.open(path, "w:gz") as tar:
        tar.add(folder, PY)
        for member in extra:
            tar.addfile(member, io.BytesIO())
    return path


def md5(path: Path) -> str:
    return hashlib.md5(path.read_bytes()).hexdigest()


def test_download_puts_the_folder_into_root_and_leaves_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    published, root = archive(tmp_path), tmp_path / "new" / "root"
    monkeypatch.setattr(cifar10, "URL", published.as_uri())
    monkeypatch.setattr(cifar10, "_MD5", md5(published))
    data = load_data("cifar10", root=root, download=True)
    assert len(data.train) == 135
    assert [p.name for p in root.iterdir()] == [PY]
    published.unlink()
    assert load_data("cifar10", root=root, download=True).fingerprint == data.fingerprint


def source(url: str, md5: str, largest: int = 10**6) -> Source:
    return Source(url, "the archive", DataError, cifar10._BY_HAND, Checksum("md5", md5), largest)


def outside(name: str) -> tarfile.TarInfo:
    return tarfile.TarInfo(name)


def link(name: str, target: str) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = tarfile.SYMTYPE, target
    return member


def closed_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}/archive"


def test_no_network_is_an_error_with_a_hint(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="the download failed") as caught:
        fetch_archive(source(closed_port(), ""), tmp_path / "root" / PY, folder=PY)
    assert "fetch and unpack the archive by hand" in str(caught.value)
    assert list((tmp_path / "root").iterdir()) == []


@pytest.mark.parametrize(
    ("extra", "facts", "words"),
    [
        ([], {"md5": "0" * 32}, "the archive is not the published one, got 'md5 "),
        ([], {"largest": 100}, "the archive is too large; expected at most 100 bytes"),
        ([], {"folder": "other"}, "the archive does not contain the expected folder; expected other"),
        ([outside("../escaped")], {}, "the archive cannot be unpacked"),
        ([link(f"{PY}/link", "/etc/passwd")], {}, "the archive cannot be unpacked"),
    ],
)
def test_bad_archives_leave_nothing_behind(
    tmp_path: Path, extra: list[tarfile.TarInfo], facts: dict[str, object], words: str
) -> None:
    published, root = archive(tmp_path, *extra), tmp_path / "root"
    request = {"md5": md5(published), "folder": PY, "largest": 10**8} | facts
    asked = source(published.as_uri(), str(request["md5"]), int(str(request["largest"])))
    with pytest.raises(DataError) as caught:
        fetch_archive(asked, root / PY, folder=str(request["folder"]))
    assert words in str(caught.value)
    assert list(root.iterdir()) == []
    assert not (tmp_path / "escaped").exists()


@pytest.mark.parametrize("content", [b"no archive", b"\x1f\x8b\x08\0broken gzip", b""])
def test_an_archive_that_is_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "file").write_bytes(content)
    url = (tmp_path / "file").as_uri()
    with pytest.raises(DataError, match=r"cannot be unpacked|download failed"):
        fetch_archive(source(url, md5(tmp_path / "file"), 100), tmp_path / "root" / PY, folder=PY)
    assert list((tmp_path / "root").iterdir()) == []
