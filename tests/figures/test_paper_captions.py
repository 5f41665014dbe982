"""The style ``paper``: upwards, every box in the words of the network's paper."""

from __future__ import annotations

import re

import pytest
from figure_samples import INCEPTION_3A

from inception_search.canonical.catalogue import load
from inception_search.figures.draw import Style, draw
from inception_search.spec.documents.parse import parse_network, parse_step
from inception_search.spec.transform import remake


def words(name: str, module: str) -> list[str]:
    network = load(name)
    step = {**network.stages, **network.blocks}[module]
    return [line.strip() for line in draw(step, network=network, style="paper").outline.splitlines()]


@pytest.mark.parametrize(
    ("network", "module", "expected"),
    [
        (
            "inception_v1",
            "inception_3a",
            ["Previous layer", "3x3 convolutions", "3x3 max pooling", "Filter concatenation"],
        ),
        (
            "bn_inception",
            "inception_3c",
            ["Previous layer", "3x3 convolutions · stride 2", "Filter concatenation"],
        ),
        ("inception_v3@torchvision", "mixed_6b", ["Base", "7x1", "Pool", "Filter Concat"]),
        ("inception_v2", "fig5", ["Base", "3x3", "Filter Concat"]),
        ("inception_v4", "inception_b", ["Filter concat", "1x7 Conv (224)", "Avg Pooling", "1x1 Conv (384)"]),
        ("inception_v4", "reduction_a", ["3x3 Conv (384 stride 2 V)", "3x3 MaxPool (stride 2 V)"]),
        ("inception_v4", "stem", ["Input (299x299x3)", "3x3 Conv (32 stride 2 V)", "(149x149x32)"]),
        ("inception_resnet_v2", "block17", ["Relu activation", "1x1 Conv (1088 Linear)", "(×0.1)", "+"]),
    ],
)
def test_words_of_the_papers(network: str, module: str, expected: list[str]) -> None:
    found = words(network, module)
    for line in expected:
        assert line in found, (line, found)


def test_a_residual_block_stands_between_two_activations() -> None:
    found = words("inception_resnet_v2", "block35")
    assert (found[0], found[-1]) == ("Relu activation", "Relu activation")


def test_a_module_of_no_paper_has_the_words_of_the_last() -> None:
    assert "3x3 Conv (128)" in draw(INCEPTION_3A, style="paper").outline
    block = parse_step("{block: {skip: add, project: linear, act: none, body: 5x5 8}}")
    assert "1x1 Conv (Linear)" in draw(block, style="paper").outline


MINE = """
schema: inception-search/network
version: 1
name: mine
input: 32x64x64
blocks:
  sum: {block: {skip: add, act: ACT, body: 3x3 32}}
  other: {concat: [1x1 16, 1x1 16]}
stages:
  first: 3x3 32
"""


@pytest.mark.parametrize(
    ("module", "stages", "expected"),
    [
        ("sum", ["max 3x3", "sum"], "Previous layer"),
        ("sum", ["sum"], "Previous layer"),  # of a convolution, as in the figure of v1
        ("sum", ["relu", "sum"], "Relu activation"),
        ("sum", ["other", "sum"], "Filter concat"),
        ("sum", ["max 3x3", "{repeat: {times: 3, body: sum}}"], "Previous layer"),  # the first reads another layer
        ("other", ["{repeat: {times: 3, body: sum}}", "other"], "Relu activation"),
        ("other", ["max 3x3", "other"], "Previous layer"),
        ("other", ["[relu, {concat: [other, 1x1 8]}]"], "Relu activation"),
        ("other", ["[sum, {concat: [[max 3x3, other], 1x1 8]}]"], "Previous layer"),
    ],
)
def test_a_module_of_no_paper_stands_over_what_it_reads(module: str, stages: list[str], expected: str) -> None:
    told = "".join(f"  s{number}: {stage}\n" for number, stage in enumerate(stages))
    network = parse_network(MINE.replace("ACT", "relu") + told)
    assert draw(network.blocks[module], network=network, style="paper").outline.splitlines()[0] == expected


def test_a_sum_without_activation_is_none_below_the_next() -> None:
    network = parse_network(MINE.replace("ACT", "none") + "  a: sum\n  b: other\n")
    assert draw(network.blocks["other"], network=network, style="paper").outline.startswith("Previous layer\n")


def test_a_module_alone_stands_over_the_layer_before_it() -> None:
    assert draw(parse_step("{block: {skip: add, body: 5x5 8}}"), style="paper").outline.startswith("Previous layer\n")


def branches(name: str, module: str) -> list[list[str]]:
    """The boxes of every branch from left to right, read from where they stand in the picture."""
    network = load(name)
    step = {**network.stages, **network.blocks}[module]
    drawing = draw(step, network=network, style="paper").drawing
    found: dict[str, list[tuple[int, str]]] = {}
    left: dict[str, int] = {}
    for placed in drawing.boxes:
        place = re.search(r"branches\.(\d+)", placed.box.path)
        if place:
            found.setdefault(place[1], []).append((-placed.y, placed.box.lines[0]))
            left[place[1]] = min(left.get(place[1], placed.x), placed.x)
    columns = sorted(found, key=left.__getitem__)
    return [[line for _, line in sorted(found[column], key=lambda box: box[0])] for column in columns]


