"""The normal form, factorised convolutions and transforms: same computation, same sizes."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inception_search.errors import ShapeError, SpecError, UnknownNameError
from inception_search.graph.graph import Graph
from inception_search.lowering import lower
from inception_search.spec.documents.parse import parse_network, parse_step
from inception_search.spec.factorisation import factors, opened
from inception_search.spec.identity.normal_form import normal, normal_trunk
from inception_search.spec.network import Aux, ConvDefaults, Head, Input, Network, PoolDefaults
from inception_search.spec.step import AnyStep, Chain, Concat, Conv, Identity, Pool, Repeat, Use, chain
from inception_search.spec.transform import (
    map_convs,
    scale_network_width,
    scale_width,
    set_classes,
    set_depth,
    set_input,
    swap_stem,
)
from tests.generators import networks, steps


def net(step: AnyStep, side: int | tuple[int, int] = 17, **parts: Any) -> Network:
    height, width = (side, side) if isinstance(side, int) else side
    image = Input(channels=4, height=height, width=width)
    return Network(name="n", input=image, stages={"a": step}, head=Head(classes=2), **parts)


def computation(graph: Graph) -> list[Any]:
    """What a graph computes, without paths: every node's op, inputs and type."""
    return [node[:3] for node in graph.nodes]


@given(steps)
def test_the_normal_form_is_its_own_normal_form(step: AnyStep) -> None:
    once = normal(step)
    assert normal(once) == once


@given(networks())
def test_the_normal_form_computes_the_same(network: Network) -> None:
    plain = Network.model_validate(
        {
            **{name: getattr(network, name) for name in ("name", "input", "conv_defaults", "head")},
            "stages": normal_trunk(network),
            "aux": {},
        }
    )
    before, after = lower(network, aux=False), lower(plain, aux=False)
    for what in ("params", "macs", "depth"):
        assert getattr(after.cost(), what) == getattr(before.cost(), what)
    assert ops_but_concats(after) == ops_but_concats(before)
    assert after.nodes[after.outputs[0]].type == before.nodes[before.outputs[0]].type


def ops_but_concats(graph: Graph) -> Counter[str]:
    """How often each op makes each type. The normal form joins nested concats and drops flags that do nothing."""
    flags = re.compile(r", count_pad=\w+, ceil=\w+")
    return Counter(f"{flags.sub('', repr(node.op))} {node.type}" for node in graph.nodes if node.op.name != "concat")


# What is written, its normal form.
NORMAL_FORMS = [
    ("2 x 1x1 8", "[{conv: {kernel: 1, width: 8, padding: [0, 0]}}, {conv: {kernel: 1, width: 8, padding: [0, 0]}}]"),
    ("3x3 8", "{conv: {kernel: 3, width: 8, padding: [1, 1]}}"),
    ("3x3 8 valid", "{conv: {kernel: 3, width: 8, padding: [0, 0]}}"),
    ("concat: [relu, {concat: [norm, tanh]}]", "concat: [relu, norm, tanh]"),
    ("concat: [{concat: [relu, norm]}, {block: {body: {concat: [tanh, elu]}}}]", "concat: [relu, norm, tanh, elu]"),
    ("block: {body: relu}", "relu"),  # a block with nothing switched on
    ("block: {body: norm, act: relu}", "[norm, relu]"),  # its activation alone is a step
    ("block: {body: identity, act: relu}", "relu"),
    ("dropout 0", "identity"),
    ("[dropout 0, {act: none}]", "identity"),
    ("max 1x1", "identity"),
    ("l2 1x1", "pool: {mode: l2, kernel: 1, padding: [0, 0], count_pad: false, ceil: false}"),  # the magnitude
    ("max 3x3", "pool: {mode: max, padding: [1, 1], count_pad: false, ceil: false}"),
    ("pool: {mode: l2, ceil: true}", "pool: {mode: l2, padding: [1, 1], ceil: false, count_pad: false}"),
    ("avg 3x3 valid", "pool: {mode: avg, padding: [0, 0], count_pad: false, ceil: false}"),
    ("1x1 9 valid", "conv: {kernel: 1, width: 9, padding: [0, 0]}"),
]  # fmt: skip


@pytest.mark.parametrize(("written", "form"), NORMAL_FORMS, ids=[row[0] for row in NORMAL_FORMS])
def test_normal_forms(written: str, form: str) -> None:
    assert normal(parse_step(written)) == parse_step(form)


def test_normal_reads_the_defaults_of_pools() -> None:
    form = normal(parse_step("avg 3x3 s2"), pool_defaults=PoolDefaults(count_pad=True, ceil=True))
    assert (form.count_pad, form.ceil) == (True, True)


