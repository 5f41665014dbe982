"""What every reference network offers, whatever framework it is written in."""

from __future__ import annotations

from typing import Protocol

from torch import Tensor


class ReferenceNetwork(Protocol):
    """A network of another implementation: float64, random weights, evaluation form."""

    def state_dict(self) -> dict[str, Tensor]:
        """Weights and statistics under the implementation's own names, detached, sharing the network's memory."""
        ...

    def parameters(self) -> dict[str, Tensor]:
        """The trained tensors by the same names: leaves whose ``grad`` a backward pass fills."""
        ...

    def outputs(self, x: Tensor) -> tuple[Tensor, ...]:
        """Logits (or embedding) of NCHW images, then the auxiliary logits in graph order.

        Batch norms use their running statistics and dropout is off, in the auxiliary heads too.
        """
        ...
