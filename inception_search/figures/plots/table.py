"""The plots of a search by name, and their reproducible output as SVG."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import TYPE_CHECKING

from inception_search.errors import unknown_name
from inception_search.figures.plots.style import DARK, own_style
from inception_search.store.record import TrialRecord

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PLOTS: dict[str, str] = {
    "history": "inception_search.figures.plots.history:plot_history",
    "tradeoff": "inception_search.figures.plots.tradeoff:plot_tradeoff",
    "curves": "inception_search.figures.plots.curves:plot_curves",
}


@own_style()
def plot(name: str, records: Sequence[TrialRecord]) -> Figure:
    """The plot called ``name`` of a study's records, as a matplotlib figure."""
    if name not in PLOTS:
        raise unknown_name("plot", name, PLOTS)
    module, function = PLOTS[name].split(":")
    make: Callable[[Sequence[TrialRecord]], Figure] = getattr(import_module(module), function)
    return make(records)


@own_style()
def plot_svg(figure: Figure, name: str) -> str:
    """``figure`` as an SVG document; ``name`` keeps its ids distinct from those of other plots on a page."""
    from matplotlib import rc_context

    buffer = io.StringIO()
    with rc_context({"svg.hashsalt": name, "svg.fonttype": "path"}):
        figure.savefig(buffer, format="svg", metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))
    return buffer.getvalue().replace("</defs>", f"{_dark_style()}</defs>", 1)


def _dark_style() -> str:
    """The colours of a dark screen; only ``!important`` rules override matplotlib's inline styles."""
    rules = "\n".join(
        f'[style*="{name}: {light}"] {{{name}: {dark} !important}}'
        for light, dark in DARK.items()
        for name in ("fill", "stroke")
    )
    return f"<style>@media screen and (prefers-color-scheme: dark) {{\n{rules}\n}}</style>"
