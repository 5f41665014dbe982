# ruff: noqa: E501 (a table: one graph a row)
"""Generated code: what it is for small graphs, and that it computes the same as the modules."""

from __future__ import annotations

from textwrap import dedent

import pytest
import torch
from torch import Tensor, nn

from inception_search.backend.build import build
from inception_search.execution import kernels
from inception_search.execution.specialised import Packed, Specialised
from inception_search.graph.graph import Graph, GraphBuilder, Node
from inception_search.graph.op import Op
from inception_search.graph.ops import Act, Concat, Input, Scale
from inception_search.graph.types import FeatureMap, Type
from tests.graph_checks import parse_graph
from tests.passes.checks import distance, unsettled

FLOAT, BFLOAT = 1e-5, 3e-2
HEAD = "%0 input = input(shape=(3, 9, 7)) : 3x9x7\n"


def graph_of(text: str) -> Graph:
    return parse_graph(HEAD + dedent(text).strip())


def images(graph: Graph, batch_size: int = 2) -> Tensor:
    return torch.randn(batch_size, *graph.nodes[0].type, generator=torch.Generator().manual_seed(0))


def specialised(graph: Graph, model: nn.Module, *, dtype: str = "float32", fused: bool = True) -> Specialised:
    layers = dict(model.named_modules())

    def module(node: Node) -> nn.Module:
        return layers.get(node.path) or node.op.build(graph.input_types(node))

    tensors = {key: value.detach() for key, value in model.state_dict().items()}
    return Specialised(graph, tensors, module, batch_size=2, dtype=dtype, packed=Packed(), fused=fused)


def check(text: str, dtype: str = "float32", fused: bool = True) -> Specialised:
    """The code for a graph in text form, after comparing its output with that of the modules."""
    graph = graph_of(text)
    model = unsettled(build(graph, name="x", seed=0)).eval()
    x = images(graph)
    before = x.clone()
    with torch.inference_mode():
        made = specialised(graph, model, dtype=dtype, fused=fused)
        found, expected = made(x), model(x)
    assert found.dtype == torch.float32
    assert distance([found], [expected]) <= (FLOAT if dtype == "float32" else BFLOAT), made.code
    assert torch.equal(x, before), "the images were overwritten"
    return made


