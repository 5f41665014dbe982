"""Pictures for paper: width, type size, palettes and the flow to the right, in every format."""

from __future__ import annotations

import re
from itertools import combinations
from pathlib import Path

import pytest
from figure_samples import MIXED_7B, small_network
from picture_bounds import outside, text_width

import inception_search as ins
from inception_search.errors import ConfigError
from inception_search.figures.colours import LIGHT, LIGHT_PAGE
from inception_search.figures.figure import Figure
from inception_search.figures.network.compose import TITLE
from inception_search.figures.network.measure import SMALL, TEXT
from inception_search.figures.printing.palettes import PALETTES
from inception_search.figures.printing.size import PX

COLUMN = "240pt"  # of a paper with two
MODULES = ("inception_v1.inception_3a", "inception_v3.mixed_7b", "inception_v4.inception_c", "inception_v4.stem")


def smallest(figure: Figure) -> float:
    """The smallest type in points, as the SVG says it: type sizes in px of a view box that is so many pt wide."""
    head = re.search(r'width="([\d.]+)pt" height="[\d.]+pt" viewBox="0 0 (\d+)', figure.svg)
    assert head
    return min(map(float, re.findall(r'font-size="(\d+)"', figure.svg))) * float(head[1]) / float(head[2])


@pytest.mark.parametrize("style", ["plain", "paper"])
@pytest.mark.parametrize("name", MODULES)
@pytest.mark.filterwarnings("ignore:the figure is")  # v4's stem is a little taller than a Letter page
def test_modules_can_be_read_in_a_column(name: str, style: str) -> None:
    figure = ins.draw(name, width=COLUMN, style=style)  # type: ignore[arg-type]
    assert 'width="240pt"' in figure.svg
    assert smallest(figure) >= 6.0
    assert "type" not in figure.note
    assert outside(figure.svg) == []
    assert figure.width == 320


@pytest.mark.parametrize("unit", ["pt", "texpt", "mm", "cm", "in", "px"])
@pytest.mark.parametrize("font_size", [None, 8])
def test_the_width_that_is_advised_suffices_and_hardly_less_does(unit: str, font_size: float | None) -> None:
    step = 0.1 if unit in ("cm", "in") else 1.0
    with pytest.warns(UserWarning, match="needs a width of"):
        note = ins.draw("inception_v3.mixed_7b", width=f"{60 / PX[unit]:.3f}{unit}", font_size=font_size).note
    needed = float(re.search(r"needs a width of ([\d.]+)", note)[1])  # type: ignore[index]
    told = ins.draw("inception_v3.mixed_7b", width=f"{needed:.6g}{unit}", font_size=font_size)
    assert "type" not in told.note
    with pytest.warns(UserWarning, match="less than"):
        ins.draw("inception_v3.mixed_7b", width=f"{needed - 2 * step:.6g}{unit}", font_size=font_size)


@pytest.mark.parametrize("tenths", range(40, 90, 7))
def test_a_note_does_not_contradict_itself(tenths: int) -> None:
    note = ins.diff("inception_v3.mixed_6b", "inception_v4.inception_b").draw().printed(width=f"{tenths / 10}in").note
    said = re.search(r"type is ([\d.]+) pt, less than ([\d.]+) pt; that needs a width of ([\d.]+)in", note)
    assert (said is None) == (tenths >= 76)
    assert said is None or (float(said[1]) < float(said[2]) and float(said[3]) > tenths / 10)


def test_a_small_type_that_was_asked_for_has_no_note() -> None:
    assert ins.draw("inception_v3.mixed_7b", font_size=5, width="7in").note == ""


