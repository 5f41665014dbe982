"""Zeros instead of a value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from inception_search.graph.op import Op


@dataclass(frozen=True, slots=True)
class Zero(Op):
    """Zeros of the input's shape: the operation "none" of NAS-Bench-201 (2001.00326, section 2.2); a function."""

    name: ClassVar[str] = "zero"
