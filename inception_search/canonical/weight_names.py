"""The tensor names of canonical networks in other implementations, and the recognition of weight files."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple, Protocol

from inception_search.canonical.weight_styles import SAME, Style
from inception_search.canonical.weight_tables import Table, TableLayer, numbered, read_tables, table_names
from inception_search.errors import WeightsError, unknown_name

_AUTOMATIC = re.compile(r"(conv2d|batch_normalization)(?:_([1-9][0-9]{0,8}))?(?=/)")  # names that Keras generates


class GraphLayer(Protocol):
    """A layer of a graph, as :func:`inception_search.graph.layers.layers` finds them."""

    @property
    def path(self) -> str: ...
    @property
    def node(self) -> str: ...
    @property
    def norm(self) -> str | None: ...
    @property
    def has_bias(self) -> bool: ...
    @property
    def has_gamma(self) -> bool: ...
    @property
    def kind(self) -> str: ...


class Entry(NamedTuple):
    """One tensor: our state_dict ``key``, its ``name`` and its ``layout`` in the other implementation.

    ``layout`` is :data:`~inception_search.canonical.weight_styles.SAME` or a key of ``AXES`` there. An
    ``optional`` tensor may be missing in a file: a gamma (then 1), or the count of batches (then 0).
    """

    key: str
    name: str
    layout: str
    optional: bool


def tables() -> tuple[str, ...]:
    """The sorted networks (without dialects) that have tables of names in other implementations."""
    return table_names()


def implementations(network: str) -> tuple[str, ...]:
    """The implementations with tables of names for ``network`` (a dialect ``base@dialect`` has those of its base)."""
    name = _base(network)
    return tuple(read_tables(name)) if name in table_names() else ()


def entries(graph_layers: Iterable[GraphLayer], network: str, implementation: str) -> tuple[Entry, ...]:
    """The tensors of the layers that ``implementation`` also has, in our order, under its names.

    Keras' automatic names are those of the first model in a process; :func:`renumbered` converts the names of a file.
    Parts that only one side has (an auxiliary classifier, an embedding) are omitted; see :func:`part_names` and
    :func:`part_of`. Raises :class:`WeightsError` if a part has different numbers of layers on the two sides, and
    :class:`~inception_search.errors.UnknownNameError` for an unknown network or implementation.
    """
    table, ours = _table(network, implementation), _by_part(graph_layers)
    found: list[Entry] = []
    for part in [part for part in ours if part in table.parts]:
        theirs = table.parts[part]
        if len(ours[part]) != len(theirs):
            raise WeightsError(
                f"{part} has another number of layers than in {implementation}'s {_base(network)}",
                path=part,
                found=len(ours[part]),
                expected=str(len(theirs)),
                hint="weights fit an unchanged network, in the dialect of their implementation",
            )
        for layer, names in zip(ours[part], theirs, strict=True):
            found += _entries(layer, names, table.style)
    return tuple(found)


def part_names(network: str, implementation: str) -> Mapping[str, str]:
    """Every tensor name that a file of ``implementation`` may have, with its part of our document.

    These are more names than any file has: every layer has a bias, and names with and without a norm.
    """
    _table(network, implementation)
    return _part_names(_base(network), implementation)


def classifier_of(network: str, implementation: str) -> tuple[str, str] | None:
    """The name and the layout of the weight of ``implementation``'s classifier; None if it has none."""
    table = _table(network, implementation)
    head = table.parts.get("head")
    return (head[-1].alone.weight, table.style.layouts["linear"]) if head else None


def known_by(network: str, names: Collection[str]) -> dict[str, int]:
    """The implementations of ``network`` that have the most of ``names``, in the order of its file, with the number."""
    given = frozenset(renumbered(names).values())
    known = {name: len(_part_names(_base(network), name).keys() & given) for name in implementations(network)}
    return {name: number for name, number in known.items() if number == max(known.values())}


def part_of(path: str) -> str:
    """The part of the document that contains a path or state_dict key: a stage, head, head.embedding, aux.<name>."""
    first, *rest = path.split(".")
    inner = first == "aux" or (first == "head" and rest[:1] == ["embedding"])
    return ".".join((first, *rest[:1])) if inner else first


def renumbered(names: Collection[str]) -> dict[str, str]:
    """Each of ``names`` with Keras' automatic names counted from zero (``conv2d_94/kernel`` to ``conv2d/kernel``).

    Keras continues the numbers when a process builds another model.
    """
    found = [match for name in names if (match := _AUTOMATIC.match(name))]
    first = {kind: min(int(m[2] or 0) for m in found if m[1] == kind) for kind in {m[1] for m in found}}

    def from_zero(match: re.Match[str]) -> str:
        return numbered(match[1], int(match[2] or 0) - first[match[1]])

    return {name: _AUTOMATIC.sub(from_zero, name, count=1) if _AUTOMATIC.match(name) else name for name in names}


def recognise(names: Collection[str]) -> tuple[str, str] | None:
    """The network and the implementation of the tensors ``names``; None if no table has half of them.

    The result has the most of ``names``; among equals, the one with the fewest other names, then the first in its file.
    """
    given = frozenset(renumbered(names).values())
    best, score = None, (0, 0.0)
    for network in table_names():
        for implementation in read_tables(network):
            known = _part_names(network, implementation).keys() & given
            found = (len(known), len(known) / len(_part_names(network, implementation)))
            if found > score:
                best, score = (network, implementation), found
    return best if 2 * score[0] >= len(given) else None


@lru_cache(maxsize=64)
def _part_names(network: str, implementation: str) -> Mapping[str, str]:
    table = _table(network, implementation)
    return MappingProxyType(
        {name: part for part, named in table.parts.items() for layer in named for name in _names(layer, table.style)}
    )


def _names(layer: TableLayer, style: Style) -> Iterator[str]:
    for names in layer:
        yield from (name for name in (names.weight, names.bias) if name)
        if names.norm:
            yield from (names.norm + tensor for tensor in style.norm_tensors.values())


def _entries(layer: GraphLayer, named: TableLayer, style: Style) -> Iterator[Entry]:
    names = named.normed if layer.norm else named.alone
    yield Entry(f"{layer.node}.weight", names.weight, style.layouts[layer.kind], False)
    if layer.has_bias and names.bias:
        yield Entry(f"{layer.node}.bias", names.bias, SAME, False)
    for tensor, suffix in style.norm_tensors.items() if layer.norm and names.norm else ():
        if tensor != "weight" or layer.has_gamma:
            yield Entry(f"{layer.norm}.{tensor}", f"{names.norm}{suffix}", SAME, tensor in style.optional)


def _by_part(graph_layers: Iterable[GraphLayer]) -> dict[str, list[GraphLayer]]:
    parts: dict[str, list[GraphLayer]] = {}
    for layer in graph_layers:
        parts.setdefault(part_of(layer.path), []).append(layer)
    return parts


def _table(network: str, implementation: str) -> Table:
    known = read_tables(_base(network))
    if implementation not in known:
        raise unknown_name(f"implementation of {_base(network)}", implementation, known)
    return known[implementation]


def _base(network: str) -> str:
    return network.partition("@")[0]
