"""The shipped networks, drawn: folded as the papers' schemas fold them."""

from __future__ import annotations

import re

import pytest

from inception_search.canonical.catalogue import load, names
from inception_search.figures.draw import draw


@pytest.mark.parametrize("name", names())
@pytest.mark.parametrize("style", ["overview", "plain", "paper", "detail"])
def test_every_shipped_network_can_be_drawn(name: str, style: str) -> None:
    figure = draw(load(name), style=style, blocks=style == "overview")
    assert figure.title == load(name).name
    assert "Input" in figure.outline


def test_inception_v4_is_the_papers_schema() -> None:
    lines = draw(load("inception_v4")).outline.splitlines()
    assert [line for line in lines if not line.startswith("(")] == [
        "Input · 3×299×299",
        "stem · 11 convs, 2 pools",
        "4 × inception_a",
        "reduction_a · 3 branches",
        "7 × inception_b",
        "reduction_b · 3 branches",
        "3 × inception_c",
        "global avg pool",
        "dropout · p = 0.2",
        "linear · 1000 classes",
    ]
    assert [line for line in lines if line.startswith("(")] == [
        *("(384×35×35)", "(384×35×35)", "(1024×17×17)", "(1024×17×17)", "(1536×8×8)", "(1536×8×8)")
    ]


def test_six_ends_run_into_the_concat_of_inception_c() -> None:
    net = load("inception_v4")
    svg = draw(net.blocks["inception_c"], network=net).svg
    assert svg.count("Filter concat</text>") == 1
    heads = re.search(r'class="head" fill="[^"]+" d="([^"]+)"', svg)
    assert heads is not None
    tips = [tuple(map(int, tip)) for tip in re.findall(r"M(\d+) (\d+)", heads[1])]
    bar = re.search(r'class="concat" x="\d+" y="(\d+)"', svg)
    assert bar is not None
    assert sum(y == int(bar[1]) for _, y in tips) == 6
