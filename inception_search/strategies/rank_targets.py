"""How good trials are, as numbers a model can learn: by their order alone, which no outlier and no scale distorts."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

import numpy as np

from inception_search.strategies.features import Array
from inception_search.strategies.protocol import Observation

AUGMENT = 0.05  # the share of the plain sum in the scalarisation, as in ParEGO


def merits(ended: Sequence[Observation], rng: random.Random) -> Array:
    """A number for each trial, large for good ones: normal quantiles of their order, of mean 0 and variance 1.

    Those stopped early come behind those trained longer, failed ones last. Of several objectives the order is that of
    a weighted Chebyshev sum of the orders by each of them, with random weights (Knowles, "ParEGO", IEEE TEC 2006).
    """
    from scipy.special import ndtri

    losses = np.array([each.losses for each in ended if each.losses is not None], dtype=float)
    scalars = iter(_scalars(np.where(np.isnan(losses), math.inf, losses), rng) if len(losses) else ())
    keys = [(-each.epochs, next(scalars)) if each.losses is not None else (1, math.inf) for each in ended]
    places = {key: place for place, key in enumerate(sorted(set(keys)))}
    order = _ranks(np.array([-places[key] for key in keys]))
    quantiles: Array = ndtri((order - 0.5) / len(keys))
    spread = float(quantiles.std())
    return (quantiles - quantiles.mean()) / spread if spread > 0.0 else quantiles


def _scalars(losses: Array, rng: random.Random) -> list[float]:
    """One number for each row of losses, small for good ones."""
    if losses.shape[1] == 1:
        return [float(loss) for loss in losses[:, 0]]
    parts = np.array([rng.expovariate(1.0) for _ in range(losses.shape[1])])
    ranks = np.stack([_ranks(column) for column in losses.T], axis=1)
    weighted = ranks * (parts / parts.sum())
    scalars: list[float] = (weighted.max(axis=1) + AUGMENT * weighted.sum(axis=1)).tolist()
    return scalars


def _ranks(values: Array) -> Array:
    """From 1 for the least, equal ones their mean rank: ``scipy.stats.rankdata``, which takes a second to import."""
    _, which, counts = np.unique(values, return_inverse=True, return_counts=True)
    means: Array = np.cumsum(counts) - (counts - 1) / 2.0
    return means[which]
