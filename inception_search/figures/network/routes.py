"""The wires of a layered drawing: where each enters its box, and its track between two rows.

All wires of one value between two rows share a trunk and a track, like the branches of a fork. Tracks are ordered so
that no two wires overlap, then for the fewest crossings.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import permutations
from typing import NamedTuple

PORT = 20  # px between two wires that enter one box
CLEAR = 6  # px between two unrelated vertical wires
TRIED = 6  # largest number of tracks for which all orders are tried


class Net(NamedTuple):
    """The wires of one value between two rows: its start and its ends, in px from the left."""

    start: int
    ends: tuple[int, ...]

    @property
    def straight(self) -> bool:
        """Whether it needs no track."""
        return set(self.ends) == {self.start}

    @property
    def span(self) -> tuple[int, int]:
        """The ends of its track."""
        return min(self.start, *self.ends), max(self.start, *self.ends)


def ports(axis: int, left: int, right: int, starts: Sequence[int]) -> list[int]:
    """Where wires from ``starts`` enter a box: in their order, PORT px apart, as straight as possible."""
    if len(starts) == 1:
        return [axis]
    order = sorted(range(len(starts)), key=lambda i: (starts[i], i))
    low, high = axis - left + PORT // 2, axis + right - PORT // 2
    found = [0] * len(starts)
    at = low
    for place, index in enumerate(order):
        room = high - PORT * (len(starts) - 1 - place)
        found[index] = min(max(starts[index], at), room)
        at = found[index] + PORT
    return found


def cleared(port: int, others: Sequence[int], low: int, high: int) -> int:
    """``port``, moved as little as possible within ``low`` to ``high`` so that it is CLEAR px away from ``others``."""
    tries = sorted(range(low, high + 1), key=lambda x: (abs(x - port), x))
    return next((x for x in tries if all(abs(x - other) >= CLEAR for other in others)), port)


def tracks(nets: Mapping[int, Net]) -> dict[int, int]:
    """A track for every net that needs one; 0 is the topmost."""
    bent = [source for source, net in nets.items() if not net.straight]
    if len(bent) <= TRIED:
        best = min(permutations(bent), key=lambda order: _cost([nets[s] for s in order]))
    else:
        best = tuple(sorted(bent, key=lambda s: (-nets[s].start, s)))
    return {source: track for track, source in enumerate(best)}


def _cost(order: Sequence[Net]) -> tuple[int, int]:
    """The number of overlapping wires, then of crossings, with the tracks in this order from the top."""
    laid = crossed = 0
    for index, upper in enumerate(order):
        for lower in order[index + 1 :]:
            laid += sum(
                abs(end - lower.start) < CLEAR for end in upper.ends
            )  # a drop overlaps a trunk that has not ended
            crossed += sum(lower.span[0] < end < lower.span[1] for end in upper.ends)
            crossed += upper.span[0] < lower.start < upper.span[1]
    return laid, crossed
