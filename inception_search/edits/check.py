"""Whether an edited network is one: it lowers, and its document stays within what is read back."""

from __future__ import annotations

from typing import Any

from inception_search.edits.blocks import blocks_inside
from inception_search.edits.memo import Memo
from inception_search.edits.readable import surely_readable
from inception_search.errors import DocumentError, ShapeError
from inception_search.estimate import shapes
from inception_search.graph.types import FeatureMap, Type
from inception_search.spec.document import parse_network
from inception_search.spec.network import Network
from inception_search.spec.step import AnyStep
from inception_search.spec.text import text


def why_not(network: Network) -> str | None:
    """Why a network made of valid steps cannot be used; None when it can."""
    try:
        check_shapes(network)
    except ShapeError as error:
        return f"shapes do not fit ({error.rule})"
    if surely_readable(network):
        return None
    try:
        parse_network(text(network))
    except DocumentError as unreadable:
        return f"the document would not be read back ({unreadable.rule})"
    return None


def check_shapes(network: Network) -> None:
    """A :class:`ShapeError`, without file and line, unless ``network`` lowers."""
    shape = shapes(network)
    rules = (network.pool_defaults.ceil, network.same_padding)

    def after(step: AnyStep, x: Type) -> Type:
        # The blocks are remembered as well, so that their ids stay their own.
        blocks = blocks_inside(network, step)
        return _SHAPES.get(step, lambda: (shape(step, x), blocks), (x, *rules, *map(id, blocks)))[0]

    taps: dict[str, Type] = {}
    x: Type = FeatureMap(*network.input.shape)
    for name, step in network.stages.items():
        x = taps[name] = after(step, x)
    shape(network.head, x)
    for aux in network.aux.values():
        shape(aux, after(aux.body, taps[aux.after]))


_SHAPES: Memo[AnyStep, tuple[Type, Any]] = Memo()