@pytest.mark.parametrize(("unit", "inches"), [("pt", 1 / 72), ("bp", 1 / 72), ("texpt", 1 / 72.27)])
def test_points_are_those_of_their_unit(unit: str, inches: float) -> None:
    """TeX's pt is a little smaller than that of SVG and CSS, which TeX calls bp."""
    figure = ins.draw("inception_v4.inception_c", width=f"229.5{unit}")
    assert float(re.search(r'<svg [^>]*width="([\d.]+)pt"', figure.svg)[1]) == pytest.approx(
        229.5 * inches * 72, abs=1e-3
    )  # type: ignore[index]
    box = re.search(r"bounding box\] \(0,0\) rectangle \(([\d.]+),", figure.text(".tikz"))
    assert box
    assert float(box[1]) * 0.75 / 72 == pytest.approx(229.5 * inches, abs=1e-4)


@pytest.mark.parametrize("title", ["", "Mine"])
def test_a_title_may_be_left_out(title: str) -> None:
    for figure in (
        ins.draw("inception_v1", title=title),
        ins.draw("inception_v4.inception_a", title=title),
        ins.diff("inception_v4.inception_a", "inception_v3.mixed_5b").draw(title=title),
    ):
        large = [heading.text for heading in figure.drawing.headings if heading.size == TITLE]
        assert large == ([title] if title else [])
        assert figure.title  # a picture has a name for those who do not see it
        assert outside(figure.svg) == []


def test_words_stay_in_their_boxes_when_wrapped() -> None:
    for placed in ins.draw("inception_v4.inception_c", width=COLUMN, style="paper").drawing.boxes:
        for index, line in enumerate(placed.box.lines):
            assert text_width(line, SMALL if index else TEXT, False) <= placed.width - 4


def test_a_picture_that_does_not_fit_says_the_width_it_needs() -> None:
    with pytest.warns(
        UserWarning, match=r"at a width of 100pt the smallest type is 3.32 pt, less than 6 pt; that needs"
    ):
        figure = ins.draw("inception_v3.mixed_7b", width="100pt")
    needed = re.search(r"needs a width of (\d+)pt", figure.note)
    assert needed
    assert smallest(ins.draw("inception_v3.mixed_7b", width=f"{needed[1]}pt")) >= 6.0
    with pytest.warns(UserWarning, match=r"the type is \d\.\d\d pt, less than 12 pt; that needs"):
        ins.draw("inception_v3.mixed_7b", width=COLUMN, font_size=12)


@pytest.mark.parametrize(
    ("options", "told", "fits"),
    [
        ({"flow": "right", "blocks": True}, "flow 'down', one module", {"blocks": True}),
        ({"flow": "right", "style": "detail"}, "flow 'down', one module", {"style": "detail"}),
        ({"style": "detail", "width": "2in"}, "style 'overview', one module", {"width": "2in"}),
        ({"blocks": True, "width": "2in"}, "no blocks, one module", {"width": "2in"}),
    ],
)
@pytest.mark.filterwarnings("ignore:the figure is")
def test_advice_makes_the_picture_fit(options: dict[str, object], told: str, fits: dict[str, object]) -> None:
    with pytest.warns(UserWarning, match="needs a width of"):
        figure = ins.draw("inception_v3", **{"width": "7in", **options})  # type: ignore[arg-type]
    assert re.search(r"or less to draw: ([^;]*)", figure.note)[1] == told  # type: ignore[index]
    assert "needs a width" not in ins.draw("inception_v3", **{"width": "7in", **fits}).note  # type: ignore[arg-type]


def test_what_cannot_be_drawn_with_less_has_no_advice() -> None:
    with pytest.warns(UserWarning, match=r"needs a width of \d+pt$"):
        ins.draw("inception_v3.mixed_7b", width="100pt")
    strip = ins.draw("inception_v3", blocks=True)
    assert "less to draw" not in strip.printed(width="60pt").note
    with pytest.warns(UserWarning, match="or less to draw: flow 'down'$"):
        ins.draw("inception_v3.mixed_7b", width=COLUMN, flow="right")


