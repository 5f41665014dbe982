"""From a point to its network: every hole filled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from inception_search.errors import NotInSpaceError
from inception_search.space.holes import Choice, Float, Hole, Integer, Params, Value
from inception_search.spec.document import network_from_long
from inception_search.spec.network import Network
from inception_search.spec.yaml_reader import MarkedDict

Ask = Callable[[Hole], Value]


def fill(template: Any, ask: Ask, file: str | None = None) -> tuple[Network, Params]:
    """The network of ``template`` with every hole that is reached answered by ``ask``, and the answers.

    A hole is asked once per name. Raises :class:`NotInSpaceError` for an answer outside the hole's domain and
    :class:`~inception_search.errors.SpecError` when the filled document breaks a rule.
    """
    params: Params = {}
    return network_from_long(_filled(template, ask, params), file), params


def decode(template: Any, params: Params, file: str | None = None) -> Network:
    """The network at the point ``params``; every value must be used and none may be missing."""

    def look_up(hole: Hole) -> Value:
        if hole.name not in params:
            raise NotInSpaceError("the point has no value for this hole", path=hole.name, mend=_domain(hole))
        return params[hole.name]

    network, used = fill(template, look_up, file)
    unused = [name for name in params if name not in used]
    if unused:
        raise NotInSpaceError("the point has values no hole asks for", found=", ".join(sorted(unused)))
    return network


def _filled(node: Any, ask: Ask, params: Params) -> Any:
    if isinstance(node, Choice | Integer | Float):
        value = _answer(node, ask, params)
        return _filled(node.options[str(value)], ask, params) if isinstance(node, Choice) else value
    if isinstance(node, MarkedDict):
        filled = {key: _filled(value, ask, params) for key, value in node.items()}
        if isinstance(filled.get("kernel"), int):  # from a hole of one number
            filled["kernel"] = [filled["kernel"]] * 2
        return MarkedDict(filled, node.line, node.lines)
    if isinstance(node, list):
        return [_filled(value, ask, params) for value in node]
    return node


def _answer(hole: Hole, ask: Ask, params: Params) -> Value:
    if hole.name not in params:
        value = ask(hole)
        if problem := hole.why_not(value):
            raise NotInSpaceError(problem, path=hole.name)
        params[hole.name] = value
    return params[hole.name]


def _domain(hole: Hole) -> str:
    if isinstance(hole, Choice):
        return f"choose one of {', '.join(hole.options)}"
    return f"choose from {hole.low} to {hole.high}"
