"""The types of values (feature maps and vectors, without the batch dimension), and the cost of a graph."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias


class FeatureMap(NamedTuple):
    """The (channels, height, width) of a feature map."""

    channels: int
    height: int
    width: int

    @property
    def numel(self) -> int:
        """Elements per image."""
        return self.channels * self.height * self.width

    def __str__(self) -> str:
        return f"{self.channels}x{self.height}x{self.width}"


class Vector(NamedTuple):
    """A flat vector of features."""

    channels: int

    @property
    def numel(self) -> int:
        """Elements per image."""
        return self.channels

    def __str__(self) -> str:
        return str(self.channels)


Type: TypeAlias = FeatureMap | Vector
Padding: TypeAlias = tuple[int, int] | Literal["tf"]  # zeros on each side, or TensorFlow's SAME


FLOAT_BYTES = 4


@dataclass(frozen=True)
class Cost:
    """Totals for one image; ``aux_*`` is the additional cost of auxiliary classifiers in training."""

    # Convolutions and linear layers only, for one image; one multiply-add counts as one (MACs, not "FLOPs").
    params: int
    macs: int
    activation_bytes: int  # of every op's output in float32, which training keeps
    depth: int  # convolutions and linear layers on the longest path
    aux_params: int = 0
    aux_macs: int = 0

    @property
    def params_with_aux(self) -> int:
        """Parameters of the network as it is trained."""
        return self.params + self.aux_params

    def to_dict(self) -> dict[str, int]:
        """The main totals by name."""
        names = ("params", "macs", "activation_bytes", "depth")
        return {name: getattr(self, name) for name in names}
