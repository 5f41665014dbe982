"""Pictures of random networks: nothing overlaps, no wire crosses a box, every word is told, the same bytes again."""

from __future__ import annotations

from itertools import combinations, pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_layout_properties import crosses, overlap, solids, words

from inception_search.errors import InceptionSearchError
from inception_search.figures.draw import draw
from inception_search.figures.formats.table import FORMATS
from inception_search.figures.network.measure import BOX_PAD_X, SMALL, TEXT
from inception_search.figures.type_metrics import room_for
from inception_search.spec.documents.parse import parse_network
from inception_search.spec.documents.to_yaml import network_text
from inception_search.spec.network import Network
from tests import generators

checked = settings(suppress_health_check=list(HealthCheck))
styles = st.sampled_from(("overview", "plain", "paper", "detail"))


@checked
@given(generators.networks(), styles, st.booleans())
def test_random_networks_are_drawn_cleanly(network: Network, style: str, blocks: bool) -> None:
    try:
        figure = draw(network, style=style, blocks=blocks)  # type: ignore[arg-type]
    except InceptionSearchError:
        return  # its shapes do not fit, which draw says
    drawing = figure.drawing
    rects = solids(drawing)
    for a, b in combinations(rects + words(drawing), 2):
        assert not overlap(a, b)
    for wire in drawing.wires:
        for (x0, y0), (x1, y1) in pairwise(wire.points):
            line = (min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1))
            assert not any(crosses(line, rect) for rect in rects)
    for placed in drawing.boxes:
        for index, line in enumerate(placed.box.lines):
            assert room_for(line, SMALL if index else TEXT) + 2 * BOX_PAD_X <= placed.width
    again = draw(parse_network(network_text(network)), style=style, blocks=blocks)  # type: ignore[arg-type]
    assert again.svg == figure.svg


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(generators.networks(), styles)
@pytest.mark.parametrize("suffix", [s for s in FORMATS if s in (".dot", ".mmd", ".tikz", ".txt")])
def test_random_networks_have_every_text_format(suffix: str, network: Network, style: str) -> None:
    try:
        figure = draw(network, style=style)  # type: ignore[arg-type]
    except InceptionSearchError:
        return
    assert figure.text(suffix) == figure.text(suffix)
    assert "None" not in figure.text(suffix)
