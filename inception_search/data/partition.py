"""Stratified, seeded choices of images: every class keeps its share in each part and in a larger validation set.

The draws use numpy's ``RandomState``, whose stream never changes, so that a seed gives the same split on every machine
and in every version.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from inception_search.data.dataset import Dataset, Split
from inception_search.errors import ConfigError, DataError, raw


def stratified_parts(labels: Tensor, fractions: Sequence[float], seed: int) -> list[Tensor]:
    """Disjoint index sets (int64, ascending) that together contain every image, sized by ``fractions``.

    For each class, every part except the first gets its rounded share, at least one image; the first gets the rest.
    Raises DataError, with the label as ``found``, for a class with fewer images than parts.
    """
    parts: list[list[NDArray[np.int64]]] = [[] for _ in fractions]
    for members in _shuffled_classes(labels, seed):
        sizes = [max(1, round(len(members) * share)) for share in fractions[1:]]
        first = len(members) - sum(sizes)
        if first < 1:
            label = int(labels[members[0]])
            raise DataError(
                f"a class has too few images to be split in {len(parts)}",
                found=label,
                expected=f"at least {len(parts)} images of each class",
            )
        cuts = np.cumsum([first, *sizes])[:-1]
        for part, piece in zip(parts, np.split(members, cuts), strict=True):
            part.append(piece)
    return [torch.from_numpy(np.sort(np.concatenate(part))) for part in parts]


def stratified_sample(labels: Tensor, size: int, seed: int) -> Tensor:
    """Ascending indices of a stratified sample of ``size`` images (or all, if there are fewer).

    Every class has at least one image. Raises ConfigError for a size below the number of classes.
    """
    classes = int(labels.bincount().count_nonzero())
    if size < classes:
        raise ConfigError(
            "too few training images",
            path="limit",
            found=size,
            expected=f"at least {classes}, one for each class",
        )
    return stratified_order(labels, seed)[:size].sort().values


def stratified_order(labels: Tensor, seed: int) -> Tensor:
    """All indices (int64, (N,)) in an order of which every prefix is stratified."""
    # The i-th of n images of a class gets the position i / n.
    classes = _shuffled_classes(labels, seed)
    order = sorted((i / len(members), int(m)) for members in classes for i, m in enumerate(members))
    return torch.tensor([index for _, index in order], dtype=torch.int64)


def limit_split(split: Split, limit: int | None, seed: int) -> Split:
    """``split``, or a stratified sample of ``limit`` of its images."""
    if limit is None or limit >= len(split):
        return split
    return split.take(stratified_sample(split.labels, limit, seed))


def _shuffled_classes(labels: Tensor, seed: int) -> list[NDArray[np.int64]]:
    """The shuffled indices of each class that occurs, in label order."""
    values = labels.numpy()
    keys = np.random.RandomState(seed % 2**32).random_sample(len(values))
    order = np.lexsort((keys, values))
    borders = np.flatnonzero(np.diff(values[order])) + 1
    return list(np.split(order, borders))


def resize_validation(dataset: Dataset, size: int, limit: int | None, seed: int) -> Dataset:
    """``dataset`` with ``limit`` training images (None: all) and ``size`` validation images.

    A large size is for close comparisons: the difference of two accuracies on n images has a standard error of about
    sqrt(d / n), where d is the share of images that only one network classifies correctly. For 5,000 images and d =
    0.06 this is 0.35 points.

    A smaller ``size`` than the dataset's gives a stratified sample of its validation images. A larger one adds a
    stratified sample of the training images beyond ``limit``. Raises ConfigError if there are not enough images, and
    for a size below the number of classes.
    """
    train, own = dataset.train, dataset.validation
    if size < len(dataset.classes):
        raise ConfigError(
            "too few validation images",
            path="validation_images",
            found=size,
            expected=f"at least {len(dataset.classes)}, one for each class",
        )
    left = torch.ones(len(train), dtype=torch.bool)
    chosen = stratified_sample(train.labels, len(train) if limit is None else limit, seed)
    left[chosen] = False
    rest = train.take(left.nonzero().flatten())
    most = len(own) + len(rest)
    if size > most:
        raise ConfigError(
            "too many validation images",
            path="validation_images",
            found=size,
            expected=raw(f"at most {most}: {len(own)} of the dataset, and {len(rest)} not used for training"),
            hint="use fewer, or train on fewer (train_images)",
        )
    more = rest.take(stratified_order(rest.labels, seed)[: max(0, size - len(own))])
    return replace(dataset, train=train.take(chosen), validation=_joined(limit_split(own, size, seed), more))


def _joined(first: Split, second: Split) -> Split:
    return Split(torch.cat([first.images, second.images]), torch.cat([first.labels, second.labels]))
