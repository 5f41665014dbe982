"""The alignment: cheapest of all, empty for equals, mirrored when reversed, the same in every process."""

from __future__ import annotations

import os
import random
import subprocess
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inception_search.canonical.catalogue import load
from inception_search.compare.align import Aligner
from inception_search.compare.assign import assigned
from inception_search.compare.comparison import Comparison, alignment_of
from inception_search.compare.diff_entry import Entry, walk
from inception_search.compare.element import Element
from inception_search.compare.side import side_of
from inception_search.compare.to_elements import Reader
from inception_search.spec.documents.parse import parse_step
from inception_search.spec.identity.normal_form import normal_trunk
from inception_search.spec.network import Network
from inception_search.spec.step import (
    Act,
    AnyStep,
    Block,
    Conv,
    Identity,
    Pool,
    Repeat,
    Use,
    chain,
    concat,
)
from inception_search.spec.transform import map_children, remake
from tests.compare.every_alignment import least
from tests.generators import networks, same_size, steps

checked = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))


def compared(a: Network | AnyStep, b: Network | AnyStep) -> Comparison:
    sides = side_of(a), side_of(b)
    return Comparison(*sides, alignment_of(*sides)[0])


def series(step: AnyStep, keys: dict[object, int]) -> tuple[Element, ...]:
    return Reader(None, keys).series(step, "m")


LEAVES: tuple[AnyStep, ...] = (
    Conv(kernel=(1, 1), width=8),
    Conv(kernel=(3, 3), width=8),
    Conv(kernel=(3, 3), width=16, factor="row_col"),
    Conv(kernel=(1, 3), width=16),
    Pool(mode="max"),
    Act(name="tanh"),
)


def small_steps(leaves: int) -> st.SearchStrategy[AnyStep]:
    """Steps few enough to try every alignment of two."""

    def around(inner: st.SearchStrategy[AnyStep]) -> st.SearchStrategy[AnyStep]:
        some = st.lists(inner, min_size=2, max_size=3)
        return st.one_of(
            some.map(lambda parts: chain(*parts)),
            some.map(lambda parts: concat(*parts)),
            inner.map(lambda body: Block(body=body, skip="add", project="linear")),
            st.builds(Repeat, times=st.integers(2, 3), body=inner),
        )

    return st.recursive(st.sampled_from(LEAVES), around, max_leaves=leaves)


@settings(suppress_health_check=list(HealthCheck))
@given(small_steps(4), small_steps(4))
def test_no_alignment_is_cheaper(a: AnyStep, b: AnyStep) -> None:
    keys: dict[object, int] = {}
    xs, ys = series(a, keys), series(b, keys)
    assert Aligner().cost(xs, ys) == least(xs, ys)


@given(st.randoms(use_true_random=False), st.integers(0, 4), st.integers(0, 4))
def test_branches_are_paired_as_cheaply_as_can_be(rng: random.Random, rows: int, columns: int) -> None:
    pairs = [[rng.randrange(20) for _ in range(columns)] for _ in range(rows)]
    without, extra = ([rng.randrange(20) for _ in range(size)] for size in (rows, columns))

    def cost(partners: list[int | None]) -> int:
        kept = sum(without[r] if c is None else pairs[r][c] for r, c in enumerate(partners))
        return kept + sum(extra[c] for c in range(columns) if c not in partners)

    def every(row: int, free: tuple[int, ...]) -> list[list[int | None]]:
        if row == rows:
            return [[]]
        ways: list[list[int | None]] = [[None, *rest] for rest in every(row + 1, free)]
        for column in free:
            ways += [[column, *rest] for rest in every(row + 1, tuple(c for c in free if c != column))]
        return ways

    found = assigned(pairs, without, extra)
    taken = [column for column in found if column is not None]
    assert len(set(taken)) == len(taken)
    assert cost(found) == min(map(cost, every(0, tuple(range(columns)))))


@checked
@given(networks())
def test_a_network_does_not_differ_from_itself(network: Network) -> None:
    same = compared(network, network)
    assert not same
    assert "no difference" in text(same)
    assert same.same_architecture
    assert all(entry.status == "same" and not entry.changes for entry in walk(same.entries))


def text(comparison: Comparison) -> str:
    from inception_search.compare.text import text_of

    return text_of(comparison)


@checked
@given(steps, steps)
def test_any_two_steps_can_be_compared(a: AnyStep, b: AnyStep) -> None:
    differs = compared(a, b)
    assert bool(differs) == (not all(entry.status == "same" for entry in walk(differs.entries)))
    assert not compared(a, a)
    text(differs)


@checked
@given(networks(), networks())
def test_reversed_what_was_added_is_removed(a: Network, b: Network) -> None:
    there, back = compared(a, b), compared(b, a)
    assert sorted(map(told, walk(there.entries))) == sorted(told(entry.mirrored()) for entry in walk(back.entries))
    assert bool(there) == bool(back)


def told(entry: Entry) -> str:
    """An entry without what is inside it."""
    return repr((entry.status, [part.path for part in entry.a], [part.path for part in entry.b], entry.changes))


