"""Batch normalisation (Ioffe & Szegedy 2015, algorithm 1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from inception_search.graph.op import Op, OpCost
from inception_search.graph.types import FeatureMap, Type

if TYPE_CHECKING:
    from torch import nn

    from inception_search.graph.onnx_calls import OnnxCalls


@dataclass(frozen=True, slots=True)
class BatchNorm(Op):
    """Per-channel normalisation; without ``gamma`` there is a shift only, as in TF-slim."""

    name: ClassVar[str] = "batch_norm"

    eps: float = 1e-3
    momentum: float = 0.1
    gamma: bool = True

    def cost(self, inputs: tuple[Type, ...], output: Type) -> OpCost:
        """A scale and a shift per channel."""
        return OpCost((2 if self.gamma else 1) * inputs[0].channels, 0)

    def tensors(self) -> tuple[str, ...]:
        """``weight`` (gamma) if there is one, ``bias`` (beta) and the running statistics, each (C,)."""
        own = ("bias", "running_mean", "running_var")
        return ("weight", *own) if self.gamma else own

    def build(self, inputs: tuple[Type, ...]) -> nn.Module:
        """``nn.BatchNorm2d`` on (N, C, H, W), ``nn.BatchNorm1d`` on (N, C)."""
        from torch import nn

        kind = nn.BatchNorm2d if isinstance(inputs[0], FeatureMap) else nn.BatchNorm1d
        norm = kind(inputs[0].channels, eps=self.eps, momentum=self.momentum)
        if not self.gamma:
            norm.register_parameter("weight", None)
        return norm

    def to_onnx(self, calls: OnnxCalls, values: tuple[str, ...], inputs: tuple[Type, ...]) -> str:
        """``BatchNormalization``."""
        gamma = calls.tensor("weight") if self.gamma else calls.numbers([1.0] * inputs[0].channels)
        others = (calls.tensor(name) for name in ("bias", "running_mean", "running_var"))
        return calls.call("BatchNormalization", values[0], gamma, *others, epsilon=self.eps)
