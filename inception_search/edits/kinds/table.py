"""The kinds of edits by name, how often each is drawn, and every edit of a network."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from inception_search.edits.edit import Edit
from inception_search.edits.kinds import branches, factorise, layer_fields, modules, network_fields, residual
from inception_search.edits.kinds.kind import Kind
from inception_search.edits.validity import why_not
from inception_search.errors import EditError, InceptionSearchError, unknown_name
from inception_search.spec.network import Network

KINDS = (
    layer_fields.SET_KERNEL,
    layer_fields.SET_WIDTH,
    layer_fields.SET_MID,
    factorise.SET_FACTOR,
    factorise.FACTORISE,
    factorise.MERGE,
    layer_fields.SET_POOL,
    network_fields.SET_ACT,
    branches.ADD_BRANCH,
    branches.DROP_BRANCH,
    branches.DUPLICATE_BRANCH,
    branches.REORDER_BRANCHES,
    branches.ADD_CONV,
    branches.DROP_CONV,
    residual.TOGGLE_RESIDUAL,
    residual.SET_SCALE,
    residual.SET_PROJECT,
    modules.SET_REPEAT,
    modules.UNTIE_REPEAT,
    modules.TIE_REPEAT,
    modules.DUPLICATE_MODULE,
    modules.DROP_MODULE,
    modules.UNTIE_USE,
    modules.TIE_USE,
    network_fields.SET_NORM,
    network_fields.SET_DROPOUT,
)
EDITS: dict[str, Kind] = {kind.name: kind for kind in KINDS}
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
