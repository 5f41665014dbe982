# ruff: noqa: E501 (tables: one row a line)
"""Laws of spaces: points and networks correspond one to one, counts are right, every hole is asked once."""

from __future__ import annotations

import itertools
import random
from typing import Any

import optuna
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inception_search.canonical.catalogue import module
from inception_search.errors import LimitError, NotInSpaceError, SpecError, UnknownNameError
from inception_search.lowering import lower
from inception_search.space.holes import Choice, Float, Integer
from inception_search.space.space import Space, load_space, names
from inception_search.spec.document import parse
from inception_search.spec.identity import arch_id
from inception_search.spec.network import Network
from inception_search.spec.step import Block, Use
from inception_search.spec.transform import remake, scale_width
from tests.strategies import points

SHIPPED = {name: load_space(name) for name in names()}


def space(network: str, define: str = "", more: str = "") -> Space:
    """A space with ``network``'s lines, indented by two, under the header of its template."""
    head = "schema: inception-search/space\nversion: 1\nname: s\n"
    return Space(f"{head}{define}{more}network:\n  name: n\n  input: 3x16x16\n{network}", "space.yaml")


def check_laws(shipped: Space, params: dict[str, Any]) -> None:
    network = shipped.decode(params)
    assert shipped.encode(network) == params
    assert shipped.decode(shipped.encode(network)) == network


@pytest.mark.parametrize("name", SHIPPED)
def test_points_and_networks_correspond(name: str) -> None:
    for seed in range(200):
        check_laws(SHIPPED[name], SHIPPED[name].sample(seed))


@pytest.mark.slow
@pytest.mark.parametrize("name", SHIPPED)
def test_points_and_networks_correspond_on_thousands(name: str) -> None:
    ids = set()
    for seed in range(5_000):
        params = SHIPPED[name].sample(10**6 + seed)
        check_laws(SHIPPED[name], params)
        ids.add(arch_id(SHIPPED[name].decode(params)))
    assert len(ids) > 4_900  # the space is large: hardly any point twice


@settings(max_examples=30, deadline=None)
@given(points(SHIPPED["inception_modules"]))
def test_points_can_be_lowered(params: dict[str, Any]) -> None:
    graph = lower(SHIPPED["inception_modules"].decode(params))
    assert str(graph.nodes[graph.outputs[0]].type) == "10"


@pytest.mark.parametrize("name", SHIPPED)
def test_what_a_space_says_it_contains_is_a_fixed_point(name: str) -> None:
    shipped = SHIPPED[name]
    assert shipped.fixed_points
    for label, network in shipped.fixed_points.items():
        assert shipped.decode(shipped.encode(network)) == network, label
        assert shipped.contains(network)
        assert shipped.why_not(network) is None


@pytest.mark.parametrize("label", SHIPPED["inception_modules"].document.contains)
def test_fixed_points_hold_the_canonical_module_at_its_scale(label: str) -> None:
    shipped = SHIPPED["inception_modules"]
    fixed = shipped.document.contains[label]
    expected = scale_width(module(str(fixed.module)), fixed.width, fixed.multiple)
    found = shipped.fixed_points[label].blocks["module"]
    assert found == expected or (isinstance(found, Block) and found.trivial and found.body == expected)
    assert found != shipped.decode(shipped.sample(0)).blocks["module"]


def test_the_same_seed_draws_the_same_point() -> None:
    shipped = SHIPPED["inception_modules"]
    assert shipped.sample(7) == shipped.sample(7) == shipped.sample(random.Random(7))
    assert shipped.sample(7) != shipped.sample(8)
    assert load_space("inception_modules").sample(7) == shipped.sample(7)


# --------------------------------------------------------------------------------------------------- small spaces

