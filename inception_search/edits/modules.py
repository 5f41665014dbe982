"""Whole modules: one more, one less, and uses of a block written out."""

from __future__ import annotations

from collections.abc import Iterator

from inception_search.edits.edit import Edit
from inception_search.edits.kind import Kind, Opening
from inception_search.edits.tree import Site
from inception_search.spec.network import Network
from inception_search.spec.step import AnyStep, Block, Chain, Concat, Identity, Use, chain

MODULES = (Concat, Block, Use)
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
    "untie_use", (Use,), untie_use, opening=Opening(lambda site: site.network.resolve(site.step), lambda _, step: step)
)
TIE_USE = Kind("tie_use", (Concat, Block, Chain), tie_use)
