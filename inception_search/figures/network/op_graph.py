"""A graph of ops as a drawing tree: the ops that are computed, also those that rewriting passes make.

A convolution or linear layer with the norm and activation after it is one box. Values that everything later depends on
are in series; the boxes between two of them are a mesh. Equal neighbouring modules are drawn once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, TypeAlias

from inception_search.figures.annotations import shape_text
from inception_search.figures.captions.words import PLAIN
from inception_search.figures.labels import ACTIVATIONS, conv_kind, conv_lines, labelled, number
from inception_search.figures.network.tree import Box, Column, Group, Kind, Mark, Mesh, Note, Part, column
from inception_search.graph import ops
from inception_search.graph.graph import Graph, Node
from inception_search.graph.op import Op
from inception_search.spec import step as spec

Marker: TypeAlias = Callable[[str], Mark]
"""Returns the mark of the node at a path."""


@dataclass
class _Unit:
    """Nodes that are one box; ``reads`` are the units that the first of them reads."""

    nodes: list[Node]
    reads: tuple[int, ...]
    box: Box = field(init=False)


@dataclass
class _Module:
    """Consecutive parts of one module, and how often it is repeated."""

    name: str
    part: Part
    shape: str
    last: str = ""
    times: int = 1

    @property
    def label(self) -> str:
        """The name, or ``4 × inception_a``."""
        if self.times == 1:
            return self.name
        names = [name.partition(".")[0] for name in (self.name, self.last)]
        return f"{self.times} × {names[0]}" if names[0] == names[1] else f"{self.name} … {self.last}"


def graph_part(graph: Graph, mark: Marker = lambda _: "") -> Part:
    """The ops that the classifier of ``graph`` depends on; ``mark`` marks them."""
    units = _units(graph)
    for unit in units:
        unit.box = _box(graph, unit, mark)
    modules: list[_Module] = []
    for name, pieces in groupby(_pieces(units), key=lambda piece: _module_of(units[piece[-1]])):
        own = list(pieces)
        last = units[own[-1][-1]].nodes[-1]
        found = _Module(name, column(*(_part(units, piece) for piece in own)), shape_text(last.type), name)
        before = modules[-1] if modules else None
        if before and _look(before.part) == _look(found.part):
            before.times, before.last = before.times + 1, name
        else:
            modules.append(found)
    return column(*_framed(modules))


def _framed(modules: Sequence[_Module]) -> Iterator[Part]:
    """The modules, those with branches or repetitions in a frame, each followed by its output size if that changes."""
    shown = ""
    for module in modules:
        framed = module.times > 1 or _forks(module.part)
        yield Group(module.part, module.label, module.name) if framed else module.part
        if module.shape != shown and "input" not in module.name:
            yield Note(module.shape)
        shown = module.shape


def _forks(part: Part) -> bool:
    return isinstance(part, Mesh) or (isinstance(part, Column) and any(map(_forks, part.parts)))


def _look(part: Part) -> object:
    """What a part looks like: everything but paths and tooltips."""
    if isinstance(part, Box):
        return part.lines, part.kind, part.mark
    if isinstance(part, Mesh):
        return "mesh", part.reads, tuple(map(_look, part.parts))
    return tuple(map(_look, part.parts)) if isinstance(part, Column) else part


def _module_of(unit: _Unit) -> str:
    """The module that a unit belongs to: its stage, or the numbered part of its stage."""
    names = unit.nodes[-1].path.split(".")
    return ".".join(names[:2]) if len(names) > 2 and names[1].isdigit() else names[0]


def _units(graph: Graph) -> list[_Unit]:
    main = sorted(graph.main())
    read_by: dict[int, list[int]] = {index: [] for index in main}
    for index in main:
        for i in graph.nodes[index].inputs:
            read_by[i].append(index)
    units: list[_Unit] = []
    unit_of: dict[int, int] = {}
    for index in main:
        node = graph.nodes[index]
        source = node.inputs[0] if node.inputs else -1
        if node.inputs and read_by[source] == [index] and _follows(node.op, units[unit_of[source]]):
            units[unit_of[source]].nodes.append(node)
            unit_of[index] = unit_of[source]
            continue
        unit_of[index] = len(units)
        units.append(_Unit([node], tuple(unit_of[i] for i in node.inputs)))
    return units


def _follows(op: Op, unit: _Unit) -> bool:
    """Whether ``op`` is drawn in the box of the unit that it reads: the norm of a layer, or its activation."""
    last = unit.nodes[-1].op
    layer = isinstance(last, ops.Conv | ops.Linear)
    return (isinstance(op, ops.BatchNorm) and layer) or (
        isinstance(op, ops.Act) and (layer or isinstance(last, ops.BatchNorm))
    )


def _pieces(units: Sequence[_Unit]) -> Iterator[list[int]]:
    """The units in runs; each run ends with one whose value everything later depends on."""
    furthest, start = [0] * len(units), 0
    for index, unit in enumerate(units):
        for source in unit.reads:
            furthest[source] = index
    open_until = 0
    for index in range(len(units)):
        if open_until <= index:
            yield list(range(start, index + 1))
            start = index + 1
        open_until = max(open_until, furthest[index])


def _part(units: Sequence[_Unit], piece: Sequence[int]) -> Part:
    if len(piece) == 1:
        return units[piece[0]].box
    reads = tuple(tuple(source - piece[0] if source >= piece[0] else -1 for source in units[i].reads) for i in piece)
    return Mesh(tuple(units[i].box for i in piece), reads)


def _box(graph: Graph, unit: _Unit, mark: Marker) -> Box:
    first, last = unit.nodes[0], unit.nodes[-1]
    lines, kind, slim = _words(first)
    follow = ["bias"] if isinstance(first.op, ops.Conv) and first.op.bias else []
    follow += ["norm" if isinstance(node.op, ops.BatchNorm) else ACTIVATIONS[node.op.kind] for node in unit.nodes[1:]]  # type: ignore[attr-defined]
    lines = (*lines, ", ".join(follow)) if follow else lines
    marks = [mark(node.path) for node in unit.nodes]
    found = next((each for each in marks if each not in ("", "same")), marks[0])
    cost = first.op.cost(graph.input_types(first), first.type)
    tip = f"{first.path}: {' '.join(lines)}; out {shape_text(last.type)}, {cost.macs:,} MACs"
    return Box(lines, kind, tip, last.path, slim=slim, mark=found)


def _words(node: Node) -> tuple[tuple[str, ...], Kind, bool]:
    """The lines of a box, its kind, and whether it is slim."""
    op = node.op
    if type(op) in _STEPS:
        box = labelled(_STEPS[type(op)](op))
        return box.lines, box.kind, box.slim
    if isinstance(op, ops.Conv):
        conv = _conv(op)
        return conv_lines(conv), conv_kind(conv), False
    if isinstance(op, ops.Linear):
        return ("linear", str(op.width)), "linear", False
    if isinstance(op, ops.Input):
        return ("Input", shape_text(node.type)), "input", True
    if isinstance(op, ops.Concat):
        return (PLAIN.concat,), "concat", True
    if isinstance(op, ops.Add):
        return ("+" if op.scale == 1.0 else f"x + {number(op.scale)} y",), "add", True
    if isinstance(op, ops.GlobalPool):
        return (f"global {op.mode} pool",), "avg" if op.mode == "avg" else "max", False
    if isinstance(op, ops.Narrow):
        return (f"channels {op.start}–{op.start + op.width - 1}",), "concat", True
    if isinstance(op, ops.Scale):
        return (f"×{number(op.factor)}",), "norm", True
    return (op.name.replace("_", " "),), "norm", True


def _conv(op: ops.Conv) -> spec.Conv:
    """A step with the values of ``op``; a merged convolution may be wider than documents allow."""
    return spec.Conv.model_construct(
        kernel=op.kernel,
        width=op.width,
        stride=op.stride,
        padding=op.padding,
        dilation=op.dilation,
        groups=op.groups,
    )


# Op -> the step that is labelled like it.
_STEPS: dict[type[Op], Callable[[Any], Any]] = {
    ops.Pool: lambda op: spec.Pool.model_construct(
        mode=op.mode, kernel=op.kernel, stride=op.stride, padding=op.padding, ceil=op.ceil
    ),
    ops.AdaptivePool: lambda op: spec.AdaptivePool.model_construct(mode=op.mode, size=op.size),
    ops.Act: lambda op: spec.Act.model_construct(name=op.kind),
    ops.Lrn: lambda op: spec.Lrn.model_construct(size=op.size),
    ops.Dropout: lambda op: spec.Dropout.model_construct(p=op.p),
    ops.Zero: lambda _op: spec.Zero.model_construct(),
    ops.BatchNorm: lambda _op: spec.Norm.model_construct(),
}
