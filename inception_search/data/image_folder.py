"""A folder of images with one sub-folder per class, decoded once into memory.

The layout is ``root/train/<class>/**``, optionally with ``root/val`` (or ``valid``, ``validation``) and ``root/test``,
or simply ``root/<class>/**``; see :mod:`~inception_search.data.picture_tree`. Missing validation and test sets are
drawn from the training images, 15 % each.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from inception_search.data.augment import Augmentation
from inception_search.data.dataset import SPLITS, Dataset, Split
from inception_search.data.partition import stratified_parts, stratified_sample
from inception_search.data.picture_tree import Tree, read_tree
from inception_search.data.pictures import decode_all, require_pillow, survey
from inception_search.errors import ConfigError, DataError, Place

AUGMENTATION = Augmentation(shift=1 / 8, flip=True, padding="reflect")
LARGEST = 8 * 1024**3  # bytes of decoded images, which all stay in memory
_DEFAULT_SIZE = 64
_DRAWN = 0.15  # share of the training images for a missing validation or test set


@dataclass(frozen=True)
class Listing:
    """Image files of one split and their labels int64 (N,), not yet decoded."""

    files: tuple[Path, ...]
    labels: Tensor

    def take(self, indices: Tensor) -> Listing:
        """The files and labels at ``indices``."""
        return Listing(tuple(self.files[i] for i in indices.tolist()), self.labels[indices])


def load(*, root: Path | None, image_size: int | None, seed: int, download: bool, limit: int | None) -> Dataset:
    """The images under ``root`` as (3, 64, 64), or another ``image_size``; (1, ...) if every file is greyscale.

    The shorter side is resized, then the centre is cropped. Classes are the sorted folder names. All images are
    kept in memory as uint8, C * size * size bytes each; more than 8 GiB are refused. Pixels with more than 8 bits are
    scaled by one rule for the entire folder (:func:`~inception_search.data.deep_pixels.make_scale`). ``download`` is
    ignored. Raises ConfigError without ``root``, DataError for missing, empty, damaged or too many images.
    """
    if root is None:
        raise ConfigError("image_folder needs a folder", path="root", hint="write root=FOLDER")
    require_pillow()
    tree = read_tree(root)
    listings = {split: _listing(classes) for split, classes in tree.splits.items()}
    everything = [file for listing in listings.values() for file in listing.files]
    listings = _draw_missing(listings, tree, seed)
    if limit is not None and limit < len(listings["train"].files):
        listings["train"] = listings["train"].take(stratified_sample(listings["train"].labels, limit, seed))
    size = image_size or _DEFAULT_SIZE
    mode, scale = survey(everything)  # for all images, so that the scale does not depend on limit or seed
    _check_memory(root, sum(len(x.files) for x in listings.values()) * len(mode) * size * size)
    splits = {name: Split(decode_all(x.files, mode, size, scale), x.labels) for name, x in listings.items()}
    notes = (*tree.notes, *scale.sentences)
    return Dataset(name="image_folder", classes=tree.classes, augmentation=AUGMENTATION, notes=notes, **splits)


def _listing(classes: tuple[tuple[Path, ...], ...]) -> Listing:
    files = tuple(file for pictures in classes for file in pictures)
    labels = [label for label, pictures in enumerate(classes) for _ in pictures]
    return Listing(files, torch.tensor(labels, dtype=torch.int64))


def _draw_missing(listings: dict[str, Listing], tree: Tree, seed: int) -> dict[str, Listing]:
    """The listings, with missing ones drawn from the training set."""
    missing = [split for split in SPLITS if split not in listings]
    train = listings["train"]
    shares = [1 - _DRAWN * len(missing), *[_DRAWN] * len(missing)]
    try:
        parts = stratified_parts(train.labels, shares, seed)
    except DataError as error:
        error.found = tree.classes[int(error.found)]
        raise error.at(file=str(tree.train)) from None
    return listings | dict(zip(("train", *missing), (train.take(part) for part in parts), strict=True))


def _check_memory(root: Path, needed: int) -> None:
    if needed > LARGEST:
        raise DataError(
            f"the decoded images would take {needed / 1024**3:.1f} GiB of memory",
            place=Place(str(root)),
            expected=f"at most {LARGEST / 1024**3:g} GiB",
            hint="choose a smaller image_size or set a limit on the training images",
        )
