"""The checks of an edited network: its shapes fit, and its document is within the size limits of the reader."""

from __future__ import annotations

from typing import Any, NamedTuple

from inception_search.edits.identity_cache import Memo
from inception_search.edits.sites import parts, sections
from inception_search.errors import DocumentError, ShapeError
from inception_search.estimate import shapes
from inception_search.graph.types import FeatureMap, Type
from inception_search.spec.documents.parse import parse_network
from inception_search.spec.documents.to_yaml import short, text
from inception_search.spec.limits import MAX_DOCUMENT_BYTES, MAX_DOCUMENT_DEPTH, MAX_DOCUMENT_NODES
from inception_search.spec.network import Network
from inception_search.spec.step import AnyStep, Block, Chain, Concat, Dag, Repeat


class Extent(NamedTuple):
    """The number of YAML nodes and of levels in a part of a document."""

    nodes: int
    levels: int


REST = Extent(200, 8)  # a document without its steps; a section is at most 3 levels down
AUX = 60  # nodes of an auxiliary classifier without its body
LINE = 80  # most bytes of a node without its indentation
TEXTS = 30_000  # bytes of the source and of folded lines
# The size of a composite without its parts: its own nodes, nodes for each part, levels down to a part.
COMPOSITES: dict[type[Any], tuple[int, int, int]] = {
    Chain: (1, 0, 1),
    Concat: (3, 0, 2),
    Block: (13, 0, 2),
    Repeat: (6, 0, 2),
    Dag: (3, 12, 5),
}
_EXTENTS: Memo[Extent] = Memo()
_SHAPES: Memo[Type] = Memo()


def why_not(network: Network) -> str | None:
    """The reason why a network made of valid steps is unusable; None if it is usable."""
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
    """Raise :class:`ShapeError`, without file and line, unless ``network`` lowers."""
    shape = shapes(network)
    rules = (network.pool_defaults.ceil, network.same_padding)

    def after(step: AnyStep, x: Type) -> Type:
        return _SHAPES.get_in(network, step, lambda: shape(step, x), (x, *rules))

    taps: dict[str, Type] = {}
    x: Type = FeatureMap(*network.input.shape)
    for name, step in network.stages.items():
        x = taps[name] = after(step, x)
    shape(network.head, x)
    for aux in network.aux.values():
        shape(aux, after(aux.body, taps[aux.after]))


def surely_readable(network: Network) -> bool:
    """Whether an upper bound of the document's size is within the limits (if not, it is written and read to check)."""
    nodes, levels = of_document(network)
    size = nodes * (2 * levels + LINE) + TEXTS
    return nodes <= MAX_DOCUMENT_NODES and levels <= MAX_DOCUMENT_DEPTH and size <= MAX_DOCUMENT_BYTES


def of_document(network: Network) -> Extent:
    """An upper bound of the nodes and levels of the whole document."""
    found = [extent(step) for _, step in sections(network)]
    nodes = REST.nodes + AUX * len(network.aux) + sum(part.nodes + 1 for part in found)
    if network.preprocess is not None:
        nodes += len(network.preprocess.mean) + len(network.preprocess.std)
    return Extent(nodes, REST.levels + max(part.levels for part in found))


def extent(step: AnyStep) -> Extent:
    """An upper bound of the nodes and levels of a step in short form; cached."""
    return _EXTENTS.get(step, lambda: _extent(step))


def _extent(step: AnyStep) -> Extent:
    if type(step) not in COMPOSITES:
        return _of_data(short(step))
    own, each, down = COMPOSITES[type(step)]
    inside = [extent(part) for part in parts(step)]
    nodes = own + sum(part.nodes + each for part in inside)
    return Extent(nodes, down + max(part.levels for part in inside))


def _of_data(data: Any) -> Extent:
    if isinstance(data, dict):
        data = [item for pair in data.items() for item in pair]
    if not isinstance(data, list | tuple):
        return Extent(1, 1)
    inside = [_of_data(item) for item in data]
    return Extent(1 + sum(part.nodes for part in inside), 1 + max((part.levels for part in inside), default=0))
