"""A part of a network, alone, as work that can be timed."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from inception_search.backend.bound_tensors import SharedTensor
from inception_search.backend.emit import place
from inception_search.backend.rewritten import emit_rewritten
from inception_search.graph.graph import Graph
from inception_search.graph.ops import OPS, Dropout, Input
from inception_search.graph.types import FeatureMap
from inception_search.passes.expressions import Expression
from inception_search.passes.rewrite import Phase, State, plain_state


@torch.inference_mode(mode=False)
def part_call(
    graph: Graph, batch_size: int, device: torch.device, phase: Phase, dtype: str, state: State | None = None
) -> Callable[[], None]:
    """A function that computes a part of a network once on random values.

    Args:
        graph: the part, with one input node for each value that it reads.
        batch_size: the number of images.
        device: where it computes.
        phase: ``"training"``: forward and backward pass; ``"inference"``: forward pass.
        dtype: "float32" or "bfloat16" (autocast).
        state: the expressions of its tensors, over the plain tensors of ``graph`` (default: those themselves).
    """
    root = nn.Module()
    for node in graph.nodes:
        if node.op.tensors() or isinstance(node.op, Dropout) or type(node.op) not in OPS.values():
            place(root, node.path, node.op.build(graph.input_types(node)))
    root.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    root.train(phase == "training")
    reads: dict[Expression, Callable[[], Tensor]] = {}
    module = emit_rewritten(root, graph, plain_state(graph) if state is None else state, phase, reads)
    for read in reads.values():
        if isinstance(read, SharedTensor):
            read.share()
    values = [_value(node.type, batch_size, device) for node in graph.nodes if isinstance(node.op, Input)]
    return _Call(root, module, values, phase == "training", dtype)


def _value(shape: Sequence[int], batch_size: int, device: torch.device) -> Tensor:
    value = torch.randn(batch_size, *shape, device=device)
    return value.contiguous(memory_format=torch.channels_last) if isinstance(shape, FeatureMap) else value


class _Call:
    def __init__(self, root: nn.Module, module: nn.Module, values: list[Tensor], training: bool, dtype: str) -> None:
        self.root, self.module, self.values, self.training, self.dtype = root, module, values, training, dtype
        self.gradients: tuple[Tensor, ...] = ()
        for value in values:
            value.requires_grad_(training)

    def __call__(self) -> None:
        with torch.inference_mode(mode=not self.training):
            outputs = self._forward()
            if self.training:
                self._backward(outputs)

    def _forward(self) -> tuple[Tensor, ...]:
        with torch.autocast(self.values[0].device.type, torch.bfloat16, enabled=self.dtype == "bfloat16"):
            output = self.module(*self.values)
        return output if isinstance(output, tuple) else (output,)

    def _backward(self, outputs: tuple[Tensor, ...]) -> None:
        for leaf in (*self.root.parameters(), *self.values):
            leaf.grad = None
        outputs = tuple(each for each in outputs if each.requires_grad)  # zeros in place of a value depend on nothing
        self.gradients = self.gradients or tuple(torch.ones_like(each) for each in outputs)
        if outputs:
            torch.autograd.backward(outputs, self.gradients)
