"""No module of the package imports itself by way of others, not even lazily or for its types."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import networkx

ROOT = Path(__file__).parents[2]
# Modules that need each other, and why.
KNOWN = {
    frozenset(
        f"backend.{name}" for name in ("as_documented", "build", "emit", "execution", "network_module", "rewritten")
    ): "a compiled network can compile another head for itself, and makes its rewritten forms again when it is copied",
}


def modules() -> dict[str, Path]:
    """Every module of the package by its dotted name."""
    found = {}
    for path in (ROOT / "inception_search").rglob("*.py"):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imported(path: Path, known: dict[str, Path]) -> Iterator[str]:
    """The modules of the package that a file imports anywhere: at its top, in functions, for its types."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from (name if name in known else node.module for name in names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def test_no_import_cycle() -> None:
    known = modules()
    graph = networkx.DiGraph()
    for name, path in known.items():
        if name != "inception_search":  # the facade imports everything, lazily
            others = {other for other in imported(path, known) if other in known} - {name, "inception_search"}
            graph.add_edges_from((name, other) for other in others)
    cycles = [part for part in networkx.strongly_connected_components(graph) if len(part) > 1]
    assert {frozenset(name.removeprefix("inception_search.") for name in part) for part in cycles} == set(KNOWN)
