"""Weights of other implementations in memory: their measured names and shapes, seeded random numbers."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import pytest
import torch
from torch import Tensor

from inception_search.backend.network_module import NetworkModule
from tests.canonical.lists import measured


class Row(NamedTuple):
    """A document and an implementation whose weights it takes; ``aux``: the two have the same auxiliary heads."""

    document: str
    implementation: str
    aux: bool = False

    @property
    def network(self) -> str:
        """The name without the dialect."""
        return self.document.partition("@")[0]


FAST = [
    Row("inception_v1@torchvision", "torchvision", aux=True),
    Row("inception_v1@slim", "slim"),
    Row("bn_inception@cadene", "cadene"),
    Row("bn_inception@slim", "slim"),
    Row("inception_resnet_v1@facenet", "facenet"),
]
SLOW = [
    Row("inception_v3@torchvision", "torchvision", aux=True),
    Row("inception_v3@slim", "slim", aux=True),
    Row("inception_v3@keras", "keras"),
    Row("inception_v4@timm", "timm"),
    Row("inception_resnet_v1@facenet_tf", "facenet_tf"),
    Row("inception_resnet_v2@timm", "timm"),
    Row("inception_resnet_v2@keras", "keras"),
    Row("inception_resnet_v2@facenet_tf", "facenet_tf"),
]
ROWS = [
    *(pytest.param(row, id=f"{row.document}-{row.implementation}") for row in FAST),
    *(pytest.param(row, id=f"{row.document}-{row.implementation}", marks=pytest.mark.slow) for row in SLOW),
]


def weights(network: str, implementation: str) -> dict[str, Tensor]:
    """One implementation's tensors; the same numbers at every call. Counts of batches are 5."""
    return dict(_weights(network, implementation))


@lru_cache(maxsize=4)
def _weights(network: str, implementation: str) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(7)
    return {name: _random(name, shape, generator) for name, shape in measured(network, implementation).items()}


def _random(name: str, shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    if name.endswith("num_batches_tracked"):
        return torch.tensor(5)
    values = torch.rand(shape, generator=generator)
    if len(shape) > 1:
        return (values - 0.5) * 0.1
    return values + 0.5  # variances are positive


def by_hand(tensor: Tensor, name: str, want: torch.Size) -> Tensor:
    """TensorFlow's layouts undone index by index: H, W, inputs, outputs; the last, I x M outputs, for depthwise."""
    if "/" not in name or tensor.ndim == 1:
        return tensor
    if tensor.ndim == 2:
        return torch.einsum("io->oi", tensor)
    if "depthwise" in name:
        return torch.einsum("hwim->imhw", tensor).reshape(want)
    return torch.einsum("hwio->oihw", tensor).reshape((tensor.shape[3], *want[1:]))


def state_of(module: NetworkModule) -> dict[str, Tensor]:
    """A copy of the module's state."""
    return {key: value.clone() for key, value in module.state_dict().items()}


def same_state(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    """Whether two states have the same keys, dtypes and bits."""
    return list(one) == list(other) and all(
        one[key].dtype == other[key].dtype and torch.equal(one[key], other[key]) for key in one
    )
