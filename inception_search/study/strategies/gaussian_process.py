"""A Gaussian process whose kernel is a sum over blocks of features, its few numbers chosen by likelihood.

A few hundred observations at most: one Cholesky factorisation is a millisecond, so a grid is searched instead of a
gradient, and nothing has to be tuned (Rasmussen and Williams, "Gaussian Processes for Machine Learning", chapters 2
and 5).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import product
from typing import NamedTuple

import numpy as np
from scipy.linalg import solve_triangular

from inception_search.study.strategies.features import Array

LENGTHS = (0.2, 0.5, 1.0)  # over which observations are alike, of the largest distance
NOISES = (0.01, 0.03, 0.1, 0.3, 1.0)  # variance of the noise, of that of the function
SHARES = (0.0, 1.0, 2.0, 4.0)  # of a block in the kernel, relative


class Setting(NamedTuple):
    """What a kernel is made of."""

    length: float
    noise: float
    shares: tuple[float, ...]


@lru_cache
def settings(blocks: int) -> list[Setting]:
    """Every setting that is looked at."""
    shares = [share for share in product(SHARES, repeat=blocks) if max(share) == max(SHARES)]  # each ratio once
    unit = [tuple(part / sum(share) for part in share) for share in shares]
    return [Setting(length, noise, share) for length in LENGTHS for noise in NOISES for share in unit]


class GaussianProcess:
    """Fitted to ``targets`` (n,) at observations whose block-wise distances to each other are ``distances`` (n, n)."""

    def __init__(self, distances: Sequence[Array], targets: Array, setting: Setting) -> None:
        self.setting, self.targets = setting, targets
        size = len(targets)
        covariance = self.kernel(distances) + setting.noise * np.eye(size)
        self.factor = np.linalg.cholesky(covariance)
        self.inner = solve_triangular(self.factor, targets, lower=True, check_finite=False)
        self.scale = max(float(self.inner @ self.inner) / size, 1e-12)
        self.likelihood = -0.5 * size * np.log(self.scale) - float(np.log(np.diag(self.factor)).sum())

    def kernel(self, distances: Sequence[Array]) -> Array:
        """The covariance, but for the scale, of points at these distances."""
        parts = zip(self.setting.shares, distances, strict=True)
        return np.asarray(sum(share * np.exp(-away / self.setting.length) for share, away in parts if share))

    def predict(self, distances: Sequence[Array]) -> tuple[Array, Array]:
        """Mean and standard deviation (m,) at points whose distances to the observations are (n, m), by block."""
        covered = solve_triangular(self.factor, self.kernel(distances), lower=True, check_finite=False)
        variance = self.scale * np.maximum(1.0 - (covered**2).sum(axis=0), 1e-9)
        return covered.T @ self.inner, np.sqrt(variance)


def fitted(distances: Sequence[Array], targets: Array, among: Sequence[Setting]) -> GaussianProcess:
    """The process of the likeliest setting of ``among``."""
    best: GaussianProcess | None = None
    for setting in among:
        process = GaussianProcess(distances, targets, setting)
        if best is None or process.likelihood > best.likelihood:
            best = process
    if best is None:
        raise ValueError("no setting to choose from")
    return best
