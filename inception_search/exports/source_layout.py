"""Python text in the layout of ``ruff format`` with its default of 88 characters a line."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass, replace
from typing import TypeAlias

WIDTH = 88
INDENT = "    "


@dataclass(frozen=True)
class Brackets:
    """``before`` ends with an opening bracket, ``after`` begins with the closing one; ``items`` are between them."""

    before: str
    items: tuple[Code, ...]
    after: str
    separator: str = ", "


Code: TypeAlias = str | Brackets


def call(func: str, *items: Code) -> Brackets:
    """``func(items)``."""
    return Brackets(f"{func}(", items, ")")


def with_prefix(prefix: str, code: Code) -> Code:
    """``code`` after ``prefix``, as in ``name=value``."""
    return prefix + code if isinstance(code, str) else replace(code, before=prefix + code.before)


def repeated(code: Code, times: int) -> Brackets:
    """``*(code for _ in range(times))``, an argument of a call."""
    return Brackets("*(", (code, f"for _ in range({times})"), ")", separator=" ")


def flat(code: Code) -> str:
    """``code`` on one line."""
    return code if isinstance(code, str) else f"{code.before}{code.separator.join(map(flat, code.items))}{code.after}"


def layout(code: Code, indent: int, end: str = "") -> list[str]:
    """The lines of ``code``, indented by ``indent`` levels, the last one followed by ``end``.

    A call that is too long has its arguments on a line of their own if they fit, else one argument on each line.
    """
    margin = INDENT * indent
    line = f"{margin}{flat(code)}{end}"
    if len(line) <= WIDTH:
        return [line]
    if isinstance(code, str):
        return [f"{margin}{part}" for part in f"{code}{end}".replace(" + ", "\n+ ").split("\n")]
    inside = INDENT * (indent + 1) + code.separator.join(map(flat, code.items))
    is_call = code.separator == ", " and not code.before.endswith(("[", "return ("))  # others have an item on each line
    if len(code.items) == 1 and is_call:
        body = layout(code.items[0], indent + 1)
    elif len(inside) <= WIDTH and is_call:
        body = [inside]
    else:
        body = [line for item in code.items for line in layout(item, indent + 1, code.separator.rstrip())]
    return [margin + code.before, *body, f"{margin}{code.after}{end}"]


def assignment(name: str, code: Code, indent: int) -> list[str]:
    """The lines of ``name = code``; in parentheses if even the first part of a call is too long for its line."""
    margin = INDENT * indent
    lines = layout(with_prefix(f"{name} = ", code), indent)
    if len(lines[0]) <= WIDTH:
        return lines
    return [f"{margin}{name} = (", *layout(code, indent + 1), f"{margin})"]


def docstring(text: str, indent: int) -> list[str]:
    """``text`` as a docstring: on one line, or its lines filled."""
    margin = INDENT * indent
    line = f'{margin}"""{text}"""'
    if "\n" not in text and len(line) <= WIDTH:
        return [line]
    summary, *rest = text.split("\n")
    filled = _filled(f'"""{summary}', margin, WIDTH - 3)  # so that a text with its quotes on one line would be too long
    for paragraph in rest:
        filled += _filled(paragraph, margin) if paragraph else [""]
    return [*filled, f'{margin}"""']


def _filled(text: str, margin: str, width: int = WIDTH) -> list[str]:
    return textwrap.wrap(text, width, initial_indent=margin, subsequent_indent=margin, break_on_hyphens=False)


def plain(text: str) -> str:
    """``text`` of a document as words that a docstring can hold."""
    words = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return words.replace("\\", "\\\\").replace('"', "'")