@checked
@given(networks(), networks())
def test_every_place_is_told_once(a: Network, b: Network) -> None:
    found = list(walk(compared(a, b).entries))
    sides = ([e for e in found if e.status != "added"], [e for e in found if e.status != "removed"])
    for network, entries, side in ((a, sides[0], "a"), (b, sides[1], "b")):
        told_paths = [part.path for entry in entries for part in getattr(entry, side) if not entry.around]
        leaves = [path for path in told_paths if path.startswith(tuple(network.stages))]
        for path in places(network):
            assert any(path == other or other.startswith(path + ".") for other in leaves), path


def places(network: Network) -> list[str]:
    """The paths of the leaves of a network, each repeat once."""
    reader = Reader(network, {})
    found: list[str] = []
    stack = list(reader.trunk(network))
    while stack:
        element = stack.pop()
        stack += element.inside
        if not element.inside and element.kind not in ("concat", "block", "branch", "repeat"):
            found.append(element.path)
    return found


@checked
@given(networks())
def test_blocks_written_out_and_repeats_unrolled_are_no_difference(network: Network) -> None:
    def written_out(step: AnyStep) -> AnyStep:
        if isinstance(step, Use):
            return written_out(network.blocks[step.name])
        if isinstance(step, Repeat):
            return chain(*[written_out(step.body)] * step.times)
        return map_children(step, written_out)

    stages = {name: written_out(step) for name, step in network.stages.items()}
    aux = {name: remake(head, body=written_out(head.body)) for name, head in network.aux.items()}
    spelled = remake(network, blocks={}, stages=stages, aux=aux)
    assert compared(network, spelled).same_architecture
    trunk = [e for e in compared(network, spelled).entries if e.kind == "repeat" and len(e.b) > 1]
    assert all(entry.status == "same" for entry in trunk)


def test_a_repeat_of_repeats_written_out_is_no_difference() -> None:
    nested = parse_step("{repeat: {times: 2, body: {repeat: {times: 2, body: 1x1 8}}}}")
    entries = compared(nested, parse_step("[1x1 8, 1x1 8, 1x1 8, 1x1 8]")).entries
    assert {entry.status for entry in walk(entries)} == {"same"}
    assert len(next(entry.b for entry in entries if entry.kind == "repeat")) == 4


@checked
@given(same_size())
def test_what_is_written_otherwise_is_said_to_compute_the_same(step: AnyStep) -> None:
    network = Network.model_validate({"name": "n", "stages": {"s": step}, "input": {"height": 9, "width": 9}})
    other = remake(network, stages={"s": normal_trunk(network)["s"]})
    difference = compared(network, other)
    assert difference.same_architecture
    assert ("the same architecture" in text(difference)) == bool(difference)


TABLE = [
    # before, after, the lines that are marked
    ("1x1 64", "1x1 96", ["~ m: 1x1 64 → 1x1 96"]),
    ("7x7 64", "7x7 64 row_col", ["~ m: 7x7 64 → 7x7 64 row_col"]),
    ("3x3 64", "5x5 64", ["~ m: 3x3 64 → 5x5 64"]),
    ("[1x1 8, 3x3 8]", "3x3 8", ["- m.0: 1x1 8"]),
    ("max 3x3", "avg 3x3", ["~ m: max 3x3 → avg 3x3"]),
    ("max 3x3", "3x3 8", ["- m: max 3x3", "+ m: 3x3 8"]),
    ("{repeat: {times: 7, body: 3x3 8}}", "{repeat: {times: 10, body: 3x3 8}}", ["~ m: 7 → 10 x"]),
    ("[3x3 8, 3x3 8, 1x1 4]", "[2 x 3x3 8, 1x1 4]", []),
    ("[1x7 8, 7x1 16]", "7x7 8>16 row_col", []),
    ("{concat: [1x3 8, 3x1 8]}", "3x3 16 split", []),
    ("{concat: [1x1 8, 3x3 8]}", "{concat: [1x1 8, 3x3 8, 5x5 8]}", ["~ m: 2 → 3 branches", "+   branch 2: 5x5 8"]),
    ("1x1 8", "{concat: [1x1 8, 3x3 8]}", ["+ m: 2 branches around 1x1 8", "+   branch 1: 3x3 8"]),
    (
        "{concat: [1x1 8, 3x3 8]}",
        "{concat: [3x3 8, 1x1 8]}",
        ["~ m: 2 branches: order of the branches 0 1 → 1 0"],
    ),
    (
        "{block: {skip: add, scale: 0.1, project: linear, body: 3x3 8}}",
        "{block: {skip: add, scale: 0.2, project: linear, body: 3x3 8}}",
        ["~ m: residual, scale 0.2, project linear: scale 0.1 → 0.2"],
    ),
    ("3x3 8", "{block: {skip: add, project: linear, body: 3x3 8}}", ["+ m: residual, project linear around 3x3 8"]),
    ("{block: {body: 3x3 8, act: relu, skip: add}}", "3x3 8", ["- m: residual, relu around 3x3 8"]),
    ("3x3 8 linear", "3x3 8", ["~ m: 3x3 8 linear → 3x3 8"]),
    ("{conv: {kernel: 3x3, width: 8, norm: false, act: none, bias: true}}", "3x3 8 linear", []),
    ("{conv: {kernel: 3x3, width: 8, padding: [1, 1]}}", "3x3 8", []),
    ("{dropout: 0.5}", "{dropout: 0.25}", ["~ m: dropout: 0.5 → dropout: 0.25"]),
]


