"""Walks over the steps of a network: each has one table ``{kind: rule}``, and says which kinds need no rule.

A new kind of step fails here once for every walk that has neither a rule for it nor leaves it to its default.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from inception_search.compare.to_elements import ELEMENTS, SERIES
from inception_search.edits.sites import WITH_PART
from inception_search.edits.validity import COMPOSITES
from inception_search.estimate import COSTS
from inception_search.figures.labels import LABELS
from inception_search.figures.network.module import PARTS
from inception_search.lowering import RULES
from inception_search.space.channels import CHANNELS
from inception_search.spec.documents.to_yaml import SHORT
from inception_search.spec.identity.arch_id import ABSORBS, CODES, PERMUTES
from inception_search.spec.identity.channel_orders import ORDERS
from inception_search.spec.identity.normal_form import NORMAL
from inception_search.spec.stem import KEPT, STRIDES
from inception_search.spec.step import CHILDREN, KINDS
from inception_search.spec.transform import MAP_CHILDREN
from inception_search.spec.unrolled_size import SIZES

PACKAGE = Path(__file__).parents[2] / "inception_search"
POINTWISE = "adaptive_pool lrn dropout norm act zero identity"  # no stride, no filters, one step inside
SINGLE = f"conv depthwise pool narrow {POINTWISE}"
# Of every walk: its table, and the kinds that it leaves to its default or never meets ("absent" is in no network).
WALKS: dict[str, tuple[Mapping[Any, Any], str]] = {
    "lowering": (RULES, ""),
    "cost": (COSTS, ""),
    "children": (CHILDREN, f"{SINGLE} use"),
    "children changed": (MAP_CHILDREN, f"{SINGLE} use"),
    "one child changed": (WITH_PART, f"{SINGLE} use"),
    "size of a document": (COMPOSITES, f"{SINGLE} use"),
    "steps written out": (SIZES, SINGLE),
    "channels": (CHANNELS, f"pool {POINTWISE}"),
    "stride": (STRIDES, f"narrow {POINTWISE}"),
    "less stride": (KEPT, f"narrow {POINTWISE}"),
    "text": (SHORT, "depthwise adaptive_pool lrn norm zero identity"),
    "normal form": (NORMAL, "adaptive_pool lrn norm zero narrow identity"),
    # In normal form: no repeats, no uses.
    "certificate": (CODES, f"{SINGLE} repeat use"),
    "order absorbed": (ABSORBS, "depthwise pool adaptive_pool dropout norm act identity repeat use"),
    "order permuted": (PERMUTES, f"depthwise pool narrow {POINTWISE} concat repeat use"),
    "order claimed": (ORDERS, "pool adaptive_pool dropout norm act identity repeat use"),
    "elements in series": (SERIES, f"conv depthwise pool narrow {POINTWISE.replace(' identity', '')} concat dag"),
    # Chains and uses are opened before.
    "elements": (ELEMENTS, f"narrow {POINTWISE} chain use"),
    "labels": (LABELS, "identity chain concat block repeat dag use"),
    "drawing": (PARTS, ""),
}


@pytest.mark.parametrize("walk", WALKS)
def test_every_table_knows_every_kind(walk: str) -> None:
    table, left = WALKS[walk]
    ruled = {kind for kind, step in KINDS.items() if step in table}
    assert len(ruled) == len(table)
    assert ruled.isdisjoint(left.split())
    assert ruled | set(left.split()) == set(KINDS) - {"absent"}


@pytest.mark.parametrize("room", ["spec", "edits", "compare", "figures", "space"])
def test_no_walk_is_a_row_of_ifs(room: str) -> None:
    """Four branches on the kind of one step are a table."""
    kinds = {step.__name__ for step in KINDS.values()}
    for path in sorted((PACKAGE / room).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef):
                found = [branch for branch in node.body if isinstance(branch, ast.If) and asks(branch.test) & kinds]
                assert len(found) < 4, f"{path.relative_to(PACKAGE)}: {node.name} tells many kinds apart by ifs"


def asks(test: ast.expr) -> set[str]:
    """The names of the classes in calls of ``isinstance``."""
    calls = [node for node in ast.walk(test) if isinstance(node, ast.Call)]
    checks = [call for call in calls if isinstance(call.func, ast.Name) and call.func.id == "isinstance"]
    return {node.id for call in checks for node in ast.walk(call.args[1]) if isinstance(node, ast.Name)}
