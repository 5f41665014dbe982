"""Edits of whole modules: duplicate, drop, repeat counts, and tying or untying copies (repeats, uses of blocks)."""

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
REPEATS = (-2, -1, 1, 2)  # changes of the number of copies
LONGEST_NAME = 58  # characters of a stage's name that the name of its copy keeps


def duplicate_module(site: Site) -> Iterator[AnyStep]:
    """Duplicate a module of a chain."""
    if isinstance(site.parent, Chain):
        yield chain(site.step, site.step)


def drop_module(site: Site) -> Iterator[AnyStep]:
    """Drop a module of a chain."""
    if isinstance(site.parent, Chain):
        yield Identity()


def duplicate_stage(network: Network) -> Iterator[Edit]:
    """Duplicate a stage that is a module, for each such stage."""
    for index, (name, step) in enumerate(network.stages.items()):
        if isinstance(step, MODULES) and len(name) <= LONGEST_NAME:
            number = next(n for n in range(2, len(network.stages) + 3) if f"{name}_{n}" not in network.stages)
            yield Edit("duplicate_module", f"stages.{name}_{number}", None, step, index + 1)


def drop_stage(network: Network) -> Iterator[Edit]:
    """Drop a stage that is a module and that no auxiliary classifier reads, for each such stage."""
    tapped = {aux.after for aux in network.aux.values()}
    for index, (name, step) in enumerate(network.stages.items()):
        if isinstance(step, MODULES) and name not in tapped and len(network.stages) > 1:
            yield Edit("drop_module", f"stages.{name}", step, None, index)


def untie_use(site: Site) -> Iterator[AnyStep]:
    """Replace a use by its block. By itself, this does not change the architecture."""
    yield site.network.resolve(site.step)


def tie_use(site: Site) -> Iterator[AnyStep]:
    """Replace a module by a use of an equal block of the network. This does not change the architecture."""
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
    """The repeat with one or two copies more or less."""
    step = site.step
    assert isinstance(step, Repeat)
    for more in REPEATS:
        if 1 <= step.times + more <= MAX_REPEAT:
            yield Repeat(times=step.times + more, body=step.body)


def untie_repeat(site: Site) -> Iterator[AnyStep]:
    """The repeat with its last copy moved after it: ``4 x m`` as ``3 x m, m``. The architecture does not change."""
    assert isinstance(site.step, Repeat)
    if site.step.times > 1:
        yield _with_last(site, site.step.body)


def _last(site: Site) -> AnyStep | None:
    """The last copy of the repeat; a used block is unrolled, so that only this copy of it changes."""
    assert isinstance(site.step, Repeat)
    return site.network.resolve(site.step.body) if site.step.times > 1 else None


def _with_last(site: Site, last: AnyStep) -> AnyStep:
    """The repeat with its last copy replaced by ``last``."""
    assert isinstance(site.step, Repeat)
    times, body = site.step.times - 1, site.step.body
    return chain(Repeat(times=times, body=body) if times > 1 else body, last)


def tie_repeat(site: Site) -> Iterator[AnyStep]:
    """The chain with a module replaced by one more copy of the neighbouring module or repeat.

    If the two are already equal, the architecture does not change.
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
    """A module, or the body of a repeat, with one more copy."""
    if isinstance(step, Repeat):
        return Repeat(times=step.times + 1, body=step.body) if step.times < MAX_REPEAT else None
    return Repeat(times=2, body=step) if isinstance(step, MODULES) else None


SET_REPEAT = Kind("set_repeat", (Repeat,), set_repeat)
UNTIE_REPEAT = Kind("untie_repeat", (Repeat,), untie_repeat, untying=Untying(_last, _with_last))
TIE_REPEAT = Kind("tie_repeat", (Chain,), tie_repeat)
