"""Learning curves of the best."""

from __future__ import annotations

from inception_search.report.html import image
from inception_search.report.material import Material
from inception_search.store.query import quality_words

ABOUT = "Validation {} by epoch of the best trials, and of the baselines (dashed)."


def curves_section(material: Material) -> str:
    """Accuracy by epoch."""
    return image(material.plots["curves"], ABOUT.format(quality_words(material.records)) + _measured_on(material))


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
