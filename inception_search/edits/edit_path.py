"""The path from one network to another inside a space, as a list of edits.

The edits have a fixed order, so the path contains networks of papers in between only if ``via`` names them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, pairwise
from pathlib import Path
from typing import Any

from inception_search.canonical.catalogue import load
from inception_search.edits.summary import changes
from inception_search.errors import NotInSpaceError, ShapeError
from inception_search.estimate import estimate
from inception_search.graph.types import Cost
from inception_search.space.holes import Integer, Many, Params
from inception_search.space.load_space import load_space
from inception_search.space.path import grouped_path
from inception_search.space.space import Space
from inception_search.spec.identity.arch_id import arch_id
from inception_search.spec.network import Network

_NUMBERED = re.compile(r"([a-z_]+?)[0-9]+(?:\.(.*))?\Z")


@dataclass(frozen=True)
class Move:
    """One edit of the path: its description, the decisions it changes, and the network it leads to."""

    title: str
    more: tuple[str, ...]
    """The other changes."""
    decisions: Params
    """Holes of the space with their new values; empty for the network at the beginning."""
    point: Params
    network: Network
    cost: Cost
    part: str | None = None
    """The stage of the network that shows the edit; None if no single stage does."""

    def __str__(self) -> str:
        return f"{self.words} ({self.cost.params:,} parameters, {self.cost.macs:,} MACs)"

    @property
    def words(self) -> str:
        """All changes on one line."""
        return "; ".join((self.title, *self.more))

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON data."""
        return {
            "title": self.title,
            "more": list(self.more),
            "decisions": dict(self.decisions),
            "arch_id": arch_id(self.network),
            "cost": self.cost.to_dict(),
            "network": self.network.to_dict(),
        }


def path(
    start: Network | str | Path,
    goal: Network | str | Path,
    space: Space | str = "inception",
    via: Sequence[Network | str | Path] = (),
) -> tuple[Move, ...]:
    """The edits from one network to another: a :class:`Move` for ``start``, then one for each edit, the last ``goal``.

    The path contains the networks ``via``; without them it is direct, and skips networks published between the two.
    Networks are documents or shipped names. Every network of the path is a valid point of ``space`` that lowers.

    Decisions that belong together (one branch of every module, all widths, the stem ...) are one edit. Raises
    :class:`NotInSpaceError` where one of the two is not in the space, with the reason.
    """
    loaded = space if isinstance(space, Space) else load_space(space)
    stops = [_network(item) for item in (start, *via, goal)]
    legs = [_leg(loaded, first, last) for first, last in pairwise(stops)]
    return tuple(chain(legs[0], *(leg[1:] for leg in legs[1:])))


def _network(item: Network | str | Path) -> Network:
    return item if isinstance(item, Network) else load(item)


def _leg(loaded: Space, first: Network, last: Network) -> tuple[Move, ...]:
    here, there = (_point(loaded, network) for network in (first, last))
    moves = [Move(first.name, (), {}, here, first, estimate(first))]
    before = loaded.decode(here)
    for step in grouped_path(loaded, here, there, _lowers, lambda names: _grouped(loaded, names)):
        cost = estimate(step.network)
        titles = changes(before, step.network) or [_otherwise(moves[-1].cost, cost, step.decisions)]
        network = last if step.params == there else step.network  # the goal with its own names and layout
        part = _part(before, step.network)
        moves.append(Move(titles[0], tuple(titles[1:]), step.decisions, step.params, network, cost, part))
        before = step.network
    return tuple(moves)


def _point(space: Space, network: Network) -> Params:
    try:
        return dict(space.encode(network))
    except NotInSpaceError as error:
        rule = f"{network.name} is not in space {space.name!r}: {error}"
        raise NotInSpaceError(rule, hint="name a space that contains both networks") from None


def _lowers(network: Network) -> bool:
    try:
        estimate(network)
    except ShapeError:
        return False
    return True


def _otherwise(before: Cost, after: Cost, decisions: Params) -> str:
    """The title of an edit of widths, or of an edit that changes no trait."""
    if after.params != before.params:
        return f"{'widen' if after.params > before.params else 'narrow'} ({_widths(decisions)})"
    return "details: " + ", ".join(f"{name} = {value}" for name, value in decisions.items())


def _widths(decisions: Params) -> str:
    return "1 width" if len(decisions) == 1 else f"{len(decisions)} widths"


def _part(before: Network, after: Network) -> str | None:
    """The stage that shows the edit: a changed module of the middle phase, else the first changed stage."""
    changed = [name for name, step in after.stages.items() if before.stages.get(name) != step]
    return next((name for name in changed if name.startswith("b")), changed[0] if changed else None)


def _grouped(space: Space, names: Sequence[str]) -> list[list[str]]:
    """Decisions grouped by subject, in the order in which the path takes them."""
    groups: dict[tuple[int, str], list[str]] = {}
    for name in names:
        groups.setdefault(_subject(space, name), []).append(name)
    return [groups[subject] for subject in sorted(groups)]


def _subject(space: Space, name: str) -> tuple[int, str]:
    """The rank and the subject of a decision; the same branch of every module is one subject."""
    hole = space.holes[name]
    part = hole.path.partition(".")[0]
    numbered = _NUMBERED.match(name)
    if type(hole) is Integer and hole.path.endswith((".width", ".mid")):
        return 6, "widths"
    if part == "conv_defaults":
        return 0, part
    if isinstance(hole, Many) or hole.path.endswith(".times"):
        return 5, "modules"
    if numbered and isinstance(space.holes.get(numbered[1]), Many):
        return 1, ".".join((numbered[2] or "").split(".")[:2])
    if part == "stem":
        return 3, part
    if part in ("input", "head", "aux", "pool_defaults"):
        return (4, part) if part == "input" else (7, "rest")
    return 2, "reductions"
