"""Preprocessing, against numbers worked out by hand and torchvision's transforms."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest
import torch

import inception_search as ins
from inception_search.errors import ConfigError, DataError

PHOTO = torch.randint(0, 256, (2, 3, 360, 420), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
ARRAY = PHOTO[0].permute(1, 2, 0).numpy()


def test_inception_networks_see_minus_one_to_one() -> None:
    x = ins.prepare_images(PHOTO, ins.load("inception_v3"))
    assert x.shape == (2, 3, 299, 299)
    assert x.dtype == torch.float32
    assert -1.0 <= x.min() < -0.9
    assert 0.9 < x.max() <= 1.0


def test_a_compiled_network_is_its_document() -> None:
    module = ins.compile("inception_v3", input_size=96)
    x = ins.prepare_images(PHOTO, module)
    assert torch.equal(x, ins.prepare_images(PHOTO, module.network))
    assert x.shape == (2, 3, 96, 96)
    for strange in ("inception_v3", torch.nn.Identity(), None):
        with pytest.raises(ConfigError, match=r"network: .*expected a network or a model made by compile"):
            ins.prepare_images(PHOTO, strange)  # type: ignore[arg-type]


def test_caffes_network_sees_blue_first_less_its_means() -> None:
    red = torch.zeros(1, 3, 256, 256, dtype=torch.uint8)
    red[:, 0] = 200
    x = ins.prepare_images(red, ins.load("bn_inception"))
    assert x.shape == (1, 3, 224, 224)
    assert x[0, :, 0, 0].tolist() == [0 - 104, 0 - 117, 200 - 128]


def test_faces_are_resized_whole_and_standardised() -> None:
    grey = torch.full((1, 3, 200, 180), 255, dtype=torch.uint8)
    x = ins.prepare_images(grey, ins.load("inception_resnet_v1@facenet"))
    assert x.shape == (1, 3, 160, 160)
    assert torch.allclose(x, torch.tensor((255 - 127.5) / 128))


def test_the_centre_is_cropped() -> None:
    photo = torch.zeros(1, 3, 341, 341, dtype=torch.uint8)
    photo[:, :, 21:320, 21:320] = 255  # the central 299 x 299
    assert torch.equal(ins.prepare_images(photo, ins.load("inception_v4")), torch.ones(1, 3, 299, 299))


@pytest.mark.parametrize("name", ["inception_v3", "inception_v3@torchvision", "inception_resnet_v2"])
def test_resizing_is_that_of_torchvision(name: str) -> None:
    from tests import torchvision_shim  # noqa: F401  (before torchvision)

    functional = pytest.importorskip("torchvision.transforms.v2.functional")
    net = ins.load(name)
    assert net.preprocess is not None
    assert net.preprocess.resize is not None
    mode = functional.InterpolationMode(net.preprocess.interpolation)
    resized = functional.resize(PHOTO, [net.preprocess.resize], interpolation=mode, antialias=True)
    expected = functional.center_crop(resized, [299, 299]).float() / 255 * 2 - 1
    found = ins.prepare_images(PHOTO, net)
    assert (found - expected).abs().max() < 1e-6


def test_the_fid_network_sees_the_whole_image() -> None:
    """pytorch-fid stretches it to 299 x 299."""
    small = torch.arange(64, dtype=torch.uint8).expand(1, 3, 64, 64)
    x = ins.prepare_images(small, ins.load("inception_v3@fid"))
    assert x.shape == (1, 3, 299, 299)
    assert x[..., 0].max() == -1.0
    assert x[..., -1].min().item() == pytest.approx(63 / 127.5 - 1)


@pytest.mark.parametrize("name", ["inception_v3@keras", "inception_resnet_v2@keras"])
def test_keras_neither_crops_nor_resizes_an_image_of_its_size(name: str) -> None:
    """keras.applications' preprocess_input scales pixels only; its image loaders resize the whole image."""
    image = PHOTO[:, :, :299, :299]
    assert torch.allclose(ins.prepare_images(image, ins.load(name)), image.float() / 127.5 - 1, atol=1e-6)
    stripes = torch.zeros(1, 3, 598, 400, dtype=torch.uint8)
    stripes[:, :, :299] = 255
    halves = ins.prepare_images(stripes, ins.load(name))
    assert (halves[0, :, 0] == 1).all()  # the border is still there
    assert (halves[0, :, -1] == -1).all()


def test_another_input_size_sees_the_same_part_of_the_image() -> None:
    net = ins.set_input(ins.load("inception_v3"), height=150, width=150)
    assert net.preprocess is not None
    assert net.preprocess.resize == 171  # 341 * 150 / 299
    assert ins.set_input(net, channels=1).preprocess is None


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """Pictures of two sizes; the second one is stored on its side, and says so."""
    sideways = PIL.Image.Exif()
    sideways[0x0112] = 6
    PIL.Image.fromarray(ARRAY).save(tmp_path / "a.png")
    PIL.Image.fromarray(np.rot90(ARRAY[:200])).save(tmp_path / "b.png", exif=sideways)
    return [tmp_path / "a.png", tmp_path / "b.png"]


