"""Whole modules: one more, one less, how often one is repeated, and copies tied (repeats, uses of blocks) or untied."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from inception_search.edits.edit import Edit
from inception_search.edits.kinds.kind import Kind, Untying
from inception_search.edits.sites import Site
from inception_search.spec.limits import MAX_REPEAT
from inception_search.spec.network import Network
from inception_search.spec.step import AnyStep, Block, Chain, Concat, Identity, Repeat, Use, chain

MODULES = (Concat, Block, Use)
REPEATS = (-2, -1, 1, 2)  # how many more or less
LONGEST_NAME = 58  # of a stage whose copy is named after it


def duplicate_module(site: Site) -> Iterator[AnyStep]:
    """A module of a chain twice."""
    if isinstance(site.parent, Chain):
        yield chain(site.step, site.step)


def drop_module(site: Site) -> Iterator[AnyStep]:
    """Nothing, in place of a module of a chain."""
    if isinstance(site.parent, Chain):
        yield Identity()


def duplicate_stage(network: Network) -> Iterator[Edit]:
    """A further stage after each that is a module: the same module."""
    for index, (name, step) in enumerate(network.stages.items()):
        if isinstance(step, MODULES) and len(name) <= LONGEST_NAME:
            number = next(n for n in range(2, len(network.stages) + 3) if f"{name}_{n}" not in network.stages)
            yield Edit("duplicate_module", f"stages.{name}_{number}", None, step, index + 1)


def drop_stage(network: Network) -> Iterator[Edit]:
    """Each stage gone that is a module, and not read by an auxiliary classifier."""
    tapped = {aux.after for aux in network.aux.values()}
    for index, (name, step) in enumerate(network.stages.items()):
        if isinstance(step, MODULES) and name not in tapped and len(network.stages) > 1:
            yield Edit("drop_module", f"stages.{name}", step, None, index)


def untie_use(site: Site) -> Iterator[AnyStep]:
    """The block a use names, written out in its place. Alone, it changes nothing."""
    yield site.network.resolve(site.step)


def tie_use(site: Site) -> Iterator[AnyStep]:
    """A use in place of a module that is written out as a block of the network is. It changes nothing."""
    for name, block in site.network.blocks.items():
        if block == site.step and site.section != ("blocks", name):
            yield Use(name=name)


DUPLICATE_MODULE = Kind("duplicate_module", MODULES, duplicate_module, duplicate_stage)
DROP_MODULE = Kind("drop_module", MODULES, drop_module, drop_stage)
UNTIE_USE = Kind(
    "untie_use", (Use,), untie_use, untying=Untying(lambda site: site.network.resolve(site.step), lambda _, step: step)
)
TIE_USE = Kind("tie_use", (Concat, Block, Chain), tie_use)


def set_repeat(site: Site) -> Iterator[AnyStep]:
    """The repeat one or two times more or less often."""
    step = site.step
    assert isinstance(step, Repeat)
    for more in REPEATS:
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
        tied = [_more(one)] if isinstance(other, MODULES) or other == one else []
        if one != other and isinstance(one, MODULES):
            tied.append(_more(other))
        for step in tied:
            if step is not None:
                yield chain(*steps[:index], step, *steps[index + 2 :])


def _more(step: AnyStep) -> AnyStep | None:
    """One more copy of a module or of what is repeated."""
    if isinstance(step, Repeat):
        return Repeat(times=step.times + 1, body=step.body) if step.times < MAX_REPEAT else None
    return Repeat(times=2, body=step) if isinstance(step, MODULES) else None


SET_REPEAT = Kind("set_repeat", (Repeat,), set_repeat)
UNTIE_REPEAT = Kind("untie_repeat", (Repeat,), untie_repeat, untying=Untying(_last, _with_last))
TIE_REPEAT = Kind("tie_repeat", (Chain,), tie_repeat)
