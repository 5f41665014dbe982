"""The recipes of docs/deploy.md for mobile devices, where their converters are installed."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest
import torch

import inception_search as ins
from inception_search.backend.network_module import NetworkModule
from tests.passes.checks import distance, unsettled

pytestmark = pytest.mark.slow


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> NetworkModule:
    """A narrow Inception v3, exported as m.pt2 into the present folder."""
    monkeypatch.chdir(tmp_path)
    made = unsettled(ins.compile("inception_v3", width=0.125, input_size=107, num_classes=10, seed=0)).eval()
    ins.export(made, "pt2", "m.pt2")
    return made


def recipe(word: str) -> str:
    """The code block of the page that has this word."""
    page = (Path(__file__).parents[2] / "docs" / "deploy.md").read_text(encoding="utf-8")
    (found,) = [block.split("```")[0] for block in page.split("```python\n")[1:] if word in block.split("```")[0]]
    return found


def run(code: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        exec(compile(code, "<recipe>", "exec"), {})


def test_executorch(model: NetworkModule) -> None:
    pytest.importorskip("executorch")
    run(recipe("executorch"))
    from executorch.runtime import Runtime

    method = Runtime.get().load_program("m.pte").load_method("forward")
    x = torch.randn(1, 3, 107, 107, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        assert distance([method.execute([x])[0]], [model(x)]) <= 1e-4


def test_core_ml(model: NetworkModule) -> None:
    pytest.importorskip("coremltools")
    run(recipe("coremltools"))
    assert Path("m.mlpackage").is_dir()
