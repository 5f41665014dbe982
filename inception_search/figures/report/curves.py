"""Learning curves of the best."""

from __future__ import annotations

from inception_search.figures.page import image
from inception_search.figures.report.material import Material

ABOUT = "Validation accuracy by epoch of the best trials, and of the baselines (dashed)."


def curves_section(material: Material) -> str:
    """Accuracy by epoch."""
    return image(material.plots["curves"], ABOUT)
