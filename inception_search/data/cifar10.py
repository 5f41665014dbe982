"""CIFAR-10: 50000 + 10000 colour images of ten classes, 32x32."""

from __future__ import annotations

from pathlib import Path

from inception_search.data.augment import Augmentation
from inception_search.data.cifar10_files import FORMS, PYTHON_FORM, Form, read_folder
from inception_search.data.dataset import Dataset, Split, resize
from inception_search.data.partition import limit_split, stratified_parts
from inception_search.downloads.archive import fetch_archive
from inception_search.downloads.source import Checksum, Source
from inception_search.errors import DataError, Place

AUGMENTATION = Augmentation(shift=1 / 8, flip=True, padding="reflect")
DEFAULT_ROOT = Path("~/.cache/inception-search")
URL = "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz"
_MD5 = "c58f30108f718f92721af3b95e74349a"
_LARGEST = 200_000_000  # bytes; the archive has 170.5 million
_BY_HAND = "check the network and the disk and try again, or fetch and unpack the archive by hand"
_VALIDATION = 1 / 10  # 5000 of the 50000


def load(*, root: Path | None, image_size: int | None, seed: int, download: bool, limit: int | None) -> Dataset:
    """CIFAR-10 as (3, 32, 32), or resized: 45000 training and 5000 validation images by ``seed``, 10000 test images.

    ``root`` (default ``~/.cache/inception-search``), or its parent, is or contains ``cifar-10-batches-py`` or
    ``-bin``. With ``download`` a missing archive is downloaded into ``root``. Raises DataError.
    """
    root = root or DEFAULT_ROOT.expanduser()
    folder, form = _find(root) or _fetch_or_refuse(root, download)
    classes, whole, test = read_folder(folder, form)
    train, validation = stratified_parts(whole.labels, (1 - _VALIDATION, _VALIDATION), seed)
    return Dataset(
        name="cifar10",
        classes=classes,
        train=_resized(limit_split(whole.take(train), limit, seed), image_size),
        validation=_resized(whole.take(validation), image_size),
        test=_resized(test, image_size),
        augmentation=AUGMENTATION,
    )


def _resized(split: Split, size: int | None) -> Split:
    return Split(resize(split.images, size), split.labels)


def _find(root: Path) -> tuple[Path, Form] | None:
    """The first folder in or beside ``root`` with the first batch in either form."""
    for form in FORMS:
        for folder in (root, root / form.folder, root.parent / form.folder):
            if (folder / form.train[0]).is_file():
                return folder, form
    return None


def _fetch_or_refuse(root: Path, download: bool) -> tuple[Path, Form]:
    if not download:
        names = " or ".join(form.folder for form in FORMS)
        raise DataError(
            f"CIFAR-10 is not there: no folder {names} with a data_batch_1",
            place=Place(str(root)),
            hint=f"permit the download (--download), or unpack {URL} there, or name its folder (--data-root)",
        )
    source = Source(URL, "the archive", DataError, _BY_HAND, Checksum("md5", _MD5), _LARGEST)
    return fetch_archive(source, root / PYTHON_FORM.folder, folder=PYTHON_FORM.folder), PYTHON_FORM
