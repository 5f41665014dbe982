"""Runs written source files in a Python that cannot import this package, and compares their outputs."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from inception_search.backend.network_module import NetworkModule
from inception_search.exports.source import source_of
from tests.passes.checks import unsettled

_SCRIPT = """
import json, pathlib, runpy, sys, warnings
sys.modules["inception_search"] = None  # importing it raises ImportError
import torch

def outputs(model, images):
    torch.manual_seed(1)
    with torch.no_grad():
        made = model(images)
    return made if isinstance(made, tuple) else (made,)

for folder in sorted(pathlib.Path(sys.argv[1]).iterdir()):
    if folder.is_dir():
        expected = torch.load(folder / "expected.pt", weights_only=True)
        model = runpy.run_path(str(folder / "network.py"))["Network"](**expected["arguments"])
        model.load_state_dict(torch.load(folder / "weights.pt", weights_only=True))
        worst = []
        for mode in ("eval", "train"):
            found = outputs(model.train(mode == "train"), expected["images"])
            assert len(found) == len(expected[mode]), folder
            for ours, theirs in zip(expected[mode], found):
                worst.append(float((ours - theirs).abs().max() / ours.abs().max().clamp(min=1e-30)))
        print(json.dumps([folder.name, max(worst)]))
"""


@dataclass(frozen=True)
class Written:
    """A written file, and how far its outputs are from those of the model."""

    path: Path
    text: str
    difference: float


def written(models: dict[str, NetworkModule], folder: Path, batch: int = 2) -> dict[str, Written]:
    """The source files of ``models``, run in another Python; training outputs are compared, too."""
    for name, model in models.items():
        _write(model, folder / name.replace("@", "-"), batch)
    command = [sys.executable, "-c", _SCRIPT, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    found: dict[str, float] = dict(json.loads(line) for line in done.stdout.splitlines())
    result = {}
    for name in models:
        path = folder / name.replace("@", "-") / "network.py"
        result[name] = Written(path, path.read_text(encoding="utf-8"), found[path.parent.name])
    return result


def _write(model: NetworkModule, folder: Path, batch: int) -> None:
    folder.mkdir()
    (folder / "network.py").write_text(source_of(model), encoding="utf-8")
    unsettled(model)
    torch.save(dict(model.state_dict()), folder / "weights.pt")
    images = torch.randn(batch, *model.network.input.shape, generator=torch.Generator().manual_seed(0))
    expected: dict[str, Any] = {"images": images, "arguments": {}}
    for mode in ("eval", "train"):
        expected[mode] = outputs(model.train(mode == "train"), images)
    if model.num_classes:
        expected["arguments"] = {"num_classes": model.num_classes}
    torch.save(expected, folder / "expected.pt")


def outputs(model: torch.nn.Module, images: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """The outputs of a model, with the same random numbers for dropout in every call."""
    torch.manual_seed(1)
    with torch.no_grad():
        made = model(images)
    return made if isinstance(made, tuple) else (made,)


def ruff(*paths: Path) -> str:
    """What ruff would change or reports in files: its formatter with defaults, and the rules of this project."""
    project = Path(__file__).parents[2] / "pyproject.toml"
    found = ""
    for verb in (
        ["format", "--diff", "--isolated"],
        ["check", "--output-format=concise", "--isolated"],
        ["check", "--output-format=concise", "--config", str(project)],
    ):
        command = [sys.executable, "-m", "ruff", *verb, "--no-cache", *map(str, paths)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        found += done.stdout + done.stderr if done.returncode else ""
    return found