CONV = "%1 a = conv(%0, width=8, kernel=(3, 3), padding=(1, 1), bias=True) : 8x9x7\n"
OPS = {
    "conv": CONV + "return %1",
    "conv without bias, strided and dilated": """
        %1 a = conv(%0, width=8, kernel=(3, 2), stride=(2, 1), padding=(2, 1), dilation=(2, 1)) : 8x5x8
        return %1""",
    "depthwise": CONV + "%2 b = conv(%1, width=16, kernel=(3, 3), padding=(1, 1), groups=8) : 16x9x7\nreturn %2",
    "tf padding, even": "%1 a = conv(%0, width=4, kernel=(3, 3), padding='tf') : 4x9x7\nreturn %1",
    "tf padding, uneven": "%1 a = conv(%0, width=4, kernel=(2, 4), stride=(2, 2), padding='tf') : 4x5x4\nreturn %1",
    "norm": CONV + "%2 n = batch_norm(%1) : 8x9x7\n%3 c = act(%2) : 8x9x7\nreturn %3",
    "norm without gamma": CONV + "%2 n = batch_norm(%1, gamma=False, eps=0.1) : 8x9x7\nreturn %2",
    "norm of images": "%1 n = batch_norm(%0) : 3x9x7\nreturn %1",
    "norm of a vector": """
        %1 f = flatten(%0) : 189
        %2 l = linear(%1, width=5) : 5
        %3 n = batch_norm(%2) : 5
        %4 a = act(%3, kind='tanh') : 5
        return %4""",
    "linear with activation": "%1 f = flatten(%0) : 189\n%2 l = linear(%1, width=5, bias=False) : 5\n%3 a = act(%2) : 5\nreturn %3",
    "sum of two convolutions": """
        %1 a = conv(%0, width=8, kernel=(1, 1)) : 8x9x7
        %2 b = conv(%0, width=8, kernel=(3, 3), padding=(1, 1)) : 8x9x7
        %3 s = add(%1, %2) : 8x9x7
        %4 r = act(%3) : 8x9x7
        return %4""",
    "residual that is read again": CONV
    + """%2 b = conv(%1, width=8, kernel=(1, 1)) : 8x9x7
        %3 s = add(%1, %2) : 8x9x7
        %4 r = act(%3) : 8x9x7
        %5 c = concat(%1, %4) : 16x9x7
        return %5""",
    "convolution of what it is added to": CONV
    + """%2 b = conv(%1, width=8, kernel=(1, 1)) : 8x9x7
        %3 s = add(%2, %1) : 8x9x7
        return %3""",
    "scaled sum of three": """
        %1 a = conv(%0, width=3, kernel=(1, 1)) : 3x9x7
        %2 s = add(%0, %1, %1, scale=0.2) : 3x9x7
        return %2""",
    "sum with itself": CONV + "%2 s = add(%1, %1) : 8x9x7\n%3 r = act(%2) : 8x9x7\nreturn %3",
    "activation of images": "%1 a = act(%0) : 3x9x7\nreturn %1",
    "views": CONV
    + """%2 n = narrow(%1, width=3) : 3x9x7
        %3 m = narrow(%1, width=4, start=3) : 4x9x7
        %4 r = act(%2) : 3x9x7
        %5 b = conv(%3, width=4, kernel=(1, 1)) : 4x9x7
        %6 c = concat(%2, %4, %5, %3) : 14x9x7
        return %6""",
    "dropout, then an activation": CONV
    + "%2 d = dropout(%1) : 8x9x7\n%3 r = act(%2) : 8x9x7\n%4 c = concat(%1, %3) : 16x9x7\nreturn %4",
    "max pool": "%1 p = pool(%0, mode='max', kernel=(3, 3), stride=(2, 2), ceil=True) : 3x4x3\nreturn %1",
    "average pools": """
        %1 p = pool(%0, mode='avg', kernel=(3, 3), padding=(1, 1), count_pad=True) : 3x9x7
        %2 q = pool(%1, mode='avg', kernel=(3, 3), padding=(1, 1)) : 3x9x7
        return %2""",
    "L2 pool": "%1 p = pool(%0, mode='l2', kernel=(3, 3), stride=(2, 2)) : 3x4x3\nreturn %1",
    "tf pools": """
        %1 p = pool(%0, mode='max', kernel=(3, 3), stride=(2, 2), padding='tf') : 3x5x4
        %2 q = pool(%1, mode='avg', kernel=(2, 2), padding='tf') : 3x5x4
        return %2""",
    "global average": "%1 p = global_pool(%0) : 3x1x1\n%2 f = flatten(%1) : 3\n%3 n = normalize(%2) : 3\nreturn %3",
    "global maximum": "%1 p = global_pool(%0, mode='max') : 3x1x1\nreturn %1",
    "adaptive pools": "%1 p = adaptive_pool(%0, size=(4, 3)) : 3x4x3\n%2 q = adaptive_pool(%1, size=(2, 2), mode='max') : 3x2x2\nreturn %2",
    "lrn": "%1 a = act(%0) : 3x9x7\n%2 n = lrn(%1, size=3, alpha=0.5) : 3x9x7\nreturn %2",
    "scale and zero": "%1 s = scale(%0, factor=0.5) : 3x9x7\n%2 z = zero(%0) : 3x9x7\n%3 c = concat(%1, %2) : 6x9x7\nreturn %3",
    "the images themselves": "return %0",
}
OPS |= {f"activation {kind}": CONV + f"%2 r = act(%1, kind='{kind}') : 8x9x7\nreturn %2" for kind in kernels.PLAIN}
OPS |= {
    f"sum and {kind}": CONV
    + f"%2 b = conv(%1, width=8, kernel=(1, 1)) : 8x9x7\n%3 s = add(%1, %2) : 8x9x7\n%4 r = act(%3, kind='{kind}') : 8x9x7\nreturn %4"
    for kind in kernels.PLAIN
}


@pytest.mark.parametrize("text", OPS.values(), ids=OPS.keys())
@pytest.mark.parametrize("fused", [True, False], ids=["fused", "plain"])
def test_every_op_computes_what_its_module_does(text: str, fused: bool) -> None:
    check(text, fused=fused)


