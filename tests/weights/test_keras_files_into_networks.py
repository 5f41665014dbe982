"""Files that Keras writes go into our networks, and files written for Keras into its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

import inception_search as ins
from inception_search.errors import WeightsError
from inception_search.weights.checkpoint import read_checkpoint
from inception_search.weights.export import write_weights
from tests.conformance.keras_networks import import_keras
from tests.weights.their_weights import same_state, weights

APPLICATIONS = {"inception_v3@keras": "InceptionV3", "inception_resnet_v2@keras": "InceptionResNetV2"}


def randomised(model: Any) -> Any:
    """``model`` with random statistics and biases: fresh ones are all alike and could be mixed up."""
    generator = torch.Generator().manual_seed(3)
    for variable in model.variables:
        if variable.ndim == 1:
            variable.assign(torch.rand(tuple(variable.shape), generator=generator) + 0.5)
    return model


def same_outputs(module: torch.nn.Module, model: Any) -> bool:
    x = torch.randn(1, 3, 139, 171, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        found, expected = module.eval()(x), model(x.permute(0, 2, 3, 1), training=False)
    return float((found - expected).abs().max()) < 1e-4 * float(expected.abs().max())


@pytest.fixture(scope="module", params=APPLICATIONS)
def both(request: pytest.FixtureRequest) -> tuple[str, Any]:
    """A document and Keras' own network, a second one of its process: its layers' numbers do not start at zero."""
    make = getattr(import_keras().applications, APPLICATIONS[request.param])
    options: dict[str, Any] = {"weights": None, "classifier_activation": None, "input_shape": (139, 171, 3)}
    make(**options)
    return request.param, randomised(make(**options))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # in Keras itself, when it saves
@pytest.mark.parametrize("name", ["old.h5", "new.weights.h5", "whole.keras"])
def test_a_file_of_keras_computes_the_same_here(tmp_path: Path, both: tuple[str, Any], name: str) -> None:
    document, model = both
    path = tmp_path / name
    (model.save_weights if name.endswith(".weights.h5") else model.save)(path)
    module = ins.compile(document, input_size=(139, 171), weights=path)
    report = module.loaded
    assert sorted([*report.used.values(), *report.unused]) == sorted(read_checkpoint(path).tensors)
    assert (report.fresh, dict(report.unused)) == ((), {})
    assert same_outputs(module, model)


@pytest.mark.slow
def test_keras_computes_the_same_with_a_file_written_for_it(tmp_path: Path, both: tuple[str, Any]) -> None:
    document, model = both
    theirs = weights(document.partition("@")[0], "keras")
    module = ins.compile(document, input_size=(139, 171), weights=theirs)
    path = write_weights(ins.export_weights(module, "keras"), tmp_path / "ours.weights.h5")
    model.load_weights(path)
    assert same_outputs(module, model)
    again = ins.compile(document, input_size=(139, 171), weights=path)
    assert same_state(again.state_dict(), module.state_dict())


def test_only_keras_own_networks_can_be_written_for_it(tmp_path: Path) -> None:
    theirs = weights("inception_v1", "torchvision")
    with pytest.raises(WeightsError, match=r"conv1\.conv\.weight.*InceptionV3 or InceptionResNetV2.*'keras'"):
        write_weights(theirs, tmp_path / "x.weights.h5")
    some = {name: torch.zeros(1) for name in list(weights("inception_v3", "keras"))[:-1]}
    with pytest.raises(WeightsError, match="InceptionV3 or InceptionResNetV2"):
        write_weights(some, tmp_path / "x.weights.h5")
    assert list(tmp_path.iterdir()) == []
