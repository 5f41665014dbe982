"""The kinds of holes a template may have."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypeAlias

Value: TypeAlias = str | int | float
Params: TypeAlias = dict[str, Value]


@dataclass(frozen=True)
class Choice:
    """One of several sub-templates, by label."""

    name: str
    options: dict[str, Any] = field(hash=False)
    path: str = field(default="", compare=False)

    @property
    def domain(self) -> tuple[str, ...]:
        """The labels."""
        return tuple(self.options)

    def why_not(self, value: Value) -> str | None:
        """What is wrong with ``value``, or None."""
        known = isinstance(value, str) and value in self.options
        return None if known else f"{value!r} is none of {', '.join(self.options)}"


@dataclass(frozen=True)
class Integer:
    """An integer from ``low`` to ``high`` in steps, both ends included."""

    name: str
    low: int
    high: int
    step: int = 1
    log: bool = False
    path: str = field(default="", compare=False)

    @property
    def domain(self) -> range:
        """Every value."""
        return range(self.low, self.high + 1, self.step)

    def why_not(self, value: Value) -> str | None:
        """What is wrong with ``value``, or None."""
        inside = isinstance(value, int) and not isinstance(value, bool) and self.low <= value <= self.high
        if inside and (int(value) - self.low) % self.step == 0:
            return None
        step = f" step {self.step}" if self.step != 1 else ""
        return f"{value!r} is outside {self.low}..{self.high}{step}"


@dataclass(frozen=True)
class Float:
    """A number from ``low`` to ``high``."""

    name: str
    low: float
    high: float
    log: bool = False
    path: str = field(default="", compare=False)

    def why_not(self, value: Value) -> str | None:
        """What is wrong with ``value``, or None."""
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if number and self.low <= value <= self.high:  # type: ignore[operator]
            return None
        return f"{value!r} is outside {self.low}..{self.high}"


Hole: TypeAlias = Choice | Integer | Float
