"""Who may import whom, and where torch, optuna, networkx and matplotlib may appear."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "inception_search"
TOP = {
    "arguments",
    "errors",
    "credentials",
    "extras",
    "numbers",
    "options",
    "plugins",
    "_version",
    "__init__",
}
# Room (or file at the top) -> rooms it may import; errors may be imported by all.
MAY_IMPORT = {
    "spec": set(),
    "graph": set(),
    "passes": {"graph"},
    "space": {"spec", "canonical"},
    "canonical": {"spec"},
    "lowering": {"spec", "graph", "least_input"},
    "least_input": {"spec", "graph"},
    "estimate": {"spec", "graph", "lowering"},
    "edits": {"spec", "graph", "lowering", "estimate", "space", "canonical"},
    "store": {"spec", "on_device"},
    "backend": {"graph", "passes", "spec", "lowering", "data"},  # a module knows its document; pictures are read for it
    "data": {"downloads"},
    "downloads": {"store", "progress_console"},
    "progress_console": set(),
    "published": {"spec", "canonical", "downloads", "backend"},  # backend: class names are set on a module
    "execution": {"spec", "graph", "passes", "lowering", "backend"},
    "weights": {"spec", "graph", "canonical", "lowering", "backend", "store"},
    "training": {"backend", "data", "passes"},
    "on_device": set(),  # it also runs where the package is not installed
    "exports": {"spec", "graph", "passes", "lowering", "backend", "weights", "data", "canonical", "timm_bridge"},
    "timm_bridge": {"spec", "canonical", "lowering", "backend", "weights", "store", "items", "hub"},
    "measures": {"spec", "graph", "passes", "lowering", "estimate", "space", "store", "backend", "on_device"},
    "compare": {"spec", "graph", "lowering", "estimate", "canonical"},
    "figures": {"store", "lowering", "graph", "canonical", "spec", "compare", "analysis"},
    "runner": {"spec", "lowering", "passes", "backend", "measures", "data", "training", "store", "weights"},  # no study
    "optuna_bridge": {"spec", "space", "store"},  # the only room that imports optuna
    "analysis": {"spec", "space", "edits", "store", "optuna_bridge", "proxies"},  # functions of records
    "strategies": {"spec", "graph", "space", "edits", "estimate", "store"},
}
MAY_IMPORT["strategies"] |= {"measures", "analysis", "optuna_bridge"}
MAY_IMPORT["study"] = {"space", "canonical", "lowering", "estimate", "backend", "data", "training", "store", "spec"}
MAY_IMPORT["study"] |= {"measures", "edits", "proxies", "graph", "runner", "optuna_bridge", "analysis", "strategies"}
MAY_IMPORT["report"] = {
    "figures",
    "store",
    "spec",
    "space",
    "analysis",
    "study",
    "canonical",
    "lowering",
    "graph",
    "measures",
}
MAY_IMPORT["proxies"] = {"backend", "graph", "lowering", "data", "spec"}
MAY_IMPORT["__main__"] = {"cli"}
MAY_IMPORT["hub"] = {"spec", "canonical", "lowering", "graph", "figures", "store", "backend", "weights", "exports"}
MAY_IMPORT["hub"] |= {"timm_bridge", "items", "named"}
MAY_IMPORT["items"] = {"spec", "canonical", "store", "edits", "hub"}  # what a name stands for
MAY_IMPORT["named"] = set(MAY_IMPORT) - {"__main__", "study", "figures"}
MAY_IMPORT["live_progress"] = {"figures", "store", "study", "progress_console"}
MAY_IMPORT["typed_options"] = set()
MAY_IMPORT["search_api"] = {"typed_options", "live_progress", "report", "space", "study"}
MAY_IMPORT["testing"] = {"graph", "spec", "space", "lowering", "estimate", "data", "proxies", "strategies"}
MAY_IMPORT["api"] = set(MAY_IMPORT) - {"__main__"}
MAY_IMPORT["cli"] = set(MAY_IMPORT)
# Heavy library -> rooms that may import it at module level.
HEAVY = {
    "torch": {
        "backend",
        "data",
        "execution",
        "exports",
        "on_device",
        "timm_bridge",
        "training",
        "weights",
        "proxies",
        "testing",
    },
    "optuna": {"optuna_bridge"},
    "networkx": set(),
    "matplotlib": set(),
    "jinja2": set(),
    "sklearn": set(),
    "numpy": {"data", "exports", "on_device", "study", "analysis", "strategies", "optuna_bridge", "runner", "training"},
    "PIL": set(),
    "optuna_dashboard": set(),
    "typer": {"cli"},
    "rich": {"cli", "live_progress"},
}
EXCEPTIONS = {
    ("graph/torch_modules.py", "torch"): "modules that torch lacks; imported inside build",
    ("runner/trial_process.py", "torch"): "runs in the trial's own process",
}


def files() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def room(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(path: Path, module_level: bool) -> Iterator[str]:
    """Dotted names a file imports; at module level without those under TYPE_CHECKING."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    nodes = _top(tree) if module_level else ast.walk(tree)
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{path}: relative import"
            yield node.module


def _top(tree: ast.Module) -> Iterator[ast.stmt]:
    for node in tree.body:
        if isinstance(node, ast.If):
            if "TYPE_CHECKING" not in ast.dump(node.test):
                yield from node.body
        else:
            yield node


@pytest.mark.parametrize("path", files(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_follow_the_layers(path: Path) -> None:
    here = room(path)
    if here == "__init__":
        return
    for name in imports(path, module_level=False):
        parts = name.split(".")
        if parts[0] != "inception_search":
            continue
        there = parts[1] if len(parts) > 1 else "__init__"
        if there == here or there in TOP - {"__init__"}:
            continue
        allowed = MAY_IMPORT.get(here, set())
        assert there in allowed, f"{path.name} ({here}) imports {name}"


@pytest.mark.parametrize("path", files(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_heavy_libraries_stay_in_their_rooms(path: Path) -> None:
    relative = path.relative_to(PACKAGE).as_posix()
    for name in imports(path, module_level=True):
        library = name.split(".")[0]
        if library in HEAVY and (relative, library) not in EXCEPTIONS:
            assert room(path) in HEAVY[library], f"{relative} imports {library} at module level"


def test_every_room_has_a_rule() -> None:
    rooms = {room(path) for path in files()} - TOP
    assert rooms == set(MAY_IMPORT)


def test_networkx_is_imported_in_one_place() -> None:
    users = [p.name for p in files() if any(n.split(".")[0] == "networkx" for n in imports(p, module_level=False))]
    assert users == ["to_networkx.py"]


def test_files_and_names_are_small_and_plain() -> None:
    banned = {"core", "base", "utils", "helpers", "common", "manager", "misc"}
    for path in files():
        assert path.stem not in banned
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 400, path
