"""Reference networks of Keras on its torch backend, with the names that they have in a fresh process."""

from __future__ import annotations

import functools
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any
from unittest import mock

from torch import Tensor

from tests.conformance.random_weights import randomise

AUTOMATIC = re.compile(r"(conv2d|batch_normalization)(?:_(\d+))?/(.+)")


class KerasNetwork:
    """A Keras application in the form in which networks are compared."""

    def __init__(self, name: str) -> None:
        keras = import_keras()
        with _float64(keras):
            self.model = getattr(keras.applications, name)(weights=None, classifier_activation=None)
        self._trained = {id(variable) for variable in self.model.trainable_variables}
        self._variables = dict(zip(_names(self.model), self.model.variables, strict=True))
        randomise(self.state_dict(), out_axis=-1)

    def state_dict(self) -> dict[str, Tensor]:
        """``<layer>/<variable>``; kernels are HWIO, the dense one (in, out)."""
        return {name: variable.value.detach() for name, variable in self._variables.items()}

    def parameters(self) -> dict[str, Tensor]:
        """The torch parameters behind the trainable variables."""
        return {name: v.value for name, v in self._variables.items() if id(v) in self._trained}

    def outputs(self, x: Tensor) -> tuple[Tensor, ...]:
        """Keras keeps channels last; gradients flow back to the NCHW images."""
        keras = import_keras()
        with _float64(keras):
            logits: Tensor = self.model(x.permute(0, 2, 3, 1), training=False)
        return (logits,)


@functools.cache
def import_keras() -> ModuleType:
    """Keras reads its backend from the environment and writes a settings file, both when it is first imported."""
    with tempfile.TemporaryDirectory() as home, mock.patch.dict(os.environ, KERAS_BACKEND="torch", KERAS_HOME=home):
        import keras
    return keras


@contextmanager
def _float64(keras: Any) -> Iterator[None]:
    """Double precision on the CPU for what is built or run inside; Keras would choose a GPU where there is one.

    On torch Keras promotes to float32 at most, whatever the policy says: batch norms, means and products of matrices
    would lose half their digits (keras issue 23704). The table that says so is corrected meanwhile.
    """
    from keras.src.backend.common import dtypes

    floatx, policy = keras.config.floatx(), keras.config.dtype_policy()
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    try:
        with keras.device("cpu"), mock.patch.dict(dtypes.BIT64_TO_BIT32_DTYPE, float64="float64"):
            yield
    finally:
        keras.config.set_floatx(floatx)
        keras.config.set_dtype_policy(policy)


def _names(model: Any) -> list[str]:
    """The variables' paths, automatic numbers counted from this model's first layer of the kind.

    Keras numbers layers through the process: ``conv2d_94`` is the first convolution of the second model built.
    """
    paths = [variable.path for variable in model.variables]
    found = [match for path in paths if (match := AUTOMATIC.fullmatch(path))]
    first = {kind: min(int(m[2] or 0) for m in found if m[1] == kind) for kind in {m[1] for m in found}}
    return [AUTOMATIC.sub(functools.partial(_renumbered, first), path) for path in paths]


def _renumbered(first: dict[str, int], match: re.Match[str]) -> str:
    number = int(match[2] or 0) - first[match[1]]
    return f"{match[1]}_{number}/{match[3]}" if number else f"{match[1]}/{match[3]}"
