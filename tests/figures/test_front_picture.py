"""The picture of a Pareto front: its points, the pictures over it and the lines between them."""

from __future__ import annotations

import re
from itertools import combinations
from pathlib import Path
from xml.etree import ElementTree

import pytest
from figure_samples import INCEPTION_3A, MIXED_6B, RESNET_A, record, small_network
from hypothesis import given
from hypothesis import strategies as st

from inception_search.figures.plots.front import BELOW, PICTURES, FrontPoint, Member, draw_front
from inception_search.figures.thumbnail import thumbnail
from inception_search.report.front import front_section, front_svg
from inception_search.report.material import Material

SVG = "{http://www.w3.org/2000/svg}"


def front(costs: list[float], accuracies: list[float]) -> ElementTree.Element:
    net = small_network()
    picture = thumbnail(INCEPTION_3A, net)
    pairs = list(zip(costs, accuracies, strict=True))
    points = [FrontPoint(cost, accuracy, False, place) for place, (cost, accuracy) in enumerate(pairs, 1)]
    members = [
        Member(place, f"trial {place}", cost, accuracy, False, picture)
        for place, (cost, accuracy) in enumerate(pairs, 1)
    ]
    return ElementTree.fromstring(draw_front(points, members, "multiply-adds"))


def segments(line: str) -> list[tuple[tuple[float, float], tuple[float, float]]]:
    """The straight stretches of a path of M, V and H."""
    found, here = [], (0.0, 0.0)
    for letter, numbers in re.findall(r"([MVH])([-\d. ]+)", line):
        values = [float(number) for number in numbers.split()]
        there = (
            (values[0], values[1]) if letter == "M" else (here[0], values[0]) if letter == "V" else (values[0], here[1])
        )
        if letter != "M":
            found.append((here, there))
        here = there
    return found


def cross(one: tuple[tuple[float, float], ...], other: tuple[tuple[float, float], ...]) -> bool:
    """Whether a level and an upright stretch cut through each other."""
    for level, upright in ((one, other), (other, one)):
        if level[0][1] == level[1][1] and upright[0][0] == upright[1][0]:
            x, y = upright[0][0], level[0][1]
            across = min(level[0][0], level[1][0]) < x < max(level[0][0], level[1][0])
            if across and min(upright[0][1], upright[1][1]) < y < max(upright[0][1], upright[1][1]):
                return True
    return False


@given(st.lists(st.integers(1, 10**6), min_size=2, max_size=8, unique=True))
def test_lines_from_pictures_to_points_never_cross(costs: list[int]) -> None:
    ordered = [float(cost) for cost in sorted(costs)]
    root = front(ordered, [0.5 + 0.01 * place for place in range(len(ordered))])
    leads = [segments(path.get("d") or "") for path in root.iter(f"{SVG}path") if path.get("class") == "lead"]
    assert len(leads) == min(len(ordered), PICTURES)
    for one, other in combinations(leads, 2):
        assert not any(cross(a, b) for a in one for b in other)


def test_every_point_has_its_number_and_every_member_a_picture() -> None:
    root = front([1e6 * (1 + i) for i in range(9)], [0.8 + 0.01 * i for i in range(9)])
    words = [text.text for text in root.iter(f"{SVG}text")]
    for place in range(1, 10):
        assert words.count(str(place)) == 2  # at its point and at its picture
        assert f"trial {place}" in words
    assert sum("translate" in (g.get("transform") or "") and "scale" in (g.get("transform") or "") for g in root) == 9


def test_a_long_front_stays_a_page() -> None:
    records = [record(n, cost={"macs": 10**6 + 1000 * n, "params": 100 + n}) for n in range(80)]
    svg = front_svg(Material(records)) or ""
    assert svg.count("scale(") == PICTURES + BELOW
    html = front_section(Material(records, plots={"front": svg, "tradeoff": "<svg/>"}))
    assert "23 of the 80 have room for their pictures." in html
    assert len(svg) < 200_000


def test_only_kernels_are_written_in_a_small_picture() -> None:
    svg = thumbnail(MIXED_6B, small_network()).svg
    assert set(re.findall(r">([^<>]+)</text>", svg)) == {"1×1", "1×7", "7×1", "avg", "concat"}
    assert "ReLU" in thumbnail(RESNET_A, small_network()).svg


def test_hopeless_networks_do_not_squash_the_front_and_are_counted() -> None:
    records = [record(n, value=0.9 + 0.005 * n) for n in range(19)] + [record(30, value=0.1)]
    svg = front_svg(Material(records))
    assert svg is not None
    assert "1 more below" in svg


def test_a_network_that_cannot_be_drawn_keeps_its_number() -> None:
    svg = front_svg(Material([record(0, network={"name": "<script>"})]))
    assert svg is not None
    assert "not drawn" in svg
    assert "<script" not in svg


@pytest.mark.parametrize("objectives", [["accuracy", "macs"], ["loss", "params"], ["accuracy", "latency", "macs"]])
def test_the_front_is_of_the_studys_objectives(objectives: list[str]) -> None:
    told = {"accuracy": 0.9, "loss": 0.3, "params": 1000.0, "macs": 1e6, "latency": 2.5}
    records = [record(n, objectives={name: told[name] + n for name in objectives}) for n in range(4)]
    study = {"objectives": objectives}
    plots = {"front": front_svg(Material(records, study, front=[0, 2])) or "", "tradeoff": "<svg/>"}
    html = front_section(Material(records, study, front=[0, 2], plots=plots))
    assert re.findall(r"<td>(trial \d)</td>", html) == ["trial 0", "trial 2"]
    named = {"macs": "multiply-adds", "params": "parameters", "latency": "milliseconds"}[objectives[1]]
    assert named in plots["front"]


def test_the_same_records_give_the_same_bytes(tmp_path: Path) -> None:
    records = [record(n) for n in range(7)]
    assert front_svg(Material(records)) == front_svg(Material(list(records)))


def test_of_a_very_large_front_those_with_pictures_have_their_numbers() -> None:
    number = 150
    svg = front([1000.0 * (n + 1) for n in range(number)], [0.5 + n / 1000 for n in range(number)])
    texts = [element.text for element in svg.iter(f"{SVG}text")]
    numbered = {int(words) for words in texts if words and words.isdecimal()}
    assert len(numbered) == PICTURES + BELOW
    assert {1, number} <= numbered
    assert len((svg.findtext(f"{SVG}desc") or "").split("; ")) == PICTURES + BELOW


@given(st.integers(1, 10**9), st.floats(1.0, 1000.0))
def test_the_cost_axis_has_some_ticks_each_with_its_own_label(low: int, times: float) -> None:
    root = front([low, low * times], [0.5, 0.9])
    level = max(float(each.get("y", 0)) for each in root.iter(f"{SVG}text") if "logarithmic" in (each.text or "")) - 20
    labels = [each.text for each in root.iter(f"{SVG}text") if float(each.get("y", 0)) == level]
    assert 3 <= len(labels) <= 9
    assert len(set(labels)) == len(labels)
