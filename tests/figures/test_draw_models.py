"""``draw``, ``view`` and ``diff`` of what was compiled or loaded here: the picture of the network it was made from."""

from __future__ import annotations

from pathlib import Path

import pytest
from figure_samples import small_network
from torch import nn

import inception_search as ins
from inception_search.errors import ConfigError


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> nn.Module:
    compiled = ins.compile(small_network(), num_classes=7)
    file = tmp_path_factory.mktemp("model") / "model.safetensors"
    ins.save_model(compiled, file)
    loaded = ins.load_model(file)
    assert ins.draw(loaded).svg == ins.draw(compiled).svg
    return loaded


def test_a_model_draws_as_its_network(model: nn.Module, tmp_path: Path) -> None:
    network = model.network
    assert "7 classes" in ins.draw(model).outline  # type: ignore[arg-type]  # as it was built, not as the document was
    for style in ("overview", "plain", "detail", "paper"):
        assert ins.draw(model, style=style).svg == ins.draw(network, style=style).svg  # type: ignore[arg-type]
    module = network.blocks["module"]  # type: ignore[union-attr,index,operator]
    assert ins.draw(module, network=network).outline  # type: ignore[arg-type]


def test_a_model_has_a_page(model: nn.Module, tmp_path: Path) -> None:
    for module in (None, "module"):
        page = ins.view(model, module=module).save(tmp_path / "model.html")  # type: ignore[arg-type]
        assert page.read_bytes() == ins.view(model.network, module=module).save(tmp_path / "net.html").read_bytes()  # type: ignore[arg-type]


def test_models_are_compared(model: nn.Module) -> None:
    assert not ins.diff(model, model.network)  # type: ignore[arg-type]
    wide = ins.compile(small_network(), num_classes=7, width=2.0)
    assert ins.diff(model, wide).text == ins.diff(model.network, wide.network).text  # type: ignore[arg-type]


def test_a_step_of_a_path_is_drawn_too() -> None:
    move = ins.edit_path("inception_v1", "bn_inception")[1]
    assert ins.draw(move).svg == ins.draw(move.network).svg


def test_another_module_is_refused_in_words_that_help() -> None:
    for verb in (ins.draw, ins.view, lambda item: ins.diff(item, "inception_v1")):
        with pytest.raises(ConfigError, match=r"Linear.*made by compile"):
            verb(nn.Linear(2, 2))  # type: ignore[operator]
