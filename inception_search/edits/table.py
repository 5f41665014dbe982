"""The kinds of edits by name, how often each is drawn, and every edit of a network."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from inception_search.edits import branches, chain, factor, fields, kernel, modules, pool, repeat, residual, width
from inception_search.edits.check import why_not
from inception_search.edits.edit import Edit
from inception_search.edits.kind import Kind
from inception_search.errors import EditError, InceptionSearchError, unknown_name
from inception_search.spec.network import Network

EDITS: dict[str, Kind] = {
    "set_kernel": kernel.SET_KERNEL,
    "set_width": width.SET_WIDTH,
    "set_mid": width.SET_MID,
    "set_factor": factor.SET_FACTOR,
    "factorise": factor.FACTORISE,
    "merge": factor.MERGE,
    "set_pool": pool.SET_POOL,
    "set_act": fields.SET_ACT,
    "add_branch": branches.ADD_BRANCH,
    "drop_branch": branches.DROP_BRANCH,
    "duplicate_branch": branches.DUPLICATE_BRANCH,
    "reorder_branches": branches.REORDER_BRANCHES,
    "add_conv": chain.ADD_CONV,
    "drop_conv": chain.DROP_CONV,
    "toggle_residual": residual.TOGGLE_RESIDUAL,
    "set_scale": residual.SET_SCALE,
    "set_project": residual.SET_PROJECT,
    "set_repeat": repeat.SET_REPEAT,
    "untie_repeat": repeat.UNTIE_REPEAT,
    "tie_repeat": repeat.TIE_REPEAT,
    "duplicate_module": modules.DUPLICATE_MODULE,
    "drop_module": modules.DROP_MODULE,
    "untie_use": modules.UNTIE_USE,
    "tie_use": modules.TIE_USE,
    "set_norm": fields.SET_NORM,
    "set_dropout": fields.SET_DROPOUT,
}
# Half small changes of one field, a quarter branches and convolutions that come or go, the rest structure. What
# never changes the architecture (reordered branches, a block used instead of written out) or rarely matters to a
# search of architectures (norm, dropout) is not drawn unless asked for.
DEFAULT_MIX: dict[str, float] = {
    "set_width": 20,
    "set_kernel": 12,
    "set_mid": 4,
    "set_pool": 4,
    "set_scale": 2,
    "set_project": 1,
    "set_act": 1,
    "set_repeat": 6,
    "add_branch": 7,
    "drop_branch": 7,
    "duplicate_branch": 3,
    "add_conv": 5,
    "drop_conv": 5,
    "set_factor": 7,
    "factorise": 3,
    "merge": 2,
    "toggle_residual": 4,
    "untie_repeat": 3,
    "untie_use": 2,
    "tie_repeat": 1,
    "duplicate_module": 2,
    "drop_module": 2,
}


def edits_of(network: Network, names: Iterable[str] | None = None) -> Iterator[Edit]:
    """Every edit of a network that gives a valid network which fits its input.

    Some edits write the same architecture in another way (``untie_use``); compare :func:`arch_id` where that matters.

    Args:
        network: the network.
        names: only these kinds of edits, in the order of the table in docs/spaces.md.

    Returns:
        An iterator of edits; ``edit.apply(network)`` is the edited network.

    Raises:
        UnknownNameError: there is no such kind of edit.

    >>> edit = next(ins.edits_of("inception_v1", ["set_width"]))
    >>> print(edit)
    conv1: 7x7 64 s2 -> 7x7 32 s2 (set_width)
    >>> edit.apply(ins.load("inception_v1")).stages["conv1"].width
    32
    """
    wanted = known_names(EDITS if names is None else names)
    return (edit for name in EDITS if name in wanted for edit in EDITS[name].all(network) if _possible(network, edit))


def known_names(names: Iterable[str]) -> frozenset[str]:
    """Names of edits; an :class:`~inception_search.errors.UnknownNameError` for one nothing answers to."""
    if not isinstance(names, Iterable):
        raise EditError("names of edits are a list", found=names, hint="write ['set_width']")
    wanted = tuple([names] if isinstance(names, str) else names)
    for name in wanted:
        if not isinstance(name, str):
            raise EditError("the name of an edit is text", found=name, expected=f"one of {', '.join(EDITS)}")
        if name not in EDITS:
            raise unknown_name("edit", name, EDITS)
    return frozenset(wanted)


def _possible(network: Network, edit: Edit) -> bool:
    try:
        return why_not(edit.apply(network)) is None
    except InceptionSearchError:
        return False
