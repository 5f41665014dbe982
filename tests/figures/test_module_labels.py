"""The boxes of the papers' modules: exactly these texts, in this order."""

from __future__ import annotations

import pytest
from figure_samples import INCEPTION_3A, MIXED_6B, MIXED_7B, RESNET_A, V4_STEM, small_network

from inception_search.figures.annotations import facts_of_network
from inception_search.figures.labels import count
from inception_search.figures.network.module import ModuleTree
from inception_search.figures.network.outline import outline, sentence
from inception_search.figures.network.overview import NetworkTree
from inception_search.figures.network.tree import Box, Column, Fork, Group, Part, Residual, boxes
from inception_search.spec.documents.parse import parse_step
from inception_search.spec.step import AnyStep


def tree(step: AnyStep) -> Part:
    return ModuleTree({}).step(step, "m")


def texts(step: AnyStep) -> list[str]:
    return [" | ".join(box.lines) for box in boxes(tree(step))]


def test_googlenet_module() -> None:
    assert texts(INCEPTION_3A) == [
        "1×1 conv | 64",
        "1×1 conv | 96",
        "3×3 conv | 128",
        "1×1 conv | 16",
        "5×5 conv | 32",
        "3×3 max pool",
        "1×1 conv | 32",
        "Filter concat",
    ]


def test_factors_are_opened_in_their_order() -> None:
    assert texts(MIXED_6B) == [
        "1×1 conv | 192",
        "1×1 conv | 128",
        "1×7 conv | 128",
        "7×1 conv | 192",
        "1×1 conv | 128",
        "7×1 conv | 128",
        "1×7 conv | 128",
        "7×1 conv | 128",
        "1×7 conv | 192",
        "3×3 avg pool",
        "1×1 conv | 192",
        "Filter concat",
    ]


def test_stacked_is_a_chain_of_3x3() -> None:
    assert texts(parse_step("7x7 48>64 s2 stacked")) == ["3×3 conv | 48", "3×3 conv | 48", "3×3 conv | 64, stride 2"]


def test_nested_concats_and_split_ends_run_into_one_concat() -> None:
    part = tree(MIXED_7B)
    assert isinstance(part, Fork)
    assert part.join is not None
    assert texts(MIXED_7B).count("Filter concat") == 1
    ends = [branch.parts[-1] for branch in part.branches[1:3] if isinstance(branch, Column)]
    assert all(isinstance(end, Fork) and end.join is None and len(end.branches) == 2 for end in ends)


def test_a_concat_that_is_a_branch_is_spliced_into_the_outer_one() -> None:
    part = tree(parse_step("{concat: [1x1 8, {concat: [1x1 16, 3x3 16]}, 1x1 24]}"))
    assert isinstance(part, Fork)
    assert [boxes(branch)[0].lines[1] for branch in part.branches] == ["8", "16", "16", "24"]


def test_residual_branches_run_straight_into_the_linear_box() -> None:
    part = tree(RESNET_A)
    assert isinstance(part, Column)
    residual, act = part.parts
    assert isinstance(act, Box)
    assert act.lines == ("ReLU",)
    assert isinstance(residual, Residual)
    assert "Filter concat" not in texts(RESNET_A)
    assert texts(RESNET_A)[-2:] == ["1×1 conv | to the input's width, linear", "ReLU"]
    assert "(×0.17)" in sentence(residual)


def test_stem_says_strides_and_valid_padding() -> None:
    assert texts(V4_STEM)[:7] == [
        "3×3 conv | 32, stride 2, V",
        "3×3 conv | 32, V",
        "3×3 conv | 64",
        "3×3 max pool | stride 2, V",
        "3×3 conv | 96, stride 2, V",
        "Filter concat",
        "1×1 conv | 64",
    ]


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("{conv: {kernel: [3, 3], width: 32, groups: 32}}", "3×3 conv | 32, groups 32"),
        ("{conv: {kernel: [3, 3], width: 8, dilation: 2}}", "3×3 conv | 8, dilation 2"),
        ("{conv: {kernel: [3, 3], width: 8, stride: [1, 2]}}", "3×3 conv | 8, stride 1×2"),
        ("{conv: {kernel: [3, 3], width: 8, padding: [0, 1]}}", "3×3 conv | 8, pad 0×1"),
        ("{conv: {kernel: [3, 3], width: 8, padding: [1, 1]}}", "3×3 conv | 8"),
        ("{conv: {kernel: [3, 3], width: 8, padding: [0, 0]}}", "3×3 conv | 8, V"),
        ("1x1 8 valid", "1×1 conv | 8"),
        ("1x1 8 linear", "1×1 conv | 8, linear"),
        ("max 2x2 s2 valid", "2×2 max pool | stride 2, V"),
        ("{pool: {mode: max, stride: 2, ceil: true}}", "3×3 max pool | stride 2, ceil"),
        ("l2 3x3", "3×3 L2 pool"),
        ("lrn", "local resp. norm | 5 channels"),
        ("dropout 0.4", "dropout | p = 0.4"),
        ("norm", "normalisation"),
        ("leaky_relu", "leaky ReLU"),
    ],
)
def test_single_steps(text: str, label: str) -> None:
    assert texts(parse_step(text)) == [label]


def test_kinds_follow_the_kernel() -> None:
    assert [box.kind for box in boxes(tree(MIXED_7B))] == [
        *("pointwise", "pointwise", "factor", "factor", "pointwise", "spatial", "factor", "factor"),
        *("avg", "pointwise", "concat"),
    ]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        *((0, "0"), (999, "999"), (1000, "1.00 k"), (9_994, "9.99 k"), (9_995, "10.0 k"), (99_949, "99.9 k")),
        *((99_950, "100 k"), (999_499, "999 k"), (999_500, "1.00 M"), (5_710_000_000, "5.71 G")),
    ],
)
def test_counts_have_three_digits(value: int, text: str) -> None:
    assert count(value) == text


def test_overview_folds_blocks_and_shows_sizes() -> None:
    net = small_network()
    part = NetworkTree(net, facts_of_network(net), folded=True).part()
    assert outline(part).splitlines() == [
        "Input · 1×16×16",
        "3×3 conv · 16",
        "(16×16×16)",
        "2 × module",
        "(24×16×16)",
        "on the side",
        "  side · auxiliary, weight 0.3",
        "3×3 max pool · stride 2",
        "(24×8×8)",
        "last · module",
        "(24×8×8)",
        "global avg pool",
        "dropout · p = 0.2",
        "linear · 10 classes",
    ]


def test_open_network_draws_a_repeat_once_in_a_frame() -> None:
    net = small_network()
    part = NetworkTree(net, facts_of_network(net), folded=False).part()
    assert isinstance(part, Column)
    assert [p.label for p in part.parts if isinstance(p, Group)] == ["2 × module", "module"]


def test_detail_says_when_copies_differ() -> None:
    net = small_network()
    part = NetworkTree(net, facts_of_network(net), folded=False, detail=True).part()
    assert isinstance(part, Column)
    labels = [p.label for p in part.parts if isinstance(p, Group)]
    assert labels == ["2 × module, numbers of the first", "module"]
