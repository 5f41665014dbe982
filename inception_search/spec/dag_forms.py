"""The nodes of a dag on plain data: steps in long form, inputs that are only a number as fields."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from inception_search.spec.yaml_reader import MarkedDict, MarkedList

StepReader = Callable[[Any, str, int | None], Any]  # a step in any form, its path, its line


def expand_nodes(nodes: list[Any], path: str, line: int | None, step: StepReader) -> MarkedList:
    """``nodes`` with every step in long form; what is no node is left for the models to refuse."""
    return _each(nodes, path, line, lambda raw, at, mark: _node(raw, at, mark, step))


def tidy_nodes(nodes: list[Any], tidy: Callable[[Any], Any]) -> list[Any]:
    """Long-form ``nodes`` with every step tidied."""
    return _kept(nodes, [_tidy_node(node, tidy) for node in nodes])


def _node(raw: Any, path: str, line: int | None, step: StepReader) -> Any:
    if not isinstance(raw, dict):
        return raw
    out, lines = _copy(raw, line)
    if isinstance(inputs := raw.get("inputs"), list):
        mark = lines.get("inputs") or line
        out["inputs"] = _each(inputs, f"{path}.inputs", mark, lambda entry, at, own: _input(entry, at, own, step))
    if "then" in raw:
        out["then"] = step(raw["then"], f"{path}.then", lines.get("then") or line)
    return out


def _input(raw: Any, path: str, line: int | None, step: StepReader) -> Any:
    if isinstance(raw, int) and not isinstance(raw, bool):
        return MarkedDict({"node": raw}, line)
    if not isinstance(raw, dict) or "step" not in raw:
        return raw
    out, lines = _copy(raw, line)
    out["step"] = step(raw["step"], f"{path}.step", lines.get("step") or line)
    return out


def _tidy_node(node: Any, tidy: Callable[[Any], Any]) -> Any:
    if not isinstance(node, dict):
        return node
    out, _ = _copy(node, None)
    if isinstance(inputs := node.get("inputs"), list):
        out["inputs"] = _kept(inputs, [_tidied(entry, "step", tidy) for entry in inputs])
    return _tidied(out, "then", tidy)


def _tidied(fields: Any, name: str, tidy: Callable[[Any], Any]) -> Any:
    if not isinstance(fields, dict) or name not in fields:
        return fields
    out, _ = _copy(fields, None)
    out[name] = tidy(fields[name])
    return out


def _each(items: list[Any], path: str, line: int | None, change: StepReader) -> MarkedList:
    lines = getattr(items, "lines", None) or [line] * len(items)
    marked = zip(items, lines, strict=True)
    return MarkedList([change(item, f"{path}.{i}", mark) for i, (item, mark) in enumerate(marked)], line, lines)


def _kept(old: list[Any], new: list[Any]) -> list[Any]:
    return MarkedList(new, old.line, old.lines) if isinstance(old, MarkedList) else new


def _copy(fields: dict[str, Any], line: int | None) -> tuple[MarkedDict, dict[str, int]]:
    lines = getattr(fields, "lines", None) or {}
    return MarkedDict(fields, getattr(fields, "line", None) or line, lines), lines
