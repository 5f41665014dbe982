"""Networks and modules draw themselves, in a notebook and by ``draw()``."""

from __future__ import annotations

from pathlib import Path

import pytest
from figure_samples import MIXED_6B, small_network

import inception_search as ins
from inception_search.spec.documents.parse import parse_step


def test_a_network_is_shown_as_its_picture() -> None:
    net = ins.load("inception_v4")
    bundle = net._repr_mimebundle_()
    assert bundle["image/svg+xml"] == ins.draw(net).svg
    assert bundle["text/plain"] == repr(net) == "Network('inception_v4', 3x299x299, 6 stages, 1000 classes)"


def test_modules_are_shown_too_and_draw_with_options(tmp_path: Path) -> None:
    assert MIXED_6B._repr_mimebundle_()["image/svg+xml"] == ins.draw(MIXED_6B).svg
    net = small_network()
    figure = net.blocks["module"].draw(network=net, style="detail")  # type: ignore[union-attr]
    assert "params" in figure.svg
    assert net.draw(style="paper", title="Mine").save(tmp_path / "a.tikz").is_file()


def test_python_understands_the_words_of_the_command_line() -> None:
    net = ins.load("inception_v4")
    named = ins.draw("inception_v4.inception_a")
    assert named.svg == ins.draw(net.blocks["inception_a"], network=net, title="inception_v4: inception_a").svg
    assert ins.draw("inception_v1..inception_v4:0").outline == ins.draw("inception_v1").outline


def test_what_cannot_be_drawn_alone_shows_its_words() -> None:
    chain = parse_step("[3x3 8, {use: cell}]")
    assert chain._repr_mimebundle_() == {"text/plain": repr(chain)}  # type: ignore[union-attr]
    with pytest.raises(ins.InceptionSearchError, match="uses the block 'cell'"):
        chain.draw()  # type: ignore[union-attr]