@pytest.mark.parametrize(
    "given",
    [
        lambda file: file,
        str,
        lambda file: [str(file)],
        PIL.Image.open,
        lambda file: (PIL.Image.open(file),),
        lambda file: iter([file]),
        lambda file: ARRAY,
        lambda file: ARRAY[None],
        lambda file: [ARRAY],
        lambda file: PHOTO[0],
        lambda file: [PHOTO[0]],
    ],
)
def test_one_picture_in_every_form_is_the_same(given: Callable[[Path], Any], files: list[Path]) -> None:
    net = ins.load("inception_v3")
    assert torch.equal(ins.prepare_images(given(files[0]), net), ins.prepare_images(PHOTO[:1], net))


def test_pictures_of_several_sizes_and_kinds_are_prepared_one_by_one(files: list[Path]) -> None:
    net = ins.load("inception_v3")
    given = [files[0], PIL.Image.fromarray(ARRAY[:200]), files[1], ARRAY[:, :300], PHOTO[1]]
    found = ins.prepare_images(given, net)
    assert found.shape == (5, 3, 299, 299)
    for one, picture in zip(found, given, strict=True):
        assert torch.equal(one, ins.prepare_images(picture, net)[0])
    assert torch.equal(found[1], found[2])  # upright


def test_all_pictures_of_an_array_are_those_of_the_tensor() -> None:
    net = ins.load("inception_v3")
    array = PHOTO.permute(0, 2, 3, 1).numpy()
    array.flags.writeable = False
    assert torch.equal(ins.prepare_images(array, net), ins.prepare_images(PHOTO, net))


def test_a_network_of_grey_pictures_takes_colour_files_as_grey(files: list[Path]) -> None:
    text = ins.to_yaml(ins.set_input("inception_v3", channels=1)) + "preprocess: {mean: [0.5], std: [0.5]}\n"
    net = ins.load(text)
    grey = np.array(PIL.Image.fromarray(ARRAY).convert("L"))
    expected = ins.prepare_images(grey, net)
    assert expected.shape == (1, 1, 299, 299)
    for given in (files[0], grey[..., None], torch.from_numpy(grey), torch.from_numpy(grey)[None, None]):
        assert torch.equal(ins.prepare_images(given, net), expected)
    with pytest.raises(ConfigError, match=r"not images with 1 channels, got torch.uint8 \(2, 3, 360, 420\)"):
        ins.prepare_images(PHOTO, net)


def test_16_bits_and_transparent_pixels_are_read_as_data_sets_read_them(tmp_path: Path) -> None:
    deep = np.linspace(0, 4095, 299 * 299).reshape(299, 299).astype(np.uint16)
    PIL.Image.fromarray(deep).save(tmp_path / "deep.png")
    PIL.Image.new("RGBA", (341, 341), (0, 0, 0, 0)).save(tmp_path / "clear.png")
    net = ins.load("inception_v4")
    found = ins.prepare_images(sorted(tmp_path.glob("*.png")), net)
    assert torch.equal(found[0], torch.ones(3, 299, 299))  # white
    assert found[1].min() < -0.7  # the centre of a picture from black to white
    assert found[1].max() > 0.7


NOT_PICTURES: dict[str, tuple[Any, str]] = {
    "floats to 1": (PHOTO.float() / 255, r"torch.float32 .*from 0 to 1 write \(images \* 255\).round\(\).to"),
    "floats to 255": (PHOTO.float().numpy(), r'numpy.float32 .*; write images.round\(\).astype\("uint8"\)'),
    "normalised": (PHOTO.numpy() / 127.5 - 1, "before normalisation"),
    "integers": (PHOTO.int(), r"; write images.to\(torch.uint8\)"),
    "array, channels first": (PHOTO.numpy(), r"write torch.from_numpy\(images\)"),
    "tensor, channels last": (PHOTO.permute(0, 2, 3, 1), r"write images.permute\(0, 3, 1, 2\)"),
    "grey": (PHOTO[0, 0].numpy(), r'fromarray\(image\).convert\("RGB"\)'),
    "grey with a channel": (PHOTO[:, :1], r"images.repeat_interleave\(3, -3\)"),
    "four channels": (np.zeros((9, 9, 4), np.uint8), r"remove the transparency: images\[..., :3\]"),
    "nothing": ([], "there are no images"),
    "a list in a list": ([ARRAY, [ARRAY]], r"images\[1\]: these are not RGB images, got list"),
    "a batch in a list": ([PHOTO], r"images\[0\]: .* got torch.uint8 \(2, 3, 360, 420\).*one array of all"),
    "bytes": (b"x", "got bytes; expected a path, a PIL image or a numpy.uint8 array"),
    "none": (None, "got NoneType"),
    "words": (np.array(["a.jpg"]), "not RGB images, got numpy.<U5"),
}


@pytest.mark.parametrize("name", NOT_PICTURES)
def test_what_is_no_picture_is_told(name: str) -> None:
    images, words = NOT_PICTURES[name]
    with pytest.raises(ConfigError, match=words):
        ins.prepare_images(images, ins.load("inception_v3"))


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    net = ins.load("inception_v3")
    (tmp_path / "broken.jpg").write_bytes(b"no picture")
    for file, words in (("no.jpg", "no such image file"), ("", "a folder"), ("broken.jpg", "cannot be decoded")):
        with pytest.raises(DataError, match=words) as caught:
            ins.prepare_images([ARRAY, tmp_path / file], net)
        assert caught.value.place.file == str(tmp_path / file)


def test_a_document_without_facts_of_images_is_told() -> None:
    with pytest.raises(ConfigError, match="has no preprocessing of images"):
        ins.prepare_images(PHOTO, ins.load("nin_cifar10"))
