"""A comparison of two networks or two steps: its entries and totals, also as text and as data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from inception_search.compare.align import Aligner, Series
from inception_search.compare.diff_entry import Entry, tidy, walk
from inception_search.compare.element import Element, Field, Value, spelling
from inception_search.compare.side import Side
from inception_search.compare.to_elements import Keys, Reader
from inception_search.graph.types import Type
from inception_search.spec.network import Aux, Network
from inception_search.spec.step import AnyStep

COARSER = "a coarser comparison: too large for the exact one; equal parts are matched first, the others in order"
SETTINGS = ("preprocess", "recipe", "conv_defaults", "pool_defaults", "same_padding")


class Delta(NamedTuple):
    """The costs of an entry on the two sides: parameters, MACs for one image, and the output type."""

    params: tuple[int, int]
    macs: tuple[int, int]
    types: tuple[Type | None, Type | None]

    @property
    def more_params(self) -> int:
        """The change in parameters."""
        return self.params[1] - self.params[0]

    @property
    def more_macs(self) -> int:
        """The change in MACs."""
        return self.macs[1] - self.macs[0]


@dataclass(frozen=True)
class Comparison:
    """The edits that turn ``a`` into ``b``, in the order of the networks. True if anything differs.

    ``coarser``: some parts were too large for the exact alignment, so a description with fewer changes may exist.
    """

    a: Side
    b: Side
    entries: tuple[Entry, ...]
    coarser: bool = False

    def __bool__(self) -> bool:
        return any(entry.status != "same" for entry in self.entries)

    @cached_property
    def same_architecture(self) -> bool:
        """Whether both compute the same function, however they are written (``arch_id``)."""
        return self.a.arch_id() == self.b.arch_id()

    def delta(self, entry: Entry) -> Delta | None:
        """The costs of an entry; None if the shapes are unknown."""
        if not self.a.rows or not self.b.rows:
            return None
        old, new = _sums(self.a, entry.a), _sums(self.b, entry.b)
        types = (_type(self.a, entry.a), _type(self.b, entry.b))
        return Delta((old[0], new[0]), (old[1], new[1]), types)

    def counts(self) -> dict[str, int]:
        """The number of added, removed and changed elements; each setting counts as one element."""
        found = {"added": 0, "removed": 0, "changed": 0}
        for entry in walk(self.entries):
            if entry.kind == "branch":
                continue
            if entry.status in ("added", "removed"):
                found[entry.status] += 1
            elif entry.changes:
                found["changed"] += 1
        return found

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON data."""
        return {
            "differs": bool(self),
            "same_architecture": self.same_architecture,
            "coarser": self.coarser,
            "a": _side(self.a),
            "b": _side(self.b),
            "counts": self.counts(),
            "entries": [self._entry(entry) for entry in self.entries],
        }

    def _entry(self, entry: Entry) -> dict[str, Any]:
        delta = self.delta(entry)
        data: dict[str, Any] = {"status": entry.status, "kind": entry.kind}
        data |= {"a": [part.path for part in entry.a], "b": [part.path for part in entry.b]}
        data["words"] = [[part.words for part in side] for side in (entry.a, entry.b)]
        data["changes"] = [{"field": c.field, "old": _json(c.old), "new": _json(c.new)} for c in entry.changes]
        data |= {"params": None, "macs": None, "shapes": None}
        if delta is not None:
            data |= {"params": list(delta.params), "macs": list(delta.macs)}
            data["shapes"] = [list(known) if known is not None else None for known in delta.types]
        return {**data, "inside": [self._entry(part) for part in entry.inside]}


def alignment_of(a: Side, b: Side) -> tuple[tuple[Entry, ...], bool]:
    """The cheapest alignment of two networks or two steps, and whether it is only a coarser one.

    The alignment of ``b`` and ``a`` is its mirror image. The work is bounded: large inputs are aligned more coarsely.
    """
    keys: Keys = {}
    readers = Reader(a.network, keys), Reader(b.network, keys)
    sides = _ReadSide(readers[0], a), _ReadSide(readers[1], b)
    swapped = sides[0].spelling() > sides[1].spelling()
    aligner = Aligner()
    found = _aligned(aligner, *(sides[::-1] if swapped else sides))
    parts = [[entry.mirrored() for entry in part] for part in found] if swapped else found
    return tuple(entry for part in parts for entry in tidy(part)), aligner.coarse


