"""The values of the holes of a template: each hole gets one value."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from inception_search.errors import NotInSpaceError
from inception_search.space.holes import Hole, Of, Params, Value

Ask = Callable[[Hole], Value]


class Bindings(dict[str, Any]):
    """The value of every hole that was reached, by name: the ``known`` one, else the one that ``ask`` returns.

    ``followed`` are the numbers that followed the channels coming in.
    """

    def __init__(self, holes: Mapping[str, Hole], ask: Ask, known: Params | None = None) -> None:
        super().__init__(known or {})
        self.holes = holes
        self.ask = ask
        self.followed: list[int] = []

    def __missing__(self, name: str) -> Any:
        hole = self.holes[name]
        value = self.ask(hole)
        if problem := hole.why_not(value):
            raise NotInSpaceError(problem, path=name)
        self[name] = value
        return value

    def follow(self, follower: Of, channels: int) -> int:
        """The number of a follower, where ``channels`` come in."""
        if follower.hole is not None:
            return follower.value(self[follower.hole.name])
        self.followed.append(follower.value(channels))
        return self.followed[-1]
