"""Hypothesis strategies for templates: well-formed ones, and ones that junk got into."""

from __future__ import annotations

import copy
import json
from typing import Any

from hypothesis import strategies as st

NAMES = ("w", "/w", "v", "t")
FIELD_NAMES = st.none() | st.sampled_from(NAMES)


def _named(draw: st.DrawFn, hole: dict[str, Any]) -> dict[str, Any]:
    name = draw(FIELD_NAMES) if draw(st.integers(0, 3)) == 0 else None
    return hole if name is None else {**hole, "$name": f"{name}{len(str(hole))}"}  # one name, mostly one domain


@st.composite
def numbers(draw: st.DrawFn) -> Any:
    """A width: a number, a hole for one, or one that follows another."""
    kind = draw(st.sampled_from(("plain", "int", "int", "log", "choice", "of", "in", "use")))
    low = draw(st.integers(1, 6))
    if kind == "plain":
        return low
    if kind == "int":
        step = draw(st.integers(1, 3))
        return _named(draw, {"$int": [low, low + step * draw(st.integers(0, 2)), step]})
    if kind == "log":
        return _named(draw, {"$int": [low, low + 2], "$log": True})
    if kind == "choice":
        return _named(draw, {"$choice": draw(st.lists(st.integers(1, 9), min_size=1, max_size=3, unique=True))})
    if kind == "use":
        return {"$use": "width"}
    return {"$of": draw(st.sampled_from(("2*{}", "{}", "{}/2", "3*{}/2"))).format("in" if kind == "in" else "followed")}


@st.composite
def leaves(draw: st.DrawFn) -> Any:
    """A step without steps inside."""
    kind = draw(st.sampled_from(("conv", "conv", "conv", "word", "word", "dropout", "pool", "repeat", "use")))
    if kind == "conv":
        kernel = draw(st.sampled_from(("3x3", 1, [1, 3], {"$choice": ["3x3", "5x5"]}, {"$int": [1, 5, 2]})))
        return {"conv": {"kernel": kernel, "width": draw(numbers())}}
    if kind == "dropout":
        floats = ([0, 0.4, 0.2], [0.1, 0.3, 0.1], [0.1, 0.5])
        return {"dropout": draw(st.sampled_from((0.5, *({"$float": range_} for range_ in floats))))}
    if kind == "pool":
        return {"pool": {"mode": _named(draw, {"$choice": ["max", "avg"]}), "kernel": draw(st.sampled_from((2, 3)))}}
    if kind == "repeat":
        return {
            "repeat": {
                "times": {"$int": [1, draw(st.integers(1, 3))]},
                "body": draw(st.sampled_from(("relu", "3x3 4"))),
            }
        }
    if kind == "use":
        return {"$use": draw(st.sampled_from(("g", "h"))), "$depth": draw(st.integers(1, 2))}
    return draw(st.sampled_from(("relu", "elu", "identity", "max 3x3", "1x1 4", "3x3 6", "zero", "m")))


