"""Every format of a figure: what it says, that nothing in a name is a command, the same bytes each time."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import pytest
from figure_samples import INCEPTION_3A, MIXED_7B, RESNET_A, drawing_trees, small_network
from hypothesis import HealthCheck, given, settings

from inception_search.figures.draw import draw
from inception_search.figures.figure import Figure
from inception_search.figures.formats.table import FORMATS, TEXT
from inception_search.figures.network.node_graph import Chart, Cluster, chart
from inception_search.figures.network.tree import Part, boxes
from inception_search.spec.step import AnyStep

HOSTILE = 'a"]; }\\ %x\\input{y}$_^~#&<script>`|--> \n end\u202e'
FIGURE = draw(RESNET_A, title=HOSTILE, flow="up", input_shape=(256, 35, 35))


@pytest.mark.parametrize("suffix", FORMATS)
def test_every_format_gives_the_same_bytes(tmp_path: Path, suffix: str) -> None:
    pytest.importorskip("resvg_py") if suffix == ".png" else None
    one, two = FIGURE.save(tmp_path / f"a{suffix}"), FIGURE.save(tmp_path / f"b{suffix}")
    assert one.read_bytes() == two.read_bytes()
    assert len(one.read_bytes()) > 200


@pytest.mark.parametrize("suffix", [s for s in TEXT if s not in (".svg", ".html")])
def test_text_formats_tell_every_box(suffix: str) -> None:
    told = FIGURE.text(suffix)
    for line in ("3×3 conv", "1×1 conv", "ReLU", "256, linear", "0.17"):
        wanted = line if suffix not in (".tikz", ".tex") else line.replace("×", "$\\times$")
        assert wanted in told, (suffix, wanted)


def test_dot_is_one_graph_whose_strings_end_where_they_should() -> None:
    told = FIGURE.text(".dot")
    assert told.startswith('digraph "a\\"]; }\\\\ %x\\\\input{y}$_^~#&<script>`|--> end" {')
    bare = re.sub(r'"(?:[^"\\]|\\.)*"', '""', told)
    assert "input" not in bare.replace("tooltip", "")
    assert bare.count("{") == bare.count("}")
    assert "rankdir=BT" in told
    assert draw(INCEPTION_3A).text(".gv").count(" -> ") == 11


def test_mermaid_keeps_names_inside_their_labels() -> None:
    network = small_network()
    told = draw(network, blocks=True, title=HOSTILE).text(".mmd")
    assert told.splitlines()[1] == "flowchart TB"
    assert told.count("subgraph") == told.count("\n  end")
    assert "<script>" not in told.split("\n", 1)[1]
    for line in told.splitlines()[2:]:
        assert re.sub(r'"[^"]*"', "", line).count('"') == 0
    assert {*re.findall(r":::(\w+)", told)} == {*re.findall(r"classDef (\w+)", told)}


def test_latex_has_no_command_of_a_name() -> None:
    told = FIGURE.text(".tex")
    assert told.count("\\begin{tikzpicture}") == told.count("\\end{tikzpicture}") == 1
    assert "\\input{y}" not in told.split("\n% ", 1)[1].split("\n", 1)[1]
    assert "\\textbackslash{}input\\{y\\}\\$\\_\\textasciicircum{}" in told
    colours = {*re.findall(r"\\definecolor\{(\w+)\}", told)}
    assert {*re.findall(r"(?:fill|draw)=(\w+)", told)} <= colours


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no pdflatex")
@pytest.mark.parametrize(("width", "points"), [(None, None), ("240pt", 240.0)])
def test_latex_makes_a_page_of_the_size_of_the_picture(tmp_path: Path, width: str | None, points: float | None) -> None:
    figure = draw(MIXED_7B, width=width)
    figure.save(tmp_path / "a.tex")
    readable = r"\pdfobjcompresslevel=0\input{a.tex}"
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "-jobname=a", readable]
    subprocess.run(command, cwd=tmp_path, check=True)
    page = re.search(rb"/MediaBox ?\[0 0 ([\d.]+) ([\d.]+)\]", (tmp_path / "a.pdf").read_bytes())
    assert page is not None
    width, height = page.groups()
    assert float(width) == pytest.approx(points or figure.width * 0.75, abs=0.05)
    assert float(height) / float(width) == pytest.approx(figure.drawing.height / figure.drawing.width, abs=0.001)


def test_pdf_is_vectors_with_text() -> None:
    pytest.importorskip("matplotlib")
    from inception_search.figures.paint.pdf import pdf

    data = pdf(FIGURE)
    assert data.startswith(b"%PDF-")
    assert b"/Subtype /Image" not in data
    assert b"CreationDate" not in data
    width, height = re.search(rb"/MediaBox \[ 0 0 ([\d.]+) ([\d.]+) \]", data).groups()  # type: ignore[union-attr]
    assert (float(width), float(height)) == (FIGURE.width * 0.75, FIGURE.height * 0.75)


def test_text_is_for_text_formats() -> None:
    assert FIGURE.text(".txt").startswith('a"]; }\\')
    assert {".png", ".pdf"}.isdisjoint(TEXT)


@pytest.mark.parametrize(
    ("step", "edges"), [(INCEPTION_3A, 11), (MIXED_7B, 16), (RESNET_A, 12)], ids=["3a", "7b", "resnet"]
)
def test_charts_have_the_wires_of_the_drawing(step: AnyStep, edges: int) -> None:
    figure = draw(step)
    made = chart("", figure.panels)
    assert len(made.edges) == edges == sum(wire.arrow for wire in figure.drawing.wires)
    assert Counter(box.kind for box in made.nodes if box.kind != "add") == Counter(
        placed.box.kind for placed in figure.drawing.boxes
    )


def numbers(cluster: Cluster) -> list[int]:
    return [n for inner in cluster.inside for n in ([inner] if isinstance(inner, int) else numbers(inner))]


@settings(suppress_health_check=list(HealthCheck))
@given(drawing_trees())
def test_every_box_is_in_one_cluster_and_is_reached(tree: Part) -> None:
    made: Chart = chart("", [("", tree)])
    assert [box for box in made.nodes if box.path.startswith("b")] == list(boxes(tree))
    assert sorted(numbers(made.root)) == list(range(len(made.nodes)))
    reached = {0} | {edge.end for edge in made.edges}
    assert reached == set(range(len(made.nodes)))
    assert all(edge.start < edge.end for edge in made.edges)


def test_figures_of_steps_and_sheets_have_all_formats(tmp_path: Path) -> None:
    from inception_search.figures.diff.edit_strip import Edited, draw_steps

    network = small_network()
    figure = draw_steps("two", [Edited("a", network), Edited("b", network, "cells"), Edited("c", network)])
    assert isinstance(figure, Figure)
    assert figure.text(".dot").count("subgraph cluster_") >= 3
    assert "b\n" in figure.text(".txt")
