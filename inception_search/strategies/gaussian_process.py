"""A Gaussian process on several views of points, which predicts the quality of a point with its uncertainty.

The kernel is a mixture of exponential kernels, one per view. Ru et al., "Interpretable Neural Architecture Search via
Bayesian Optimisation with Weisfeiler-Lehman Kernels", 2006.07556, use such a mixture; Oh et al., COMBO, 1902.00448, use
such kernels on decisions. Every fit samples length, mixture and noise from their posterior instead of maximising the
likelihood (Snoek et al., "Practical Bayesian Optimization", 1206.2944, average over such samples). With few points the
maximum is often wrong, and a search that relies on it does not explore.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import product
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.linalg import cholesky, solve_triangular

from inception_search.strategies.features import Array

LENGTHS = (0.25, 0.5, 1.0, 2.0)  # in mean squared distances between the points
NOISES = (0.03, 0.1, 0.3, 1.0)  # relative to the variance of the targets
LEANINGS = (0.0, 0.5, 0.8)  # the share of one view; the others share the rest
SWEEPS = 2
SHOWN = 100  # points from which the likelihood of length, mixture and noise is computed


class Shape(NamedTuple):
    """The sampled hyperparameters: the share of each view, the length, the noise."""

    shares: tuple[float, ...]
    length: float
    noise: float


class GaussianProcess:
    """Fits ``targets`` (larger is better) of points given by ``views``: arrays with one row per point."""

    def __init__(self, views: Sequence[Array], targets: Array, rng: random.Random) -> None:
        self.views = list(views)
        self.centre = float(targets.mean())
        squares = [_squares(view, view) for view in views]
        self.scales = [_mean_distance(square) for square in squares]
        squares = [square / scale for square, scale in zip(squares, self.scales, strict=True)]
        shown = _shown(targets)
        self.shape = _drawn([square[np.ix_(shown, shown)] for square in squares], targets[shown], rng)
        self.values = targets - self.centre
        self._solve(_kernel(squares, self.shape))
        self.variance = _variance(self.weights)

    def predict(self, views: Sequence[Array]) -> tuple[Array, Array]:
        """The posterior mean and standard deviation at points."""
        across = _solved(self.factor, self._across(views))
        left = self.variance * (1.0 - (across * across).sum(axis=0))
        return self.centre + across.T @ self.weights, np.sqrt(np.maximum(left, 1e-9))

    def believe(self, views: Sequence[Array]) -> None:
        """Add points with their predictions as targets, so that running trials are not proposed again.

        This is the kriging believer (Ginsbourger et al., "Kriging is Well-Suited to Parallelize Optimization", 2010).
        """
        means, _ = self.predict(views)
        self.views = [np.concatenate(pair) for pair in zip(self.views, views, strict=True)]
        self.values = np.concatenate([self.values, means - self.centre])
        self._solve(self._across(self.views))

    def _across(self, views: Sequence[Array]) -> Array:
        """The kernel between the fitted points and other points."""
        pairs = zip(self.views, views, self.scales, strict=True)
        return _kernel([_squares(own, other) / scale for own, other, scale in pairs], self.shape)

    def _solve(self, kernel: Array) -> None:
        self.factor = _factor(kernel, self.shape)
        self.weights = _solved(self.factor, self.values)


def _drawn(squares: list[Array], targets: Array, rng: random.Random) -> Shape:
    """A shape sampled from its posterior by Gibbs sampling over the grid of shapes."""
    axes = (_mixtures(len(squares)), LENGTHS, NOISES)
    known: dict[tuple[int, ...], float] = {}
    at = [0, 1, 1]
    for _, axis in product(range(SWEEPS), (1, 0, 2)):
        likely = []
        for place in range(len(axes[axis])):
            key = (*at[:axis], place, *at[axis + 1 :])
            if key not in known:
                known[key] = _likelihood(squares, targets, _shape(axes, key))
            likely.append(known[key])
        at[axis] = rng.choices(range(len(likely)), np.exp(np.array(likely) - max(likely)).tolist())[0]
    return _shape(axes, tuple(at))


def _shape(axes: tuple[list[tuple[float, ...]], Sequence[float], Sequence[float]], at: tuple[int, ...]) -> Shape:
    return Shape(axes[0][at[0]], axes[1][at[1]], axes[2][at[2]])


def _mixtures(views: int) -> list[tuple[float, ...]]:
    """Equal shares, and shares that favour one view or omit it."""
    if views == 1:
        return [(1.0,)]
    mixtures = [(1.0 / views,) * views]
    for one, share in product(range(views), LEANINGS):
        mixtures.append(tuple(share if view == one else (1.0 - share) / (views - 1) for view in range(views)))
    return list(dict.fromkeys(mixtures))


def _likelihood(squares: list[Array], targets: Array, shape: Shape) -> float:
    """The log likelihood at the variance that maximises it."""
    factor = _factor(_kernel(squares, shape), shape)
    variance = _variance(_solved(factor, targets - targets.mean()))
    return float(-0.5 * len(targets) * np.log(variance) - np.log(np.diag(factor)).sum())


def _variance(weights: Array) -> float:
    """The variance, with one pseudo-observation of variance 1: equal targets do not prove that all points are equal."""
    return float(weights @ weights + 1.0) / (len(weights) + 1)


def _kernel(squares: list[Array], shape: Shape) -> Array:
    parts = [
        share * np.exp(square / -shape.length) for share, square in zip(shape.shares, squares, strict=True) if share
    ]
    kernel: Array = np.sum(parts, axis=0)
    return kernel


def _squares(one: Array, other: Array) -> Array:
    """Squared distances between rows."""
    both = (one * one).sum(axis=1)[:, None] + (other * other).sum(axis=1)[None]
    squares: Array = np.maximum(both - 2.0 * one @ other.T, 0.0)
    return squares


def _mean_distance(squares: Array) -> float:
    pairs = len(squares) * (len(squares) - 1)
    mean = float(squares.sum()) / max(1, pairs)
    return mean if mean > 1e-12 else 1.0


def _shown(targets: Array) -> npt.NDArray[np.intp]:
    """The indices of the points from which the likelihood is computed: the best and the latest."""
    best = np.argsort(-targets, kind="stable")[: SHOWN // 2]
    latest = np.arange(max(0, len(targets) - SHOWN // 2), len(targets))
    return np.union1d(best, latest) if len(targets) > SHOWN else np.arange(len(targets))


def _factor(kernel: Array, shape: Shape) -> Array:
    """The Cholesky factor of the kernel with noise."""
    factor: Array = cholesky(kernel + shape.noise * np.eye(len(kernel)), lower=True, check_finite=False)
    return factor


def _solved(factor: Array, right: Array) -> Array:
    solved: Array = solve_triangular(factor, right, lower=True, check_finite=False)
    return solved