def test_normal_names_a_block_it_does_not_have() -> None:
    with pytest.raises(UnknownNameError, match=r"unknown block.*inceptoin.*did you mean 'inception'"):
        normal(Use(name="inceptoin"), {"inception": Identity()})


# Document, the convolutions it opens to: (name, kernel, width, stride, padding, linear).
FACTORS: list[tuple[str, list[tuple[Any, ...]]]] = [
    ("3x3 8", []),
    ("7x7 4>8 row_col", [("row", (1, 7), 4, 1, "same", False), ("col", (7, 1), 8, 1, "same", False)]),
    ("7x7 4>8 col_row", [("col", (7, 1), 4, 1, "same", False), ("row", (1, 7), 8, 1, "same", False)]),
    ("7x7 8 row_col", [("row", (1, 7), 8, 1, "same", False), ("col", (7, 1), 8, 1, "same", False)]),
    ("3x3 8 s2 row_col", [("row", (1, 3), 8, (1, 2), "same", False), ("col", (3, 1), 8, (2, 1), "same", False)]),
    ("3x3 8 linear row_col", [("row", (1, 3), 8, 1, "same", False), ("col", (3, 1), 8, 1, "same", True)]),
    (
        "7x7 4>8 s2 valid stacked",
        [("0", (3, 3), 4, 1, "valid", False), ("1", (3, 3), 4, 1, "valid", False), ("2", (3, 3), 8, 2, "valid", False)],
    ),
    ("5x5 8 stacked", [("0", (3, 3), 8, 1, "same", False), ("1", (3, 3), 8, 1, "same", False)]),
    ("3x3 8 s2 split", [("row", (1, 3), 4, 2, "same", False), ("col", (3, 1), 4, 2, "same", False)]),
    (
        "conv: {kernel: 5x3, width: 8, factor: row_col, padding: [2, 0]}",
        [("row", (1, 3), 8, 1, (0, 0), False), ("col", (5, 1), 8, 1, (2, 0), False)],
    ),
    (
        "conv: {kernel: 3x3, width: 8, factor: row_col, stride: [1, 2]}",
        [("row", (1, 3), 8, (1, 2), "same", False), ("col", (3, 1), 8, 1, "same", False)],
    ),
]


@pytest.mark.parametrize(("written", "expected"), FACTORS, ids=[row[0] for row in FACTORS])
def test_factors_open_to(written: str, expected: list[Any]) -> None:
    made = [(name, c.kernel, c.width, c.stride, c.padding, c.linear) for name, c in factors(parse_step(written))]
    assert made == expected
    assert all(part.factor == "none" and part.mid is None for _, part in factors(parse_step(written)))


@given(
    factor=st.sampled_from(("row_col", "col_row", "stacked", "split")),
    kernel=st.sampled_from((3, 5, 7)),
    stride=st.sampled_from((1, 2, 3)),
    padding=st.sampled_from(("same", "valid")),
    dilation=st.sampled_from((1, 2)),
    side=st.tuples(st.integers(15, 24), st.integers(15, 24)),
)
def test_a_factorised_convolution_has_the_output_size_of_the_whole_one(
    factor: Any, kernel: int, stride: int, padding: Any, dilation: int, side: tuple[int, int]
) -> None:
    if (factor == "stacked" and kernel == 3) or (factor == "split" and padding == "valid"):
        return
    whole = Conv(kernel=(kernel, kernel), width=8, stride=stride, padding=padding, dilation=dilation)
    parted = whole.model_copy(update={"factor": factor})
    sizes = [lower(net(step, side)).nodes for step in (whole, parted, opened(parted))]
    assert len({next(n.type for n in reversed(nodes) if n.path.startswith("a")) for nodes in sizes}) == 1


@given(steps, st.sampled_from((0.25, 0.5, 2.0)), st.sampled_from((1, 4, 8)))
def test_scaled_widths_are_multiples_near_the_factor(step: AnyStep, factor: float, multiple: int) -> None:
    before: list[int] = []
    after: list[int] = []
    try:
        scaled = scale_width(step, factor, multiple)
    except SpecError as error:  # the only reasons to refuse: groups and halves no longer divide the width
        if "divisible" not in error.rule and "even" not in error.rule:
            raise
        return
    map_convs(step, lambda conv: before.append(conv.width) or conv)  # type: ignore[func-returns-value]
    map_convs(scaled, lambda conv: after.append(conv.width) or conv)  # type: ignore[func-returns-value]
    assert len(before) == len(after)
    for old, new in zip(before, after, strict=True):
        assert new % multiple == 0
        assert new >= multiple
        assert abs(new - old * factor) <= multiple / 2 or new == multiple


