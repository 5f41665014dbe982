"""A folder of pictures, one sub-folder per class, decoded once into memory.

Either ``root/train/<class>/*`` with ``root/val`` (or ``valid``, ``validation``) and ``root/test`` where they
exist, or plainly ``root/<class>/*``. Validation and test sets that are not there are drawn from the training
pictures, 15 % each.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from inception_search.data.augment import Augmentation
from inception_search.data.dataset import SPLITS, Dataset, Split
from inception_search.data.partition import stratified_parts, stratified_sample
from inception_search.data.pictures import decode_all, find_mode, require_pillow
from inception_search.errors import ConfigError, DataError, Place

AUGMENTATION = Augmentation(shift=1 / 8, flip=True, padding="reflect")
LARGEST = 8 * 1024**3  # bytes of decoded pictures; all of them stay in memory
_DEFAULT_SIZE = 64
_DRAWN = 0.15  # share of the training pictures that a missing validation or test set gets
_SPELLINGS = {"train": ("train",), "validation": ("val", "valid", "validation"), "test": ("test",)}
_ENDINGS = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".webp", ".gif", ".tif", ".tiff", ".ppm", ".pgm"})


@dataclass(frozen=True)
class Listing:
    """Picture files of one split and their labels int64 (N,), not yet decoded."""

    files: tuple[Path, ...]
    labels: Tensor

    def take(self, indices: Tensor) -> Listing:
        """The files and labels at ``indices``."""
        return Listing(tuple(self.files[i] for i in indices.tolist()), self.labels[indices])


def load(*, root: Path | None, image_size: int | None, seed: int, download: bool, limit: int | None) -> Dataset:
    """The pictures under ``root`` as (3, 64, 64), or another ``image_size``; (1, ...) if every file is grey.

    The shorter side is resized, the centre cropped. Classes are the folder names, sorted. All pictures are
    kept in memory as uint8, C * size * size bytes each: a set above 8 GiB is refused. ``download`` is
    ignored. Raises ConfigError without ``root``, DataError for missing, empty, corrupt or too many pictures.
    """
    if root is None:
        raise ConfigError("image_folder needs a folder", path="root", mend="name it (--data-root)")
    require_pillow()
    classes, listings = _list_splits(root, seed)
    if limit is not None and limit < len(listings["train"].files):
        listings["train"] = listings["train"].take(stratified_sample(listings["train"].labels, limit, seed))
    size = image_size or _DEFAULT_SIZE
    mode = find_mode([file for listing in listings.values() for file in listing.files])
    _check_memory(root, sum(len(x.files) for x in listings.values()) * len(mode) * size * size)
    splits = {name: Split(decode_all(x.files, mode, size), x.labels) for name, x in listings.items()}
    return Dataset(name="image_folder", classes=classes, augmentation=AUGMENTATION, **splits)


def _list_splits(root: Path, seed: int) -> tuple[tuple[str, ...], dict[str, Listing]]:
    """Class names and the three listings of ``root``; those without a folder are drawn from the train set."""
    if not root.is_dir():
        raise DataError(
            "the folder is not there",
            place=Place(str(root)),
            mend="name another (--data-root; of a study, data_root in study.yaml)",
        )
    folders = {split: _first_folder(root, names) for split, names in _SPELLINGS.items()}
    train = folders.pop("train") or root
    if train is root and any(folders.values()):
        raise DataError("there is a validation or test folder but no 'train'", place=Place(str(root)))
    classes = _classes(train)
    if len(classes) < 2:
        mend = "put the images of each class into a folder of its own"
        raise DataError("one class alone cannot be told apart", place=Place(str(train)), found=classes[0], mend=mend)
    listings = {"train": _list_classes(train, classes)}
    for split, folder in folders.items():
        if folder is not None:
            _check_same_classes(folder, _classes(folder), train, classes)
            listings[split] = _list_classes(folder, classes)
    return classes, _draw_missing(listings, classes, seed)


def _draw_missing(listings: dict[str, Listing], classes: tuple[str, ...], seed: int) -> dict[str, Listing]:
    missing = [split for split in SPLITS if split not in listings]
    train = listings["train"]
    shares = [1 - _DRAWN * len(missing), *[_DRAWN] * len(missing)]
    try:
        parts = stratified_parts(train.labels, shares, seed)
    except DataError as error:
        error.found = classes[int(error.found)]
        raise error.at(file=str(train.files[0].parents[1])) from None
    return listings | dict(zip(("train", *missing), (train.take(part) for part in parts), strict=True))


def _first_folder(root: Path, names: tuple[str, ...]) -> Path | None:
    return next((root / name for name in names if (root / name).is_dir()), None)


def _classes(folder: Path) -> tuple[str, ...]:
    classes = tuple(sorted(p.name for p in folder.iterdir() if p.is_dir() and not p.name.startswith(".")))
    if not classes:
        expected = "one sub-folder of pictures per class"
        raise DataError("the folder holds no classes", place=Place(str(folder)), expected=expected)
    return classes


def _check_same_classes(folder: Path, found: tuple[str, ...], train: Path, classes: tuple[str, ...]) -> None:
    if found != classes:
        odd = sorted(set(found) ^ set(classes))
        rule = f"the classes differ from those in {train}"
        mend = "give every split the same class folders"
        raise DataError(rule, place=Place(str(folder)), found=odd, mend=mend)


def _list_classes(folder: Path, classes: tuple[str, ...]) -> Listing:
    files: list[Path] = []
    labels: list[int] = []
    for label, name in enumerate(classes):
        pictures = _pictures(folder / name)
        files += pictures
        labels += [label] * len(pictures)
    return Listing(tuple(files), torch.tensor(labels, dtype=torch.int64))


def _pictures(folder: Path) -> list[Path]:
    """The picture files in one class folder, sorted by name; hidden and other files are passed over."""
    files = sorted(p for p in folder.iterdir() if p.suffix.lower() in _ENDINGS and not p.name.startswith("."))
    if not files:
        expected = "files ending in " + ", ".join(sorted(_ENDINGS))
        raise DataError("the class folder holds no pictures", place=Place(str(folder)), expected=expected)
    return files


def _check_memory(root: Path, needed: int) -> None:
    if needed > LARGEST:
        raise DataError(
            f"the decoded pictures would take {needed / 1024**3:.1f} GiB of memory",
            place=Place(str(root)),
            expected=f"at most {LARGEST / 1024**3:g} GiB",
            mend="ask for a smaller image_size or set a limit on the training images",
        )
