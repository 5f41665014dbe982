# ruff: noqa: E501 (tables: one row a line)
"""Every kind of edit: a document before, and one that the edit makes of it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from inception_search.edits.kinds.table import DEFAULT_MIX, EDITS, edits_of
from inception_search.spec.identity.arch_id import arch_id
from tests.edits.edit_samples import net

M = {"blocks": "{m: {concat: [1x1 4, 3x3 4]}}"}
# Kind, place, document before, document after, what else both say.
MADE: list[tuple[str, str, str, str, dict[str, str]]] = [
    ("set_kernel", "stages.a", "3x3 8", "5x5 8", {}),
    ("set_kernel", "stages.a", "3x3 8 s2 valid", "1x7 8 s2 valid", {}),
    ("set_kernel", "stages.a", "{conv: {kernel: 3x3, width: 8, padding: [1, 1]}}", "{conv: {kernel: 1x7, width: 8, padding: [0, 3]}}", {}),
    ("set_kernel", "stages.a.branches.1", "{concat: [1x1 8, 3x3 8]}", "{concat: [1x1 8, 1x3 8]}", {}),
    ("set_kernel", "stages.a", "avg 3x3", "avg 5x5", {}),
    ("set_kernel", "stages.a", "{depthwise: {kernel: 3x3}}", "{depthwise: {kernel: 5x5}}", {}),
    ("set_kernel", "aux.x.body", "3x3 8", "3x3 8", {"aux": "{x: {after: a, body: 1x1 4}} -> {x: {after: a, body: 3x3 4}}"}),
    ("set_width", "stages.a", "3x3 64", "3x3 96", {}),
    ("set_width", "stages.a", "3x3 8 split", "3x3 4 split", {}),
    ("set_width", "stages.a", "{depthwise: {kernel: 3x3}}", "{depthwise: {kernel: 3x3, multiplier: 4}}", {}),
    ("set_mid", "stages.a", "7x7 8 row_col", "7x7 4>8 row_col", {}),
    ("set_factor", "stages.a", "7x7 8", "7x7 8 stacked", {}),
    ("set_factor", "stages.a", "7x7 4>8 row_col", "7x7 4>8 col_row", {}),
    ("set_factor", "stages.a", "7x7 4>8 row_col", "7x7 8", {}),
    ("factorise", "stages.a", "5x5 8", "[3x3 8, 3x3 8]", {}),
    ("factorise", "stages.a", "[1x1 4, 5x5 8]", "[1x1 4, 1x5 8, 5x1 8]", {}),
    ("factorise", "stages.a", "5x5 4>8 stacked", "[3x3 4, 3x3 8]", {}),
    ("factorise", "stages.a", "3x3 8 split", "{concat: [1x3 4, 3x1 4]}", {}),
    ("merge", "stages.a", "[3x3 4, 3x3 8]", "5x5 8", {}),
    ("merge", "stages.a", "[1x1 4, 1x7 8, 7x1 8, 1x1 8]", "[1x1 4, 7x7 8 row_col, 1x1 8]", {}),
    ("merge", "stages.a", "[7x1 4, 1x7 8]", "7x7 4>8 col_row", {}),
    ("merge", "stages.a", "[3x3 8, 3x3 8, 3x3 8 s2]", "7x7 8 s2", {}),
    ("set_pool", "stages.a", "max 3x3", "avg 3x3", {}),
    ("set_pool", "stages.a", "{adaptive_pool: {size: 2x2}}", "{adaptive_pool: {mode: max, size: 2x2}}", {}),
    ("set_act", "stages.a", "relu", "silu", {}),
    ("set_act", "stages.a", "{block: {act: relu, body: 3x3 8}}", "{block: {body: 3x3 8}}", {}),
    ("set_act", "conv_defaults.act", "3x3 8", "3x3 8", {"conv_defaults": "{act: relu} -> {act: gelu}"}),
    ("add_branch", "stages.a", "{concat: [1x1 8, 3x3 8]}", "{concat: [1x1 8, 3x3 8, [1x1 4, 3x3 8, 3x3 8]]}", {}),
    ("add_branch", "stages.a", "{concat: [max 3x3 s2, [1x1 8, 3x3 16 s2]]}", "{concat: [max 3x3 s2, [1x1 8, 3x3 16 s2], [1x1 16, 3x3 16 s2]]}", {}),
    ("drop_branch", "stages.a", "{concat: [1x1 8, 3x3 8, 5x5 8]}", "{concat: [1x1 8, 5x5 8]}", {}),
    ("drop_branch", "stages.a", "[1x1 8, {concat: [1x1 8, [3x3 8, 3x3 8]]}]", "[1x1 8, 3x3 8, 3x3 8]", {}),
    ("duplicate_branch", "stages.a", "{concat: [1x1 8, 3x3 8]}", "{concat: [1x1 8, 1x1 8, 3x3 8]}", {}),
    ("reorder_branches", "stages.a", "{concat: [1x1 8, 3x3 8, 5x5 8]}", "{concat: [5x5 8, 3x3 8, 1x1 8]}", {}),
    ("add_conv", "stages.a", "[1x1 8, 3x3 16]", "[1x1 8, 3x3 16, 3x3 16]", {}),
    ("add_conv", "stages.a", "[1x1 8, 3x3 16]", "[1x1 8, 1x1 16, 3x3 16]", {}),
    ("drop_conv", "stages.a", "[1x1 8, 3x3 16]", "3x3 16", {}),
    ("toggle_residual", "stages.a", "{concat: [1x1 8, 3x3 8]}", "{block: {skip: add, project: linear, scale: 0.2, act: relu, body: {concat: [1x1 8, 3x3 8]}}}", {}),
    ("toggle_residual", "stages.a", "{block: {skip: add, project: linear, body: 3x3 8}}", "3x3 8", {}),
    ("toggle_residual", "stages.a", "{block: {project: linear, body: 3x3 8}}", "{block: {skip: add, project: linear, body: 3x3 8}}", {}),
    ("toggle_residual", "stages.a.body", "2 x m", "{repeat: {times: 2, body: {block: {skip: add, project: linear, act: relu, body: m}}}}", M),
    ("set_scale", "stages.a", "{block: {skip: add, project: linear, body: 3x3 8}}", "{block: {skip: add, project: linear, scale: 0.1, body: 3x3 8}}", {}),
    ("set_project", "stages.a", "{block: {skip: add, project: linear, body: 3x3 8}}", "{block: {skip: add, body: 3x3 8}}", {}),
    ("set_repeat", "stages.a", "3 x 3x3 8", "5 x 3x3 8", {}),
    ("set_repeat", "stages.a", "2 x 3x3 8", "1 x 3x3 8", {}),
    ("untie_repeat", "stages.a", "4 x m", "[3 x m, m]", M),
    ("untie_repeat", "stages.a", "[1x1 8, 2 x m]", "[1x1 8, m, m]", M),
    ("tie_repeat", "stages.a", "[3 x m, m, 1x1 8]", "[4 x m, 1x1 8]", M),
    ("tie_repeat", "stages.a", "[m, {concat: [1x1 4, 5x5 4]}]", "2 x m", M),
    ("duplicate_module", "stages.a", "[1x1 8, m]", "[1x1 8, m, m]", M),
    ("duplicate_module", "stages.a_2", "stages {a: m, b: 1x1 8}", "stages {a: m, a_2: m, b: 1x1 8}", M),
    ("drop_module", "stages.a", "[1x1 8, m]", "1x1 8", M),
    ("drop_module", "stages.a", "stages {a: m, b: 1x1 8}", "stages {b: 1x1 8}", M),
    ("untie_use", "stages.a.0", "[m, 1x1 8]", "[{concat: [1x1 4, 3x3 4]}, 1x1 8]", M),
    ("untie_use", "stages.a", "[m, 1x1 8]", "[3x3 4, 3x3 4, 1x1 8]", {"blocks": "{m: [3x3 4, 3x3 4]}"}),
    ("tie_use", "stages.a.0", "[{concat: [1x1 4, 3x3 4]}, 1x1 8]", "[m, 1x1 8]", M),
    ("set_norm", "conv_defaults.norm", "3x3 8", "3x3 8", {"conv_defaults": "{norm: {eps: 0.01}} -> {norm: none}"}),
    ("set_norm", "conv_defaults.norm", "3x3 8", "3x3 8", {"conv_defaults": "{norm: none} -> {norm: batch}"}),
    ("set_dropout", "head.dropout", "3x3 8", "3x3 8", {"head": "{classes: 3} -> {classes: 3, dropout: 0.4}"}),
    ("set_dropout", "aux.x.dropout", "3x3 8", "3x3 8", {"aux": "{x: {after: a}} -> {x: {after: a, dropout: 0.5}}"}),
    ("set_dropout", "stages.a", "dropout 0.1", "dropout 0.5", {}),
    ("set_kernel", "stages.a.nodes.0.inputs.1.step", "{dag: {nodes: [{inputs: [{node: 0}, {node: 0, step: 3x3 8}]}]}}", "{dag: {nodes: [{inputs: [{node: 0}, {node: 0, step: 5x5 8}]}]}}", {}),
    ("drop_conv", "stages.a.nodes.0.then", "{dag: {nodes: [{inputs: [{node: 0}], then: [3x3 8, 1x1 4]}]}}", "{dag: {nodes: [{inputs: [{node: 0}], then: 1x1 4}]}}", {}),
]  # fmt: skip
# Kinds, a document, and a document that none of these kinds may make of it.
NOT_MADE: list[tuple[str, str, str, dict[str, str]]] = [
    ("set_kernel", "{concat: [1x1 8, [1x1 4, 3x3 8 valid]]}", "{concat: [1x1 8, [1x1 4, 1x1 8 valid]]}", {}),  # sizes
    ("drop_conv", "3x3 8", "identity", {}),  # nothing would be left
    ("drop_module", "m", "identity", M),
    ("set_width", "{block: {skip: add, body: 3x3 8}}", "{block: {skip: add, body: 3x3 12}}", {}),  # the sum
    ("toggle_residual", "{block: {body: {concat: [1x1 8, 3x3 8]}}}", "{block: {body: {block: {skip: add, project: linear, body: {concat: [1x1 8, 3x3 8]}}}}}", {}),
    ("merge", "[3x3 4, 3x3 8 valid]", "5x5 8", {}),  # different paddings
]  # fmt: skip


def sides(more: dict[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """What else the document says before and after; one text without an arrow is both."""
    before = {name: value.split(" -> ")[0] for name, value in more.items()}
    return before, {name: value.split(" -> ")[-1] for name, value in more.items()}


@pytest.mark.parametrize(("kind", "place", "before", "after", "more"), MADE, ids=[f"{r[0]}: {r[2]}" for r in MADE])
def test_the_edit_makes_the_document(kind: str, place: str, before: str, after: str, more: dict[str, str]) -> None:
    old, new = sides(more)
    network, wanted = net(before, **old), net(after, **new)
    found = [edit for edit in edits_of(network, [kind]) if edit.apply(network) == wanted]
    assert [edit.place for edit in found] == [place] * len(found)
    assert found[0].name == kind
    assert found[0].inverse.apply(wanted) == network


def test_every_kind_has_a_row() -> None:
    assert {row[0] for row in MADE} == set(EDITS)
    assert all(kind.name == name for name, kind in EDITS.items())


@pytest.mark.parametrize(("kind", "before", "after", "more"), NOT_MADE, ids=[f"{r[0]}: {r[1]}" for r in NOT_MADE])
def test_what_an_edit_does_not_make(kind: str, before: str, after: str, more: dict[str, str]) -> None:
    network = net(before, **more)
    assert net(after, **more) not in [edit.apply(network) for edit in edits_of(network, [kind])]


NEUTRAL = {"untie_repeat", "untie_use", "tie_use", "reorder_branches"}


def test_kinds_that_only_write_otherwise_keep_the_architecture() -> None:
    network = net("[{concat: [1x1 4, 3x3 4]}, 4 x m, 1x1 8]", **M)
    edits = list(edits_of(network, NEUTRAL))
    assert {edit.name for edit in edits} == NEUTRAL
    assert {arch_id(edit.apply(network)) for edit in edits} == {arch_id(network)}


def test_edits_of_have_one_order_and_each_is_another_document() -> None:
    network = net("[{concat: [1x1 4, [3x3 4, 5x5 4]]}, 4 x m, 1x1 8]", **M)
    edits = list(edits_of(network))
    assert edits == list(edits_of(network))
    assert [edit.name for edit in edits] == sorted((e.name for e in edits), key=list(EDITS).index)
    assert all(edit.apply(network) != network for edit in edits)
    assert len(edits) > 100
    assert list(edits_of(network, ["merge", "set_norm"])) == [e for e in edits if e.name in ("merge", "set_norm")]


def test_the_document_on_spaces_lists_every_kind_in_its_order_with_its_frequency() -> None:
    page = (Path(__file__).parents[2] / "docs" / "spaces.md").read_text(encoding="utf-8").partition("## Edits")[2]
    rows = re.findall(r"^\| `(\w+)` \| [^|]+ \| (\d+) \|$", page, flags=re.MULTILINE)
    assert rows == [(name, f"{DEFAULT_MIX.get(name, 0)}") for name in EDITS]
