"""The reason why a network is not a point of a space: the mismatch furthest into the network."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from inception_search.errors import NotInSpaceError, shorten
from inception_search.spec.base_model import SpecModel
from inception_search.spec.documents.to_yaml import text
from inception_search.spec.network import Network
from inception_search.spec.step import AnyStep, Chain

NOTHING: Any = object()


class Mismatch:
    """The mismatch furthest into ``network``, with all values expected there; the parts ``last`` are matched last."""

    def __init__(self, network: Network, last: tuple[str, ...] = ()) -> None:
        self.furthest = (-1, -1)
        self.path = ""
        self.problem = "it does not have the form of the template"
        self.wanted: list[str] = []
        # the position of every path of the network, in the order of matching
        rank = {part: index for index, part in enumerate(last, start=1)}
        paths = sorted(_paths(network, ""), key=lambda path: rank.get(path.partition(".")[0], 0))
        self.order = {path: index for index, path in enumerate(paths)}

    def note(self, path: str, problem: str, bound: int, value: Any, wanted: Any) -> None:
        """Record a ``problem`` of ``value`` at ``path``, where ``wanted`` is expected; ``bound`` holes are answered."""
        problem = problem if value is NOTHING else f"{_plain(value)} {problem}"
        problem, wanted = (problem, "") if wanted is NOTHING else (f"{problem} ", str(_plain(wanted)))
        known = path
        while known and known not in self.order:
            known = known.rpartition(".")[0]
        reached = (self.order.get(known, -1), bound)
        if reached > self.furthest:
            self.furthest, self.path, self.problem, self.wanted = reached, path, problem, [wanted]
        elif (path, problem) == (self.path, self.problem) and wanted not in self.wanted:
            self.wanted.append(wanted)

    def error(self) -> NotInSpaceError:
        """The error with the recorded mismatch."""
        path = self.path.removeprefix("stages.")
        return NotInSpaceError(self.problem + " or ".join(self.wanted), path=path or None)


def _paths(value: Any, path: str) -> Iterator[str]:
    """The path of ``value`` and of everything inside it."""
    yield path
    items: Iterable[tuple[Any, Any]]
    if isinstance(value, Chain):
        items = enumerate(value.steps)
    elif isinstance(value, SpecModel):
        items = value
    else:
        items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, tuple) else ()
    for name, item in items:
        yield from _paths(item, f"{path}.{name}" if path else str(name))


def _plain(value: Any) -> str:
    if isinstance(value, AnyStep):
        return " ".join(text(value).split())
    if isinstance(value, tuple | list) and len(value) == 2:
        return "x".join(map(str, value))
    return value if isinstance(value, str) else shorten(value)
