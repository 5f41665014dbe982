"""The plan of a measurement on another machine: ops and whole networks, as calls of ONNX operators in plain data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from inception_search.errors import CompileError
from inception_search.graph.graph import Graph, Node
from inception_search.graph.ops import Input
from inception_search.measures.units import Unit, deployed, facts, units
from inception_search.on_device.files import PLAN, VERSION
from inception_search.spec.network import Network

if TYPE_CHECKING:
    from torch import nn

OPS = 1000  # the default number of ops in a plan


def make_plan(
    networks: Mapping[str, Network],
    others: Iterable[Network] = (),
    *,
    about: str,
    most_ops: int = OPS,
    batch_size: int = 1,
) -> dict[str, Any]:
    """A plan that times whole networks, all of their ops, and ops of other networks.

    Args:
        networks: the networks that are timed as a whole, by name.
        others: networks of which only ops are timed, such as random points of a space; they are drawn until the plan is
            full.
        about: what the plan is for, in words.
        most_ops: the number of ops in the plan; those of ``networks`` are always in it.
        batch_size: the number of images of a call.

    Returns:
        The plan, for :func:`inception_search.on_device.time_plan.time_plan`.

    Raises:
        CompileError: an op has no ONNX form.
    """
    rows, chosen = [], dict[Unit, int]()
    for name, network in networks.items():
        graph = deployed(network)
        found = units(graph)
        chosen.update(found)
        calls = {unit.key: number for unit, number in found.items()}
        rows.append({"name": name, "ops": calls, "part": part_of(graph)})
    ops = [*chosen, *_further(others, chosen, most_ops - len(chosen))]
    return {
        "schema": PLAN,
        "version": VERSION,
        "about": about,
        "batch_size": batch_size,
        "ops": [{**facts(unit), "part": part_of(unit.graph())} for unit in ops],
        "networks": rows,
    }


def _further(networks: Iterable[Network], known: Mapping[Unit, int], room: int) -> list[Unit]:
    """Units of ``networks`` that are not known: of each kind in turn, so that rare kinds are in the plan, too."""
    if room <= 0:
        return []
    by_kind: dict[str, dict[Unit, None]] = {}
    for network in networks:
        for unit in units(deployed(network)):
            if unit not in known:
                by_kind.setdefault(unit.kind, {})[unit] = None
    found: list[Unit] = []
    queues = [list(reversed(each)) for each in by_kind.values()]
    while len(found) < room and any(queues):
        found += [queue.pop() for queue in queues if queue][: room - len(found)]
    return found


def part_of(graph: Graph) -> dict[str, Any]:
    """A graph as a part, see :mod:`inception_search.on_device.parts`; raises CompileError for an op without a form."""
    return _Recorder(graph).part()


class _Recorder:
    """Records the ONNX calls of ops (:class:`~inception_search.graph.onnx_calls.OnnxCalls`) as plain data."""

    varies = False

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.node: Node = graph.nodes[0]
        self.module: nn.Module | None = None
        self.inputs: dict[str, list[int]] = {}
        self.weights: dict[str, list[int]] = {}
        self.constants: dict[str, tuple[str, Any]] = {}
        self.calls: list[list[Any]] = []

    def part(self) -> dict[str, Any]:
        """The whole graph as a part."""
        values: dict[int, str] = {}
        for index in sorted(self.graph.main()):
            self.node, self.module = self.graph.nodes[index], None
            if isinstance(self.node.op, Input):
                values[index] = f"x{len(self.inputs)}"
                self.inputs[values[index]] = list(self.node.type)
                continue
            read = tuple(values[i] for i in self.node.inputs)
            values[index] = self.node.op.to_onnx(self, read, self.graph.input_types(self.node))
        return {
            "inputs": self.inputs,
            "weights": self.weights,
            "constants": self.constants,
            "calls": self.calls,
            "output": values[self.graph.outputs[0]],
            "output_shape": list(self.graph.nodes[self.graph.outputs[0]].type),
        }

    def call(self, kind: str, *values: str, **attributes: Any) -> str:
        """As :meth:`OnnxCalls.call`."""
        result = f"v{len(self.calls)}"
        self.calls.append([kind, list(values), result, {name: _plain(value) for name, value in attributes.items()}])
        return result

    def tensor(self, name: str) -> str:
        """As :meth:`OnnxCalls.tensor`."""
        found = f"w{len(self.weights)}"
        self.weights[found] = list(self._module().state_dict()[name].shape)
        return found

    def numbers(self, values: Any) -> str:
        """As :meth:`OnnxCalls.numbers`."""
        return self._constant("float32", values)

    def integers(self, values: Sequence[int]) -> str:
        """As :meth:`OnnxCalls.integers`."""
        return self._constant("int64", list(values))

    def impossible(self, reason: str) -> NoReturn:
        """As :meth:`OnnxCalls.impossible`."""
        hint = "an op of a package of your own needs a method to_onnx (docs/plugins.md)"
        raise CompileError("the op has no form in a plan", path=self.node.path, found=reason, hint=hint)

    def _constant(self, dtype: str, values: Any) -> str:
        found = f"c{len(self.constants)}"
        self.constants[found] = (dtype, values)
        return found

    def _module(self) -> nn.Module:
        """The module of the present op, without memory for its weights."""
        import torch

        if self.module is None:
            with torch.device("meta"):
                self.module = self.node.op.build(self.graph.input_types(self.node))
        return self.module


def _plain(value: Any) -> Any:
    return [int(each) for each in value] if isinstance(value, list | tuple | range) else value
