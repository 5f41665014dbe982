"""The style ``paper``: upwards, every box in the words of the network's paper."""

from __future__ import annotations

import pytest
from figure_samples import INCEPTION_3A

from inception_search.canonical.catalogue import load
from inception_search.figures.draw import draw
from inception_search.spec.document import parse


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
            ["Previous layer", "3x3 convolutions · 128", "3x3 max pooling", "Filter concatenation"],
        ),
        (
            "bn_inception",
            "inception_3c",
            ["Previous layer", "3x3 convolutions · 160, stride 2", "Filter concatenation"],
        ),
        ("inception_v3@torchvision", "mixed_6b", ["Base", "7x1 · 192", "Pool · avg 3x3", "Filter Concat"]),
        ("inception_v2", "fig5", ["Base", "3x3 · 96", "Filter Concat"]),
        ("inception_v4", "inception_b", ["Filter concat", "1x7 Conv (224)", "Avg Pooling", "1x1 Conv (384)"]),
        ("inception_v4", "reduction_a", ["3x3 Conv (384 stride 2 V)", "3x3 MaxPool (stride 2 V)"]),
        ("inception_v4", "stem", ["Input · 299×299×3", "3x3 Conv (32 stride 2 V)", "(149×149×32)"]),
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
    block = parse("{block: {skip: add, project: linear, act: none, body: 5x5 8}}")
    assert "1x1 Conv (Linear)" in draw(block, style="paper").outline


def test_papers_draw_upwards_and_other_styles_downwards() -> None:
    def first_is_lowest(**options: object) -> bool:
        drawing = draw(INCEPTION_3A, **options).drawing  # type: ignore[arg-type]
        return max(drawing.boxes, key=lambda b: b.y).box is drawing.boxes[0].box

    assert first_is_lowest(style="paper")
    assert not first_is_lowest(style="paper", flow="down")
    assert not first_is_lowest()
    assert first_is_lowest(flow="up")
