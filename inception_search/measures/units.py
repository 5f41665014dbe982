"""Units of a network: what a runtime computes in one call, an op with the activation that follows it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any

from inception_search.graph.graph import Graph, Node
from inception_search.graph.op import Op
from inception_search.graph.ops import Act, Dropout, Input
from inception_search.graph.types import Type
from inception_search.lowering import lower
from inception_search.passes.pipeline import FOR_FUSED_CALLS, run_passes
from inception_search.spec.network import Network

OF_WIDTH = ("width", "start", "groups", "bias", "padding")  # attributes that do not make an op another kind of work


@dataclass(frozen=True)
class Unit:
    """An op, the activation that alone reads it, and the types of its inputs.

    Two units with the same ``key`` take the same time; units of one ``kind`` are the same work on other sizes.
    """

    op: Op
    act: Op | None
    inputs: tuple[Type, ...]

    @property
    def key(self) -> str:
        """The unit as text, with everything that its time depends on."""
        act = "" if self.act is None else f", {self.act!r}"
        return f"{self.op!r}{act} of {', '.join(map(str, self.inputs))}"

    @property
    def kind(self) -> str:
        """The op and its attributes without widths, such as ``conv kernel=(3, 3) stride=(1, 1)``."""
        shown = [f"{f.name}={getattr(self.op, f.name)!r}" for f in fields(self.op) if f.name not in OF_WIDTH]  # type: ignore[arg-type]
        if getattr(self.op, "groups", 1) > 1:
            shown.append("grouped")
        return " ".join((self.op.name, *shown))

    def sizes(self) -> dict[str, int]:
        """Multiply-adds, values read and written, weights, and the channels in and out, for one image."""
        output = self.op.infer(self.inputs)
        cost = self.op.cost(self.inputs, output)
        return {
            "macs": cost.macs,
            "values": output.numel + sum(each.numel for each in self.inputs),
            "weights": cost.params,
            "channels_in": self.inputs[0][0],
            "channels_out": output[0],
        }

    def graph(self) -> Graph:
        """The unit alone, as a graph that reads its inputs."""
        nodes = [Node(Input(tuple(x)), (), x, f"x{index}") for index, x in enumerate(self.inputs)]
        output = self.op.infer(self.inputs)
        nodes.append(Node(self.op, tuple(range(len(nodes))), output, "op"))
        if self.act is not None:
            nodes.append(Node(self.act, (len(nodes) - 1,), output, "act"))
        return Graph(tuple(nodes), (len(nodes) - 1,))


def deployed(network: Network) -> Graph:
    """The graph of a network as a runtime computes it: without auxiliary classifiers, norms folded."""
    return run_passes(lower(network, aux=False), "inference", only=FOR_FUSED_CALLS).graph


def units(graph: Graph) -> Mapping[Unit, int]:
    """The units of a graph, each with the number of its calls."""
    return Counter(_units(graph))


def _units(graph: Graph) -> Iterator[Unit]:
    main = sorted(graph.main())
    readers: dict[int, list[int]] = {}
    for index in main:
        for read in graph.nodes[index].inputs:
            readers.setdefault(read, []).append(index)
    taken: set[int] = set()
    for index in main:
        node = graph.nodes[index]
        if index in taken or isinstance(node.op, Input | Dropout):
            continue
        follower = _follower(graph, readers.get(index, []))
        act = None if isinstance(node.op, Act) or follower is None else graph.nodes[follower].op
        if act is not None and follower is not None:
            taken.add(follower)
        yield Unit(node.op, act, graph.input_types(node))


def _follower(graph: Graph, readers: list[int]) -> int | None:
    """The activation that is the only reader of a node, or None."""
    return readers[0] if len(readers) == 1 and isinstance(graph.nodes[readers[0]].op, Act) else None


def facts(unit: Unit) -> dict[str, Any]:
    """The unit as a row of a plan: key, kind and sizes."""
    return {"key": unit.key, "kind": unit.kind, **unit.sizes()}
