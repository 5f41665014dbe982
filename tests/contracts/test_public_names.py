"""The facade: exactly these names, each importable, none the name of a room."""

from __future__ import annotations

from pathlib import Path

import inception_search as ins

NAMES = [
    "Budget",
    "Edit",
    "Graph",
    "GraphBuilder",
    "InceptionSearchError",
    "Network",
    "Space",
    "Study",
    "__version__",
    "arch_id",
    "compile",
    "crossover",
    "dialects",
    "diff",
    "draw",
    "drop_head",
    "edits_of",
    "export_weights",
    "finalize",
    "list_models",
    "load",
    "load_data",
    "load_model",
    "load_space",
    "load_weights",
    "lower",
    "measure",
    "module",
    "mutate",
    "names",
    "normal",
    "open_run",
    "parse",
    "path",
    "prepare_images",
    "resume",
    "sample_within",
    "save",
    "scale_width",
    "search",
    "set_classes",
    "set_depth",
    "set_input",
    "set_stem_stride",
    "swap_stem",
    "text",
    "to_networkx",
    "view",
]
PACKAGE = Path(ins.__file__).parent


def test_the_public_names_are_these() -> None:
    assert sorted(ins.__all__) == sorted(NAMES)


def test_every_name_is_there_and_has_a_docstring() -> None:
    for name in NAMES:
        value = getattr(ins, name)
        assert name == "__version__" or value.__doc__


def test_dir_shows_the_public_names_only() -> None:
    assert dir(ins) == sorted(NAMES)


def test_no_name_is_a_rooms() -> None:
    rooms = {path.name for path in PACKAGE.iterdir() if path.is_dir()} | {p.stem for p in PACKAGE.glob("*.py")}
    assert not rooms & set(NAMES)


def test_an_unknown_name_is_an_attribute_error() -> None:
    assert not hasattr(ins, "no_such_name")