# Lines of the template, the definitions, every point it has (as a brute-force list of holes and values).
SMALL: dict[str, tuple[str, str, int]] = {
    "no hole": ("  stages: {a: 3x3 8}\n", "", 1),
    "one integer": ("  stages: {a: {conv: {kernel: 3x3, width: {$int: [4, 16, 4]}}}}\n", "", 4),
    "two integers": ("  stages:\n    a: {conv: {kernel: 3x3, width: {$int: [4, 6]}}}\n    b: {conv: {kernel: 3x3, width: {$int: [1, 2]}}}\n", "", 6),
    "one name for two holes": ("  stages:\n    a: {conv: {kernel: 3x3, width: {$int: [4, 6], $name: w}}}\n    b: {conv: {kernel: 1x1, width: {$int: [4, 6], $name: w}}}\n", "", 3),
    "logarithmic": ("  stages: {a: {conv: {kernel: 3x3, width: {$int: [4, 9], $log: true}}}}\n", "", 6),
    "choice of values": ("  stages: {a: {conv: {kernel: 3x3, width: 8, linear: {$choice: [true, false]}}}}\n", "", 2),
    "choice of steps": ("  stages: {a: {$choice: {small: 3x3 4, large: 5x5 8, none: identity}}}\n", "", 3),
    "choice with holes inside": ("  stages: {a: {$choice: {conv: {conv: {kernel: 3x3, width: {$int: [4, 6]}}}, pool: max 3x3}}}\n", "", 4),
    "options share the holes at one place": ("  stages: {a: {$choice: {s: {conv: {kernel: 3x3, width: {$int: [4, 6]}}}, l: {conv: {kernel: 5x5, width: {$int: [4, 6]}}}}}}\n", "", 6),
    "kernels": ("  stages: {a: {conv: {kernel: {$choice: [1x1, 3x3, 1x7]}, width: 8}}}\n", "", 3),
    "square kernels": ("  stages: {a: {conv: {kernel: {$int: [1, 7, 2]}, width: 8}}}\n", "", 4),
    "one side of a kernel": ("  stages: {a: {conv: {kernel: [1, {$int: [3, 7, 2]}], width: 8}}}\n", "", 3),
    "hidden layers": ("  stages: {a: 3x3 8}\n  head: {hidden: [{$int: [3, 4]}, {$int: [5, 7]}]}\n", "", 6),
    "heads": ("  stages: {a: 3x3 8}\n  head: {$choice: {deep: {hidden: [{$int: [3, 4]}]}, flat: {pool: max}}}\n", "", 3),
    "norms": ("  conv_defaults: {norm: {$choice: [none, batch]}, act: {$choice: [relu, silu]}}\n  stages: {a: 3x3 8}\n", "", 4),
    "repeats": ("  stages: {a: {repeat: {times: {$int: [1, 3]}, body: {conv: {kernel: 3x3, width: {$int: [4, 5]}}}}}}\n", "", 6),
    "absent branches": ("  stages:\n    a: {concat: [1x1 4, {$choice: {none: absent, some: 3x3 4}}, {$choice: {none: absent, some: max 3x3}}]}\n", "", 4),
    "a branch left alone in a chain": ("  stages:\n    a: [3x3 8, {concat: [[1x1 4, 3x3 4], {$choice: {none: absent, some: 1x1 3}}]}, 3x3 9]\n", "", 2),
    "a shortcut left alone in a chain": ("  stages:\n    a: [3x3 8, {concat: [identity, {$choice: {none: absent, some: 1x1 3}}]}, 3x3 9]\n", "", 2),
    "a concat left alone in a concat": ("  stages:\n    a: {concat: [{concat: [{concat: [1x1 4, 3x3 4]}, {$choice: {none: absent, some: 1x1 3}}]}, 3x3 9]}\n", "", 2),
    "a concat that goes": ("  stages:\n    a: {concat: [{concat: [{$choice: {n: absent, o: 5x5 2}}, {$choice: {none: absent, some: 1x1 3}}]}, 3x3 9]}\n", "", 4),
    "optional steps": ("  stages: {a: [{$choice: {y: 3x3 4, n: identity}}, 5x5 8, {$choice: {y: 1x1 4, n: identity}}]}\n", "", 4),
    "uses have holes of their own": ("  stages: {a: [{$use: c}, {$use: c}]}\n", "define: {c: {conv: {kernel: 3x3, width: {$int: [4, 6]}}}}\n", 9),
    "a name inside a use is the use's": ("  stages: {a: [{$use: c}, {$use: c}]}\n", "define: {c: [{conv: {kernel: 3x3, width: {$int: [4, 6], $name: w}}}, {conv: {kernel: 1x1, width: {$int: [4, 6], $name: w}}}]}\n", 9),
    "a field from a use": ("  stages: {a: {conv: {kernel: 3x3, width: {$use: w}}}, b: {conv: {kernel: 3x3, width: {$use: w}}}}\n", "define: {w: {$int: [4, 6]}}\n", 9),
    "a residual toggle": ("  stages:\n    a: {block: {skip: {$choice: {off: none, on: add}, $name: r}, project: {$choice: {off: none, on: linear}, $name: r}, body: 3x3 8}}\n", "", 2),
    # a hole that one option brings in and that stands outside as well is one hole: 3 * 2 points, not 3 + 3 * 3
    "a name inside an option and outside": ("  stages:\n    a: {$choice: {y: {conv: {kernel: 3x3, width: {$int: [4, 6], $name: w}}}, n: relu}}\n    b: {conv: {kernel: 1x1, width: {$int: [4, 6], $name: w}}}\n", "", 6),
    # a toggle named twice, of which one option has a hole of its own: off, or on with 3 widths
    "a toggle with a hole inside": ("  stages:\n    a: {$choice: {off: relu, on: 3x3 8}, $name: t}\n    b: {$choice: {off: relu, on: {conv: {kernel: 1x1, width: {$int: [4, 6]}}}}, $name: t}\n", "", 4),
}  # fmt: skip


