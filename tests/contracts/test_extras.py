"""What errors and documents say to install can be installed from a clone; nothing is on the package index."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import get_args

import pytest

from inception_search.extras import PACKAGES, Extra, install

ROOT = Path(__file__).parents[2]
EXTRAS: dict[str, list[str]] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"][
    "optional-dependencies"
]
PAGES = [*ROOT.glob("*.md"), ROOT / "Makefile", ROOT / "runs" / "README.md", *(ROOT / "docs").rglob("*.md")]
TEXTS = sorted([*PAGES, *(ROOT / "inception_search").rglob("*.py")])


def test_the_extras_of_errors_are_those_of_the_project() -> None:
    wanted = {name: needs for name, needs in EXTRAS.items() if name not in ("dev", "docs")}
    packages = {name: " ".join(re.split(r"[^\w\[\]-]", need)[0] for need in needs) for name, needs in wanted.items()}
    assert packages == {name: shown.replace("'", "") for name, shown in PACKAGES.items()}
    assert set(get_args(Extra)) == set(PACKAGES)


@pytest.mark.parametrize("extra", get_args(Extra))
def test_an_error_names_the_package_and_the_extra(extra: Extra) -> None:
    assert install(extra).startswith(f"pip install {PACKAGES[extra]},")
    assert install(extra).endswith(f"pip install '.[{extra}]'")


def test_every_extra_that_is_written_is_there() -> None:
    written = [
        (path.name, name)
        for path in TEXTS
        for names in re.findall(r"\.\[([a-z][a-z, ]*)\]['\"]", path.read_text(encoding="utf-8"))
        for name in names.replace(" ", "").split(",")
    ]
    assert len(written) >= 8
    assert [(file, name) for file, name in written if name not in EXTRAS] == []


def test_nobody_is_sent_to_the_package_index() -> None:
    """``pip install inception-search`` finds nothing there."""
    wrong = re.compile(r"inception-search\[|pip install ['\"]?inception[-_]search")
    assert [path.name for path in TEXTS if wrong.search(path.read_text(encoding="utf-8"))] == []
