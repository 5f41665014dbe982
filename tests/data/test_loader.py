"""Batches on the device: what is in them, in what order and in what memory layout."""

from __future__ import annotations

import pytest
import torch
from torch import Generator, nn

from inception_search.data import loader
from inception_search.data.augment import NONE, Augmentation, augment, flip, random_offsets, shift
from inception_search.data.dataset import Dataset, Split
from inception_search.data.loader import DeviceData
from inception_search.errors import DataError
from tests.data.datasets_on_disk import random_images


def made(count: int = 20, channels: int = 3, size: int = 8, augmentation: Augmentation = NONE) -> Dataset:
    """Random images; ``count`` to train, half as many to validate and to test."""

    def split(n: int, seed: int) -> Split:
        return Split(torch.from_numpy(random_images(n, (channels, size, size), seed)), torch.arange(n) % 5)

    return Dataset("made", tuple("abcde"), split(count, 0), split(count // 2, 1), split(count // 2, 2), augmentation)


def seeded(seed: int = 0) -> Generator:
    return Generator().manual_seed(seed)


def normalised(data: Dataset, split: Split) -> torch.Tensor:
    mean, std = (torch.tensor(v).view(1, -1, 1, 1) for v in (data.mean, data.std))
    return (split.images / 255 - mean) / std


def test_eval_batches_are_the_whole_split_in_order_normalised() -> None:
    data = made()
    batches = list(DeviceData(data, "cpu").eval_batches("validation", 4))
    assert [len(labels) for _, labels in batches] == [4, 4, 2]
    images = torch.cat([images for images, _ in batches])
    torch.testing.assert_close(images, normalised(data, data.validation), atol=1e-5, rtol=1e-5)
    assert torch.equal(torch.cat([labels for _, labels in batches]), data.validation.labels)


def test_train_images_have_mean_zero_and_deviation_one() -> None:
    images = torch.cat([x for x, _ in DeviceData(made(), "cpu").train_batches(5, seeded())])
    assert images.mean((0, 2, 3)).tolist() == pytest.approx([0, 0, 0], abs=1e-5)
    assert images.std((0, 2, 3), correction=0).tolist() == pytest.approx([1, 1, 1], abs=1e-4)


def test_a_training_pass_shows_every_image_once_with_its_label() -> None:
    data = made()
    expected = {
        image.numpy().tobytes(): int(label) for image, label in zip(normal_train(data), data.train.labels, strict=True)
    }
    seen: dict[bytes, int] = {}
    for images, labels in DeviceData(data, "cpu").train_batches(5, seeded()):
        seen |= {image.contiguous().numpy().tobytes(): int(label) for image, label in zip(images, labels, strict=True)}
    assert seen == expected


def normal_train(data: Dataset) -> torch.Tensor:
    """The train images as the loader normalises them, (N, C, H, W) contiguous."""
    resident = DeviceData(data, "cpu")
    return torch.cat([images for images, _ in resident.eval_batches("train", 7)]).contiguous()


SIZES = [(20, 5, [5, 5, 5, 5]), (20, 6, [6, 6, 6]), (20, 20, [20]), (20, 50, [20])]


@pytest.mark.parametrize(("count", "batch_size", "sizes"), SIZES)
def test_a_last_partial_batch_is_dropped_unless_it_is_the_only_one(
    count: int, batch_size: int, sizes: list[int]
) -> None:
    data = DeviceData(made(count), "cpu")
    assert [len(labels) for _, labels in data.train_batches(batch_size, seeded())] == sizes
    assert data.steps_per_epoch(batch_size) == len(sizes)


def test_batches_do_not_depend_on_how_many_are_prepared_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    data = DeviceData(made(40), "cpu")
    whole = list(data.train_batches(5, seeded()))
    monkeypatch.setattr(loader, "_CHUNK", 1)
    for (images, labels), (other, others) in zip(whole, data.train_batches(5, seeded()), strict=True):
        assert torch.equal(images, other)
        assert torch.equal(labels, others)


def test_the_generator_decides_order_and_augmentation() -> None:
    data = DeviceData(made(augmentation=Augmentation(shift=0.25, flip=True)), "cpu")
    first, again, other = (next(data.train_batches(5, seeded(s)))[0] for s in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_augmentation_can_be_left_out() -> None:
    data = made(augmentation=Augmentation(shift=0.25))
    plain, moved = (
        {x.contiguous().numpy().tobytes() for images, _ in resident for x in images}
        for resident in (DeviceData(data, "cpu").train_batches(5, seeded(), augment) for augment in (False, True))
    )
    originals = {x.numpy().tobytes() for x in normal_train(data)}
    assert plain == originals
    assert len(moved & originals) < len(originals) / 2


@pytest.mark.parametrize("channels", [1, 3])
def test_a_whole_network_runs_channels_last_from_the_first_conv_on(channels: int) -> None:
    data = DeviceData(made(channels=channels, augmentation=Augmentation(shift=0.1)), "cpu")
    model = nn.Sequential(nn.Conv2d(channels, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, 6, 1))
    model.to(memory_format=torch.channels_last)
    outputs: list[torch.Tensor] = []
    for module in model:
        module.register_forward_hook(lambda module, inputs, output: outputs.append(output))
    batches = [next(data.train_batches(4, seeded())), next(data.eval_batches("validation", 4))]
    batches.append((data.train_sample(4, seeded()), batches[0][1]))
    for images, _ in batches:
        height, width = images.shape[2:]
        assert images.stride() == (channels * height * width, 1, channels * width, channels)
        model(images)
    for output in outputs:
        assert output.is_contiguous(memory_format=torch.channels_last)
        assert not output.is_contiguous()


def test_train_sample_draws_different_images() -> None:
    data = made()
    sample = DeviceData(data, "cpu").train_sample(8, seeded())
    originals = {x.numpy().tobytes() for x in normal_train(data)}
    drawn = {x.contiguous().numpy().tobytes() for x in sample}
    assert len(drawn) == 8
    assert drawn <= originals
    assert len(DeviceData(data, "cpu").train_sample(100, seeded())) == 20


def test_the_test_split_is_not_there_unless_asked_for() -> None:
    resident = DeviceData(made(), "cpu")
    assert resident.splits == ("train", "validation")
    with pytest.raises(DataError, match=r"the split is not on the device, got 'test'; expected one of train, valid"):
        next(resident.eval_batches("test", 4))
    # Nothing in it leads to the dataset either.
    assert not any(isinstance(value, Dataset | Split) for value in vars(resident).values())
    assert DeviceData(made(), "cpu", splits=("test",)).size("test") == 10


def test_an_unknown_split_is_refused() -> None:
    with pytest.raises(DataError, match=r"no such split, got 'val'; expected one of train, validation, test"):
        DeviceData(made(), "cpu", splits=("val",))


IMAGE = torch.arange(9, dtype=torch.uint8).reshape(1, 3, 3, 1) + 1
SHIFTS = [
    # down, right, padding, expected
    (0, 0, "zero", [[1, 2, 3], [4, 5, 6], [7, 8, 9]]),
    (1, 0, "zero", [[0, 0, 0], [1, 2, 3], [4, 5, 6]]),
    (0, -1, "zero", [[2, 3, 0], [5, 6, 0], [8, 9, 0]]),
    (-1, 1, "zero", [[0, 4, 5], [0, 7, 8], [0, 0, 0]]),
    (0, 0, "reflect", [[1, 2, 3], [4, 5, 6], [7, 8, 9]]),
    (1, 0, "reflect", [[4, 5, 6], [1, 2, 3], [4, 5, 6]]),
    (-1, 2, "reflect", [[6, 5, 4], [9, 8, 7], [6, 5, 4]]),
]


@pytest.mark.parametrize(("down", "right", "padding", "expected"), SHIFTS)
def test_shift_by_hand(down: int, right: int, padding: str, expected: list[list[int]]) -> None:
    moved = shift(IMAGE, torch.tensor([down]), torch.tensor([right]), padding)
    assert moved.dtype == torch.uint8
    assert moved[0, :, :, 0].tolist() == expected


def test_each_image_has_its_own_shift_and_flip() -> None:
    images = torch.from_numpy(random_images(2, (5, 5, 3)))
    moved = shift(images, torch.tensor([1, -2]), torch.tensor([0, 1]), "zero")
    for i, (down, right) in enumerate([(1, 0), (-2, 1)]):
        alone = shift(images[i : i + 1], torch.tensor([down]), torch.tensor([right]), "zero")
        assert torch.equal(moved[i : i + 1], alone)
    flipped = flip(images, torch.tensor([True, False]))
    assert torch.equal(flipped[0], images[0].flip(1))
    assert torch.equal(flipped[1], images[1])


def test_offsets_cover_their_range_evenly() -> None:
    offsets = random_offsets(7000, 3, seeded())
    assert torch.bincount(offsets + 3).tolist() == pytest.approx([1000] * 7, abs=150)


def test_augment_does_only_what_is_allowed() -> None:
    images = torch.from_numpy(random_images(64, (8, 8, 1)))
    assert augment(images, NONE, seeded()) is images
    flipped = augment(images, Augmentation(flip=True), seeded())
    mirrored = (flipped == images.flip(2)).flatten(1).all(1)
    assert torch.equal(mirrored, ~(flipped == images).flatten(1).all(1))
    assert 20 < int(mirrored.sum()) < 44
