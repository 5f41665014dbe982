"""The kinds of edits by name, their default weights, and every edit of a network."""

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
# Half are small changes of one field, a quarter adds or drops branches and convolutions, the rest changes structure.
# Kinds that never change the architecture (reordered branches, tied uses), or rarely matter to a search (norm,
# dropout), have no weight by default.
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
    """Every edit of a network that results in a valid network.

    The kinds of edits:

    - ``set_kernel``, ``set_width``, ``set_pool``, ``set_act``: another kernel, number of filters, pooling, activation.
    - ``set_factor``: another factorisation of a convolution; ``set_mid``: other filters between its factors;
      ``factorise`` and ``merge``: a convolution written as convolutions in series, and the reverse.
    - ``add_branch``, ``drop_branch``, ``duplicate_branch``, ``reorder_branches``: the branches of a concat.
    - ``add_conv``, ``drop_conv``: add or remove one convolution of a chain.
    - ``toggle_residual``, ``set_scale``, ``set_project``: the residual of a block, its scale and its projection.
    - ``set_repeat``: another number of repeats; ``untie_repeat``: a copy taken out of a repeat; ``tie_repeat``: a
      module replaced by a copy of its neighbour.
    - ``duplicate_module``, ``drop_module``: add a copy of a module, or remove one.
    - ``untie_use`` and ``tie_use``: a reference to a block replaced by the block, and the reverse.
    - ``set_norm``, ``set_dropout``: batch norm and dropout of the network.

    Some edits (``untie_use``, ``untie_repeat``, ``reorder_branches`` ...) only write the same architecture in another
    way; compare :func:`arch_id` if this matters.

    Args:
        network: the network.
        names: only these kinds of edits (default: all).

    Returns:
        An iterator of edits, kind by kind; ``edit.apply(network)`` is the edited network.

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
    """``names`` as a set; raises :class:`~inception_search.errors.UnknownNameError` for an unknown kind of edit."""
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
