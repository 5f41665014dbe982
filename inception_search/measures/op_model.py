"""Times of ops that were not timed, from those of the same kind: a Gaussian process on logarithms of sizes."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

LEAST = 8  # ops of a kind that it is modelled from; rarer kinds share one model
MOST = 400  # the time of fitting grows with the third power
BLOCK = 16  # channels that a vector unit computes at once
SHORTEST = 1e-4  # milliseconds; shorter times are noise


class OpModel:
    """A model of the time of ops.

    Args:
        rows: ops with their sizes (see :meth:`~inception_search.measures.units.Unit.sizes`) and times, ``ms``.
    """

    def __init__(self, rows: Sequence[Mapping[str, Any]]) -> None:
        from sklearn.gaussian_process import GaussianProcessRegressor
        from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        step = max(1, math.ceil(len(rows) / MOST))
        kept = rows[::step]
        times = [math.log(max(row["ms"], SHORTEST)) for row in kept]
        sizes = [_features(row) for row in kept]
        kernel = ConstantKernel() * Matern([1.0] * len(sizes[0]), nu=2.5) + WhiteKernel(0.01)
        self.model = make_pipeline(StandardScaler(), GaussianProcessRegressor(kernel, normalize_y=True))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # sizes that are the same in all rows have no best length scale
            self.model.fit(sizes, times)

    def milliseconds(self, rows: Sequence[Mapping[str, Any]]) -> list[float]:
        """The times of ops with these sizes."""
        return [math.exp(value) for value in self.model.predict([_features(row) for row in rows])]

    def errors(self) -> list[float]:
        """The relative error of each op that the model was made from, if it is left out of the model."""
        from scipy.linalg import cho_solve

        process = self.model[-1]
        count = len(process.alpha_)
        inverse = cho_solve((process.L_, True), [[float(i == j) for j in range(count)] for i in range(count)])
        residuals = process.alpha_ / inverse.diagonal() * float(process._y_train_std)
        return [math.expm1(abs(float(each))) for each in residuals]


def _features(row: Mapping[str, Any]) -> list[float]:
    channels = (row["channels_in"], row["channels_out"])
    sizes = [math.log(row[name] + 1) for name in ("macs", "values", "weights")]
    return [*sizes, *map(math.log, channels), *(math.log(-(-each // BLOCK) * BLOCK / each) for each in channels)]
