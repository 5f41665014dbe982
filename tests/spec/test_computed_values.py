"""Values that no document writes but a computation makes: too large a one is our error with the place, never another.

A projection has as many filters as its block has input channels, a depthwise convolution multiplies them, a concat
adds them up.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

import inception_search as ins
from inception_search.errors import InceptionSearchError, ShapeError, SpecError
from inception_search.estimate import estimate
from inception_search.lowering import lower
from inception_search.spec.nas_bench_101 import nas_bench_101_cell, nas_bench_101_network
from inception_search.spec.network import Network

HEAD = "schema: inception-search/network\nversion: 1\nname: n\ninput: 3x8x8\n"
WIDE = "{concat: [1x1 65536, 1x1 8]}"

# A stage after one of 65,544 channels, and the place of the convolution that would have too many filters.
TOO_WIDE = [
    ("{block: {skip: add, project: linear, body: 1x1 8}}", "b.project.conv"),
    ("{block: {skip: add, project: conv, body: 1x1 8}}", "b.project.conv"),
    ("2 x wide", "b.0.project.conv"),
    (f"{{block: {{skip: project, body: {WIDE}}}}}", "b.skip.conv"),
    ("{depthwise: {kernel: 3x3}}", "b.conv"),
    ("[1x1 4096, {depthwise: {kernel: 3x3, multiplier: 17}}]", "b.1.conv"),
    ("{dag: [{inputs: [{node: 0, step: {depthwise: {kernel: 1x1}}}]}]}", "b.nodes.0.inputs.0.step.conv"),
]


@pytest.mark.parametrize("measure", [lower, estimate], ids=["lower", "estimate"])
@pytest.mark.parametrize(("step", "path"), TOO_WIDE)
def test_too_many_filters_are_named_with_their_place(step: str, path: str, measure: Callable[[Network], Any]) -> None:
    blocks = "blocks: {wide: {block: {skip: add, project: linear, body: 1x1 8}}}\n" if "wide" in step else ""
    net = ins.load(f"{HEAD}{blocks}stages:\n  a: {WIDE}\n  b: {step}\n")
    with pytest.raises(ShapeError, match=r"too many filters, got 6[59][0-9]{3}; expected at most 65,536") as caught:
        measure(net)
    assert caught.value.path == path
    assert caught.value.place.line is not None


EXTREME = [
    f"{HEAD}stages:\n  a: {WIDE}\n  b: {{block: {{skip: add, project: linear, body: {{concat: [1x1 8, 3x3 8]}}}}}}\n",
    f"{HEAD}stages: {{a: [1x1 65536, {{concat: [1x1 65536, {{narrow: {{width: 65536}}}}]}}, 1x1 1]}}\n",
    f"{HEAD}stages: {{a: {{repeat: {{times: 1000, body: [1x1 3, 1x1 3]}}}}, b: 1000 x m}}\nblocks: {{m: 1x1 3}}\n",
    f"{HEAD}stages: {{a: {{dag: [{', '.join(f'{{inputs: [{i}]}}' for i in range(16))}]}}, b: 255x255 8}}\n",
    f"{HEAD}stages: {{a: {{conv: {{kernel: 7, width: 2, factor: split}}}}, b: 3x3 65536}}\nhead: {{hidden: [65536]}}\n",
]
# What a call may do to a network; each may refuse, in its own words.
CHANGES: dict[str, Callable[[Network], Any]] = {
    "lower": lower,
    "estimate": estimate,
    "arch_id": ins.arch_id,
    "text": lambda n: ins.load(ins.to_yaml(n)),
    "draw": lambda n: ins.draw(n).svg,
    "wider": lambda n: ins.scale_width(n, 3.0),
    "deeper": lambda n: ins.scale_depth(n, 3.0),
    "larger": lambda n: ins.set_input(n, height=10**6),
    "classes": lambda n: ins.set_classes(n, 10**6),
    "stem": lambda n: ins.set_stem_stride(n, 1),
    "mutate": lambda n: [ins.mutate(n, seed) for seed in range(3)],
    "cross": lambda n: ins.crossover(n, n, random.Random(0)),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("text", EXTREME, ids=["channels", "widths", "repeats", "dag", "hidden"])
def test_the_largest_documents_meet_only_our_errors(text: str, change: str) -> None:
    network = ins.load(text)
    with suppress(InceptionSearchError):
        CHANGES[change](network)


@pytest.mark.parametrize("width", [0, -1, 65_537, 1.5, True, "8"])
@pytest.mark.parametrize("make", [nas_bench_101_network, nas_bench_101_cell], ids=["network", "cell"])
def test_cells_of_a_benchmark_refuse_a_width_in_our_words(make: Callable[..., Any], width: Any) -> None:
    with pytest.raises(SpecError, match=r"width: not a usable number of channels.*expected 1 to 65,536"):
        make([[0, 1], [0, 0]], ["input", "output"], width=width)


def test_channels_that_double_are_refused_where_they_become_too_many() -> None:
    with pytest.raises(SpecError, match=r"width: not a usable number of channels, got 80000; expected 1 to 65,536"):
        nas_bench_101_network([[0, 1], [0, 0]], ["input", "output"], width=40_000)


def test_a_width_scaled_beyond_the_limit_names_the_step() -> None:
    network = ins.load(f"{HEAD}stages: {{a: 1x1 8, b: {{concat: [1x1 8, [3x3 8, 1x1 65536]]}}}}\n")
    with pytest.raises(SpecError, match=r"b\.branches\.1\.1\.width: .*got 131072"):
        ins.scale_width(network, 2.0)
