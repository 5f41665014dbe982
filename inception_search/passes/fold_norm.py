"""Batch norms in evaluation become part of the weights and the bias of the layer beside them.

In evaluation a batch norm multiplies each channel by a factor and adds a shift, which a convolution or a linear layer
can do by its weights and its bias.

Rules:

1. A norm after a layer that only the norm reads: each filter is multiplied by its channel's factor, and the bias has
   the shift. Groups, stride, padding and dilation do not matter.
2. As rule 1 with average pools between the two, if each has one reader and its average of a constant is that constant:
   a pool that counts its padding (``count_pad``) makes the border smaller, and a shift cannot move before it. The bias
   stays in the layer, before the pools.
3. A norm before layers, if all its readers are layers without padding: the weights for each input channel are
   multiplied by the channel's factor, and the bias has what the weights make of the shift. Padding is excluded because
   it is zero after the norm, not before it.

Before: a layer, pools, a norm. After: the layer with a bias, and the pools. Inference only, since in training the
factors depend on the batch.

Source: Jacob et al., Quantization and Training of Neural Networks (1712.05877), section 3.2; Markus, Fusing Batch
Normalization and Convolution in Runtime (2018), for rule 3.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from inception_search.graph.graph import Graph, Node
from inception_search.graph.op import Op
from inception_search.graph.ops import AdaptivePool, BatchNorm, Conv, GlobalPool, Linear, Pool
from inception_search.passes.expressions import (
    Expression,
    FilterSums,
    NormScale,
    NormShift,
    ScaledFilters,
    ScaledInputs,
    Sum,
)
from inception_search.passes.rewrite import Editor, Match, Pass, readers


def find(graph: Graph) -> Iterator[Match]:
    """The norms in ``graph`` that a layer can absorb."""
    read_by = readers(graph)
    for index, node in enumerate(graph.nodes):
        if type(node.op) is not BatchNorm:
            continue
        before = chain_to(graph, node.inputs[0], read_by, index)
        if before is not None:
            yield _after(graph, before, index)
        elif read_by[index] and all(i >= 0 and _takes_any_shift(graph.nodes[i].op) for i in read_by[index]):
            yield _before(graph, index, read_by[index])


def chain_to(graph: Graph, index: int, read_by: Sequence[Sequence[int]], reader: int) -> list[int] | None:
    """The layer that can absorb a norm of the value ``index``, and the average pools after it.

    ``reader`` is the node that reads the value. None if there is no such layer, or another node reads a value of the
    chain.
    """
    chain: list[int] = []
    while read_by[index] == [reader]:
        chain.insert(0, index)
        op = graph.nodes[index].op
        if type(op) in (Conv, Linear):
            return chain
        if not keeps_constants(op):
            return None
        reader, index = index, graph.nodes[index].inputs[0]
    return None


def keeps_constants(op: Op) -> bool:
    """Whether ``op`` takes averages, and its average of a constant is that constant at the border, too."""
    if type(op) is Pool:
        return op.mode == "avg" and (not op.count_pad or op.padding == (0, 0))
    return isinstance(op, GlobalPool | AdaptivePool) and op.mode == "avg"


def _takes_any_shift(op: Op) -> bool:
    """Whether ``op`` is a layer that sees no zeros but those of its input."""
    if type(op) is Conv:  # TensorFlow's padding of 1x1 kernels is zero wide
        return op.padding == (0, 0) or (op.padding == "tf" and op.kernel == (1, 1))
    return type(op) is Linear


def _after(graph: Graph, chain: Sequence[int], index: int) -> Match:
    """The match of a norm ``index`` that is absorbed by the layer at the beginning of ``chain``."""
    layer, norm = graph.nodes[chain[0]], graph.nodes[index]

    def build(editor: Editor, inputs: tuple[int, ...]) -> list[int]:
        scale, weight = norm_scale(editor, norm), editor.tensor(layer, "weight")
        mean, beta = editor.tensor(norm, "running_mean"), editor.tensor(norm, "bias")
        bias = NormShift(scale, mean, beta, editor.optional(layer, "bias"))
        value = editor.add(with_bias(layer.op), inputs, layer.path, weight=ScaledFilters(weight, scale), bias=bias)
        for pool in chain[1:]:
            value = editor.copy(graph.nodes[pool], (value,))
        return [value]

    return Match((*chain, index), layer.inputs, (index,), build)


def _before(graph: Graph, index: int, layers: Sequence[int]) -> Match:
    """The match of a norm ``index`` that is absorbed by the ``layers`` which read it."""
    norm = graph.nodes[index]

    def build(editor: Editor, inputs: tuple[int, ...]) -> list[int]:
        scale = norm_scale(editor, norm)
        shift = NormShift(scale, editor.tensor(norm, "running_mean"), editor.tensor(norm, "bias"), None)
        return [_absorbing(editor, graph.nodes[layer], inputs, scale, shift) for layer in layers]

    return Match((index, *layers), norm.inputs, tuple(layers), build)


def _absorbing(editor: Editor, layer: Node, inputs: tuple[int, ...], scale: Expression, shift: Expression) -> int:
    weight, bias = editor.tensor(layer, "weight"), editor.optional(layer, "bias")
    shifted = FilterSums(ScaledInputs(weight, shift))
    tensors = {
        "weight": ScaledInputs(weight, scale),
        "bias": shifted if bias is None else Sum((shifted, bias)),
    }
    return editor.add(with_bias(layer.op), inputs, layer.path, **tensors)


def norm_scale(editor: Editor, norm: Node) -> NormScale:
    """The factor of each channel of a norm."""
    assert isinstance(norm.op, BatchNorm)
    return NormScale(editor.tensor(norm, "running_var"), editor.optional(norm, "weight"), norm.op.eps)


def with_bias(op: Op) -> Op:
    """A convolution or a linear layer with a bias."""
    assert isinstance(op, Conv | Linear)
    return replace(op, bias=True)


PASS = Pass(
    name="fold_norm",
    find=find,
    phases=frozenset({"inference"}),
    summary="batch norms become part of the weights and bias of the layers beside them",
)
