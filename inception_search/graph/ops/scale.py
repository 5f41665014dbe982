"""Multiplication by a constant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from inception_search.graph.op import Op


@dataclass(frozen=True, slots=True)
class Scale(Op):
    """``factor * x``; a function."""

    name: ClassVar[str] = "scale"

    factor: float
