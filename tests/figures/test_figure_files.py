"""Saving and showing a figure, and what ``draw`` refuses."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from figure_samples import INCEPTION_3A, RESNET_A, V4_STEM, small_network

from inception_search.errors import ConfigError, ShapeError
from inception_search.figures.draw import draw
from inception_search.spec.documents.parse import parse_step

FIGURE = draw(INCEPTION_3A, title="Inception (3a)")


def test_svg(tmp_path: Path) -> None:
    path = FIGURE.save(tmp_path / "a.svg")
    assert path.read_text(encoding="utf-8") == FIGURE.svg


def test_html_is_self_contained(tmp_path: Path) -> None:
    html = FIGURE.save(str(tmp_path / "a.HTML")).read_text(encoding="utf-8")
    assert FIGURE.svg in html
    assert "default-src 'none'" in html
    assert "<script" not in html
    assert "src=" not in html


def test_png(tmp_path: Path) -> None:
    pytest.importorskip("resvg_py")
    data = FIGURE.save(tmp_path / "a.png").read_bytes()
    assert data.startswith(b"\x89PNG")
    width = int.from_bytes(data[16:20], "big")
    assert width == 2 * FIGURE.width


def test_png_without_its_package_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "resvg_py", None)
    with pytest.raises(ConfigError) as caught:
        FIGURE.save(tmp_path / "a.png")
    assert "pip install resvg-py, or in a clone of inception-search pip install '.[png]'" in str(caught.value)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("a.gif", ["a.gif", "'.gif'", "one of .svg, .png, .pdf, .html, .dot"]),
        ("a", ["suffix", "one of .svg, .png, .pdf, .html, .dot"]),
        ("missing/a.svg", ["no such folder", "missing", "create the folder first"]),
        ("file/a.svg", ["no such folder"]),
        ("taken.svg", ["folder where a file should be", "taken.svg"]),
    ],
)
def test_what_cannot_be_saved(tmp_path: Path, name: str, words: list[str]) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "taken.svg").mkdir()
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(ConfigError) as caught:
        FIGURE.save(tmp_path / name)
    message = str(caught.value)
    assert "\n" not in message
    for word in words:
        assert word in message
    assert sorted(tmp_path.rglob("*")) == before


def test_notebooks_see_the_picture_and_terminals_the_words() -> None:
    bundle = FIGURE._repr_mimebundle_()
    assert bundle["image/svg+xml"] == FIGURE._repr_svg_() == FIGURE.svg
    assert bundle["text/plain"].splitlines()[:4] == ["Input", "branch 0", "  1×1 conv · 64", "branch 1"]
    assert repr(FIGURE) == f"Figure('Inception (3a)', {FIGURE.width}x{FIGURE.height} px)"


@pytest.mark.parametrize(
    ("item", "options", "words"),
    [
        ("inception_v4", {}, ["only a network or a step can be drawn", "'str'"]),
        (INCEPTION_3A, {"style": "papr"}, ["unknown style", "paper, detail, overview", "did you mean 'paper'?"]),
        (INCEPTION_3A, {"flow": "left"}, ["unknown flow", "down, up"]),
        (INCEPTION_3A, {"style": "detail"}, ["input_shape", "channels, height, width", "network="]),
        (INCEPTION_3A, {"input_shape": (3, 0, 5)}, ["input_shape", "(3, 0, 5)"]),
        (INCEPTION_3A, {"input_shape": (3, 5)}, ["input_shape", "(3, 5)"]),
        (INCEPTION_3A, {"blocks": True}, ["blocks=True"]),
        (parse_step("{use: cell}"), {}, ["'cell'", "network="]),
        (parse_step("{use: cell}"), {"network": small_network()}, ["'cell'", "'small'"]),
    ],
)
def test_what_cannot_be_drawn(item: Any, options: dict[str, Any], words: list[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        draw(item, **options)
    for word in words:
        assert word in str(caught.value)


def test_a_network_that_does_not_fit_says_where() -> None:
    net = small_network("[3x3 8 s2, 3x3 8 s2, 3x3 8 s2, 5x5 8 valid]")
    with pytest.raises(ShapeError, match="larger than its"):
        draw(net)


def test_detail_needs_no_network_when_the_shape_is_given() -> None:
    figure = draw(RESNET_A, style="detail", input_shape=(256, 35, 35))
    assert "linear\n" in figure.outline.replace(" · ", "\n")
    assert "33.0 k params" in figure.outline


def test_sizes_stand_along_a_known_trunk() -> None:
    lines = draw(V4_STEM, input_shape=(3, 299, 299)).outline.splitlines()
    assert lines[0] == "Input · 3×299×299"
    assert [line for line in lines if line.startswith("(")] == [
        *("(32×149×149)", "(32×147×147)", "(64×147×147)", "(160×73×73)", "(192×71×71)")
    ]
    assert lines[-1] == "Output · 384×35×35"


def test_a_used_block_is_drawn_in_a_frame() -> None:
    net = small_network()
    assert draw(parse_step("[1x1 8, {use: module}]"), network=net).outline.splitlines()[1:3] == [
        "1×1 conv · 8",
        "module",
    ]


@pytest.mark.parametrize("style", ["overview", "plain", "paper", "detail"])
def test_blocks_puts_every_different_module_beside_the_network(style: str) -> None:
    net = small_network()
    alone, sheet = draw(net, style=style), draw(net, style=style, blocks=True)
    assert sheet.width > alone.width
    texts = [e.text for e in ElementTree.fromstring(sheet.svg).iter() if e.get("font-weight") == "bold"]
    assert texts == ["small", "module"]
