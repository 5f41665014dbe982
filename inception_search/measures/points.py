"""The points of a space around one point: the same decisions, with narrower or wider widths and other repeats."""

from __future__ import annotations

import math
from collections.abc import Callable

from inception_search.errors import CompileError, LimitError, ShapeError, SpecError
from inception_search.measures.subject import Subject
from inception_search.space.holes import Choice, Hole, Integer, Many, Params, Value
from inception_search.space.space import Space
from inception_search.spec.network import Network

WIDTHS = ("width", "mid")  # what a hole's path ends with where it is the width of an op
NO_NETWORK = (SpecError, ShapeError, LimitError, CompileError)  # what a point may come to instead


class Points:
    """The points of a space that differ from one in their widths and repeats only; none more once it is ``late``."""

    def __init__(
        self, space: Space, params: Params, subject: Callable[[Network], Subject], late: Callable[[], bool]
    ) -> None:
        self.space, self.params, self.subject, self.late = space, params, subject, late
        self.made: dict[tuple[Value, ...], tuple[Params, Subject] | None] = {}

    def scaled(self, width: float, depth: float) -> Subject | None:
        """The network with widths and repeats moved by so much of the way to the ends of their holes."""
        moves = {name: self._moved(name, value, width, depth) for name, value in self.params.items()}
        key = tuple(moves.values())
        if key not in self.made:
            if self.late():
                return None
            self.made[key] = self._make(moves)
        made = self.made[key]
        return None if made is None else made[1]

    def subjects(self) -> list[Subject]:
        """The networks made so far."""
        return [made[1] for made in self.made.values() if made is not None]

    def params_of(self, subject: Subject) -> Params:
        """The point of one of them."""
        return next(made[0] for made in self.made.values() if made is not None and made[1] is subject)

    def _make(self, moves: Params) -> tuple[Params, Subject] | None:
        many = (name for name in moves if isinstance(self.space.holes[name], Many))
        try:
            if any(moves[name] != self.params[name] for name in many):  # what is added has holes of its own
                moves = self.space.changed(self.params, moves)
            return moves, self.subject(self.space.decode(moves))
        except NO_NETWORK:
            return None

    def _moved(self, name: str, value: Value, width: float, depth: float) -> Value:
        hole = self.space.holes[name]
        part = "times" if isinstance(hole, Many) else hole.path.rpartition(".")[2]
        amount = width if part in WIDTHS else depth if part == "times" else 0.0
        rungs = ladder(hole)
        if amount == 0.0 or value not in rungs:
            return value
        at = rungs.index(value)
        end = 0 if amount < 0.0 else len(rungs) - 1
        return rungs[math.floor(at + (end - at) * abs(amount) + 0.5)]


def ladder(hole: Hole) -> tuple[Value, ...]:
    """The values of a hole of whole numbers from small to large; empty for any other hole."""
    if isinstance(hole, Integer):
        return tuple(hole.domain)
    if not isinstance(hole, Choice) or any(type(value) is not int for value in hole.options.values()):
        return ()
    return tuple(sorted(hole.options, key=lambda label: int(hole.options[label])))