@pytest.mark.parametrize(
    ("network", "module", "expected"),
    [
        # Rethinking, Figs 5 to 7 and 10
        ("inception_v2", "fig5", [["1x1", "3x3", "3x3"], ["1x1", "3x3"], ["Pool", "1x1"], ["1x1"]]),
        (
            "inception_v3",
            "mixed_6b",
            [["1x1", "7x1", "1x7", "7x1", "1x7"], ["1x1", "1x7", "7x1"], ["Pool", "1x1"], ["1x1"]],
        ),
        (
            "inception_v2",
            "fig7",
            [["1x1", "3x3", "1x3", "3x1"], ["1x1", "1x3", "3x1"], ["Pool", "1x1"], ["1x1"]],
        ),
        ("inception_v2", "reduction_a", [["1x1", "3x3", "3x3"], ["3x3"], ["Pool"]]),
        # Inception-v4, Figs 4 and 8, and Inception-ResNet, Fig. 18
        (
            "inception_v4",
            "inception_a",
            [
                ["Avg Pooling", "1x1 Conv (96)"],
                ["1x1 Conv (96)"],
                ["1x1 Conv (64)", "3x3 Conv (96)"],
                ["1x1 Conv (64)", "3x3 Conv (96)", "3x3 Conv (96)"],
            ],
        ),
        (
            "inception_v4",
            "reduction_b",
            [
                ["3x3 MaxPool (stride 2 V)"],
                ["1x1 Conv (192)", "3x3 Conv (192 stride 2 V)"],
                ["1x1 Conv (256)", "1x7 Conv (256)", "7x1 Conv (320)", "3x3 Conv (320 stride 2 V)"],
            ],
        ),
        # GoogLeNet, Fig. 2b
        (
            "inception_v1",
            "inception_3a",
            [
                ["1x1 convolutions"],
                ["1x1 convolutions", "3x3 convolutions"],
                ["1x1 convolutions", "5x5 convolutions"],
                ["3x3 max pooling", "1x1 convolutions"],
            ],
        ),
    ],
)
def test_branches_stand_in_the_order_of_the_papers(network: str, module: str, expected: list[list[str]]) -> None:
    assert branches(network, module) == expected


def test_the_outline_keeps_the_numbers_of_the_document() -> None:
    found = words("inception_v4", "inception_a")
    assert [line for line in found if line.startswith("branch")] == ["branch 3", "branch 0", "branch 1", "branch 2"]
    nested = draw(parse_step("{concat: [1x1 8, {concat: [1x1 4, 3x3 4]}]}")).outline.splitlines()
    assert [line for line in nested if line.startswith("branch")] == ["branch 0", "branch 1.0", "branch 1.1"]


def test_other_styles_and_other_networks_keep_the_order_of_the_document() -> None:
    network = load("inception_v4")
    plain = draw(network.blocks["inception_a"], network=network).outline
    mine = draw(network.blocks["inception_a"], network=remake(network, name="mine"), style="paper").outline
    for outline in (plain, mine):
        assert re.findall(r"branch (\d+)", outline) == ["0", "1", "2", "3"]


def test_the_stem_has_the_sizes_of_its_figure() -> None:
    found = words("inception_v4", "stem")
    sizes = ("149x149x32", "147x147x32", "147x147x64", "73x73x160", "71x71x192", "35x35x384")
    assert [line for line in found if line.startswith("(")] == [f"({size})" for size in sizes]
    assert not any("×" in line for line in words("inception_v3", "stem"))  # no figure has it


@pytest.mark.parametrize("style", ["plain", "detail", "paper"])
def test_a_pool_that_rounds_up_is_not_valid(style: Style) -> None:
    """Also where the network says so of all its pools."""
    own = parse_step("[1x1 8, {pool: {mode: max, kernel: 3, stride: 2, padding: valid, ceil: true}}]")
    for step, network in ((own, None), (load("inception_v1").stages["pool1"], load("inception_v1"))):
        shape = None if network else (8, 112, 112)
        drawn = draw(step, style=style, network=network, input_shape=shape).outline
        line = next(line for line in drawn.splitlines() if "max" in line.lower())
        assert re.search(r"stride 2,? ceil", line), line
        assert not re.search(r"\bV\b", line), line


def test_papers_draw_upwards_and_other_styles_downwards() -> None:
    def first_is_lowest(**options: object) -> bool:
        drawing = draw(INCEPTION_3A, **options).drawing  # type: ignore[arg-type]
        return max(drawing.boxes, key=lambda b: b.y).box is drawing.boxes[0].box

    assert first_is_lowest(style="paper")
    assert not first_is_lowest(style="paper", flow="down")
    assert not first_is_lowest()
    assert first_is_lowest(flow="up")
