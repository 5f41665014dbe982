"""Mutation: one random edit of a network to another valid architecture, optionally inside a space."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from inception_search.edits.cached_certificate import certificate
from inception_search.edits.difference import difference
from inception_search.edits.edit import Edit
from inception_search.edits.identity_cache import interned
from inception_search.edits.kinds.table import DEFAULT_MIX
from inception_search.edits.random_edit import Mix, draw_untied
from inception_search.edits.validity import why_not
from inception_search.errors import EditError, InceptionSearchError, LimitError
from inception_search.space.sampling import random_of
from inception_search.spec.network import Network

if TYPE_CHECKING:
    from inception_search.space.space import Space

ROUNDS = 40  # kinds of edits drawn before giving up
TRIES = 8  # random places and values of one kind
IN_SPACE = 6  # edits of the tree drawn before one hole of the network's point is changed instead
ISOMORPHIC = "it is the same architecture"


@dataclass(frozen=True)
class Mutation:
    """The child of a mutation, and the edits that lead to it from its parent.

    There is one edit; if a decision of a space changes several parts of the network, there is one for each part.
    """

    network: Network
    edits: tuple[Edit, ...]

    @property
    def edit(self) -> Edit:
        """The edit; the first one if there are several."""
        return self.edits[0]


def mutate(
    network: Network,
    seed: int | random.Random,
    *,
    space: Space | None = None,
    mix: Mapping[str, float] = DEFAULT_MIX,
    different: bool = True,
) -> Mutation:
    """Mutate a network: apply one random edit that results in a valid network.

    Args:
        network: the parent.
        seed: a number, or a random number generator; the same number gives the same child.
        space: a space that must contain the child (default: any valid network).
        mix: the relative frequency of each kind of edit, by its name; :func:`edits_of` lists the kinds.
        different: require another architecture than the parent's, not only another way to write it.

    Returns:
        ``child.network``, and ``child.edit``, the edit that was applied.

    Raises:
        EditError: no edit is possible; the error gives the most frequent reason.
        UnknownNameError: ``mix`` contains an unknown kind of edit.

    >>> child = ins.mutate("inception_v1", seed=0)
    >>> print(child.edit)
    conv2: 3x3 192 -> 3x1 192, 1x3 192 (factorise)
    >>> ins.arch_id(child.network) == ins.arch_id("inception_v1")
    False
    """
    rng = random_of(seed)
    network = interned(network)
    tries = Tries(network, space, different)
    rounds, repeated = (ROUNDS, TRIES) if space is None else (IN_SPACE, 1)
    for edit in _drawn(network, Mix(mix), rng, rounds, repeated):
        child = tries.child(edit)
        if edit is not None and child is not None:
            return Mutation(child, (edit,))
    if space is not None:
        return _neighbour(tries, space, rng)
    raise tries.error("no edit of the network is a mutation of it")


class Tries:
    """The rejected candidates of a search for a child, by reason.

    ``known``: certificates of architectures that are rejected, with the reason.
    """

    def __init__(self, network: Network, space: Space | None = None, different: bool = True) -> None:
        self.network = network
        self.space = space
        self.known = {certificate(network): ISOMORPHIC} if different else {}
        self.reasons: Counter[str] = Counter()

    def child(self, edit: Edit | None) -> Network | None:
        """The edited network if it is acceptable; otherwise the reason is counted."""
        if edit is None:
            self.reasons["the network has no place for it"] += 1
            return None
        try:
            child = edit.apply(self.network)
        except InceptionSearchError as error:
            self.reasons[error.rule] += 1
            return None
        return child if self.will_do(child) else None

    def will_do(self, child: Network) -> bool:
        """Whether ``child`` lowers, is another architecture and a point of the space."""
        # Cheapest first; the place of a shape error is not needed here.
        reason = (self.known and self.known.get(certificate(child))) or why_not(child)
        if reason is None and self.space is not None:
            reason = _outside(self.space, child)
        if reason is not None:
            self.reasons[reason.split(" (")[0]] += 1
        return reason is None

    def error(self, rule: str) -> EditError:
        """The error for a search without a result, with the most frequent reason."""
        (reason, count), *_ = self.reasons.most_common(1) or [("there was no candidate", 0)]
        total = sum(self.reasons.values())
        return EditError(rule, found=self.network, expected=f"another one; of {total} candidates, {count}: {reason}")


def _outside(space: Space, child: Network) -> str | None:
    try:
        return None if space.contains(child) else f"it is outside the space {space.name!r}"
    except LimitError:  # the network matches the template in too many ways
        return f"the space {space.name!r} cannot tell whether it holds it"


def _drawn(network: Network, mix: Mix, rng: random.Random, rounds: int, repeated: int) -> Iterator[Edit | None]:
    """Random edits; None for a kind that has no place in the network, which is not drawn again.

    Each kind is tried ``repeated`` times, so that rejections do not change the distribution of kinds.
    """
    without: set[str] = set()
    while rounds and (kind := mix.draw(rng, without)):
        for _ in range(repeated):
            edit = draw_untied(kind, network, mix, rng) if kind.untying else kind.draw(network, rng)
            yield edit
            if edit is None:
                without.add(kind.name)
                break
        rounds -= kind.name not in without


def _neighbour(tries: Tries, space: Space, rng: random.Random) -> Mutation:
    """The network with one hole of its point changed."""
    network = tries.network
    point = space.encode(network)  # raises with the reason if the network is not in the space
    for _ in range(ROUNDS):
        child = space.decode(space.neighbour(point, rng), point.layout)
        if tries.will_do(child):
            return Mutation(child, difference(network, child))
    raise tries.error(f"no edit of the network is a mutation of it inside the space {space.name!r}")
