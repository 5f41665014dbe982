"""What a graph costs in total: parameters, multiply-adds, activation bytes, depth.

One multiply-add counts as one (MACs, not "FLOPs"); convolutions and linear layers only, for one image.
"""

from __future__ import annotations

from dataclasses import dataclass

FLOAT_BYTES = 4


@dataclass(frozen=True)
class Cost:
    """Totals for one image; ``aux_*`` is what the auxiliary classifiers add in training."""

    params: int
    macs: int
    activation_bytes: int  # of every op's output in float32: what training keeps
    depth: int  # convolutions and linear layers on the longest path
    aux_params: int = 0
    aux_macs: int = 0

    @property
    def params_with_aux(self) -> int:
        """Parameters of the network as it is trained."""
        return self.params + self.aux_params

    def to_dict(self) -> dict[str, int]:
        """The main figures by name."""
        names = ("params", "macs", "activation_bytes", "depth")
        return {name: getattr(self, name) for name in names}
