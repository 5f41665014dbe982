"""Packages that add something, as if installed: files and metadata in a folder for ``sys.path``."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path

import inception_search as ins

PAGE = Path(__file__).parents[2] / "docs" / "plugins.md"
FILE = re.compile(r"^`(?P<name>[\w/]+\.(?:py|toml))`.*?\n```\w+\n(?P<text>.*?)```", re.DOTALL | re.MULTILINE)


def files_of_page() -> dict[str, str]:
    """The files of the example, by name."""
    return {match["name"]: match["text"] for match in FILE.finditer(PAGE.read_text(encoding="utf-8"))}


def install_example(folder: Path) -> None:
    """Put the package of the page into ``folder``."""
    files = files_of_page()
    project = tomllib.loads(files["pyproject.toml"])["project"]
    for name, text in files.items():
        if name.endswith(".py"):
            write(folder / name, text)
    install(folder, project["name"], project["entry-points"])


def install(folder: Path, package: str, entries: Mapping[str, Mapping[str, str]]) -> None:
    """The metadata of a package with these entry points by group."""
    lines = []
    for group, rows in entries.items():
        lines += [f"[{group}]", *(f"{name} = {value}" for name, value in rows.items())]
    place = folder / f"{package.replace('-', '_')}-1.0.dist-info"
    write(place / "METADATA", f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
    write(place / "entry_points.txt", "\n".join(lines) + "\n")


def write(path: Path, text: str) -> None:
    """Write a file, and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def with_path(folder: Path) -> dict[str, str]:
    """The environment of a process that finds the packages in ``folder``."""
    root = Path(ins.__file__).parents[1]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (folder, root)))}