def test_scale_network_width_scales_every_layer_but_the_classifier() -> None:
    whole = Network(
        name="n",
        blocks={"m": Conv(kernel=(1, 1), width=16)},
        stages={"a": Use(name="m"), "b": Conv(kernel=(3, 3), width=32, mid=8, factor="row_col")},
        head=Head(hidden=(64,), classes=10),
        aux={"x": Aux(after="a", body=Conv(kernel=(1, 1), width=24), hidden=(40,))},
    )
    half = scale_network_width(whole, 0.5)
    assert half.blocks["m"].width == 8
    assert (half.stages["b"].width, half.stages["b"].mid) == (16, 4)
    assert (half.head.hidden, half.head.classes) == ((32,), 10)
    assert (half.aux["x"].body.width, half.aux["x"].hidden) == (12, (20,))
    assert scale_network_width(whole, 1.0) == whole


@pytest.mark.parametrize("factor", [0, -1, float("nan"), float("inf"), 1e308])
def test_factors_that_are_no_sizes_are_refused(factor: float) -> None:
    network = net(Conv(kernel=(3, 3), width=65_536))
    for transform in (scale_network_width, set_depth):
        with pytest.raises(SpecError, match="positive"):
            transform(network, factor)


def test_a_width_beyond_the_limit_is_refused_by_a_transform() -> None:
    with pytest.raises(SpecError, match="less than or equal to 65536"):
        scale_network_width(net(Conv(kernel=(1, 1), width=60_000)), 2.0)


def test_set_depth_changes_every_repeat() -> None:
    network = Network(
        name="n",
        blocks={"m": Repeat(times=2, body=Conv(kernel=(1, 1), width=4))},
        stages={"a": chain(Repeat(times=5, body=Use(name="m")), Conv(kernel=(3, 3), width=4))},
        aux={"x": Aux(after="a", body=Repeat(times=3, body=Conv(kernel=(1, 1), width=4)))},
    )
    double = set_depth(network, 2)
    assert double.blocks["m"].times == 4
    assert double.stages["a"].steps[0].times == 10
    assert double.aux["x"].body.times == 6
    assert set_depth(network, 0.01).stages["a"].steps[0].times == 1  # never less than once
    assert set_depth(network, 1) == network


def test_set_input_and_classes_change_nothing_else() -> None:
    network = net(Conv(kernel=(3, 3), width=4))
    changed = set_classes(set_input(network, channels=1, height=8), 5)
    assert changed.input.shape == (1, 8, 17)
    assert changed.head.classes == 5
    assert changed.stages == network.stages
    assert set_input(network) is network
    with pytest.raises(SpecError, match="height"):
        set_input(network, height=0)


def test_swap_stem_replaces_the_first_stage_and_keeps_the_order() -> None:
    network = Network(
        name="n", stages={"stem": parse_step("7x7 8 s2"), "b": parse_step("3x3 8"), "c": parse_step("1x1 8")}
    )
    swapped = swap_stem(network, parse_step("3x3 4"))
    assert list(swapped.stages) == ["stem", "b", "c"]
    assert swapped.stages["stem"] == parse_step("3x3 4")
    with pytest.raises(SpecError, match="unknown block"):
        swap_stem(network, Use(name="nowhere"))


def test_an_error_in_a_swapped_stem_names_no_line_of_the_old_one() -> None:
    lines = "schema: inception-search/network\nversion: 1\nname: n\ninput: 3x8x8\nstages:\n  stem: 3x3 8\n  b: 3x3 8\n"
    network = parse_network(lines, "n.yaml")
    with pytest.raises(ShapeError) as caught:
        lower(swap_stem(network, parse_step("[3x3 8, 9x9 8 valid]")))
    assert caught.value.place.line not in (6, 7)
    assert caught.value.path == "stem.1.conv"


def test_opened_factors_stand_where_the_convolution_stood() -> None:
    assert isinstance(opened(parse_step("7x7 8 row_col")), Chain)
    assert isinstance(opened(parse_step("3x3 8 split")), Concat)
    assert opened(parse_step("3x3 8")) == parse_step("3x3 8")
    grouped = Conv(kernel=(3, 3), width=8, groups=4, factor="split")
    assert all(part.groups == 4 and part.width == 4 for _, part in factors(grouped))


def test_normal_keeps_what_defaults_do() -> None:
    with_norm = net(parse_step("[3x3 8, norm]"))
    without = net(parse_step("[3x3 8, norm]"), conv_defaults=ConvDefaults(norm=None))
    assert computation(lower(with_norm)) != computation(lower(without))


def test_pool_of_one_value_and_stride_two_is_kept() -> None:
    assert isinstance(normal(parse_step("max 1x1 s2")), Pool)