class _ReadSide:
    """One side as elements."""

    def __init__(self, reader: Reader, side: Side) -> None:
        self.reader = reader
        self.network = side.network if side.step is None else None
        if self.network is not None:
            self.trunk = reader.trunk(self.network)
        else:
            assert side.step is not None
            self.trunk = reader.series(side.step, side.path)
        self.settings = tuple(_settings(reader, side))

    def spelling(self) -> str:
        """Everything that is compared, as text."""
        aux = self.aux({})
        return repr([spelling(element) for element in (*self.settings, *self.trunk, *aux, *self.head())])

    def aux(self, stages: dict[str, str]) -> Series:
        """The auxiliary classifiers; ``stages`` maps this side's stages to the matching ones of the other side."""
        if self.network is None:
            return ()
        made = (self._aux(name, aux, stages) for name, aux in self.network.aux.items())
        return tuple(made)

    def _aux(self, name: str, aux: Aux, stages: dict[str, str]) -> Element:
        assert self.network is not None
        after = Field("after", stages.get(aux.after, aux.after), aux.after)
        return self.reader.aux(name, aux, self.network.head.classes, after)

    def head(self) -> Series:
        """The layers of the head."""
        return self.reader.classifier(self.network.head, "head", self.network.head.classes) if self.network else ()


def _aligned(aligner: Aligner, a: _ReadSide, b: _ReadSide) -> list[Sequence[Entry]]:
    settings = [aligner.entry(x, y) for x, y in zip(a.settings, b.settings, strict=True)]
    trunk = aligner.entries(a.trunk, b.trunk)
    taps, others = a.aux(_counterparts(trunk)), b.aux({})
    aux = aligner.matched(taps, others, aligner.partners(taps, others)) if taps or others else []
    return [settings, trunk, aux, aligner.entries(a.head(), b.head())]


def _counterparts(trunk: Sequence[Entry]) -> dict[str, str]:
    """For each stage of one side, the stage of the other side where its last matched element is."""
    return {entry.a[-1].stage: entry.b[-1].stage for entry in trunk if entry.a and entry.b}


def _settings(reader: Reader, side: Side) -> Iterator[Element]:
    """The settings of a whole network and its input; for a step only the defaults of convolutions and pools."""
    network = side.network or Network(name="none", stages={"none": side.step})
    if side.step is None:
        yield reader.model("preprocess", network.preprocess)
        yield reader.model("recipe", network.recipe)
    yield reader.model("conv_defaults", network.conv_defaults)
    yield reader.model("pool_defaults", network.pool_defaults)
    yield reader.setting("same_padding", network.same_padding)
    if side.step is None:
        yield reader.model("input", network.input)


def _sums(side: Side, elements: Sequence[Element]) -> tuple[int, int]:
    rows = [side.rows[element.path] for element in elements if element.path in side.rows]
    return sum(row.params for row in rows), sum(row.macs for row in rows)


def _type(side: Side, elements: Sequence[Element]) -> Type | None:
    return side.type(elements[-1].path) if elements else None


def _json(value: Value) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _side(side: Side) -> dict[str, Any]:
    return {"name": side.name, "arch_id": side.arch_id(), "params": side.params, "macs": side.macs}


def nearest_module(step: AnyStep, owner: Network | None, network: Network) -> str:
    """The block or stage of ``network`` that is the fewest edits away from ``step``; ``owner`` has its blocks."""
    keys: Keys = {}
    series = Reader(owner, keys).series(step, "m")
    reader, aligner = Reader(network, keys), Aligner()
    parts = {**network.blocks, **network.stages}
    return min(parts, key=lambda name: aligner.cost(series, reader.series(parts[name], "m")))