def brute_force(small: Space) -> list[dict[str, Any]]:
    """Every assignment of values to names that the space takes as a point."""
    domains = {name: list(hole.domain) for name, hole in small.holes.items() if not isinstance(hole, Float)}
    found = []
    for size in range(len(domains) + 1):
        for chosen in itertools.combinations(domains, size):
            for values in itertools.product(*(domains[name] for name in chosen)):
                params = dict(zip(chosen, values, strict=True))
                try:
                    small.decode(params)
                except NotInSpaceError:
                    continue
                found.append(params)
    return found


@pytest.mark.parametrize("label", SMALL)
def test_small_spaces_have_the_points_that_brute_force_finds(label: str) -> None:
    network, define, size = SMALL[label]
    small = space(network, define)
    everything = brute_force(small)
    assert len(everything) == small.size == size
    networks = [small.decode(params) for params in everything]
    assert all(small.encode(network) == params for network, params in zip(networks, everything, strict=True))
    drawn = {tuple(sorted(small.sample(seed).items())) for seed in range(60 * size)}
    assert drawn == {tuple(sorted(params.items())) for params in everything}


def test_a_range_of_numbers_has_no_size() -> None:
    endless = space("  stages: {a: {dropout: {$float: [0.001, 0.5], $log: true}}}\n")
    assert endless.size == float("inf")
    drawn = [endless.sample(seed)["a.p"] for seed in range(200)]
    assert all(0.001 <= value <= 0.5 for value in drawn)
    assert sum(value < 0.0224 for value in drawn) in range(60, 140)  # half below the geometric mean
    for seed in range(50):
        params = endless.sample(seed)
        assert endless.encode(endless.decode(params)) == params


def test_huge_ranges_are_not_written_out() -> None:
    wide = space("  stages: {a: {lrn: {size: {$int: [1, 200000000000000]}}}}\n")
    assert wide.size == 2 * 10**14
    assert wide.holes["a.size"].domain[-1] == 2 * 10**14  # type: ignore[union-attr, index]


def test_the_size_of_a_shipped_space_is_known_at_once() -> None:
    assert SHIPPED["inception_modules"].size > 10**12
    many = "".join(
        f"    s{i}: {{$choice: {{a: relu, b: {{dropout: {{$choice: [0.1, 0.2], $name: p}}}}}}}}\n" for i in range(60)
    )
    linked = space(f"  stages:\n{many}")
    assert linked.size == 1 + (2**60 - 1) * 2  # all without dropout, or any others with one of two values


# --------------------------------------------------------------------------------------------------- asking a trial


