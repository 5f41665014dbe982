"""The SVG text: well formed, escaped, self-contained, readable, the same every time."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from itertools import chain
from pathlib import Path
from xml.etree import ElementTree

import pytest
from figure_samples import INCEPTION_3A, MIXED_7B, RESNET_A, V4_STEM, small_network

from inception_search.figures.colours import DARK, DARK_PAGE, KIND_NAMES, LIGHT, LIGHT_PAGE
from inception_search.figures.draw import draw
from inception_search.figures.paint.svg import text

SVG = "{http://www.w3.org/2000/svg}"
STEPS = {"3a": INCEPTION_3A, "7b": MIXED_7B, "resnet": RESNET_A, "stem": V4_STEM}


@pytest.mark.parametrize("flow", ["down", "up"])
@pytest.mark.parametrize("step", STEPS.values(), ids=STEPS)
def test_is_well_formed_and_for_everybody(step: object, flow: str) -> None:
    figure = draw(step, flow=flow, title="A module")  # type: ignore[arg-type]
    root = ElementTree.fromstring(figure.svg)
    assert root.tag == f"{SVG}svg"
    assert root.get("role") == "img"
    ids = (root.get("aria-labelledby") or "").split()
    assert [root.findtext(f"{SVG}title"), root.find(f"{SVG}desc") is not None] == ["A module", True]
    assert ids == [element.get("id") for element in root if element.get("id")]
    assert (root.get("width"), root.get("height")) == (str(figure.width), str(figure.height))


def test_numbers_are_whole_and_colours_literal() -> None:
    svg = draw(small_network(), blocks=True).svg
    root = ElementTree.fromstring(svg)
    for element in root.iter():
        for name, value in element.attrib.items():
            if name in ("x", "y", "width", "height", "cx", "cy", "r", "rx", "d", "viewBox"):
                assert "." not in value
            if name in ("fill", "stroke"):
                assert re.fullmatch(r"#[0-9a-f]{6}|none", value)
    assert "var(" not in svg
    assert svg.count("prefers-color-scheme: dark") == 1


def test_two_figures_share_no_id() -> None:
    ids = [set(re.findall(r'id="([^"]+)"', draw(step).svg)) for step in STEPS.values()]
    assert len(set(chain(*ids))) == sum(map(len, ids))


HOSTILE = "</title><script>alert(1)</script>\x00\x1b[31m\u202e\u2066 \u200b\"'&<b>\ud800\n\tend \ufffe"


def test_hostile_titles_are_text() -> None:
    figure = draw(INCEPTION_3A, title=HOSTILE)
    root = ElementTree.fromstring(figure.svg)
    assert "<script" not in figure.svg
    assert root.findtext(f"{SVG}title") == "</title><script>alert(1)</script>[31m \"'&<b> end"
    assert not re.search("[\x00-\x08\x0b-\x1f\u200b\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe]", figure.svg)


def test_long_titles_are_wrapped_and_cut() -> None:
    figure = draw(INCEPTION_3A, title="word " * 400)
    assert figure.width < 700
    headings = [e.text for e in ElementTree.fromstring(figure.svg).iter(f"{SVG}text") if e.get("font-weight")]
    assert len(headings) == 12
    assert (headings[-1] or "").endswith("…")


def test_text_keeps_ordinary_characters() -> None:
    assert text("7×1 conv · naïve 卷积 𝛼") == "7×1 conv · naïve 卷积 𝛼"


def test_tooltips_tell_place_and_cost() -> None:
    net = small_network()
    titles = [e.text for e in ElementTree.fromstring(draw(net.blocks["module"], network=net).svg).iter(f"{SVG}title")]
    assert "cells.0.branches.1.1: 3×3 conv 8; out 8×16×16, 592 params, 147,456 MACs" in titles


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a: str, b: str) -> float:
    high, low = sorted((luminance(a), luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize(("paints", "page"), [(LIGHT, LIGHT_PAGE), (DARK, DARK_PAGE)], ids=["light", "dark"])
def test_colours_are_readable(paints: dict, page: object) -> None:
    assert paints.keys() == KIND_NAMES.keys()
    for kind, paint in paints.items():
        assert contrast(page.ink, paint.fill) >= 7, kind
        assert contrast(page.faint, paint.fill) >= 5, kind
        assert contrast(paint.stroke, page.paper) >= 3, kind
    assert contrast(page.faint, page.paper) >= 7
    assert contrast(page.wire, page.paper) >= 4.5


def test_kinds_that_meet_differ_in_grey() -> None:
    def grey(kind: str) -> float:
        return luminance(LIGHT[kind].fill)  # type: ignore[index]

    assert grey("pointwise") - grey("factor") > 0.1
    assert grey("factor") - grey("spatial") > 0.1


SCRIPT = """
import sys
from figure_samples import MIXED_7B, RESNET_A, V4_STEM, small_network, study_records
from inception_search.figures.draw import draw
from inception_search.figures.plots.table import PLOTS, plot, plot_svg
for step in (MIXED_7B, RESNET_A, V4_STEM):
    sys.stdout.write(draw(step, flow="up").svg)
for style in ("overview", "paper", "detail"):
    sys.stdout.write(draw(small_network(), style=style, blocks=True).svg)
for name in PLOTS:
    sys.stdout.write(plot_svg(plot(name, study_records()), name))
"""


def test_same_bytes_in_every_process() -> None:
    outputs = []
    for seed in ("0", "12345"):
        paths = [str(Path(__file__).parent), *sys.path]
        env = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(paths)}
        done = subprocess.run([sys.executable, "-c", SCRIPT], env=env, capture_output=True, check=True)
        outputs.append(done.stdout)
    assert outputs[0] == outputs[1]
    assert outputs[0].count(b"<svg") == 9
    assert b"dc:date" not in outputs[0]


def test_drawing_imports_nothing_heavy() -> None:
    code = (
        "import sys, inception_search.figures.draw, inception_search.report;"
        "print(sorted({'torch', 'optuna', 'matplotlib', 'networkx', 'numpy', 'resvg_py'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert done.stdout.strip() == "[]"
