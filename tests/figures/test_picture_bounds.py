"""Nothing of a picture leaves it, and no heading is cut: all styles, comparisons, paths, fronts and plots."""

from __future__ import annotations

import pytest
from figure_samples import INCEPTION_3A, RESNET_A, record, small_network
from picture_bounds import outside

import inception_search as ins
from inception_search.cli.path import _drawn
from inception_search.edits.edit_path import Move, path
from inception_search.figures.plots.table import PLOTS, plot, plot_svg
from inception_search.figures.thumbnail import thumbnail
from inception_search.spec.step import AnyStep

LONG = "inception_with_a_name_that_somebody_thought_long_enough_to_tell_everything_about_it"
STYLES = ("overview", "plain", "detail", "paper")


def test_the_measure_finds_what_leaves_a_picture() -> None:
    text = '<text x="90" y="20" font-size="12">{}</text>'
    picture = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 40">{}</svg>'
    assert not outside(picture.format(text.format("i")))
    assert outside(picture.format(text.format("iiiiiiii")))
    assert outside(picture.format('<g transform="translate(60 0) scale(2)"><rect width="30" height="9"/></g>'))
    assert outside(picture.format('<path d="M5 5H50V41"/>'))


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("name", ["inception_v1", "inception_v3", "inception_v4", "inception_resnet_v2", "nin_cifar10"])
def test_networks(name: str, style: str) -> None:
    assert outside(ins.draw(name, style=style, blocks=style == "overview").svg) == []  # type: ignore[arg-type]


@pytest.mark.parametrize("title", ["", LONG, " ".join([LONG] * 3), "i" * 400, "W " * 200])
@pytest.mark.parametrize("flow", ["down", "up"])
def test_titles_of_any_length(title: str, flow: str) -> None:
    assert outside(ins.draw(RESNET_A, title=title, flow=flow).svg) == []  # type: ignore[arg-type]


@pytest.mark.parametrize(("a", "b"), [("inception_v3", "inception_v4"), ("inception_v1", "nin_cifar10")])
def test_comparisons(a: str, b: str) -> None:
    assert outside(ins.diff(a, b).draw().svg) == []


@pytest.fixture(scope="module")
def moves() -> tuple[Move, ...]:
    """From one network to another."""
    return path("inception_v1", "inception_v4")


@pytest.mark.parametrize("as_diff", [False, True])
def test_paths_are_whole_and_say_all(as_diff: bool, moves: tuple[Move, ...]) -> None:
    figure = _drawn("From inception_v1 to inception_v4", moves, as_diff)
    assert outside(figure.svg) == []
    told = " ".join(heading.text for heading in figure.drawing.headings)
    assert "…" not in told
    for move in moves:
        assert move.title in told


def test_every_step_of_a_path_shows_something(moves: tuple[Move, ...]) -> None:
    """Also an edit of what is in no stage: the settings that it changed stand in the box."""
    figure = _drawn("", moves, as_diff=False)
    boxes = [box.box for box in figure.drawing.boxes]
    assert not any(box.lines == ("whole network",) for box in boxes)
    assert any("whole network" in box.lines and len(box.lines) > 1 for box in boxes)


@pytest.mark.parametrize("step", [INCEPTION_3A, RESNET_A])
def test_thumbnails(step: AnyStep) -> None:
    assert outside(thumbnail(step, small_network(), LONG).svg) == []


@pytest.mark.parametrize("name", PLOTS)
def test_plots(name: str) -> None:
    records = [record(n, cost={"macs": 10**6 + 4000 * n, "params": 100 + n}, value=0.5 + n / 100) for n in range(20)]
    records += [
        record(20, origin="baseline", label=LONG, value=0.9),
        record(21, origin="baseline", label="v4", value=0.6),
    ]
    figure = plot(name, records)
    plot_svg(figure, name)  # places everything
    box = figure.get_tightbbox()
    width, height = figure.get_size_inches()
    assert box.x0 >= -0.01
    assert box.y0 >= -0.01
    assert box.x1 <= width + 0.01
    assert box.y1 <= height + 0.01
