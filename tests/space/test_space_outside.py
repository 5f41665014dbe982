# ruff: noqa: E501 (tables: one row a line)
"""Networks and points outside a space: the place and the words of the refusal."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import inception_search as ins
from inception_search.canonical.catalogue import load
from inception_search.errors import ArgumentError, LimitError, NotInSpaceError
from inception_search.space import match
from inception_search.space.holes import Params
from inception_search.spec.documents.parse import parse_step
from inception_search.spec.network import Aux, Network
from inception_search.spec.step import Block, Use
from inception_search.spec.transform import remake
from tests.bounds import bounded
from tests.generators import networks, points
from tests.shipped import shipped_space
from tests.space.small import C, small, space

SHIPPED = {name: shipped_space(name) for name in ("inception", "inception_modules", "nas_bench_201")}

# --------------------------------------------------------------------------------------------------- outside a space


def with_module(label: str, step: str) -> Network:
    network = SHIPPED["inception_modules"].fixed_points[label]
    return remake(network, blocks={"module": Block(body=parse_step(step))})


B = "1x1 12, 7x7 12>16 row_col"  # a branch that is in the space
# The module, the path and the words of the refusal.
OUTSIDE: list[tuple[str, str, str]] = [
    (f"{{concat: [1x1 200, [{B}], [avg 3x3, 1x1 8]]}}", "blocks.module.body.branches.0.width", r"200 is outside 4\.\.48 step 4"),
    (f"{{concat: [1x1 6, [{B}], [avg 3x3, 1x1 8]]}}", "blocks.module.body.branches.0.width", r"6 is outside 4\.\.48 step 4"),
    ("{concat: [1x1 24, [1x1 12, 7x7 12>100 row_col], [avg 3x3, 1x1 8]]}", "blocks.module.body.branches.1.1.width", r"100 is outside 4\.\.48 step 4"),
    ("{concat: [1x1 24, [1x1 12, 7x7 14>16 row_col], [avg 3x3, 1x1 8]]}", "blocks.module.body.branches.1.1.mid", r"14 is outside 4\.\.48 step 4"),
    ("{concat: [1x1 24, [1x1 12, 9x9 12], [avg 3x3, 1x1 8]]}", "blocks.module.body.branches.1.1.kernel", "9x9 is not the template's 3x3 or 5x5 or 7x7"),
    ("{concat: [1x1 24, [1x1 12, 3x3 12 s2], [avg 3x3, 1x1 8]]}", "blocks.module.body.branches.1.1.stride", "2 is not the template's 1"),
    (f"{{concat: [1x1 24, [{B}], [avg 5x5, 1x1 8]]}}", "blocks.module.body.branches.2.0.kernel", "5x5 is not the template's 3x3"),
    (f"{{concat: [1x1 24, [{B}], [avg 3x3, 1x1 8], 1x1 4]}}", "blocks.module.body.branches.3", "1x1 4 has no place in the template"),
    ("{concat: [1x1 24, [1x1 12, 3x3 12, 3x3 12, 3x3 12], [avg 3x3, 1x1 8]]}", "blocks.module.body.branches.1.2", "3x3 12 has no place in the template"),
]  # fmt: skip


@pytest.mark.parametrize(("step", "path", "words"), OUTSIDE, ids=[row[1] + row[2][:12] for row in OUTSIDE])
def test_what_is_outside_is_named_with_its_place(step: str, path: str, words: str) -> None:
    shipped, network = SHIPPED["inception_modules"], with_module("v3_6b", step)
    with pytest.raises(NotInSpaceError, match=words) as caught:
        shipped.encode(network)
    assert caught.value.path == path
    assert not shipped.contains(network)
    assert shipped.why_not(network) == str(caught.value)


def test_parts_outside_the_module_are_named_too() -> None:
    network = SHIPPED["inception_modules"].fixed_points["v4_a"]
    # the change, the path and the words
    table: list[tuple[dict[str, Any], str, str]] = [
        ({"head": remake(network.head, classes=7)}, "head.classes", "7 is not the template's 10"),
        ({"input": remake(network.input, height=32)}, "input.height", "32 is not the template's 16"),
        ({"stages": {**network.stages, "stem": parse_step("3x3 16")}}, "stem", "missing at the end"),
        ({"stages": {**network.stages, "more": Use(name="module")}}, "more", "this step has no place in the template"),
        ({"aux": {"x": Aux(after="stem")}}, "aux", "is not the template's {}"),
    ]
    for change, path, words in table:
        with pytest.raises(NotInSpaceError, match=words) as caught:
            SHIPPED["inception_modules"].encode(remake(network, **change))
        assert caught.value.path == path
    assert SHIPPED["inception_modules"].contains(remake(network, name="other", source="elsewhere"))


def test_a_value_that_is_not_the_shared_one_is_named() -> None:
    shared = small("one name for two holes")
    network = remake(shared.decode({"w": 4}), stages={"a": parse_step("3x3 4"), "b": parse_step("1x1 5")})
    with pytest.raises(NotInSpaceError, match="5 is not 4, the value 'w' has elsewhere"):
        shared.encode(network)


# A point of the space of one width and one choice, the words of its refusal.
BAD_POINTS: list[tuple[dict[str, Any], str]] = [
    ({}, "a: the point has no value for this hole; choose one of conv, pool"),
    ({"a": "conv"}, "a.width: the point has no value for this hole; choose from 4 to 6"),
    ({"a": "conv", "a.width": 7}, r"a.width: 7 is outside 4\.\.6"),
    ({"a": "conv", "a.width": 5.0}, r"a.width: 5\.0 is outside 4\.\.6"),
    ({"a": "conv", "a.width": True}, "a.width: True is outside"),
    ({"a": "conv", "a.width": "5"}, "a.width: '5' is outside"),
    ({"a": "conv", "a.width": None}, "a.width: None is outside"),
    ({"a": "conv", "a.width": [5]}, r"a.width: \[5\] is outside"),
    ({"a": "convolution"}, "a: 'convolution' is none of conv, pool"),
    ({"a": ["conv"]}, r"a: \['conv'\] is none of conv, pool"),
    ({"a": None}, "a: None is none of conv, pool"),
    ({"a": "pool", "a.width": 5}, "the point has values for holes that it does not reach, got 'a.width'"),
    ({"a": "pool", "b": 5}, "the point has values for holes that it does not reach, got 'b'"),
]


@pytest.mark.parametrize(("params", "words"), BAD_POINTS, ids=[str(row[0]) for row in BAD_POINTS])
def test_what_is_no_point_is_refused(params: dict[str, Any], words: str) -> None:
    of = small("choice with holes inside")
    with pytest.raises(NotInSpaceError, match=words):
        of.decode(params)


@pytest.mark.parametrize("value", [0.0, 1.0, float("nan"), float("inf"), 10**400, "0.2", None, True, [0.2]])
def test_numbers_outside_a_range_are_refused(value: Any) -> None:
    endless = space("  stages: {a: {dropout: {$float: [0.1, 0.5]}}}\n")
    with pytest.raises(NotInSpaceError, match=r"a.p: .* is outside 0\.1\.\.0\.5"):
        endless.decode({"a.p": value})


def test_a_template_that_fits_in_too_many_ways_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(match, "MAX_MATCHES", match.MAX_MATCHES // 10)  # giving up takes a tenth of the time
    optional = ", ".join(f"{{$choice: {{y: relu, n: identity}}, $name: t{i}}}" for i in range(40))
    told = ", ".join(f"{{$choice: {{y: 3x3 4, n: 5x5 4}}, $name: t{i}}}" for i in range(40))
    tangled = space(f"  stages: {{a: [{optional}], b: [{told}]}}\n")
    network = tangled.decode({f"t{i}": "ny"[i // 20] for i in range(40)})
    with pytest.raises(LimitError, match="matched in too many ways"):
        tangled.encode(network)


@given(st.integers(1, 60), st.integers(0, 2**32))
def test_long_templates_are_matched(length: int, seed: int) -> None:
    steps = ", ".join(f"{{conv: {{kernel: 1x1, width: {{$int: [1, {i + 1}]}}}}}}" for i in range(length))
    long = space(f"  stages: {{a: [{steps}, relu]}}\n")
    network, params = long.draw(seed)
    assert long.encode(network) == params


def test_a_template_too_long_to_match_is_refused_in_our_words() -> None:
    long = space(f"  stages: {{a: [{'relu, ' * 3_000}{{conv: {{kernel: 3, width: {{$int: [4, 8]}}}}}}]}}\n")
    with pytest.raises(LimitError, match="too many steps"):
        long.encode(long.decode({"a.3000.width": 4}))


# The canonical network, how it is changed, the path and the words of the refusal by the grand space.
GRAND: list[tuple[str, str, dict[str, Any], str, str]] = [
    ("inception_v3", "head", {"classes": 11}, "head.classes", "11 is not the template's 1000 or 10"),
    ("inception_v3", "head", {"pool": "max"}, "head.pool", "max is not the template's avg"),
    ("inception_v3", "head", {"dropout": 0.25}, "head.dropout", r"0\.25 is outside 0\.0\.\.0\.8 step 0\.1"),
    ("inception_v3", "input", {"height": 300}, "input.height", "300 is not the template's 224 or 32 or 299"),
    ("inception_v1", "conv_defaults", {"act": "elu"}, "conv_defaults.act", "elu is not the template's relu or silu"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "part", "change", "path", "words"), GRAND, ids=[f"{row[0]}-{row[3]}" for row in GRAND]
)
def test_networks_a_little_outside_the_grand_space(
    name: str, part: str, change: dict[str, Any], path: str, words: str
) -> None:
    network = ins.load(name)
    odd = remake(network, **{part: remake(getattr(network, part), **change)})
    with pytest.raises(NotInSpaceError, match=words) as caught:
        SHIPPED["inception"].encode(odd)
    assert caught.value.path == path


def test_a_stage_outside_the_grand_space_is_named() -> None:
    network = ins.load("inception_v3")
    odd = remake(network, stages={**network.stages, "mixed_6c": parse_step("{concat: [1x1 64, 9x9 64]}")})
    with pytest.raises(NotInSpaceError) as caught:
        SHIPPED["inception"].encode(odd)
    assert str(caught.value.path).startswith("mixed_6c")


# Small spaces, a network of their form that is none of them, the path and the words.
NEAR: list[tuple[str, str, dict[str, str], str, str]] = [
    (f"  stages: {{a: [{{$many: [1, 2], of: {C}}}, relu]}}\n", "", {"a": "[3x3 4, 3x3 4, 3x3 4, relu]"}, "a.2", "conv is not the template's act|no place"),
    (f"  stages: {{a: {{concat: [max 3x3, {{$many: [0, 1], of: {C}}}]}}}}\n", "", {"a": "{concat: [max 3x3, 3x3 4, 3x3 5]}"}, "a.branches.2", "3x3 5 has no place in the template"),
    (f"  stages: {{a: {{$many: [1, 2], of: {C}}}}}\n", "", {"a1": "3x3 4", "a2": "3x3 6"}, "a2.width", r"6 is outside 4\.\.5"),
    (f"  stages: {{a: {{$many: [1, 2], of: {C}}}}}\n", "", {"a1": "3x3 4", "a2": "3x3 4", "a3": "3x3 4"}, "a3", "no place in the template"),
    ("  stages: {a: {conv: {kernel: 3x3, width: {$int: [4, 6], $name: c}}}, b: {conv: {kernel: 1x1, width: {$of: 2*c}}}}\n", "", {"a": "3x3 4", "b": "1x1 9"}, "b.width", r"9 is not the template's 2\*c, 8"),
    ("  stages: {a: 3x3 4, b: {conv: {kernel: 1x1, width: {$of: 2*in}}}}\n", "", {"a": "3x3 4", "b": "1x1 9"}, "", "follows the input channels"),
    ("  stages: {a: {repeat: {times: {$int: [1, 3]}, body: relu}}}\n", "", {"a": "4 x relu"}, "a", "outside 1"),
    ("  stages: {a: {dropout: {$float: [0, 0.4, 0.1]}}}\n", "", {"a": "dropout 0.15"}, "a.p", r"0\.15 is outside 0\.0\.\.0\.4 step 0\.1"),
    ("  stages: {a: relu, b: {$choice: {n: absent, y: 3x3 4}}}\n", "", {"a": "relu", "b": "3x3 5"}, "b.width", "5 is not the template's 4"),
    ("  stages: {a: {$use: g}}\n", "define: {g: {$choice: {end: max 3x3, more: [relu, {$use: g, $depth: 1}]}}}\n", {"a": "[relu, relu, max 3x3]"}, "a.1", "relu|act"),
]  # fmt: skip


@pytest.mark.parametrize(("template", "define", "stages", "path", "words"), NEAR, ids=[str(row[2]) for row in NEAR])
def test_networks_a_little_outside_small_spaces(
    template: str, define: str, stages: dict[str, str], path: str, words: str
) -> None:
    of = space(template, define)
    inside = of.fill(lambda hole: hole.domain[0])[0]  # type: ignore[index]
    odd = remake(inside, stages={name: parse_step(step) for name, step in stages.items()})
    assert of.contains(inside)
    with pytest.raises(NotInSpaceError, match=words) as caught:
        of.encode(odd)
    assert (caught.value.path or "").startswith(path)


@given(networks(), st.sampled_from(sorted(SHIPPED)))
def test_any_network_is_inside_or_outside(network: Network, name: str) -> None:
    said = SHIPPED[name].why_not(network)
    assert said is not None
    assert SHIPPED[name].contains(network) is False
    assert "\n" not in said


@given(points(SHIPPED["inception"]), st.data())
def test_a_point_with_one_wrong_value_is_refused(params: Params, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(params)))
    junk = data.draw(st.none() | st.floats() | st.text(max_size=3) | st.lists(st.integers()) | st.just(10**400))
    of = SHIPPED["inception"]
    hole = of.holes[name]
    if junk == params[name] or hole.why_not(junk) is None:  # type: ignore[arg-type]
        return
    with pytest.raises(NotInSpaceError) as caught:
        of.decode({**params, name: junk})  # type: ignore[dict-item]
    assert caught.value.path == name


def test_a_large_network_outside_is_refused_quickly() -> None:
    """Ten thousand steps that look like the space's, but for the last."""
    of = SHIPPED["inception"]
    network = of.fixed_points["inception_v1"]
    steps = ", ".join(["1x1 64", "3x3 192", "max 3x3 s2 valid"] * 300)
    odd = remake(network, stages={**network.stages, next(iter(network.stages)): parse_step(f"[{steps}]")})
    with bounded():
        assert of.why_not(odd) is not None


