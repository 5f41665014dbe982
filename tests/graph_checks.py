"""Graphs checked: read again from their text, one node a line, and everything they claim derived anew.

``%3 stem.conv = conv(%2, width=32, kernel=(3, 3)) : 32x149x149``; the last line names the outputs.
"""

from __future__ import annotations

import ast
import re
from typing import Any

from inception_search.errors import DocumentError, Place, ShapeError, did_you_mean
from inception_search.graph.graph import Graph, GraphBuilder
from inception_search.graph.op import Op
from inception_search.graph.ops import OPS, find_op, names

_LINE = re.compile(r"%(?P<index>\d+) (?P<path>\S+) = (?P<op>\w+)\((?P<args>.*)\) : (?P<type>[\dx]+)\Z")
_REF = re.compile(r"%(\d+)\Z")


def parse_graph(text: str) -> Graph:
    """The graph written in ``text``; types are inferred anew and must agree with those written."""
    builder = GraphBuilder()
    lines = [line.strip() for line in text.strip().splitlines() if line.strip()]
    for number, line in enumerate(lines[:-1], 1):
        _parse_node(line, number, builder)
    if not lines or not lines[-1].startswith("return "):
        raise DocumentError("no return line", place=Place(line=len(lines)), hint="end with 'return %<node>'")
    return builder.build(*(_reference(part, len(lines)) for part in lines[-1][7:].split(", ")))


def _parse_node(line: str, number: int, builder: GraphBuilder) -> None:
    where = Place(line=number)
    match = _LINE.match(line)
    if match is None:
        raise DocumentError("not a node", place=where, found=line, expected="%0 path = op(%i, name=value) : CxHxW")
    kind = find_op(match["op"])
    if kind is None:
        raise DocumentError("unknown op", place=where, found=match["op"], hint=did_you_mean(match["op"], names()))
    inputs, attributes = _arguments(match["args"], number)
    try:
        op = kind(**attributes)
        hash(op)  # a list is no attribute
        index = builder.add(op, inputs, match["path"])
    except (TypeError, ValueError, ZeroDivisionError) as error:
        raise DocumentError(f"{match['op']}: {error}", place=where) from None
    if int(match["index"]) != index or str(builder.type(index)) != match["type"]:
        found = f"%{index} : {builder.type(index)}"
        raise DocumentError("the line does not say what its op infers", place=where, found=line, expected=found)


def _arguments(text: str, number: int) -> tuple[tuple[int, ...], dict[str, Any]]:
    parts = re.split(r", (?=%|\w+=)", text) if text else []
    inputs = tuple(_reference(part, number) for part in parts if part.startswith("%"))
    attributes = {}
    for part in parts[len(inputs) :]:
        name, _, value = part.partition("=")
        try:
            attributes[name] = ast.literal_eval(value)
        except (ValueError, SyntaxError):
            raise DocumentError("not a value", place=Place(line=number), found=part) from None
    return inputs, attributes


def _reference(text: str, number: int) -> int:
    match = _REF.match(text)
    if match is None:
        raise DocumentError("not a node reference", place=Place(line=number), found=text, expected="%<number>")
    return int(match[1])


def verify(graph: Graph) -> Graph:
    """``graph`` itself when it is sound; else a :class:`ShapeError` at the first node that is not."""
    builder = GraphBuilder()
    for index, node in enumerate(graph.nodes):
        if not _is_known(node.op):
            raise ShapeError("unknown op", path=node.path, found=node.op)
        if any(not 0 <= i < index for i in node.inputs):
            raise ShapeError("a node reads a later node", path=node.path, found=node.inputs)
        builder.add(node.op, node.inputs, node.path)
        if builder.type(index) != node.type:
            raise ShapeError(
                "a node's type is not what its op infers",
                path=node.path,
                found=str(node.type),
                expected=str(builder.type(index)),
            )
    if not graph.outputs or any(not 0 <= i < len(graph.nodes) for i in graph.outputs):
        raise ShapeError("the outputs are not nodes of the graph", found=graph.outputs)
    return graph


def _is_known(op: object) -> bool:
    """Whether ``op`` is in the table of this package, or another package adds it."""
    return isinstance(op, Op) and (OPS.get(op.name) is type(op) or find_op(op.name) is type(op))
