"""What became of every tensor when weights were loaded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from inception_search.weights.checkpoint import printable


@dataclass(frozen=True)
class WeightsReport:
    """Whose weights they were, and what was done with each tensor; ``print(report)`` says it in a few lines.

    ``used``: our keys filled from the file, with the file's names. ``adapted``: our keys whose tensor was changed
    on the way, and how. ``filled``: our keys the file's implementation does not have, with their value (gamma 1).
    ``fresh``: our keys left as they were initialised. ``unused``: the file's tensors that have no place, and why.
    ``left_out``: what the file holds besides these weights: an optimizer's state, a second state dict.
    ``alike``: the networks of the other implementations with the same names, whose weights they may as well be.
    ``below``: what comes before the names in the file, ``encoder.`` say.
    """

    file: str | None
    network: str
    implementation: str
    used: Mapping[str, str] = field(default_factory=dict)
    adapted: Mapping[str, str] = field(default_factory=dict)
    filled: Mapping[str, float] = field(default_factory=dict)
    fresh: tuple[str, ...] = ()
    unused: Mapping[str, str] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()
    below: str = ""
    alike: tuple[str, ...] = ()

    def __str__(self) -> str:
        below = f" below {printable(self.below)}" if self.below else ""
        same = "".join(f" or {name.rpartition('@')[2]}'s" for name in self.alike)
        lines = [f"{self.implementation}'s{same} weights of {self.network}{below}: {len(self.used)} tensors used"]
        lines += [f"the names are the same; compile {' or '.join(self.alike)} {_IF_THERE}"] * bool(self.alike)
        lines += [f"adapted {key}: {how}" for key, how in self.adapted.items()]
        for value, what in ((1.0, "gammas"), (0.0, "counts of batches")):
            number = sum(filled == value for filled in self.filled.values())
            lines += [f"filled {number} {what} that it does not have with {value:g}"] * bool(number)
        lines += [f"left as initialised: {_some(self.fresh)}"] * bool(self.fresh)
        for why in dict.fromkeys(self.unused.values()):
            lines.append(f"not used, {why}: {_some([name for name, other in self.unused.items() if other == why])}")
        others = [printable(name) for name in self.left_out]
        lines += [f"not read, besides the weights: {_some(others)}"] * bool(others)
        return "\n".join(lines)


_IF_THERE = "if they are from there: its images may be prepared otherwise"


def _some(names: tuple[str, ...] | list[str], most: int = 4) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
