"""Another way to pool."""

from __future__ import annotations

from inception_search.edits.kind import Kind
from inception_search.edits.tree import Site
from inception_search.edits.variant import variant
from inception_search.spec.step import AdaptivePool, AnyStep, Pool

MODES = {Pool: ("max", "avg", "l2"), AdaptivePool: ("max", "avg")}


def set_pool(site: Site) -> list[AnyStep]:
    """The pool with every other mode."""
    step = site.step
    assert isinstance(step, Pool | AdaptivePool)
    found = [variant(step, mode=mode) for mode in MODES[type(step)]]
    return [option for option in found if option is not None]


SET_POOL = Kind("set_pool", (Pool, AdaptivePool), set_pool)
