"""The steps of a tree, the steps around each, and replacing one of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

from inception_search.edits.identity_cache import Memo
from inception_search.spec.base_model import SpecModel
from inception_search.spec.network import Network
from inception_search.spec.step import (
    AnyStep,
    Block,
    Chain,
    Concat,
    Dag,
    DagInput,
    DagNode,
    Repeat,
    chain,
    children,
    concat,
)

Section: TypeAlias = tuple[str, ...]  # ("stages", "stem"), ("blocks", "inception_a"), ("aux", "aux", "body")
Trail: TypeAlias = tuple[int, ...]  # indices of children, from the outermost step of a section inwards


@dataclass(frozen=True, slots=True)
class Spot:
    """A step of a tree, the steps around it (outermost first), and the index of the child in each."""

    trail: Trail
    parents: tuple[AnyStep, ...]
    step: AnyStep

    def child(self, index: int) -> Spot:
        """The spot of the child ``index`` of the step."""
        return Spot((*self.trail, index), (*self.parents, self.step), parts(self.step)[index])


class Site(NamedTuple):
    """A spot in a section of a network."""

    network: Network
    section: Section
    spot: Spot

    @property
    def step(self) -> AnyStep:
        """The step itself."""
        return self.spot.step

    @property
    def parent(self) -> AnyStep | None:
        """The step directly around it."""
        return self.spot.parents[-1] if self.spot.parents else None

    @property
    def beside(self) -> bool:
        """Whether the step is inside a branch, which must keep the same feature map size as the others."""
        return any(isinstance(parent, Concat | Dag) for parent in self.spot.parents)


def sections(network: Network) -> Iterator[tuple[Section, AnyStep]]:
    """The outermost steps of ``network``, each with its section of the document."""
    yield from ((("blocks", name), step) for name, step in network.blocks.items())
    yield from ((("stages", name), step) for name, step in network.stages.items())
    yield from ((("aux", name, "body"), aux.body) for name, aux in network.aux.items())


def parts(step: AnyStep) -> tuple[AnyStep, ...]:
    """The steps directly inside a step."""
    return tuple(part for _, part in children(step))


def outline(step: AnyStep) -> tuple[Spot, ...]:
    """Every spot of a tree, outer steps before inner ones; cached for each tree."""
    return _OUTLINES.get(step, lambda: tuple(_spots(Spot((), (), step))))


def _spots(spot: Spot) -> Iterator[Spot]:
    yield spot
    for index, part in enumerate(parts(spot.step)):
        yield from _spots(Spot((*spot.trail, index), (*spot.parents, spot.step), part))


_OUTLINES: Memo[tuple[Spot, ...]] = Memo()


def with_part(parent: AnyStep, index: int, part: AnyStep) -> AnyStep:
    """``parent`` with ``part`` as its child ``index``; raises pydantic's ValidationError if that is invalid."""
    return WITH_PART[type(parent)](parent, index, part)


def _replaced(steps: tuple[AnyStep, ...], index: int, part: AnyStep) -> tuple[AnyStep, ...]:
    return (*steps[:index], part, *steps[index + 1 :])


def _with_part_of_dag(parent: Dag, index: int, part: AnyStep) -> Dag:
    _, number, *place = children(parent)[index][0]
    nodes = list(parent.nodes)
    nodes[int(number)] = _with_part_of_node(nodes[int(number)], place, part)
    return Dag(nodes=tuple(nodes))


def _with_part_of_node(node: DagNode, place: list[str | int], part: AnyStep) -> DagNode:
    """``node`` with another step at the place ``("then",)`` or ``("inputs", index, "step")``."""
    if place[0] == "then":
        return DagNode(join=node.join, inputs=node.inputs, then=part)
    inputs = list(node.inputs)
    inputs[int(place[1])] = DagInput(node=inputs[int(place[1])].node, step=part)
    return DagNode(join=node.join, inputs=tuple(inputs), then=node.then)


WITH_PART: dict[type[SpecModel], Callable[[Any, int, AnyStep], AnyStep]] = {
    Chain: lambda parent, index, part: Chain(steps=_replaced(parent.steps, index, part)),
    Concat: lambda parent, index, part: Concat(branches=_replaced(parent.branches, index, part)),
    Block: lambda parent, index, part: Block(**{**parent.__dict__, "body": part}),
    Repeat: lambda parent, index, part: Repeat(times=parent.times, body=part),
    Dag: _with_part_of_dag,
}


def settled(spot: Spot, after: AnyStep) -> tuple[Spot, AnyStep] | None:
    """The innermost spot and step whose plain replacement turns the step at ``spot`` into ``after``.

    Tidying moves the replacement outwards: a chain in a chain is spliced, an absent branch dropped, and a chain or
    concat of one step becomes that step. None if ``after`` is invalid at ``spot``.
    """
    while spot.parents and not _can_hold(parent := spot.parents[-1], after):
        index = spot.trail[-1]
        if isinstance(parent, Chain) and after.kind != "absent":
            after = chain(*parent.steps[:index], after, *parent.steps[index + 1 :])
        elif isinstance(parent, Concat):
            after = concat(*parent.branches[:index], after, *parent.branches[index + 1 :])
        else:
            return None
        spot = Spot(spot.trail[:-1], spot.parents[:-1], parent)
    if after.kind == "absent" or after == spot.step:
        return None
    return spot, after


def _can_hold(parent: AnyStep, part: AnyStep) -> bool:
    if isinstance(parent, Chain):
        return part.kind not in ("chain", "identity", "absent")
    if isinstance(parent, Repeat):
        return part.kind not in ("identity", "absent")
    return part.kind != "absent"


def planted(spot: Spot, after: AnyStep) -> AnyStep:
    """The whole tree around ``spot`` with its step replaced by ``after``."""
    for parent, index in zip(reversed(spot.parents), reversed(spot.trail), strict=True):
        after = with_part(parent, index, after)
    return after
