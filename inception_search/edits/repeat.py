"""Repeats: how often, and one copy taken out of them or into them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from inception_search.edits.kind import Kind, Opening
from inception_search.edits.tree import Site
from inception_search.spec.limits import MAX_REPEAT
from inception_search.spec.step import AnyStep, Block, Chain, Concat, Repeat, Use, chain

STEPS = (-2, -1, 1, 2)


def set_repeat(site: Site) -> Iterator[AnyStep]:
    """The repeat one or two times more or less often."""
    step = site.step
    assert isinstance(step, Repeat)
    for more in STEPS:
        if 1 <= step.times + more <= MAX_REPEAT:
            yield Repeat(times=step.times + more, body=step.body)


def untie_repeat(site: Site) -> Iterator[AnyStep]:
    """The repeat with its last copy written after it: ``4 x m`` as ``3 x m, m``. Alone, it changes nothing."""
    assert isinstance(site.step, Repeat)
    if site.step.times > 1:
        yield _with_last(site, site.step.body)


def _last(site: Site) -> AnyStep | None:
    """The last copy of the repeat, a block written out so that only this copy of it can change."""
    assert isinstance(site.step, Repeat)
    return site.network.resolve(site.step.body) if site.step.times > 1 else None


def _with_last(site: Site, last: AnyStep) -> AnyStep:
    """The repeat with ``last`` in place of its last copy."""
    assert isinstance(site.step, Repeat)
    times, body = site.step.times - 1, site.step.body
    return chain(Repeat(times=times, body=body) if times > 1 else body, last)


def tie_repeat(site: Site) -> Iterator[AnyStep]:
    """The chain with a module made a further copy of the module, or of the repeat, before it or after it.

    Where the two are alike already, it changes nothing.
    """
    assert isinstance(site.step, Chain)
    steps = site.step.steps
    for index, (one, other) in enumerate(pairwise(steps)):
        tied = [_more(one)] if isinstance(other, Concat | Block | Use) or other == one else []
        if one != other and isinstance(one, Concat | Block | Use):
            tied.append(_more(other))
        for step in tied:
            if step is not None:
                yield chain(*steps[:index], step, *steps[index + 2 :])


def _more(step: AnyStep) -> AnyStep | None:
    """One more copy of a module or of what is repeated."""
    if isinstance(step, Repeat):
        return Repeat(times=step.times + 1, body=step.body) if step.times < MAX_REPEAT else None
    return Repeat(times=2, body=step) if isinstance(step, Concat | Block | Use) else None


SET_REPEAT = Kind("set_repeat", (Repeat,), set_repeat)
UNTIE_REPEAT = Kind("untie_repeat", (Repeat,), untie_repeat, opening=Opening(_last, _with_last))
TIE_REPEAT = Kind("tie_repeat", (Chain,), tie_repeat)
