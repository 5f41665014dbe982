"""The shipped documents are found from a checkout and from an installed wheel alike."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CODE = """
import inception_search as ins
from inception_search.spec.documents.files import shipped_folder
print(shipped_folder())
print(ins.lower(ins.load('inception_v4')).cost().params)
print(ins.load_space('inception_modules').name)
"""


def test_from_a_checkout(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", CODE], capture_output=True, text=True, check=True, cwd=tmp_path, env=environment
    )
    assert done.stdout.split() == [str(ROOT / "search_spaces"), "42679816", "inception_modules"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "wheel", "--no-deps", "--wheel-dir", str(folder), str(ROOT)], check=True)
    return next(folder.glob("*.whl"))


def test_from_an_installed_wheel(wheel: Path, tmp_path: Path) -> None:
    """In an environment of its own, which borrows the dependencies (not the package) of this one."""
    venv.create(tmp_path / "env", with_pip=False)
    python = tmp_path / "env" / "bin" / "python"
    site = next((tmp_path / "env" / "lib").glob("python*/site-packages"))
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "install", "--no-deps", "--target", str(site), str(wheel)], check=True)
    ours = [p for p in sys.path if p.endswith("site-packages")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(site), *ours])}
    done = subprocess.run(
        [python, "-c", CODE], capture_output=True, text=True, check=True, cwd=tmp_path, env=environment
    )
    folder, params, space = done.stdout.split()
    assert Path(folder) == site / "inception_search" / "_search_spaces"
    assert (params, space) == ("42679816", "inception_modules")


def test_the_wheel_has_the_console_script_and_no_tests(wheel: Path) -> None:
    from zipfile import ZipFile

    names = ZipFile(wheel).namelist()
    assert "inception_search/_search_spaces/network.schema.json" in names
    assert "inception_search/report/templates/report.html" in names
    assert "inception_search/published/weights.json" in names
    assert "inception_search/published/imagenet_classes.LICENSE.txt" in names
    assert "inception_search/py.typed" in names  # mypy sees our types in a user's code
    assert [name for name in names if name.endswith("licenses/LICENSE")]
    assert not [name for name in names if name.startswith(("tests/", "benchmarks/", "runs/"))]
    entry = next(name for name in names if name.endswith("entry_points.txt"))
    assert b"inception-search = inception_search.cli.main:run" in ZipFile(wheel).read(entry)