def test_names_of_blocks_do_not_matter_to_what_is_outside() -> None:
    of = space("  blocks: {m: 3x3 4}\n  stages: {a: m, b: m}\n")
    odd = remake(of.decode({}), blocks={"x": parse_step("3x3 5")}, stages={"a": Use(name="x"), "b": Use(name="x")})
    with pytest.raises(NotInSpaceError, match="5 is not the template's 4"):
        of.encode(odd)


def test_a_network_with_other_heads_is_told_at_once() -> None:
    """Its trunk is in the space in one of many ways; its auxiliary head is not."""
    shipped = shipped_space("inception")
    for name in ("inception_v4@slim_gamma", "inception_resnet_v2@slim_gamma"):
        assert shipped.why_not(load(name)) == "aux.aux.pool: none is not the template's avg"
    assert shipped.why_not(load("inception_v1@separable")) == "conv1.0: depthwise is not the template's conv"


@pytest.mark.parametrize("wrong", ["inception_v4", None, 5, {}])
def test_what_is_no_network_or_point_is_refused(wrong: Any) -> None:
    shipped = shipped_space("nin")
    for ask in (shipped.encode, shipped.contains, shipped.why_not):
        with pytest.raises(ArgumentError, match=r"of Space\.\w+\(\), got .*expected a network; write .*load\("):
            ask(wrong)
    with pytest.raises(NotInSpaceError):
        shipped.decode(wrong)
    with pytest.raises(ArgumentError, match=r"seed: .*of Space\.sample\(\)"):
        shipped.sample("a")
