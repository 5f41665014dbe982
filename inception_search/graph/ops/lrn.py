"""Local response normalisation across channels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from inception_search.graph.op import Channels, Op, feature_map
from inception_search.graph.types import Type

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, slots=True)
class Lrn(Op):
    """Divides by (k + alpha/size * sum of squares over ``size`` neighbouring channels) ** beta."""

    name: ClassVar[str] = "lrn"
    channels: ClassVar[Channels] = "pins"

    size: int = 5
    alpha: float = 1e-4
    beta: float = 0.75
    k: float = 1.0

    def infer(self, inputs: tuple[Type, ...]) -> Type:
        """The type of the input."""
        return feature_map("lrn", inputs[0])

    def build(self, inputs: tuple[Type, ...]) -> nn.Module:
        """``nn.LocalResponseNorm`` on (N, C, H, W)."""
        from torch import nn

        return nn.LocalResponseNorm(self.size, alpha=self.alpha, beta=self.beta, k=self.k)
