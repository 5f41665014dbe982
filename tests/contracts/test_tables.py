"""Folders and tables agree: a new op, plot, dataset, network or verb is one file and one row."""

from __future__ import annotations

from pathlib import Path

import pytest

from inception_search.cli.main import VERBS
from inception_search.cli.naming import ABOUT_DATASETS
from inception_search.data.catalogue import DATASETS, find_loader
from inception_search.graph.ops import OPS
from inception_search.proxies.score import find
from inception_search.proxies.table import PROXIES
from inception_search.spec.documents.files import shipped_folder

PACKAGE = Path(__file__).parents[2] / "inception_search"


def stems(folder: str) -> set[str]:
    return {path.stem for path in (PACKAGE / folder).glob("*.py")} - {"__init__"}


def test_ops() -> None:
    assert set(OPS) == stems("graph/ops")
    for name, op in OPS.items():
        assert op.name == name
        assert op.__module__.endswith(f".ops.{name}")


def test_datasets() -> None:
    assert set(ABOUT_DATASETS) == set(DATASETS)
    for name in DATASETS:
        assert callable(find_loader(name))


def test_proxies() -> None:
    assert set(PROXIES) == stems("proxies/kinds")
    for name, proxy in PROXIES.items():
        assert proxy.function == f"inception_search.proxies.kinds.{name}:{name}"
        assert callable(find(name))


def test_verbs() -> None:
    assert set(VERBS) <= stems("cli")


@pytest.mark.parametrize("path", sorted(shipped_folder().rglob("*.yaml")), ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_shipped_documents_are_named_after_their_files(path: Path) -> None:
    key = "network" if path.parent.name == "names" else "name"
    assert f"\n{key}: {path.stem}\n" in path.read_text(encoding="utf-8")
    most = 160 if path.parent == shipped_folder() else 100  # the grand space holds nine networks
    assert len(path.read_text(encoding="utf-8").splitlines()) <= most
