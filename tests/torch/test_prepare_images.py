"""Preprocessing, against numbers worked out by hand and torchvision's transforms."""

from __future__ import annotations

import pytest
import torch

import inception_search as ins
from inception_search.errors import ConfigError

PHOTO = torch.randint(0, 256, (2, 3, 360, 420), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


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
    with pytest.raises(ConfigError, match=r"images: .*\(ndarray\); expected a tensor"):
        ins.prepare_images(PHOTO.numpy(), module)  # type: ignore[arg-type]


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


@pytest.mark.parametrize(
    ("images", "name", "words"),
    [
        (PHOTO.float(), "inception_v3", r"not RGB images, got 'torch.float32"),
        (PHOTO[0], "inception_v3", r"expected torch.uint8 \(N, 3, H, W\)"),
        (PHOTO, "nin_cifar10", "does not say what its weights expect"),
    ],
)
def test_what_cannot_be_prepared_is_told(images: torch.Tensor, name: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        ins.prepare_images(images, ins.load(name))
