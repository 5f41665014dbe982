"""The suite of datasets: one signature, three splits, and the same images for the same request."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import torch

from inception_search.data.catalogue import LoadFunction
from inception_search.data.dataset import Dataset
from inception_search.testing.expect import equal, true

Law: TypeAlias = Callable[[LoadFunction, Path | None], None]


def loaded(load: LoadFunction, root: Path | None, **options: Any) -> Dataset:
    """The dataset with ``options``, for the others what a study without them gives."""
    given: dict[str, Any] = {"image_size": None, "seed": 0, "download": False, "limit": None}
    return load(root=root, **given | options)


def signature_is_the_common_one(load: LoadFunction, root: Path | None) -> None:
    """The arguments are those of ``LoadFunction``, by keyword."""
    wanted = list(inspect.signature(LoadFunction.__call__).parameters.values())[1:]
    found = inspect.signature(load).parameters
    equal("arguments of load", list(found), [parameter.name for parameter in wanted])
    true(all(each.kind is each.KEYWORD_ONLY for each in found.values()), "arguments of load are given by keyword only")


def every_split_has_every_class(load: LoadFunction, root: Path | None) -> None:
    """The splits are stratified, and most images are for training."""
    dataset = loaded(load, root)
    for name, split in dataset.splits.items():
        equal(f"classes in {name}", set(split.labels.tolist()), set(range(len(dataset.classes))))
    true(len(dataset.train) > len(dataset.validation), "there are more images for validation than for training")


def no_image_is_in_two_splits(load: LoadFunction, root: Path | None) -> None:
    """What a network is tested on was not shown to it."""
    dataset = loaded(load, root)
    seen = [{image.numpy().tobytes() for image in split.images} for split in dataset.splits.values()]
    equal("different images of the splits together", len(set.union(*seen)), sum(len(images) for images in seen))


def one_request_gives_the_same_images(load: LoadFunction, root: Path | None) -> None:
    """In the same order, with the same labels."""
    first, again = (loaded(load, root).fingerprint for _ in range(2))
    equal("the fingerprint when it is loaded again", again, first)


def seed_draws_the_split(load: LoadFunction, root: Path | None) -> None:
    """Another seed, other images for training, as many of them."""
    one, other = loaded(load, root), loaded(load, root, seed=1)
    true(not torch.equal(one.train.images, other.train.images), "the seed does not change the training images")
    equal("shape of the training images", other.train.images.shape, one.train.images.shape)


def limit_thins_the_training_images_alone(load: LoadFunction, root: Path | None) -> None:
    """``limit`` is their number, every class among them; the other splits stay."""
    whole = loaded(load, root)
    limit = max(len(whole.classes) * 3 // 2, 2)
    small = loaded(load, root, limit=limit)
    equal(f"training images with limit={limit}", len(small.train), limit)
    equal("classes in train", set(small.train.labels.tolist()), set(range(len(whole.classes))))
    for name in ("validation", "test"):
        same = torch.equal(small.splits[name].images, whole.splits[name].images)
        true(same, f"limit changes the images of {name}")


def image_size_is_the_side_in_pixels(load: LoadFunction, root: Path | None) -> None:
    """Smaller or larger; labels and their order stay."""
    whole = loaded(load, root)
    for size in (12, 33):
        resized = loaded(load, root, image_size=size)
        equal(f"(C, H, W) with image_size={size}", resized.shape, (whole.shape[0], size, size))
        true(torch.equal(resized.train.labels, whole.train.labels), "image_size changes the labels")


DATASET_LAWS: tuple[Law, ...] = (
    signature_is_the_common_one,
    every_split_has_every_class,
    no_image_is_in_two_splits,
    one_request_gives_the_same_images,
    seed_draws_the_split,
    limit_thins_the_training_images_alone,
    image_size_is_the_side_in_pixels,
)


def check_dataset(load: LoadFunction, root: str | Path | None = None) -> None:
    """Check the ``load`` function of a dataset.

    Args:
        load: the function, as ``inception_search.data.catalogue.LoadFunction`` describes it.
        root: the folder of its files, where it has some. Few images of small size make the check quick.

    Raises:
        AssertionError: with the rule that the dataset breaks.

    >>> from inception_search.data.digits import load
    >>> check_dataset(load)
    """
    for law in DATASET_LAWS:
        law(load, None if root is None else Path(root))
