"""The 1797 handwritten digits of scikit-learn (UCI optical recognition, 8x8), which need no files."""

from __future__ import annotations

from pathlib import Path

import torch

from inception_search.data.augment import Augmentation
from inception_search.data.dataset import Dataset, Split, resize
from inception_search.data.partition import limit_split, stratified_parts

AUGMENTATION = Augmentation(shift=1 / 8)  # no flips: a mirrored digit is not a digit
_DEFAULT_SIZE = 16
_LARGEST = 16  # the published pixel values are 0..16


def load(*, root: Path | None, image_size: int | None, seed: int, download: bool, limit: int | None) -> Dataset:
    """Digits as greyscale images (1, 16, 16), or another ``image_size``; split 60/20/20 by ``seed``.

    ``root`` and ``download`` are ignored: the images are part of the scikit-learn package.
    """
    from sklearn.datasets import load_digits

    published = load_digits()
    values = torch.from_numpy(published.images)
    images = (values * 255 / _LARGEST).round().to(torch.uint8)[:, None]
    labels = torch.from_numpy(published.target).to(torch.int64)
    whole = Split(resize(images, image_size or _DEFAULT_SIZE), labels)
    train, validation, test = (whole.take(part) for part in stratified_parts(labels, (0.6, 0.2, 0.2), seed))
    return Dataset(
        name="digits",
        classes=tuple(str(name) for name in published.target_names),
        train=limit_split(train, limit, seed),
        validation=validation,
        test=test,
        augmentation=AUGMENTATION,
    )
