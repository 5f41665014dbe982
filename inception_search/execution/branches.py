"""Branches that can be computed at the same time on a GPU: those of a concatenation with nothing in common."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from inception_search.execution.fuse import Plan
from inception_search.graph.ops import Concat

_LEAST = 2  # branches with calls of their own


@dataclass(frozen=True)
class Fork:
    """The calls of a plan between a common value and a concatenation.

    Args:
        begin: the position of the first call of a branch.
        join: the position of the concatenation.
        branch_of: the branch of each call, by position; calls of branch 0 stay on the stream of the others.
    """

    begin: int
    join: int
    branch_of: dict[int, int]


def forks(plan: Plan) -> list[Fork]:
    """The concatenations of ``plan`` whose branches are independent, outermost only, in order."""
    found: list[Fork] = []
    for position in reversed(range(len(plan.steps))):
        if isinstance(plan.steps[position].node.op, Concat) and not any(f.begin <= position < f.join for f in found):
            fork = _fork(plan, position)
            if fork is not None:
                found.insert(0, fork)
    return found


def _fork(plan: Plan, join: int) -> Fork | None:
    at = {step.value: position for position, step in enumerate(plan.steps)}
    readers: dict[int, set[int]] = {}
    for position, step in enumerate(plan.steps):
        for value in step.all_reads:
            readers.setdefault(at[value], set()).add(position)
    branches = [_own(plan, at, readers, at[value], join) for value in plan.steps[join].all_reads]
    used = [branch for branch in branches if branch]
    if len(used) < _LEAST:
        return None
    branch_of = {position: number for number, branch in enumerate(used) for position in branch}
    begin = min(branch_of)
    outside = (at[v] for position in branch_of for v in plan.steps[position].all_reads if at[v] not in branch_of)
    # What a branch reads must have been computed before the streams are forked.
    return Fork(begin, join, branch_of) if all(position < begin for position in outside) else None


def _own(plan: Plan, at: dict[int, int], readers: dict[int, set[int]], last: int, join: int) -> set[int]:
    """The calls that only the branch that ends in call ``last`` needs."""
    found: set[int] = set()
    waiting: Sequence[int] = [last]
    while waiting:
        position, *waiting = waiting
        if readers[position] <= found | {join} and (position == last or join not in readers[position]):
            found.add(position)
            waiting = [*waiting, *(at[value] for value in plan.steps[position].all_reads)]
    return found
