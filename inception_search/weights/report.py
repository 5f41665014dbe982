"""The report of loading weights: how each tensor was used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from inception_search.weights.checkpoint import printable


@dataclass(frozen=True)
class WeightsReport:
    """The source of the weights, and the use of each tensor; ``print(report)`` shows a summary.

    ``used``: our keys filled from the file, with the file's names. ``adapted``: our keys whose tensor was converted,
    and how. ``filled``: our keys that the file's implementation lacks, with their value (gamma 1).
    ``fresh``: our keys that keep their initial values. ``unused``: tensors of the file that have no place, and why.
    ``left_out``: other contents of the file: an optimizer's state, a second state dict.
    ``alike``: networks of other implementations with the same names; the weights may also be from one of these.
    ``below``: the prefix of the names in the file, for example ``encoder.``.
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
        for value, what in ((1.0, "gammas"), (0.0, "batch counters")):
            number = sum(filled == value for filled in self.filled.values())
            lines += [f"filled {number} {what} missing in the file with {value:g}"] * bool(number)
        lines += [f"left as initialised: {_some(self.fresh)}"] * bool(self.fresh)
        for why in dict.fromkeys(self.unused.values()):
            lines.append(f"not used, {why}: {_some([name for name, other in self.unused.items() if other == why])}")
        others = [printable(name) for name in self.left_out]
        lines += [f"not read, because they are not weights: {_some(others)}"] * bool(others)
        return "\n".join(lines)


_IF_THERE = "if that is their source: its images may be prepared differently"


def _some(names: tuple[str, ...] | list[str], most: int = 4) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
