"""The distances, widths of letters and colours of the figures, for the page's scripts."""

from __future__ import annotations

from typing import Any

from inception_search.figures import type_metrics
from inception_search.figures.colours import DARK, DARK_PAGE, KIND_NAMES, LIGHT, LIGHT_PAGE
from inception_search.figures.network import measure as sizes
from inception_search.figures.paint.wires import BEND, HEAD_LENGTH, HEAD_WIDTH

_PX = {name: value for name, value in vars(sizes).items() if name.isupper() and isinstance(value, int)}


def script_table() -> dict[str, Any]:
    """What the scripts read; the only place where these figures leave the package."""
    return {
        "px": _PX | {"BEND": BEND, "HEAD_LENGTH": HEAD_LENGTH, "HEAD_WIDTH": HEAD_WIDTH},
        "advances": type_metrics.WIDE[False],
        "unknown": type_metrics.UNKNOWN,
        "kinds": KIND_NAMES,
    }


def colour_rules() -> str:
    """The style rules of the boxes, on a light and on a dark page."""
    rules = []
    for theme, paints, page in (("light", LIGHT, LIGHT_PAGE), ("dark", DARK, DARK_PAGE)):
        words = "; ".join(f"--{name}: {value}" for name, value in page._asdict().items())
        rules.append(f':root[data-theme="{theme}"] {{ color-scheme: {theme}; {words} }}')
        rules += [
            f':root[data-theme="{theme}"] .k-{kind} {{ fill: {paint.fill}; stroke: {paint.stroke} }}'
            for kind, paint in paints.items()
        ]
        rules += [
            f':root[data-theme="{theme}"] .swatch.k-{kind} {{ background: {paint.fill}; border-color: {paint.stroke} }}'
            for kind, paint in paints.items()
        ]
    return "\n".join(rules)
