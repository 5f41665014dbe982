"""What is remembered of immutable values, by which object they are: trees share what an edit leaves alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")
MOST = 50_000


class Memo(Generic[K, V]):
    """Values by the identity of an object (which is kept alive, so that its id stays its own) and a context."""

    def __init__(self) -> None:
        self.known: dict[tuple[int, Any], tuple[Any, V]] = {}

    def get(self, key: K, make: Callable[[], V], context: Any = None) -> V:
        """The value remembered for ``key`` in ``context``, or what ``make`` gives."""
        found = self.known.get((id(key), context))
        if found is not None:
            return found[1]
        value = make()
        if len(self.known) >= MOST:
            self.known.clear()
        self.known[id(key), context] = (key, value)
        return value