def _composites(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    labelled = st.lists(inner, min_size=1, max_size=3).map(lambda steps: dict(zip("xyz", steps, strict=False)))
    choices = st.builds(
        lambda options, weighted: {"$choice": options, **({"$weights": dict.fromkeys(options, 2)} if weighted else {})},
        labelled,
        st.booleans(),
    )
    optional = inner.map(lambda step: {"$choice": {"none": "absent", "some": step}})
    many = st.builds(
        lambda low, more, of: {"$many": [low, low + more], "of": of}, st.integers(0, 2), st.integers(1, 2), inner
    )
    several = st.lists(inner | choices | many, min_size=1, max_size=3)
    times = st.integers(1, 3) | st.sampled_from(({"$int": [1, 3]}, {"$choice": [1, 2]}))
    nodes = st.builds(
        lambda first, second, join: [
            {"inputs": [{"node": 0, "step": first}]},
            {"join": join, "inputs": [0, {"node": 1, "step": second}]},
        ],
        inner,
        inner,
        st.sampled_from(("add", "concat", {"$choice": ["add", "concat"]})),
    )
    return st.one_of(
        several,
        st.lists(inner | many | optional, min_size=1, max_size=3).map(lambda branches: {"concat": branches}),
        choices,
        st.builds(lambda times, body: {"repeat": {"times": times, "body": body}}, times, inner),
        inner.map(lambda body: {"block": {"skip": "add", "project": "linear", "body": body}}),
        nodes.map(lambda found: {"dag": found}),
        st.builds(lambda name, named: {"$use": name, "$depth": 1, **({"$name": named} if named else {})},
                  st.sampled_from(("g", "h")), st.sampled_from((None, "x", "/y"))),
    )  # fmt: skip


steps = st.recursive(leaves(), _composites, max_leaves=8)


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    """A space document that follows the grammar; its parts need not fit together."""
    define: dict[str, Any] = {name: {"$choice": {"end": draw(leaves()), "more": draw(steps)}} for name in "gh"}
    define["width"] = {"$int": [2, 4]}
    stages: dict[str, Any] = {name: draw(steps) for name in ("a", "b", "c")[: draw(st.integers(1, 3))]}
    if draw(st.booleans()):
        stages["d"] = {"$many": [draw(st.integers(0, 1)), 2], "of": draw(steps)}
    network: dict[str, Any] = {"name": "n", "input": "3x16x16", "stages": stages}
    network["blocks"] = {"m": draw(steps)} if draw(st.booleans()) else {"m": "relu"}
    if draw(st.booleans()):
        network["conv_defaults"] = {"norm": {"$choice": ["none", "batch"]}, "act": {"$choice": ["relu", "elu"]}}
    network["head"] = {"hidden": [{"$int": [2, 4], "$name": "followed"}], "dropout": {"$float": [0, 0.5, 0.5]}}
    if draw(st.booleans()):
        network["aux"] = {"aux1": {"$choice": {"none": None, "one": {"after": "a", "body": draw(steps)}}}}
    return {"schema": "inception-search/space", "version": 1, "name": "s", "define": define, "network": network}


JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from(
        (10**30, -(10**19), 1e308, -1e-308, 0, "", "$", "absent", "null", "é\u2028\U0001f600", "\x7f", "a" * 300)
    ),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=8),
    st.sampled_from(
        (
            [],
            {},
            [[]],
            [None],
            {"": 1},
            {"$choice": None},
            {"$choice": [[]]},
            {"$choice": {"": {}}},
            {"$many": [0, 256], "of": "relu"},
            {"$int": [0, 10**30]},
            {"$float": [0, 1e308, 1e300]},
            {"$float": [-1e308, 1e308]},
            {"$of": "in"},
            {"$of": "9999*in/3"},
            {"$use": "g"},
            {"$use": "h", "$depth": 10**9},
            {"$many": [1, 2], "of": {"$many": [1, 2], "of": "relu"}},
            {"$int": [1, 2], "$name": "in"},
            {"$choice": {"x": "relu", "y": "relu"}},
            {"$choice": [1, 1.0]},
            {"$choice": ["relu"], "$weights": {"relu": 0}},
        )
    ),
)
KEYS = (
    "$choice",
    "$int",
    "$float",
    "$many",
    "of",
    "$of",
    "$use",
    "$name",
    "$depth",
    "$weights",
    "$log",
    "kind",
    "body",
    "é",
)

WRAPS = (
    lambda value: [value],
    lambda value: {"$choice": {"x": value}},
    lambda value: {"$choice": [value]},
    lambda value: {"concat": [value, value]},
    lambda value: {"$many": [0, 3], "of": value},
)


def _places(value: Any) -> list[tuple[Any, Any]]:
    """Every container of a document with every key or index in it; without recursion, because some are very deep."""
    found, waiting = [], [value]
    while waiting:
        part = waiting.pop()
        entries = part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ()
        for key, item in entries:
            found.append((part, key))
            waiting.append(item)
    return found


@st.composite
def mangled(draw: st.DrawFn) -> dict[str, Any]:
    """A document some of whose parts were replaced, taken away, moved, wrapped or added."""
    document = json.loads(json.dumps(draw(documents())))
    for _ in range(draw(st.integers(1, 3))):
        spots = _places(document["network"] if isinstance(document.get("network"), dict) else document)
        spots += _places(document.get("define"))
        if not spots:
            break
        parent, spot = draw(st.sampled_from(spots))
        change = draw(st.sampled_from(("replace", "replace", "drop", "copy", "wrap", "add", "deep")))
        if change == "replace":
            parent[spot] = draw(JUNK)
        elif change == "drop":
            del parent[spot]
        elif change == "copy":
            other, where = draw(st.sampled_from(spots))
            if (isinstance(other, list) and where < len(other)) or (isinstance(other, dict) and where in other):
                parent[spot] = copy.deepcopy(other[where])
        elif change == "wrap":
            parent[spot] = draw(st.sampled_from(WRAPS))(parent[spot])
        elif change == "deep":
            for _ in range(draw(st.integers(1, 60))):
                parent[spot] = draw(
                    st.sampled_from(([parent[spot]], {"concat": [parent[spot]]}, {"$choice": {"x": parent[spot]}}))
                )
        elif isinstance(parent, dict):
            parent[draw(st.sampled_from(KEYS))] = draw(JUNK)
    return document
