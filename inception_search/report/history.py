"""The history of the search."""

from __future__ import annotations

from inception_search.figures.plots.style import crowded
from inception_search.report.html import image
from inception_search.report.material import Material
from inception_search.store.query import quality_words

ABOUT = (
    "Validation {} of each trial by its number, with the best so far and the baselines. "
    "A tick at the bottom is a trial that was not trained to its end."
)


def history_section(material: Material) -> str:
    """Accuracy by trial number."""
    return image(material.plots["history"], ABOUT.format(quality_words(material.records)) + crowded(material.records))
