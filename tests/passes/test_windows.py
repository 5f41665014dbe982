"""The window that several kernels have in common."""

from __future__ import annotations

from itertools import product

import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st

from inception_search.backend.build import build
from inception_search.backend.rewritten import Rewritten
from inception_search.graph.graph import GraphBuilder
from inception_search.graph.ops import Add, Conv, Input
from inception_search.passes import merge_sum
from inception_search.passes.windows import Window, common_window


@pytest.mark.parametrize(
    ("convs", "expected"),
    [
        ([Conv(1, (1, 1)), Conv(1, (3, 3), padding=(1, 1))], Window((3, 3), (1, 1), (1, 1), ((1, 1), (0, 0)))),
        (
            [Conv(1, (1, 5), padding=(0, 2)), Conv(1, (3, 1), padding=(1, 0))],
            Window((3, 5), (1, 2), (1, 1), ((1, 0), (0, 2))),
        ),
        ([Conv(1, (3, 3)), Conv(1, (5, 5), padding=(1, 1))], Window((5, 5), (1, 1), (1, 1), ((1, 1), (0, 0)))),
        ([Conv(1, (2, 2)), Conv(1, (4, 4), padding=(1, 1))], Window((4, 4), (1, 1), (1, 1), ((1, 1), (0, 0)))),
        # a kernel of one position has every dilation
        (
            [Conv(1, (3, 3), padding=(2, 2), dilation=(2, 2)), Conv(1, (1, 1))],
            Window((3, 3), (2, 2), (2, 2), ((0, 0), (1, 1))),
        ),
        # TensorFlow's padding: on both sides alike at stride 1; at stride 2, where all kernels reach over the stride
        (
            [Conv(1, (1, 1), padding="tf"), Conv(1, (3, 3), padding=(1, 1))],
            Window((3, 3), (1, 1), (1, 1), ((1, 1), (0, 0))),
        ),
        (
            [Conv(1, (3, 3), (2, 2), "tf"), Conv(1, (5, 5), (2, 2), "tf")],
            Window((5, 5), "tf", (1, 1), ((1, 1), (0, 0))),
        ),
        (
            [Conv(1, (2, 2), padding="tf"), Conv(1, (4, 4), padding="tf")],
            Window((4, 4), "tf", (1, 1), ((1, 1), (0, 0))),
        ),
    ],
)
def test_kernels_around_one_centre(convs: list[Conv], expected: Window) -> None:
    assert common_window(convs) == expected


@pytest.mark.parametrize(
    "convs",
    [
        [Conv(1, (1, 1)), Conv(1, (3, 3))],  # outputs of other sizes
        [Conv(1, (1, 1)), Conv(1, (1, 1), stride=(2, 2))],
        [Conv(1, (1, 1)), Conv(1, (2, 2))],
        [Conv(1, (1, 1), (2, 2)), Conv(1, (2, 2), (2, 2))],  # equal sizes on even images only
        [Conv(1, (3, 3), padding=(1, 1)), Conv(1, (3, 3), padding=(2, 2), dilation=(2, 2))],
        [Conv(1, (1, 1), (2, 2), "tf"), Conv(1, (3, 3), (2, 2), "tf")],  # the centre depends on the size of the image
        [Conv(1, (2, 2), padding="tf"), Conv(1, (3, 3), padding="tf")],
        [Conv(1, (3, 3), (2, 2), "tf"), Conv(1, (3, 3), (2, 2), (1, 1))],
    ],
)
def test_kernels_that_do_not_fit(convs: list[Conv]) -> None:
    assert common_window(convs) is None


pairs = st.tuples(st.integers(1, 2), st.integers(1, 2))
sizes = st.sampled_from([(1, 3, 5), (2, 4)])


@st.composite
def convolutions(draw: st.DrawFn) -> list[Conv]:
    """Two or three convolutions that have a common window."""
    stride, dilation, more = draw(pairs), draw(pairs), draw(st.integers(0, 1))
    kernels = st.tuples(*(st.sampled_from(draw(sizes)) for _ in range(2)))
    tf = draw(st.sampled_from([(False,), (True,), (False, True)]))
    convs = []
    for kernel in draw(st.lists(kernels, min_size=2, max_size=3)):
        zeros = tuple(d * (k - 1) // 2 + (0 if True in tf else more) for k, d in zip(kernel, dilation, strict=True))
        convs.append(Conv(2, kernel, stride, "tf" if draw(st.sampled_from(tf)) else zeros, dilation))
    assume(common_window(convs) is not None)
    return convs


@given(convolutions())
def test_one_kernel_computes_the_sum_in_images_of_every_size(convs: list[Conv]) -> None:
    builder = GraphBuilder()
    x = builder.add(Input((2, 9, 9)), (), "input")
    parts = tuple(builder.add(conv, (x,), f"{i}.conv") for i, conv in enumerate(convs))
    graph = builder.build(builder.add(Add(), parts, "sum"))
    result = merge_sum.PASS.run(graph)
    model = build(graph, name="x", seed=0).double().eval()
    fast = Rewritten(model, result.graph, result.state, "inference")
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for size in product((9, 10, 12), (9, 11)):
            image = torch.randn(1, 2, *size, dtype=torch.float64, generator=generator)
            torch.testing.assert_close(fast(image), model(image), rtol=1e-12, atol=1e-12)