class CountingTrial:
    """Answers like a random trial and counts how often each name is asked."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.asked: dict[str, int] = {}

    def note(self, name: str) -> None:
        self.asked[name] = self.asked.get(name, 0) + 1

    def suggest_categorical(self, name: str, choices: Any) -> Any:
        self.note(name)
        assert all(isinstance(choice, str) for choice in choices)
        return self.rng.choice(choices)

    def suggest_int(self, name: str, low: int, high: int, *, step: int = 1, log: bool = False) -> int:
        self.note(name)
        return self.rng.randrange(low, high + 1, step)

    def suggest_float(self, name: str, low: float, high: float, *, log: bool = False) -> float:
        self.note(name)
        return self.rng.uniform(low, high)


def test_every_hole_that_is_reached_is_asked_once_under_its_name() -> None:
    shipped = SHIPPED["inception_modules"]
    for seed in range(50):
        trial = CountingTrial(seed)
        network, params = shipped.suggest(trial)
        assert trial.asked == dict.fromkeys(params, 1)
        assert set(params) <= set(shipped.holes)
        assert shipped.decode(params) == network


def test_holes_of_options_not_taken_are_not_asked() -> None:
    small = space(*SMALL["choice with holes inside"][:2])
    network, params = small.suggest(optuna.trial.FixedTrial({"a": "pool", "a.width": 5}))
    assert params == {"a": "pool"}
    assert network.stages["a"] == parse("max 3x3")


def test_an_optuna_study_asks_and_its_params_are_the_point() -> None:
    small = space(
        "  stages: {a: {conv: {kernel: 3x3, width: {$int: [4, 9], $log: true}, linear: {$choice: [true, false]}}}, b: {dropout: {$float: [0.1, 0.5], $log: true}}}\n"
    )
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    for _ in range(20):
        trial = study.ask()
        network, params = small.suggest(trial)
        assert trial.params == params
        assert small.encode(network) == params
        assert small.suggest(optuna.trial.FixedTrial(trial.params)) == (network, params)


def test_the_point_of_a_fixed_network_can_be_asked_for() -> None:
    shipped = SHIPPED["inception_modules"]
    params = shipped.encode(shipped.fixed_points["resnet_b"])
    assert shipped.suggest(optuna.trial.FixedTrial(params))[0] == shipped.fixed_points["resnet_b"]


# --------------------------------------------------------------------------------------------------- names of holes


def test_holes_are_named_by_their_place() -> None:
    named = space(
        "  blocks:\n"
        "    module:\n"
        "      block:\n"
        "        scale: {$float: [0.1, 1.0]}\n"
        "        body: {concat: [1x1 4, [{conv: {kernel: 3x3, width: {$int: [4, 5]}}}, relu]]}\n"
        "  stages:\n"
        "    stem: [3x3 8, {conv: {kernel: 3x3, width: {$int: [4, 5]}}}]\n"
        "    deep: {repeat: {times: {$int: [1, 2]}, body: {conv: {kernel: 3x3, width: {$int: [4, 5]}}}}}\n"
        "    mixed: {$choice: {x: relu, y: {$use: c}}}\n"
        "  head: {dropout: {$float: [0.1, 0.5]}}\n",
        "define: {c: {conv: {kernel: 3x3, width: {$int: [4, 5], $name: w}}}}\n",
    )
    assert set(named.holes) == {
        "module.scale", "module.b1.0.width", "stem.1.width", "deep.times", "deep.width", "mixed", "mixed.w", "head.dropout",
    }  # fmt: skip


def test_kinds_of_holes() -> None:
    holes = SHIPPED["inception_modules"].holes
    assert isinstance(holes["residual"], Choice)
    assert isinstance(holes["module.b0.width"], Integer)
    assert list(holes["module.b0.width"].domain) == list(range(4, 49, 4))


# --------------------------------------------------------------------------------------------------- outside a space


def with_module(label: str, step: str) -> Network:
    network = SHIPPED["inception_modules"].fixed_points[label]
    return remake(network, blocks={"module": Block(body=parse(step))})


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
        ({"stages": {**network.stages, "stem": parse("3x3 16")}}, "stem", "missing at the end"),
        ({"stages": {**network.stages, "more": Use(name="module")}}, "stages", "are not the template's"),
        ({"aux": {"x": parse_aux()}}, "aux", "is not the template's {}"),
    ]
    for change, path, words in table:
        with pytest.raises(NotInSpaceError, match=words) as caught:
            SHIPPED["inception_modules"].encode(remake(network, **change))
        assert caught.value.path == path
    assert SHIPPED["inception_modules"].contains(remake(network, name="other", source="elsewhere"))


def parse_aux() -> Any:
    from inception_search.spec.network import Aux

    return Aux(after="stem")


def test_a_value_that_is_not_the_shared_one_is_named() -> None:
    shared = space(*SMALL["one name for two holes"][:2])
    network = remake(shared.decode({"w": 4}), stages={"a": parse("3x3 4"), "b": parse("1x1 5")})
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
    ({"a": "pool", "a.width": 5}, "the point has values no hole asks for, got 'a.width'"),
    ({"a": "pool", "b": 5}, "the point has values no hole asks for, got 'b'"),
]


@pytest.mark.parametrize(("params", "words"), BAD_POINTS, ids=[str(row[0]) for row in BAD_POINTS])
def test_what_is_no_point_is_refused(params: dict[str, Any], words: str) -> None:
    small = space(*SMALL["choice with holes inside"][:2])
    with pytest.raises(NotInSpaceError, match=words):
        small.decode(params)


@pytest.mark.parametrize("value", [0.0, 1.0, float("nan"), float("inf"), 10**400, "0.2", None, True, [0.2]])
def test_numbers_outside_a_range_are_refused(value: Any) -> None:
    endless = space("  stages: {a: {dropout: {$float: [0.1, 0.5]}}}\n")
    with pytest.raises(NotInSpaceError, match=r"a.p: .* is outside 0\.1\.\.0\.5"):
        endless.decode({"a.p": value})


def test_a_point_that_breaks_a_rule_names_the_line_of_the_template() -> None:
    odd = space("  stages:\n    a:\n      conv: {kernel: 3x3, factor: split, width: {$int: [4, 5]}}\n")
    assert odd.decode({"a.width": 4}).stages["a"] == parse("3x3 4 split")
    with pytest.raises(SpecError, match=r"space\.yaml:8: a: split halves the width, so it must be even, got 5"):
        odd.decode({"a.width": 5})


def test_a_template_that_fits_in_too_many_ways_is_given_up() -> None:
    optional = ", ".join(["{$choice: {y: relu, n: identity}}"] * 40)
    ambiguous = space(f"  stages: {{a: [{optional}, 3x3 4]}}\n")
    network = remake(ambiguous.decode(ambiguous.sample(0)), stages={"a": parse(f"[{'relu, ' * 20}3x3 5]")})
    with pytest.raises(LimitError, match="matched in too many ways"):
        ambiguous.encode(network)


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 60), st.integers(0, 2**32))
def test_long_templates_are_matched(length: int, seed: int) -> None:
    steps = ", ".join(f"{{conv: {{kernel: 1x1, width: {{$int: [1, {i + 1}]}}}}}}" for i in range(length))
    long = space(f"  stages: {{a: [{steps}, relu]}}\n")
    check_laws(long, long.sample(seed))


def test_a_template_too_long_to_match_is_refused_in_our_words() -> None:
    long = space(f"  stages: {{a: [{'relu, ' * 3_000}relu]}}\n")
    with pytest.raises(LimitError, match="too many steps"):
        long.encode(long.decode({}))


def test_load_space_takes_a_name_a_path_and_a_text(tmp_path: Any) -> None:
    text = SHIPPED["inception_modules"].text
    file = tmp_path / "mine.yaml"
    file.write_text(text)
    for given_as in ("inception_modules", file, str(file), text):
        assert load_space(given_as).sample(3) == SHIPPED["inception_modules"].sample(3)
    with pytest.raises(
        UnknownNameError, match=r"unknown space, got 'inception_module'.*did you mean 'inception_modules'"
    ):
        load_space("inception_module")
