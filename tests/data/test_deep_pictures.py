"""Every mode of Pillow as bytes: no picture turns black, and one rule holds for all pictures of a folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from inception_search.data.catalogue import load_data
from inception_search.data.deep_pixels import DeepScale, Extent
from inception_search.data.pictures import eight_bits
from inception_search.errors import DataError


def write_folder(root: Path, pictures: dict[str, Image.Image], ending: str = "tif") -> Path:
    """Six copies of each picture, in a class of its own."""
    for name, picture in pictures.items():
        (root / name).mkdir(parents=True)
        for i in range(6):
            picture.save(root / name / f"{i}.{ending}")
    return root


def ramp(low: float, high: float, kind: type[np.generic]) -> Image.Image:
    """24x24 pixels from ``low`` to ``high``, row by row."""
    return Image.fromarray(np.linspace(low, high, 576).astype(kind).reshape(24, 24))


def flat(value: float, kind: type[np.generic]) -> Image.Image:
    return Image.fromarray(np.full((24, 24), value, dtype=kind))


RAMPS: dict[str, tuple[tuple[float, float, type[np.generic]], int, str | None]] = {
    # low, high, type; grey levels left; what a person is told
    "floats from 0 to 1": ((0, 1, np.float32), 256, "float pixels: 0 becomes 0, 1 becomes 255"),
    "floats of heights": ((-400, 8000, np.float32), 256, "float pixels: -400 becomes 0, 8000 becomes 255"),
    "12 bits in 16": ((0, 4095, np.uint16), 256, "integer pixels: 12 bits, of which the upper 8 are kept"),
    "16 bits": ((0, 65535, np.uint16), 256, "integer pixels: 16 bits, of which the upper 8 are kept"),
    "8 bits in 32": ((0, 255, np.int32), 256, None),
    "signed integers": ((-1000, 3000, np.int32), 256, "integer pixels: -1000 becomes 0, 3000 becomes 255"),
}


@pytest.mark.parametrize("case", RAMPS)
def test_a_ramp_keeps_its_grey_levels(tmp_path: Path, case: str) -> None:
    values, levels, note = RAMPS[case]
    data = load_data("image_folder", root=write_folder(tmp_path, dict.fromkeys("ab", ramp(*values))), image_size=24)
    images = data.train.images
    assert data.shape == (1, 24, 24)
    assert (images[0].min(), images[0].max(), len(images.unique())) == (0, 255, levels)
    assert (images[0].flatten().diff().short() >= 0).all()
    assert data.notes == ((note,) if note else ())


def test_one_scale_for_all_pictures(tmp_path: Path) -> None:
    """A dark picture stays darker than a bright one, whichever of them a limit or a seed leaves for training."""
    dark, bright = flat(1000, np.uint16), flat(4000, np.uint16)
    root = write_folder(tmp_path, {"a_dark": dark, "b_bright": bright})
    for seed, limit in ((0, None), (1, 2)):
        train = load_data("image_folder", root=root, image_size=24, seed=seed, limit=limit).train
        for label, value in enumerate((1000 >> 4, 4000 >> 4)):
            assert train.images[train.labels == label].unique().tolist() == [value]


def test_deep_and_ordinary_pictures_together(tmp_path: Path) -> None:
    pictures = {"a_float": flat(0.5, np.float32), "b_bytes": Image.new("L", (24, 24), 7), "c": flat(3, np.int32)}
    train = load_data("image_folder", root=write_folder(tmp_path, pictures), image_size=24).train
    assert [train.images[train.labels == label].unique().tolist() for label in range(3)] == [[128], [7], [3]]


@pytest.mark.parametrize("value", [np.nan, np.inf, -3.4e38])
def test_values_that_cannot_be_shown_are_refused_with_the_file(tmp_path: Path, value: float) -> None:
    root = write_folder(tmp_path, dict.fromkeys("ab", ramp(0, 1, np.float32)))
    values = np.full((24, 24), 0.5, dtype=np.float32)
    values[0, 0] = value
    Image.fromarray(values).save(root / "b" / "3.tif")
    with pytest.raises(DataError, match="the image has values that cannot be converted, got values from") as caught:
        load_data("image_folder", root=root)
    assert str(caught.value).startswith(f"{root / 'b' / '3.tif'}: ")


def test_a_deep_picture_under_another_ending_is_refused_with_the_file(tmp_path: Path) -> None:
    root = write_folder(tmp_path, dict.fromkeys("ab", Image.new("RGB", (24, 24))), "jpg")
    flat(4000, np.uint16).save(root / "b" / "3.jpg", format="PNG")
    with pytest.raises(DataError, match=r"b/3\.jpg: the image has more than 8 bits"):
        load_data("image_folder", root=root)


def palette(mode: str) -> Image.Image:
    image = Image.new("P", (4, 4), 1)
    image.putpalette([0, 0, 0, 10, 20, 30])
    return image if mode == "P" else image.convert("PA")


def transparent_palette() -> Image.Image:
    image = palette("P")
    image.info["transparency"] = 1
    return image


def la(value: int, alpha: int) -> Image.Image:
    return Image.new("LA", (4, 4), (value, alpha))


def sixteen(mode: str) -> Image.Image:
    return Image.frombytes(mode, (4, 4), np.full(16, 0x8001, dtype=">u2" if mode == "I;16B" else "<u2").tobytes())


def clear_sixteen() -> Image.Image:
    image = sixteen("I;16")
    image.info["transparency"] = 0x8001
    return image


PIXELS: dict[str, tuple[Callable[[], Image.Image], tuple[int, int, int]]] = {
    "1": (lambda: Image.new("1", (4, 4), 1), (255, 255, 255)),
    "L": (lambda: Image.new("L", (4, 4), 9), (9, 9, 9)),
    "LA, opaque": (lambda: la(9, 255), (9, 9, 9)),
    "LA, clear": (lambda: la(9, 0), (255, 255, 255)),
    "La, clear": (lambda: la(9, 0).convert("La"), (255, 255, 255)),
    "P": (lambda: palette("P"), (10, 20, 30)),
    "P, clear": (transparent_palette, (255, 255, 255)),
    "PA": (lambda: palette("PA"), (10, 20, 30)),
    "RGB": (lambda: Image.new("RGB", (4, 4), (1, 2, 3)), (1, 2, 3)),
    "RGBA, half": (lambda: Image.new("RGBA", (4, 4), (0, 0, 0, 128)), (127, 127, 127)),
    "RGBa, clear": (lambda: Image.new("RGBA", (4, 4), (0, 0, 0, 0)).convert("RGBa"), (255, 255, 255)),
    "RGBX": (lambda: Image.new("RGBX", (4, 4), (1, 2, 3, 0)), (1, 2, 3)),
    "CMYK": (lambda: Image.new("CMYK", (4, 4), (0, 255, 255, 0)), (255, 0, 0)),
    "YCbCr": (lambda: Image.new("YCbCr", (4, 4), (77, 128, 128)), (77, 77, 77)),
    "LAB": (lambda: Image.new("LAB", (4, 4), (255, 128, 128)), (255, 255, 255)),
    "HSV": (lambda: Image.new("HSV", (4, 4), (0, 255, 255)), (255, 0, 0)),
    "I;16": (lambda: sixteen("I;16"), (128, 128, 128)),
    "I;16B": (lambda: sixteen("I;16B"), (128, 128, 128)),
    "I;16, clear": (clear_sixteen, (255, 255, 255)),
}


@pytest.mark.parametrize("case", PIXELS)
def test_every_mode_of_pillow(case: str) -> None:
    make, expected = PIXELS[case]
    scale = DeepScale(integers=Extent(0, 65535, False))
    found = eight_bits(make(), "RGB", scale).getpixel((3, 3))
    assert found == pytest.approx(expected, abs=case == "LAB")
    if case.split(",")[0] in ("1", "L", "LA", "La") or case.startswith("I"):
        assert eight_bits(make(), "L", scale).getpixel((3, 3)) == expected[0]


def test_strips_make_no_seams() -> None:
    """What is converted in strips is what would come of the whole: 1.5 megapixels are more than one strip."""
    values = np.random.RandomState(0).randint(0, 256, (1500, 1000, 4), dtype=np.uint8)
    image = Image.fromarray(values)
    white = Image.new("RGBA", image.size, "white")
    expected = Image.alpha_composite(white, image).convert("RGB")
    assert np.array_equal(eight_bits(image, "RGB", DeepScale()), expected)


@pytest.mark.parametrize("mode", ["RGB", "I;16", "F", "P", "L"])
def test_every_mode_is_turned_upright(tmp_path: Path, mode: str) -> None:
    values = np.zeros((8, 8), dtype=np.uint8)
    values[0, 7] = 1
    deep = {"I;16": values.astype(np.uint16) * 65535, "F": values.astype(np.float32)}
    image = Image.fromarray(deep[mode]) if mode in deep else Image.fromarray(values * 255).convert(mode)
    exif = Image.Exif()
    exif[0x0112] = 8  # taken with the camera turned: the top right corner belongs top left
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        for i in range(3):
            image.save(tmp_path / name / f"{i}.tif", exif=exif)
    pixels = load_data("image_folder", root=tmp_path, image_size=8).train.images[0, 0]
    assert (pixels[0, 0], int((pixels > 0).sum())) == (255, 1)
