"""A validation set of another size than the dataset's own, for searches that compare networks closely.

The difference between two networks' accuracies on n images has a standard error of about sqrt(d / n), d being the share
of images that only one of them gets right: with 5,000 images and d = 0.06, 0.35 points.
"""

from __future__ import annotations

from dataclasses import replace

import torch

from inception_search.data.dataset import Dataset, Split
from inception_search.data.partition import limit_split, stratified_order, stratified_sample
from inception_search.errors import ConfigError, raw


def resize_validation(dataset: Dataset, size: int, limit: int | None, seed: int) -> Dataset:
    """The whole ``dataset`` with ``limit`` training images (None: all), as without this, and ``size`` for validation.

    Fewer than the dataset has for validation are a stratified sample of them; more are all of them and a stratified
    sample of the training images that ``limit`` leaves over. Raises ConfigError where these do not suffice, and for
    fewer than one of each class.
    """
    train, own = dataset.train, dataset.validation
    if size < len(dataset.classes):
        raise ConfigError(
            "too few validation images asked for",
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
            "too many validation images asked for",
            path="validation_images",
            found=size,
            expected=raw(f"at most {most}: {len(own)} of its own, and {len(rest)} that training leaves over"),
            hint="ask for fewer, or train on fewer (train_images)",
        )
    more = rest.take(stratified_order(rest.labels, seed)[: max(0, size - len(own))])
    return replace(dataset, train=train.take(chosen), validation=_joined(limit_split(own, size, seed), more))


def _joined(first: Split, second: Split) -> Split:
    return Split(torch.cat([first.images, second.images]), torch.cat([first.labels, second.labels]))
