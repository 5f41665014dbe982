"""Folders of pictures."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from inception_search.data import image_folder
from inception_search.data.catalogue import load_data
from inception_search.errors import ConfigError, DataError
from tests.data.datasets_on_disk import write_pictures


def three_splits(root: Path, validation: str = "val") -> Path:
    write_pictures(root / "train", {"dog": 6, "cat": 5})
    write_pictures(root / validation, {"cat": 2, "dog": 3})
    write_pictures(root / "test", {"cat": 4, "dog": 4})
    return root


@pytest.mark.parametrize("validation", ["val", "valid", "validation"])
def test_three_split_folders(tmp_path: Path, validation: str) -> None:
    data = load_data("image_folder", root=three_splits(tmp_path, validation))
    assert data.describe()["sizes"] == {"train": 11, "validation": 5, "test": 8}
    assert data.classes == ("cat", "dog")
    assert data.train.labels.tolist() == [0] * 5 + [1] * 6
    assert data.shape == (3, 64, 64)


def test_missing_splits_are_drawn_from_the_training_pictures(tmp_path: Path) -> None:
    write_pictures(tmp_path / "plain", {"a": 20, "b": 40})
    assert load_data("image_folder", root=tmp_path / "plain").describe()["sizes"] == {
        "train": 42,
        "validation": 9,
        "test": 9,
    }
    write_pictures(tmp_path / "half" / "train", {"a": 20, "b": 40})
    write_pictures(tmp_path / "half" / "test", {"a": 1, "b": 1})
    sizes = load_data("image_folder", root=tmp_path / "half").describe()["sizes"]
    assert sizes == {"train": 51, "validation": 9, "test": 2}


def test_the_shorter_side_is_resized_and_the_centre_cropped(tmp_path: Path) -> None:
    wide = np.zeros((10, 30), dtype=np.uint8)
    wide[:, 10:20] = 200
    for name in ("a", "b"):
        for i in range(3):
            (tmp_path / name).mkdir(exist_ok=True)
            Image.fromarray(wide).save(tmp_path / name / f"{i}.png")
    data = load_data("image_folder", root=tmp_path, image_size=10)
    assert data.shape == (1, 10, 10)
    assert (data.train.images == 200).all()


MODES = [("L", "png", 1), ("RGB", "jpg", 3), ("RGBA", "png", 3), ("RGB", "webp", 3), ("L", "bmp", 1)]


@pytest.mark.parametrize(("mode", "ending", "channels"), MODES)
def test_modes_and_formats(tmp_path: Path, mode: str, ending: str, channels: int) -> None:
    write_pictures(tmp_path, {"a": 3, "b": 3}, mode=mode, ending=ending)
    assert load_data("image_folder", root=tmp_path, image_size=8).shape == (channels, 8, 8)


def test_one_coloured_picture_makes_all_coloured(tmp_path: Path) -> None:
    write_pictures(tmp_path, {"a": 3}, mode="L")
    write_pictures(tmp_path, {"b": 3}, mode="RGB")
    assert load_data("image_folder", root=tmp_path).shape == (3, 64, 64)


def one_picture(tmp_path: Path, image: Image.Image) -> list[int]:
    """The values of the top left pixel of ``image`` after loading it at its own size."""
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        for i in range(3):
            image.save(tmp_path / name / f"{i}.png")
    return load_data("image_folder", root=tmp_path, image_size=4).train.images[0, :, 0, 0].tolist()


PIXELS: dict[str, tuple[Callable[[], Image.Image], list[int]]] = {
    "sixteen bits are scaled, not clipped": (
        lambda: Image.fromarray(np.full((4, 4), 0x8001, dtype=np.uint16)),
        [0x80],
    ),
    "black and white": (lambda: Image.new("1", (4, 4), 1), [255]),
    "transparent is white": (lambda: Image.new("RGBA", (4, 4), (0, 0, 0, 0)), [255, 255, 255]),
    "a palette": (lambda: Image.new("RGB", (4, 4), (10, 20, 30)).quantize(4), [10, 20, 30]),
}


@pytest.mark.parametrize("case", PIXELS)
def test_pixel_values(tmp_path: Path, case: str) -> None:
    make, expected = PIXELS[case]
    assert one_picture(tmp_path, make()) == expected


def test_a_picture_is_turned_upright(tmp_path: Path) -> None:
    image = Image.new("L", (4, 4), 0)
    image.putpixel((3, 0), 255)
    exif = Image.Exif()
    exif[0x0112] = 8  # taken with the camera turned: the top right corner belongs top left
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        for i in range(3):
            image.save(tmp_path / name / f"{i}.png", exif=exif)
    data = load_data("image_folder", root=tmp_path, image_size=4)
    assert data.train.images[0, 0, 0, 0] == 255


def damaged(tmp_path: Path, content: Callable[[bytes], bytes]) -> Path:
    three_splits(tmp_path)
    file = tmp_path / "train" / "cat" / "002.png"
    file.write_bytes(content(file.read_bytes()))
    return file


@pytest.mark.parametrize("content", [lambda c: b"", lambda c: b"text", lambda c: c[: len(c) // 2]])
def test_a_corrupt_picture_is_named(tmp_path: Path, content: Callable[[bytes], bytes]) -> None:
    file = damaged(tmp_path, content)
    with pytest.raises(DataError) as caught:
        load_data("image_folder", root=tmp_path)
    assert str(caught.value).startswith(f"{file}: the image cannot be decoded, got ")
    assert str(caught.value).endswith("; repair or remove the file")


def test_a_picture_too_large_to_be_true_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    three_splits(tmp_path)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    with pytest.raises(DataError, match="DecompressionBomb"):
        load_data("image_folder", root=tmp_path)


def empty_class(root: Path) -> None:
    three_splits(root)
    (root / "val" / "cow").mkdir()
    (root / "train" / "cow").mkdir()
    (root / "train" / "cow" / "notes.txt").write_text("no picture")


def other_classes(root: Path) -> None:
    three_splits(root)
    (root / "test" / "dog").rename(root / "test" / "wolf")


def no_train(root: Path) -> None:
    write_pictures(root / "val", {"cat": 2, "dog": 3})


def too_few(root: Path) -> None:
    write_pictures(root, {"cat": 2, "dog": 9})


BAD: dict[str, tuple[Callable[[Path], object], str, str]] = {
    "empty": (lambda root: None, "", "the folder holds no classes; expected one sub-folder of images per class"),
    "empty class": (empty_class, "train/cow", "the class folder holds no images; expected files ending in .apng"),
    "other classes": (other_classes, "test", "train, got ['dog', 'wolf']; give every split the same class folders"),
    "no train": (no_train, "", "there is a validation or test folder but no 'train': val is read as a split; add"),
    "too few": (too_few, "", "too few images to be split in 3, got 'cat'; expected at least 3 images of each"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_folders(tmp_path: Path, case: str) -> None:
    make, where, words = BAD[case]
    make(tmp_path)
    with pytest.raises(DataError) as caught:
        load_data("image_folder", root=tmp_path)
    assert str(caught.value).startswith(f"{tmp_path / where}: ")
    assert words in str(caught.value)


def test_too_much_for_memory_is_refused_before_decoding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    three_splits(tmp_path)
    monkeypatch.setattr(image_folder, "LARGEST", 24 * 3 * 64 * 64 - 1)
    with pytest.raises(DataError, match="choose a smaller image_size or set a limit"):
        load_data("image_folder", root=tmp_path)
    assert len(load_data("image_folder", root=tmp_path, limit=10).train) == 10
    assert load_data("image_folder", root=tmp_path, image_size=32).shape == (3, 32, 32)


def test_without_root() -> None:
    with pytest.raises(ConfigError, match=r"root: image_folder needs a folder; write root=FOLDER"):
        load_data("image_folder")


def test_without_pillow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [m for m in sys.modules if m == "PIL" or m.startswith("PIL.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(DataError, match=r"pip install pillow, or .* pip install '\.\[images\]'"):
        load_data("image_folder", root=tmp_path)


def test_a_root_one_folder_too_high_names_the_right_one(tmp_path: Path) -> None:
    write_pictures(tmp_path / "a", {"cat": 9, "dog": 9})
    with pytest.raises(DataError) as caught:
        load_data("image_folder", root=tmp_path)
    inner = f"if the folders inside it are the classes, use {tmp_path / 'a'} as the data root (--data-root)"
    assert f"there is only one class folder here, got 'a'; expected at least two; {inner}" in str(caught.value)


def test_one_class_alone_is_refused(tmp_path: Path) -> None:
    write_pictures(tmp_path, {"cat": 9})
    words = "there is only one class folder here, got 'cat'; expected at least two; put the images"
    with pytest.raises(DataError, match=words):
        load_data("image_folder", root=tmp_path)
