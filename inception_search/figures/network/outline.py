"""A drawing tree in words, for a figure's description and for terminals."""

from __future__ import annotations

from collections.abc import Iterator

from inception_search.figures.network.tree import Box, Column, Fork, Group, Mesh, Note, Part, Residual


def outline(part: Part) -> str:
    """One line per box, indented by branch; the text alternative of a figure."""
    return "\n".join(_lines(part, ""))


def sentence(part: Part) -> str:
    """The tree in one line, for a figure's description."""
    if isinstance(part, Box):
        return " ".join(part.lines)
    if isinstance(part, Note):
        return f"({part.text})"
    if isinstance(part, Column):
        return ", ".join(map(sentence, part.parts)) or "unchanged"
    if isinstance(part, Fork):
        branches = "; ".join(f"{number}) {sentence(b)}" for number, b in part.numbered())
        joined = f", joined by {' '.join(part.join.lines)}" if part.join else ""
        return f"{len(part.branches)} branches: {branches}{joined}"
    if isinstance(part, Residual):
        return f"the sum of the input and [{sentence(part.body)}]"
    if isinstance(part, Group):
        return f"{part.label} [{sentence(part.body)}]"
    if isinstance(part, Mesh):
        return "; ".join(part.words or map(sentence, part.parts))
    return f"on the side [{sentence(part.side)}]"


def _lines(part: Part, indent: str) -> Iterator[str]:
    inside = indent + "  "
    if isinstance(part, Box):
        yield indent + " · ".join(part.lines)
    elif isinstance(part, Note):
        yield f"{indent}({part.text})"
    elif isinstance(part, Column):
        for inner in part.parts:
            yield from _lines(inner, indent)
    elif isinstance(part, Fork):
        for number, branch in part.numbered():
            yield f"{indent}branch {number}"
            yield from _lines(branch, inside)
        yield from _lines(part.join, indent) if part.join else ()
    elif isinstance(part, Residual):
        yield f"{indent}residual"
        yield from _lines(part.body, inside)
        yield f"{indent}+"
    elif isinstance(part, Group):
        yield indent + part.label
        yield from _lines(part.body, inside)
    elif isinstance(part, Mesh):
        yield from (indent + line for line in part.words or map(sentence, part.parts))
    else:
        yield f"{indent}on the side"
        yield from _lines(part.side, inside)
