"""The docstrings of the facade: every argument, the result and the errors are there, and the examples run."""

from __future__ import annotations

import doctest
import inspect
import re
import shutil
from pathlib import Path

import pytest

import inception_search as ins
import tests.torchvision_shim  # noqa: F401 - before timm
from inception_search import errors
from tests.example import EXAMPLE

NAMES = sorted({*ins.__all__} - {"__version__"})
FUNCTIONS = [name for name in NAMES if not isinstance(getattr(ins, name), type)]
IN_ORDER = ("search", "resume", "finalize")  # each reads what the one before wrote
# What takes or gives tensors, maps or images says their shapes; what gives measured values says their units.
SHAPES = ["Graph", "GraphBuilder", "Network", "compile", "diff", "draw", "drop_head", "export_weights", "load"]
SHAPES += ["load_data", "load_model", "load_weights", "lower", "prepare_images", "sample_within", "set_classes"]
SHAPES += ["export", "set_input", "to_networkx"]
UNITS = {
    "Budget": ["multiply-adds", "bytes", "milliseconds", "pixels"],
    "Graph": ["multiply-adds"],
    "Study": ["from 0 to 1"],
    "compile": ["pixels"],
    "draw": ["points", "mm"],
    "edit_path": ["multiply-adds"],
    "finalize": ["multiply-adds", "from 0 to 1", "pixels"],
    "load_data": ["pixels"],
    "lower": ["multiply-adds", "bytes"],
    "measure_network": ["multiply-adds", "bytes", "milliseconds", "pixels"],
    "sample_within": ["seconds", "milliseconds"],
    "search": ["multiply-adds", "milliseconds", "pixels"],
    "set_input": ["pixels"],
    "to_networkx": ["multiply-adds"],
    "view": ["seconds"],
}
TENSORS = re.compile(r"Tensor|Pictures|Dataset|tuple\[int, int, int\]")  # in the annotations of what needs a shape
SHAPE = re.compile(r"\((N|C|H|out)(, (C|H|W|in))*,?\)")


def docstring(name: str) -> str:
    return inspect.cleandoc(getattr(ins, name).__doc__ or "") if name != "__doc__" else ins.__doc__ or ""


def section(name: str, title: str) -> str:
    """The indented lines below a heading such as ``Args:``."""
    found = re.search(rf"^{title}:\n((?:    .*\n?|\n(?=    ))+)", docstring(name), flags=re.MULTILINE)
    return found[1] if found else ""


def arguments(name: str) -> list[str]:
    """The arguments as they stand in the code: the options of a search are one, which says where they are described."""
    code = inspect.unwrap(getattr(ins, name)).__code__
    options = ["options"] if code.co_flags & inspect.CO_VARKEYWORDS else []
    return [*code.co_varnames[: code.co_argcount + code.co_kwonlyargcount], *options]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_argument_is_described(name: str) -> None:
    described = re.findall(r"^    (\w+): .", section(name, "Args"), flags=re.MULTILINE)
    assert described == arguments(name)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_results_and_errors_are_described(name: str) -> None:
    assert section(name, "Returns")
    for line in re.findall(r"^    (\w.*)", section(name, "Raises"), flags=re.MULTILINE):
        kinds, _, when = line.partition(": ")
        assert when, line
        for kind in kinds.split(", "):
            assert issubclass(getattr(errors, kind), ins.InceptionSearchError)
    assert section(name, "Raises")


@pytest.mark.parametrize("name", [name for name in FUNCTIONS if name not in SHAPES])
def test_a_name_with_tensors_in_its_signature_is_among_those_with_shapes(name: str) -> None:
    bare = inspect.unwrap(getattr(ins, name))
    assert not TENSORS.search(str(bare.__annotations__))


@pytest.mark.parametrize("name", SHAPES)
def test_shapes_are_said(name: str) -> None:
    assert SHAPE.search(docstring(name))


@pytest.mark.parametrize("name", UNITS)
def test_units_are_said(name: str) -> None:
    missing = [unit for unit in UNITS[name] if unit not in docstring(name)]
    assert not missing


@pytest.mark.parametrize("name", sorted({*NAMES} - {*FUNCTIONS}))
def test_public_methods_and_properties_are_described(name: str) -> None:
    ours = [base for base in getattr(ins, name).__mro__ if base.__module__.startswith("inception_search")]
    members = [(key, value) for base in ours for key, value in vars(base).items() if hasattr(value, "__get__")]
    assert [key for key, value in members if not key.startswith("_") and not inspect.getdoc(value)] == []


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the examples run: a folder with runs/example, as in this repository."""
    folder = tmp_path_factory.mktemp("examples")
    shutil.copytree(EXAMPLE, folder / "runs" / "example")
    return folder


def run(name: str) -> None:
    text = docstring(name)
    test = doctest.DocTestParser().get_doctest(text, {"ins": ins}, name, None, None)
    assert test.examples, f"{name} has no example"
    assert not any(doctest.SKIP in example.options for example in test.examples)
    said: list[str] = []
    doctest.DocTestRunner().run(test, out=said.append)
    assert not said, "".join(said)


@pytest.mark.parametrize("name", [name for name in NAMES if name not in IN_ORDER])
def test_the_example_runs(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    run(name)


def test_the_examples_of_a_study_run(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    for name in IN_ORDER:
        run(name)


def test_the_example_of_the_package_runs() -> None:
    run("__doc__")
