"""The facade: one table of names, each importable, none the name of a room; former names warn."""

from __future__ import annotations

import ast
import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

import inception_search as ins

PACKAGE = Path(ins.__file__).parent
NAMES = sorted({*ins.__all__} - {"__version__"})
FORMER = {
    "dialects": "list_dialects",
    "measure": "measure_network",
    "module": "load_module",
    "names": "list_models(dialects=False)",
    "normal": "normal_form",
    "parse": "parse_step",
    "path": "edit_path",
    "save": "save_model",
    "set_depth": "scale_depth",
    "text": "to_yaml",
}


def test_type_checkers_see_the_same_names() -> None:
    """The imports for type checkers, which read no table, are those of the table."""
    tree = ast.parse((PACKAGE / "__init__.py").read_text(encoding="utf-8"))
    block = next(node for node in tree.body if isinstance(node, ast.If))
    imports = {
        alias.asname: f"{node.module}:{alias.name}"
        for node in ast.walk(block)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert imports == {name: f"inception_search.{where}" for name, where in ins._PUBLIC.items()}


@pytest.mark.parametrize("name", NAMES)
def test_every_name_is_there_under_its_own_name(name: str) -> None:
    assert getattr(ins, name).__name__ == name


def test_dir_shows_the_public_names_only() -> None:
    assert dir(ins) == sorted(ins.__all__)


def test_no_name_is_a_rooms() -> None:
    rooms = {path.name for path in PACKAGE.iterdir() if path.is_dir()} | {p.stem for p in PACKAGE.glob("*.py")}
    assert not rooms & {*NAMES, *FORMER}


def test_an_unknown_name_is_an_attribute_error() -> None:
    assert not hasattr(ins, "no_such_name")


def test_former_names_are_these() -> None:
    assert {name: new for name, (new, _) in ins._RENAMED.items()} == FORMER


@pytest.mark.parametrize("name", FORMER)
def test_a_former_name_works_and_warns_at_the_callers_line(name: str) -> None:
    message = f"ins.{name} is now ins.{FORMER[name]}; the former name will be removed in version 0.3"
    with pytest.warns(DeprecationWarning, match=re.escape(message)) as said:
        value = getattr(ins, name)
    assert [warning.filename for warning in said] == [__file__]
    new = getattr(ins, FORMER[name], None)
    assert new is None or inspect.unwrap(value) is inspect.unwrap(new)


def test_a_former_name_gives_what_it_gave() -> None:
    with pytest.warns(DeprecationWarning, match="ins.names is now"):
        assert list(ins.names()) == ins.list_models(dialects=False)


def test_a_former_name_can_be_imported(tmp_path: Path) -> None:
    (tmp_path / "notebook.py").write_text("from inception_search import text\n", encoding="utf-8")
    done = subprocess.run([sys.executable, "notebook.py"], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr
    assert "notebook.py:1: DeprecationWarning: ins.text is now ins.to_yaml" in done.stderr
