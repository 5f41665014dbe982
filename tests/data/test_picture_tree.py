"""How a folder of pictures is read: every picture is used, counted or refused, and no folder is read in silence."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from inception_search.data.catalogue import load_data
from inception_search.data.dataset import Dataset
from inception_search.data.pictures import FORMATS
from inception_search.errors import DataError
from tests.bounds import bounded
from tests.data.datasets_on_disk import write_pictures


def count(data: Dataset) -> int:
    return sum(len(split) for split in data.splits.values())


def pictures(folder: Path, number: int = 4, ending: str = "png") -> None:
    """``number`` pictures in ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    for i in range(number):
        Image.new("RGB", (8, 8), (i, 0, 0)).save(folder / f"{i}.{ending}", format=None)


def test_pictures_in_sub_folders_belong_to_the_class(tmp_path: Path) -> None:
    for name in ("cat", "dog"):
        pictures(tmp_path / name)
        pictures(tmp_path / name / "batch2" / "more")
        pictures(tmp_path / name / ".hidden")
    data = load_data("image_folder", root=tmp_path, image_size=8)
    assert count(data) == 16
    assert data.notes == ("images in sub-folders of a class's folder: 8, used as images of that class",)


def test_a_link_to_a_folder_above_is_walked_once(tmp_path: Path) -> None:
    pictures(tmp_path / "cat")
    pictures(tmp_path / "dog")
    (tmp_path / "cat" / "again").symlink_to(tmp_path / "cat")
    (tmp_path / "cat" / "round.png").symlink_to("round.png")
    assert count(load_data("image_folder", root=tmp_path, image_size=8)) == 8


@pytest.mark.parametrize("up", ["..", "../.."])
def test_pictures_of_other_classes_do_not_come_in_by_a_link_upward(tmp_path: Path, up: str) -> None:
    pictures(tmp_path / "pets" / "cat")
    pictures(tmp_path / "pets" / "dog")
    (tmp_path / "pets" / "cat" / "up").symlink_to(up)
    data = load_data("image_folder", root=tmp_path / "pets", image_size=8)
    assert sorted(label for split in data.splits.values() for label in split.labels.tolist()) == [0] * 4 + [1] * 4
    assert data.notes == ("links to a folder above the class ignored: 1, the first cat/up",)


@pytest.mark.parametrize("ending", sorted(ending for endings in FORMATS.values() for ending in endings))
def test_every_ending_of_the_formats_is_read(tmp_path: Path, ending: str) -> None:
    name = next(name for name, endings in FORMATS.items() if ending in endings)
    Image.init()
    if name not in Image.SAVE:
        pytest.skip(f"this Pillow cannot write {name}")
    for folder in ("cat", "dog"):
        (tmp_path / folder).mkdir()
        for i in range(3):
            picture = Image.new("F" if ending == ".pfm" else "L" if name == "PPM" else "RGB", (8, 8), i)
            picture.save(tmp_path / folder / f"{i}{ending.upper()}", format=name)
    assert count(load_data("image_folder", root=tmp_path, image_size=8)) == 6


def test_what_is_passed_over_is_counted(tmp_path: Path) -> None:
    for name in ("cat", "dog"):
        pictures(tmp_path / name)
        (tmp_path / name / "list.txt").write_text("no picture")
        (tmp_path / name / ".DS_Store").write_text("hidden, and not counted")
    (tmp_path / "dog" / "phone.heic").write_text("")
    (tmp_path / "dog" / "gone.png").symlink_to("nowhere.png")
    os.mkfifo(tmp_path / "cat" / "pipe.png")
    (tmp_path / "cat" / "null.jpg").symlink_to("/dev/null")
    with socket.socket(socket.AF_UNIX) as listening:
        before = Path.cwd()
        os.chdir(tmp_path)  # the path of a socket may be 100 characters long
        listening.bind("dog/socket.png")
        os.chdir(before)
    pictures(tmp_path, 2)
    with bounded(clock=time.monotonic):
        data = load_data("image_folder", root=tmp_path, image_size=8)
    assert count(data) == 8
    assert data.notes == (
        "files ignored because of their ending: 3 (.txt: 2, .heic: 1)",
        "FIFOs, sockets and devices ignored: 3, the first cat/null.jpg",
        "broken links ignored: 1, the first dog/gone.png",
        "images outside the class folders ignored: 2, the first 0.png",
    )


def test_a_file_that_becomes_a_fifo_is_refused_without_waiting(tmp_path: Path) -> None:
    from inception_search.data.pictures import survey

    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(DataError, match=r"pipe\.png: the image cannot be decoded, got OSError: not a regular file"):
        survey([tmp_path / "pipe.png"])


def test_no_other_program_is_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import subprocess

    def started(*arguments: object, **options: object) -> None:
        raise AssertionError(f"a program was started: {arguments}")

    for name in ("Popen", "check_call", "run"):
        monkeypatch.setattr(subprocess, name, started)
    pictures(tmp_path / "cat")
    pictures(tmp_path / "dog")
    Image.new("RGB", (8, 8)).save(tmp_path / "dog" / "3.png", format="EPS")
    with pytest.raises(DataError) as caught:
        load_data("image_folder", root=tmp_path)
    formats = "AVIF, BMP, GIF, JPEG, JPEG2000, PNG, PPM, TIFF, WEBP"
    assert f"dog/3.png: the image cannot be decoded, got content of none of the formats {formats}" in str(
        caught.value
    ).replace(", AVIF" if "AVIF" not in Image.OPEN else "\0", "")