def test_a_picture_taller_than_a_page_says_so() -> None:
    with pytest.warns(UserWarning, match=r"^the figure is .*pt tall, more than a page: Letter is 792pt"):
        figure = ins.draw("inception_v3", width=COLUMN)
    assert figure.height > 11 * 96
    assert float(re.search(r"is ([\d.]+)pt tall", figure.note)[1]) == pytest.approx(figure.height * 0.75, abs=1)  # type: ignore[index]
    with pytest.warns(UserWarning, match="Letter is 279.4mm and A4 is 297mm"):
        ins.draw("inception_v3", blocks=True, width="80mm")
    assert ins.draw("inception_v3", blocks=True, width=320).note == ""  # of a screen
    assert ins.draw("inception_v3.mixed_7b", width=COLUMN).note == ""


def test_type_has_the_size_that_was_asked_for() -> None:
    for options in ({"font_size": 8}, {"font_size": 8, "width": "6in"}):
        figure = ins.draw("inception_v4.inception_a", **options)  # type: ignore[arg-type]
        assert figure.scale * TEXT * 0.75 == pytest.approx(8)
    assert figure.width == 576
    small = ins.draw(small_network(), width="20cm")  # not blown up: in the middle of its page
    assert small.scale == pytest.approx(1.0, abs=1e-3)


def test_the_flow_runs_to_the_right() -> None:
    figure = ins.draw("inception_v4.inception_b", flow="right")
    first, last = figure.drawing.boxes[0], figure.drawing.boxes[-1]
    assert first.box.lines[0] == "Input"
    assert first.x < last.x
    assert figure.width > figure.height
    assert outside(figure.svg) == []
    for one, other in combinations(figure.drawing.boxes, 2):
        apart = one.x + one.width <= other.x or other.x + other.width <= one.x
        assert apart or one.y + one.height <= other.y or other.y + other.height <= one.y


@pytest.mark.parametrize("name", ["inception_v1", "inception_resnet_v2.block17", "inception_v4"])
@pytest.mark.parametrize("style", ["overview", "plain", "detail"])
def test_every_style_flows_to_the_right(name: str, style: str) -> None:
    figure = ins.draw(name, flow="right", style=style)  # type: ignore[arg-type]
    assert outside(figure.svg) == []
    down = ins.draw(name, style=style)  # type: ignore[arg-type]
    assert [b.box.path for b in figure.drawing.boxes] == [b.box.path for b in down.drawing.boxes]
    assert len(figure.drawing.wires) == len(down.drawing.wires)


@pytest.mark.parametrize("suffix", [".svg", ".png", ".pdf", ".html", ".tikz", ".tex", ".dot", ".mmd", ".txt"])
def test_every_format_takes_the_options(suffix: str, tmp_path: Path) -> None:
    if suffix == ".png":
        pytest.importorskip("resvg_py")
    figure = ins.draw(MIXED_7B, width="240pt", palette="grey", flow="right")
    data = figure.save(tmp_path / f"a{suffix}").read_bytes()
    if suffix == ".png":
        assert int.from_bytes(data[16:20], "big") == 1000  # 300 per inch
        assert int.from_bytes(ins.draw(MIXED_7B, width=640).save(tmp_path / "b.png").read_bytes()[16:20], "big") == 640
    elif suffix == ".pdf":
        assert re.search(rb"MediaBox \[ 0 0 240(\.0\d*)? ", data)
    elif suffix != ".txt":
        words = data.decode().lower()
        assert "b3d1f2" not in words  # blue
        assert "c6c6c6" in words
        direction = {".dot": "rankdir=lr", ".mmd": "flowchart lr"}.get(suffix, "")
        assert direction in words


def luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("palette", [name for name in PALETTES if name != "colour"])
def test_palettes_are_for_white_paper_and_can_be_read(palette: str) -> None:
    svg = ins.draw("inception_v4", blocks=True, palette=palette).svg  # type: ignore[arg-type]
    assert "prefers-color-scheme" not in svg
    table = PALETTES[palette]  # type: ignore[index]
    ink = table.get(LIGHT_PAGE.faint, LIGHT_PAGE.faint)
    for paint in LIGHT.values():
        fill, stroke = (table.get(colour, colour) for colour in paint)
        assert (luminance(fill) + 0.05) / (luminance(ink) + 0.05) >= 4.5
        assert 1.05 / (luminance(stroke) + 0.05) >= 3.0


def test_grey_has_no_colour() -> None:
    figure = ins.draw("inception_v4", blocks=True, palette="grey")
    assert all(c[1:3] == c[3:5] == c[5:7] for c in re.findall(r'(?:fill|stroke)="(#[0-9a-f]{6})"', figure.svg))
    fills = [PALETTES["grey"][LIGHT[kind].fill] for kind in ("pointwise", "spatial", "factor", "max", "avg", "concat")]
    assert len(set(fills)) == len(fills)


def test_the_colour_blind_tell_the_ops_apart() -> None:
    """With the two usual defects of sight (Vienot 1999, in linear light) all fills stay different."""
    kinds = ("pointwise", "spatial", "factor", "max", "avg", "linear")
    for matrix in (
        ((0.11238, 0.88762, 0.0), (0.11238, 0.88762, 0.0), (0.00401, -0.00401, 1.0)),
        ((0.29275, 0.70725, 0.0), (0.29275, 0.70725, 0.0), (-0.02234, 0.02234, 1.0)),
    ):
        seen = []
        for kind in kinds:
            colour = PALETTES["colour-blind"][LIGHT[kind].fill]
            linear = [(int(colour[i : i + 2], 16) / 255) ** 2.2 for i in (1, 3, 5)]
            seen.append([sum(a * b for a, b in zip(row, linear, strict=True)) ** (1 / 2.2) for row in matrix])
        for one, other in combinations(seen, 2):
            assert max(abs(a - b) for a, b in zip(one, other, strict=True)) > 0.05


def test_words_that_look_like_colours_stay() -> None:
    assert "#b3d1f2 {HTML}" in ins.draw(MIXED_7B, title="#b3d1f2 {HTML}", palette="grey").svg


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"width": "240"}, "240pt"),
        ({"width": "wide"}, "with its unit"),
        ({"width": "0pt"}, "with its unit"),
        ({"font_size": 0}, "1 to 100 points"),
        ({"palette": "gray"}, "did you mean 'grey'"),
        ({"flow": "left"}, "down, up, right"),
    ],
)
def test_what_cannot_be_is_refused(options: dict[str, object], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        ins.draw(MIXED_7B, **options)  # type: ignore[arg-type]


def test_comparisons_are_printed_too() -> None:
    figure = ins.diff("inception_v4.inception_a", "inception_v3.mixed_5b").draw()
    printed = figure.printed(width="7in", palette="colour-blind")
    assert printed.width == 672
    assert printed.outline == figure.outline
    assert figure.printed().svg == figure.svg


def test_comparisons_fit_a_page() -> None:
    difference = ins.diff("inception_v3.mixed_6b", "inception_v4.inception_b")
    figure = difference.draw(width="7in", palette="grey")
    assert (figure.note, figure.width, outside(figure.svg)) == ("", 672, [])
    assert figure.scale * SMALL * 0.75 >= 6
    assert figure.outline == difference.text
    whole = ins.diff("inception_v3", "inception_v4").draw(width="7in")
    assert (whole.width, outside(whole.svg)) == (672, [])
    assert re.fullmatch(r"the figure is .* tall, more than a page: .*, or less to draw: one module", whole.note)


def test_a_printed_picture_is_printed_again_as_the_first_was() -> None:
    figure = ins.draw(MIXED_7B)
    large = figure.printed(width="3000px")
    assert large.printed(width="300px").svg == figure.printed(width="300px").svg
    assert large.printed().svg == figure.svg