@pytest.mark.parametrize(("before", "after", "marked"), TABLE, ids=[f"{row[0]} | {row[1]}" for row in TABLE])
def test_what_is_said(before: str, after: str, marked: list[str]) -> None:
    lines = [
        line.replace("module", "m") for line in text(compared(parse_step(before), parse_step(after))).splitlines()[3:]
    ]
    assert [line for line in lines if line[:1] in ("+", "-", "~")] == marked


def test_v3_to_v4_is_told_as_people_tell_it() -> None:
    difference = compared(load("inception_v3"), load("inception_v4"))
    said = text(difference)
    for line in (
        "~ mixed_5b … mixed_5d → inception_a: 3 → 4 x inception_a",
        "~ mixed_6a → reduction_a: 3 branches",
        "~ mixed_6b … mixed_6e → inception_b: 4 → 7 x inception_b",
        "~ mixed_7b … mixed_7c → inception_c: 2 → 3 x inception_c",
        "~   mixed_6d → inception_b.2: as mixed_6c → inception_b.1",
        "~     branch 0: 1x1 64 → 1x1 96",
        "- aux.aux: auxiliary classifier aux",
        "+ head.dropout: dropout 0.2",
        "parameters 23,834,568 → 42,679,816 (+18,845,248, +79.1 %)",
    ):
        assert line in said


def test_a_residual_around_fewer_branches() -> None:
    nets = [load(name) for name in ("inception_v4", "inception_resnet_v2")]
    blocks = [nets[0].blocks["inception_b"], nets[1].blocks["block17"]]
    sides = [side_of(step, None, net) for step, net in zip(blocks, nets, strict=True)]
    difference = Comparison(sides[0], sides[1], alignment_of(sides[0], sides[1])[0])
    said = text(difference)
    assert "+ inception_b.0 → block17.0: residual, scale 0.1, project linear, relu around 4 branches" in said
    assert "~   4 → 2 branches" in said
    assert "7x7 224>256 row_col → 7x7 160>192 row_col" in said


def test_the_settings_around_modules_are_compared() -> None:
    nets = [load(name) for name in ("inception_v1", "bn_inception")]
    sides = [side_of(net.stages["inception_3a"], None, net) for net in nets]
    said = text(Comparison(sides[0], sides[1], alignment_of(sides[0], sides[1])[0]))
    assert "~ conv_defaults: norm none → batch" in said


def test_other_names_are_no_difference_but_are_told() -> None:
    net = load("inception_v4")
    stages = {("first" if name == "stem" else name): step for name, step in net.stages.items()}
    renamed = compared(net, remake(net, stages=stages))
    assert not renamed
    assert "no difference, but in names or in the way it is written" in text(renamed)
    assert "written" not in text(compared(net, net))


def test_costs_add_up() -> None:
    difference = compared(load("inception_v3"), load("inception_v4"))
    more = [d.more_params for e in difference.entries if e.kind != "aux" and (d := difference.delta(e))]
    assert sum(more) == (difference.b.params or 0) - (difference.a.params or 0)


def test_very_long_documents_are_compared_in_time() -> None:
    long = chain(*[Conv(kernel=(3, 3), width=1 + i % 7) for i in range(700)])
    other = chain(*[Conv(kernel=(3, 3), width=1 + i % 5) for i in range(800)])
    assert compared(long, other)


def test_deep_documents_are_compared() -> None:
    def deep(width: int) -> AnyStep:
        step: AnyStep = Conv(kernel=(3, 3), width=width)
        for _ in range(28):
            step = Block(body=concat(step, Identity()), skip="none", project="linear")
        return step

    said = text(compared(deep(8), deep(16)))
    assert "3x3 8 → 3x3 16" in said


SCRIPT = """
import json
from inception_search.canonical.catalogue import load
from inception_search.compare.comparison import Comparison, alignment_of
from inception_search.compare.side import side_of
from inception_search.compare.text import text_of
for names in (("inception_v1", "inception_v2"), ("inception_v4", "inception_resnet_v2")):
    sides = [side_of(load(name)) for name in names]
    comparison = Comparison(*sides, alignment_of(*sides)[0])
    print(text_of(comparison), json.dumps(comparison.to_dict()))
"""


def test_the_same_in_every_process() -> None:
    told_by = set()
    for seed in ("0", "4711"):
        env = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)}
        done = subprocess.run([sys.executable, "-c", SCRIPT], env=env, capture_output=True, check=True)
        told_by.add(done.stdout)
    assert len(told_by) == 1