@pytest.mark.skipif(not kernels._has_bfloat16(), reason="this CPU cannot compute in bfloat16")
@pytest.mark.parametrize("text", OPS.values(), ids=OPS.keys())
def test_every_op_in_bfloat16(text: str) -> None:
    check(text, dtype="bfloat16")


needs_fused = pytest.mark.skipif(
    not kernels.can_fuse("relu", True, torch.float32), reason="this torch has no fused convolutions"
)


class Same(Op):
    """An op of another package that returns its input itself."""

    name = "same"

    def build(self, inputs: tuple[Type, ...]) -> nn.Module:
        return nn.Identity()


def test_what_an_op_of_another_package_returns_is_not_overwritten() -> None:
    builder = GraphBuilder()
    image = builder.add(Input(FeatureMap(3, 9, 7)), (), "input")
    scale = builder.add(Scale(2.0), (image,), "scale")
    act = builder.add(Act("relu"), (builder.add(Same(), (scale,), "same"),), "act")
    graph = builder.build(builder.add(Concat(), (act, builder.add(Act("tanh"), (scale,), "tanh")), "join"))
    model, x = build(graph, name="x", seed=0).eval(), images(graph)
    with torch.inference_mode():
        assert distance([specialised(graph, model)(x)], [model(x)]) <= FLOAT


@needs_fused
def test_the_code_of_a_residual_block() -> None:
    """Convolution, sum and activation are one line; the sum overwrites a value that nothing reads any more."""
    made = check("""
        %1 stem.conv = conv(%0, width=8, kernel=(3, 3), padding=(1, 1), bias=True) : 8x9x7
        %2 stem.act = act(%1) : 8x9x7
        %3 block.0.conv = conv(%2, width=4, kernel=(1, 1)) : 4x9x7
        %4 block.0.act = act(%3) : 4x9x7
        %5 block.1.conv = conv(%4, width=8, kernel=(1, 1), bias=True) : 8x9x7
        %6 block.add = add(%2, %5) : 8x9x7
        %7 block.act = act(%6) : 8x9x7
        return %7
    """)
    lines = [" ".join(line.split()) for line in made.code.splitlines()]
    place = "[0, 0], [1, 1], [1, 1], 1"
    assert lines == [
        "def run(images):",
        "v0 = images.to(dtype=dtype, memory_format=torch.channels_last) # input: 2x3x9x7",
        "v1 = conv(v0, w['stem.conv'], b['stem.conv'], [1, 1], [1, 1], [1, 1], 1, 'relu', [], '')"
        " # stem.{conv,act}: 2x8x9x7",
        "del v0",
        f"v2 = conv(v1, w['block.0.conv'], b['block.0.conv'], {place}, 'relu', [], '') # block.0.{{conv,act}}: 2x4x9x7",
        f"v3 = conv_add_(v1, v2, w['block.1.conv'], b['block.1.conv'], {place}, 'add', None, 'relu', [], '')"
        " # block.{1.conv,add,act}: 2x8x9x7",
        "del v1, v2",
        "return v3",
    ]


def test_plain_code_has_separate_calls() -> None:
    made = check(CONV + "%2 r = act(%1) : 8x9x7\nreturn %2", fused=False)
    assert "torch.conv2d(v0, w['a'], b['a'], [1, 1], [1, 1], [1, 1], 1)" in made.code
    assert "torch.relu_(v1)" in made.code
    assert made.notes[0].startswith("all convolutions are plain ATen calls")


@needs_fused
def test_a_fused_op_that_is_wrong_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """An op of another torch whose results differ, or whose arguments do, is found before it is used."""
    true_op = kernels.fused_op

    def broken(name: str, overload: str = "default") -> object:
        def call(*args: object) -> Tensor:
            found = true_op(name, overload)
            assert found is not None
            return found(*args) + 1

        return call if name == "_convolution_pointwise" else true_op(name, overload)

    monkeypatch.setattr(kernels, "fused_op", broken)
    kernels.can_fuse.cache_clear()
    try:
        assert check(OPS["conv"]).notes
    finally:
        kernels.can_fuse.cache_clear()
