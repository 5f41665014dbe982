"""The history of the search, and the learning curves of its best."""

from __future__ import annotations

from inception_search.figures.plots.style import crowded
from inception_search.report.blocks import Block, Image
from inception_search.report.material import Material
from inception_search.store.query import quality_words

HISTORY = (
    "Validation {} of each trial by its number, with the best so far and the baselines. "
    "A tick at the bottom is a trial that was not trained to its end."
)
CURVES = "Validation {} by epoch of the best trials, and of the baselines (dashed)."


def history_section(material: Material) -> list[Block]:
    """Accuracy by trial number."""
    about = HISTORY.format(quality_words(material.records)) + crowded(material.records)
    return [Image(material.plots["history"], about)]


def curves_section(material: Material) -> list[Block]:
    """Accuracy by epoch."""
    return [Image(material.plots["curves"], CURVES.format(quality_words(material.records)) + _measured_on(material))]


def _measured_on(material: Material) -> str:
    """On how many images the points are measured, where that is not one number."""
    best = material.best
    if best is None:
        return ""
    sizes = best.data.get("sizes")
    images = sizes.get("validation") if isinstance(sizes, dict) else None
    some = best.fidelity.get("curve_images")
    if not isinstance(images, int) or not isinstance(some, int) or some >= images:
        return ""
    ends = f" The last point of each, and one where a trial paused, is measured on all {images:,} validation images"
    return f"{ends}, the others on {some:,} of them."