@pytest.mark.parametrize("below", ["", "cat", "cat/batch"])
def test_a_folder_that_cannot_be_read_is_named(tmp_path: Path, below: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests may run as root, who may read everything: the refusal is made."""
    pictures(tmp_path / "cat" / "batch")
    pictures(tmp_path / "dog")
    refused, listing = tmp_path / below, Path.iterdir

    def refuse(folder: Path) -> object:
        if folder == refused:
            raise PermissionError(13, "Permission denied", str(folder))
        return listing(folder)

    monkeypatch.setattr(Path, "iterdir", refuse)
    with pytest.raises(DataError) as caught:
        load_data("image_folder", root=tmp_path)
    assert str(caught.value).startswith(f"{refused}: the folder cannot be read, got Permission denied; allow it")


@pytest.mark.parametrize("names", [("bus", "car", "train"), ("control", "test"), ("Test", "VAL", "other")])
def test_a_class_may_be_called_like_a_split(tmp_path: Path, names: tuple[str, ...]) -> None:
    write_pictures(tmp_path, dict.fromkeys(names, 4))
    assert load_data("image_folder", root=tmp_path, image_size=8).classes == tuple(sorted(names))


def test_splits_in_capitals(tmp_path: Path) -> None:
    write_pictures(tmp_path / "Train", {"cat": 5, "dog": 5})
    write_pictures(tmp_path / "Validation", {"cat": 2, "dog": 2})
    write_pictures(tmp_path / "extra", {"cat": 2})
    data = load_data("image_folder", root=tmp_path, image_size=8)
    assert data.describe()["sizes"] == {"train": 8, "validation": 4, "test": 2}
    assert data.notes == ("folders beside the splits are not used: extra",)


def two_spellings(root: Path) -> None:
    for name in ("train", "val", "Validation"):
        write_pictures(root / name, {"cat": 3, "dog": 3})


def flat_test(root: Path) -> None:
    write_pictures(root / "train", {"cat": 3, "dog": 3})
    pictures(root / "test")


def picture_in_a_split(root: Path) -> None:
    write_pictures(root / "train", {"cat": 3, "dog": 3})
    pictures(root / "train", 1)


def one_folder_too_many(root: Path) -> None:
    write_pictures(root / "animals", {"cat": 3, "dog": 3})


def one_folder_too_many_in_train(root: Path) -> None:
    write_pictures(root / "train" / "images", {"cat": 3, "dog": 3})


def splits_in_classes(root: Path) -> None:
    for name in ("cat", "dog"):
        write_pictures(root / name, {"train": 3, "test": 3})


def class_is_a_dangling_link(root: Path) -> None:
    write_pictures(root, {"cat": 3, "dog": 3})
    (root / "cow").symlink_to("elsewhere")


CASES = "folders called train, val, valid, validation and test (in any case) are read as splits where they hold"
REFUSED: dict[str, tuple[Callable[[Path], object], str, tuple[str, ...]]] = {
    "two spellings of a split": (two_spellings, "", ("two folders are called like the validation split", CASES)),
    "a test folder without classes": (
        flat_test,
        "test",
        ("is read as the test split, but holds no folder for each class; give it the class folders of train", CASES),
    ),
    "only splits without classes": (
        lambda root: write_pictures(root, {"train": 3, "test": 3}),
        "",
        ("the folders are called like splits (test, train), but hold no folder for each class", CASES),
    ),
    "a picture in a split": (
        picture_in_a_split,
        "train",
        ("read as a split, but holds images beside its class folders", "if train is a class, rename it", CASES),
    ),
    "one folder too many": (
        one_folder_too_many,
        "",
        ("there is only one class folder here, got 'animals'", "as the data root"),
    ),
    "one folder too many in train": (
        one_folder_too_many_in_train,
        "train",
        ("there is only one class folder here, got 'images'", "as the data root"),
    ),
    "splits in classes": (
        splits_in_classes,
        "",
        ("each class's folder holds folders called like splits (test, train); reverse the order",),
    ),
    "a class folder that is a dangling link": (
        class_is_a_dangling_link,
        "cow",
        ("the link in place of a class folder points to nothing; restore the folder it points to",),
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_an_error_says_how_the_folder_was_read(tmp_path: Path, case: str) -> None:
    make, where, words = REFUSED[case]
    make(tmp_path)
    with pytest.raises(DataError) as caught:
        load_data("image_folder", root=tmp_path)
    assert str(caught.value).startswith(f"{tmp_path / where}: ")
    for each in words:
        assert each in str(caught.value)


def test_large_pictures_are_decoded_one_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of more than 4 megapixels, whatever the number of processors; a large JPEG is decoded at a small size."""
    from inception_search.data import pictures as module

    at_work: list[int] = []
    most = 0
    convert = module.eight_bits

    def watched(image: Image.Image, *arguments: object) -> Image.Image:
        nonlocal most
        if image.width * image.height > 4_000_000:
            at_work.append(1)
            most = max(most, len(at_work))
            time.sleep(0.05)
            at_work.pop()
        return convert(image, *arguments)

    monkeypatch.setattr(module, "eight_bits", watched)
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    for name in ("cat", "dog"):
        (tmp_path / name).mkdir()
        for i in range(3):
            Image.new("L", (2500, 2000), i).save(tmp_path / name / f"{i}.png")
            Image.new("L", (2500, 2000), i).save(tmp_path / name / f"{i}.jpg")
    assert count(load_data("image_folder", root=tmp_path, image_size=8)) == 12
    assert most == 1
