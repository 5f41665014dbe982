"""A Gaussian process on several views of points, which says how good a point may be and how sure it is.

The kernel is a mixture of one exponential kernel a view (Ru et al., "Interpretable Neural Architecture Search via
Bayesian Optimisation with Weisfeiler-Lehman Kernels", 2006.07556, mix kernels so; Oh et al., COMBO, 1902.00448, have
such kernels on decisions). Length, mixture and noise are not set to the likeliest values but drawn by how likely they
are, for every fit anew (Snoek et al., "Practical Bayesian Optimization", 1206.2944, average over such draws): of few
points the likeliest values are often wrong, and a search that trusts them stays where it is.
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
NOISES = (0.03, 0.1, 0.3, 1.0)  # of the variance of what is learnt
LEANINGS = (0.0, 0.5, 0.8)  # the share of one view, of which the others have the rest
SWEEPS = 2
SHOWN = 100  # points by which length, mixture and noise are judged


class Shape(NamedTuple):
    """What of the kernel is drawn: the share of each view, the length, the noise."""

    shares: tuple[float, ...]
    length: float
    noise: float


class GaussianProcess:
    """Learns ``targets`` (large is good) of points given by ``views``: arrays with a row for each point."""

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
        """The mean and the standard deviation at points."""
        across = _solved(self.factor, self._across(views))
        left = self.variance * (1.0 - (across * across).sum(axis=0))
        return self.centre + across.T @ self.weights, np.sqrt(np.maximum(left, 1e-9))

    def believe(self, views: Sequence[Array]) -> None:
        """Take points for what they are predicted to be: trials that run are not asked for again.

        The kriging believer (Ginsbourger et al., "Kriging is Well-Suited to Parallelize Optimization", 2010).
        """
        means, _ = self.predict(views)
        self.views = [np.concatenate(pair) for pair in zip(self.views, views, strict=True)]
        self.values = np.concatenate([self.values, means - self.centre])
        self._solve(self._across(self.views))

    def _across(self, views: Sequence[Array]) -> Array:
        """The kernel between what was learnt from and other points."""
        pairs = zip(self.views, views, self.scales, strict=True)
        return _kernel([_squares(own, other) / scale for own, other, scale in pairs], self.shape)

    def _solve(self, kernel: Array) -> None:
        self.factor = _factor(kernel, self.shape)
        self.weights = _solved(self.factor, self.values)


def _drawn(squares: list[Array], targets: Array, rng: random.Random) -> Shape:
    """A shape drawn by its likelihood: Gibbs' sampler over the grid of shapes, from a plain start."""
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
    """Equal shares, and shares that lean to one view or leave it out."""
    if views == 1:
        return [(1.0,)]
    mixtures = [(1.0 / views,) * views]
    for one, share in product(range(views), LEANINGS):
        mixtures.append(tuple(share if view == one else (1.0 - share) / (views - 1) for view in range(views)))
    return list(dict.fromkeys(mixtures))


def _likelihood(squares: list[Array], targets: Array, shape: Shape) -> float:
    """The log likelihood, the variance at its likeliest."""
    factor = _factor(_kernel(squares, shape), shape)
    variance = _variance(_solved(factor, targets - targets.mean()))
    return float(-0.5 * len(targets) * np.log(variance) - np.log(np.diag(factor)).sum())


def _variance(weights: Array) -> float:
    """As if one more target of variance 1 had been seen: equal targets are no proof that all points are equal."""
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
    """Which points judge a shape: the best and the latest."""
    best = np.argsort(-targets, kind="stable")[: SHOWN // 2]
    latest = np.arange(max(0, len(targets) - SHOWN // 2), len(targets))
    return np.union1d(best, latest) if len(targets) > SHOWN else np.arange(len(targets))


def _factor(kernel: Array, shape: Shape) -> Array:
    """Cholesky's, of the kernel with noise."""
    factor: Array = cholesky(kernel + shape.noise * np.eye(len(kernel)), lower=True, check_finite=False)
    return factor


def _solved(factor: Array, right: Array) -> Array:
    solved: Array = solve_triangular(factor, right, lower=True, check_finite=False)
    return solved
