"""The Pareto front in a report: its plot, and the pictures of its points."""

from __future__ import annotations

import re

import pytest
from figure_samples import MIXED_6B, RESNET_A, record, small_network
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure

from inception_search.figures.plots.front import FrontPoint, draw_front
from inception_search.figures.plots.table import plot_svg
from inception_search.figures.thumbnail import thumbnail
from inception_search.report.front import PICTURES, front_plot, front_section, pictured
from inception_search.report.material import Material
from inception_search.report.write import page
from inception_search.store.record import TrialRecord


def front(costs: list[float], accuracies: list[float]) -> Figure:
    pairs = list(zip(costs, accuracies, strict=True))
    points = [FrontPoint(cost, accuracy, False, place) for place, (cost, accuracy) in enumerate(pairs, 1)]
    return draw_front(points, range(len(points) + 1), "multiply-adds")


def on_a_front(number: int) -> list[TrialRecord]:
    """Records each of which is dearer and better than the one before it."""
    cost = [{"macs": 10**6 + 1000 * n, "params": 100 + n} for n in range(number)]
    return [record(n, cost=cost[n], value=0.5 + n / 1000) for n in range(number)]


def section(material: Material) -> str:
    figure = front_plot(material)
    assert figure is not None
    plots = {"front": plot_svg(figure, "front"), "tradeoff": "<svg/>"}
    drawn = Material(material.records, material.study, front=material.front, plots=plots)
    return page("", "", [("Pareto front", front_section(drawn))])


def numbers(figure: Figure) -> list[int]:
    return [int(text.get_text()) for text in figure.axes[0].texts]


def test_every_point_has_its_number_and_every_member_a_picture() -> None:
    records = on_a_front(9)
    figure = front_plot(Material(records))
    assert figure is not None
    assert numbers(figure) == list(range(1, 10))
    html = section(Material(records))
    assert re.findall(r"<strong>(\d)\. trial \d</strong>", html) == [str(place) for place in range(1, 10)]
    assert html.count("<svg") == 9


@given(st.integers(1, 400))
def test_a_front_has_at_most_so_many_pictures_its_ends_among_them(number: int) -> None:
    places = pictured(number)
    assert len(places) == len(set(places)) == min(number, PICTURES)
    assert places == sorted(places)
    assert (places[0], places[-1]) == (1, number)


def test_a_long_front_stays_a_page() -> None:
    html = section(Material(on_a_front(80)))
    assert html.count("<svg") == PICTURES
    assert f"Figures of {PICTURES} of the 80 are shown." in html
    assert len(html) < 400_000


def test_of_a_very_large_front_those_with_pictures_have_their_numbers() -> None:
    figure = front_plot(Material(on_a_front(150)))
    assert figure is not None
    assert numbers(figure) == pictured(150)


def test_only_kernels_are_written_in_a_small_picture() -> None:
    svg = thumbnail(MIXED_6B, small_network()).svg
    assert set(re.findall(r">([^<>]+)</text>", svg)) == {"1×1", "1×7", "7×1", "avg", "concat"}
    assert "ReLU" in thumbnail(RESNET_A, small_network()).svg


def test_hopeless_networks_do_not_squash_the_front_and_are_counted() -> None:
    figure = front_plot(Material([record(n, value=0.9 + 0.005 * n) for n in range(19)] + [record(30, value=0.1)]))
    assert figure is not None
    assert figure.axes[0].get_ylim()[0] > 0.8
    assert "1 more below" in figure.axes[0].get_title(loc="left")


def test_a_network_that_cannot_be_drawn_keeps_its_number() -> None:
    html = section(Material([record(0, network={"name": "<script>"})]))
    assert "<strong>1. trial 0</strong>" in html
    assert "not drawn" in html
    assert "<script" not in html


@pytest.mark.parametrize("objectives", [["accuracy", "macs"], ["loss", "params"], ["accuracy", "latency", "macs"]])
def test_the_front_is_of_the_studys_objectives(objectives: list[str]) -> None:
    told = {"accuracy": 0.9, "loss": 0.3, "params": 1000.0, "macs": 1e6, "latency": 2.5}
    records = [record(n, objectives={name: told[name] + n for name in objectives}) for n in range(4)]
    material = Material(records, {"objectives": objectives}, front=[0, 2])
    assert re.findall(r"<td>(trial \d)</td>", section(material)) == ["trial 0", "trial 2"]
    named = {"macs": "multiply-adds", "params": "parameters", "latency": "milliseconds"}[objectives[1]]
    figure = front_plot(material)
    assert figure is not None
    assert named in figure.axes[0].get_xlabel()


def test_the_same_records_give_the_same_bytes() -> None:
    records = [record(n) for n in range(7)]
    assert section(Material(records)) == section(Material(list(records)))


@given(st.integers(1, 10**9), st.floats(1.0, 1000.0))
def test_the_cost_axis_has_some_ticks_each_with_its_own_label(low: int, times: float) -> None:
    (axes,) = front([low, low * times], [0.5, 0.9]).axes
    least, most = axes.get_xlim()
    assert all(least <= tick <= most for tick in axes.get_xticks())
    labels = [label.get_text() for label in axes.get_xticklabels()]
    assert 3 <= len(labels) <= 9
    assert len(set(labels)) == len(labels)
