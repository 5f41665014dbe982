"""The suite of datasets: a common signature, three splits, and the same images for the same arguments."""

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
    """The dataset with ``options``, and for other options the default of a study."""
    defaults: dict[str, Any] = {"image_size": None, "seed": 0, "download": False, "limit": None}
    return load(root=root, **defaults | options)


def signature_is_the_common_one(load: LoadFunction, root: Path | None) -> None:
    """``load`` has the keyword-only arguments of ``LoadFunction``."""
    expected = list(inspect.signature(LoadFunction.__call__).parameters.values())[1:]
    found = inspect.signature(load).parameters
    equal("arguments of load", list(found), [parameter.name for parameter in expected])
    true(all(each.kind is each.KEYWORD_ONLY for each in found.values()), "arguments of load are keyword-only")


def every_split_has_every_class(load: LoadFunction, root: Path | None) -> None:
    """Every split has all classes, and the training split is larger than the validation split."""
    dataset = loaded(load, root)
    for name, split in dataset.splits.items():
        equal(f"classes in {name}", set(split.labels.tolist()), set(range(len(dataset.classes))))
    true(len(dataset.train) > len(dataset.validation), "there are more images for validation than for training")


def no_image_is_in_two_splits(load: LoadFunction, root: Path | None) -> None:
    """No image occurs in two splits, so a network is tested on unseen images."""
    dataset = loaded(load, root)
    seen = [{image.numpy().tobytes() for image in split.images} for split in dataset.splits.values()]
    equal("different images of the splits together", len(set.union(*seen)), sum(len(images) for images in seen))


def one_request_gives_the_same_images(load: LoadFunction, root: Path | None) -> None:
    """Equal arguments give the same images and labels in the same order."""
    first, again = (loaded(load, root).fingerprint for _ in range(2))
    equal("the fingerprint when it is loaded again", again, first)


def seed_draws_the_split(load: LoadFunction, root: Path | None) -> None:
    """Another seed selects other training images, in the same number."""
    one, other = loaded(load, root), loaded(load, root, seed=1)
    true(not torch.equal(one.train.images, other.train.images), "the seed does not change the training images")
    equal("shape of the training images", other.train.images.shape, one.train.images.shape)


def limit_thins_the_training_images_alone(load: LoadFunction, root: Path | None) -> None:
    """``limit`` sets the number of training images, with every class; the other splits do not change."""
    whole = loaded(load, root)
    limit = max(len(whole.classes) * 3 // 2, 2)
    small = loaded(load, root, limit=limit)
    equal(f"training images with limit={limit}", len(small.train), limit)
    equal("classes in train", set(small.train.labels.tolist()), set(range(len(whole.classes))))
    for name in ("validation", "test"):
        same = torch.equal(small.splits[name].images, whole.splits[name].images)
        true(same, f"limit changes the images of {name}")


def image_size_is_the_side_in_pixels(load: LoadFunction, root: Path | None) -> None:
    """``image_size`` sets the side of the images; labels and their order do not change."""
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
        root: the folder with its files, if it has any. A few small images make the check fast.

    Raises:
        AssertionError: the dataset breaks a rule; the message names it.

    >>> from inception_search.data.digits import load
    >>> check_dataset(load)
    """
    for law in DATASET_LAWS:
        law(load, None if root is None else Path(root))
