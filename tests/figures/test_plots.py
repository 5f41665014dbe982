"""The plots: what they show, what they survive."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from figure_samples import epoch, record, study_records
from hypothesis import given
from hypothesis import strategies as st
from matplotlib import style
from matplotlib.figure import Figure

import inception_search.figures.plots as room
from inception_search.analysis.front import cost_front
from inception_search.errors import UnknownNameError
from inception_search.figures.plots.front import FrontPoint, draw_front
from inception_search.figures.plots.style import CELLS, DARK, MANY, apart, crowded, safe, spread
from inception_search.figures.plots.table import PLOTS, plot, plot_svg
from inception_search.store.record import TrialRecord

FOLDER = Path(room.__path__[0])


def test_folder_and_table_agree() -> None:
    written = {
        f"inception_search.figures.plots.{path.stem}:{name}"
        for path in FOLDER.glob("*.py")
        for name in re.findall(r"^def (plot_\w+)\(records", path.read_text(encoding="utf-8"), re.M)
    }
    assert written == set(PLOTS.values())
    for name, target in PLOTS.items():
        module, function = target.split(":")
        assert function == f"plot_{name}"
        assert (getattr(importlib.import_module(module), function).__doc__ or "").strip()


def test_unknown_plot_lists_the_known() -> None:
    with pytest.raises(UnknownNameError, match=r"unknown plot, got 'histroy'; .*did you mean 'history'"):
        plot("histroy", [])


@pytest.mark.parametrize("name", PLOTS)
@pytest.mark.parametrize(
    "records",
    [
        [],
        study_records(),
        [record(0)],
        [record(0, origin="baseline", label="$x^{$ 卷积 _a")],
        [record(0, curve=(), cost={})],
        [record(3, state="failed", value=None, reason="x")],
        [record(0, value=0.0, cost={"macs": 0, "params": 0}), record(1, value=0.0)],
    ],
    ids=["none", "study", "one", "odd label", "no cost", "failed", "zeros"],
)
def test_every_plot_is_drawn_and_well_formed(name: str, records: list) -> None:
    figure = plot(name, records)
    root = ElementTree.fromstring(plot_svg(figure, name))
    assert root.tag.endswith("svg")


@pytest.mark.parametrize("name", PLOTS)
def test_every_colour_has_one_for_a_dark_screen(name: str) -> None:
    svg = plot_svg(plot(name, study_records()), name)
    used = set(re.findall(r"(?:fill|stroke): (#[0-9a-f]{6})", svg.partition("</style>")[2])) - set(DARK.values())
    assert used
    assert used <= set(DARK)
    assert "@media screen and (prefers-color-scheme: dark)" in svg


def test_history_shows_each_trial_and_the_running_best() -> None:
    (axes,) = plot("history", study_records()).axes
    labels = axes.get_legend_handles_labels()[1]
    assert labels == ["sampled", "best sampled so far", "baseline", "best baseline", "pruned, infeasible or failed"]
    steps = next(line for line in axes.lines if line.get_label() == "best sampled so far")
    assert list(steps.get_ydata()) == sorted(steps.get_ydata())
    assert {note.get_text() for note in axes.texts} == {"inception_v1_3a", "inception_resnet_a"}


def test_curves_show_five_sampled_trials_and_all_baselines() -> None:
    (axes,) = plot("curves", study_records()).axes
    assert len(axes.lines) == 5 + 2


def one_epoch(values: list[float], macs: list[int]) -> list[TrialRecord]:
    curves = [(epoch(1, 0.0).model_copy(update={"validation_accuracy": value}),) for value in values]
    pairs = zip(values, macs, curves, strict=True)
    return [record(n, value=v, cost={"macs": m, "params": m}, curve=c) for n, (v, m, c) in enumerate(pairs)]


def test_curves_of_one_epoch_have_its_number_alone_and_a_mark_for_each_trial() -> None:
    (axes,) = plot("curves", one_epoch([1.0] * 5, [1_000] * 5)).axes
    assert list(axes.get_xticks()) == [1]
    places = [(line.get_xdata()[0], line.get_ydata()[0]) for line in axes.lines]
    assert len(set(places)) == 5
    assert {round(x) for x, _ in places} == {1}
    (axes,) = plot("curves", study_records()).axes
    assert all(tick == round(tick) for tick in axes.get_xticks())


@pytest.mark.parametrize("name", ["history", "curves", "tradeoff"])
def test_no_axis_goes_beyond_all_right(name: str) -> None:
    for axes in plot(name, one_epoch([0.5, 0.75, 1.0], [1_000, 2_000, 4_000])).axes:
        assert max(axes.get_yticks()) <= 1
        assert 1 < axes.get_ylim()[1] < 1.02


@pytest.mark.parametrize(("values", "words"), [([0.9, 0.8], "Pareto front: one point"), ([0.8, 0.9], "Pareto front")])
def test_the_legend_names_the_front_as_it_is_drawn(values: list[float], words: str) -> None:
    figure = plot("tradeoff", one_epoch(values, [1_000, 1_010]))
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["sampled", words]
    low, high = figure.axes[0].get_xlim()
    assert sum(low <= tick <= high for tick in figure.axes[0].get_xticks()) >= 3


def test_cost_front_drops_what_another_beats() -> None:
    costs = [(10, 0.5), (20, 0.4), (30, 0.9), (30, 0.8), (5, 0.5)]
    records = [record(n, cost={"macs": m}, value=v) for n, (m, v) in enumerate(costs)]
    assert [r.number for r in cost_front(records)] == [4, 2]


@given(st.lists(st.floats(0, 300), max_size=12))
def test_spread_labels_keep_their_distance_and_order(places: list[float]) -> None:
    moved = spread(places, 10.0)
    for i, a in enumerate(places):
        for j, b in enumerate(places):
            if i != j:
                assert abs(moved[i] - moved[j]) >= 10.0 - 1e-6
            if a < b:
                assert moved[i] < moved[j]


def test_safe_labels_have_only_characters_of_the_font() -> None:
    assert safe("a\x07b\u202ec 卷 é") == "a?b?c ? é"
    assert len(safe("x" * 99)) == 28


def test_of_very_many_marks_those_that_cover_each_other_are_drawn_once() -> None:
    one = record(0)
    few = [one.model_copy(update={"number": n, "value": (n * 7919 % 5000) / 5000}) for n in range(5000)]
    assert crowded(few) != ""
    assert crowded(few[:MANY]) == ""
    marks = {name: plot_svg(plot(name, few), name).count("<use") for name in ("history", "tradeoff")}
    assert MANY < marks["history"] < 4900  # spread over the plot, some of them cover each other
    assert marks["tradeoff"] < 700  # all of one cost; letters are marks, too


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=60))
def test_every_mark_that_is_left_out_is_near_one_that_is_drawn(points: list[tuple[float, float]]) -> None:
    many = points * (1 + MANY // len(points))
    xs, ys = [x for x, _ in many], [y for _, y in many]
    drawn = [many[at] for at in apart(xs, ys)]
    wide, high = ((max(values) - min(values)) / cells for values, cells in zip((xs, ys), CELLS, strict=True))
    for x, y in points:
        assert any(abs(x - a) <= wide * 1.001 and abs(y - b) <= high * 1.001 for a, b in drawn)


def front_of_three() -> Figure:
    points = [FrontPoint(1000.0 * n, 0.5 + n / 10, n == 2, n) for n in (1, 2, 3)]
    return draw_front(points, [1, 3], "multiply-adds")


@pytest.mark.parametrize("name", [*PLOTS, "front"])
def test_a_style_of_the_process_changes_no_plot(name: str) -> None:
    """Drawing a study with ``optuna.visualization.matplotlib`` sets one."""

    def drawn() -> str:
        return plot_svg(front_of_three() if name == "front" else plot(name, study_records()), name)

    plain = drawn()
    with style.context("ggplot"):
        assert drawn() == plain
