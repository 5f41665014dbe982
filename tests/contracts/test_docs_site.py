"""The documentation site: pages, links and names that there are. `make docs` builds it, and runs the quick start."""

from __future__ import annotations

import ast
import json
import re
from importlib import import_module
from pathlib import Path
from urllib.parse import unquote

import pytest
import yaml

import inception_search as ins

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([ROOT / "README.md", *DOCS.rglob("*.md")])
REFERENCE = "".join(page.read_text(encoding="utf-8") for page in sorted((DOCS / "api").glob("*.md")))
DOCUMENTED = re.findall(r"^::: (\S+)", REFERENCE, re.M)


def anchors(page: Path) -> set[str]:
    """What a heading is called in a link, as GitHub and the site do."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_to_files_and_headings(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for link in re.findall(r"\]\((?!https?:|mailto:)([^)\s]+)", text):
        file, _, heading = unquote(link).partition("#")
        target = page.parent / file if file else page
        assert target.exists(), f"{link} leads nowhere"
        assert not heading or heading in anchors(target), f"{link} names no heading"


def test_every_page_is_in_the_navigation() -> None:
    text = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    named = set(re.findall(r"([\w/]+\.(?:md|ipynb))", json.dumps(yaml.safe_load(text)["nav"])))
    assert {file for file in named if not (DOCS / file).is_file()} == set()
    pages = {str(page.relative_to(DOCS)) for page in DOCS.rglob("*.md") if page.parent.parent.name != "results"}
    assert pages - named == set()


def test_the_reference_has_every_public_name_once() -> None:
    public = [name.removeprefix("inception_search.") for name in DOCUMENTED if name.count(".") == 1]
    assert sorted({*public} - {"errors"}) == sorted({*ins.__all__} - {"__version__", "InceptionSearchError"})
    assert len(DOCUMENTED) == len({*DOCUMENTED})


@pytest.mark.parametrize("name", DOCUMENTED)
def test_a_name_of_the_reference_is_there_with_a_docstring(name: str) -> None:
    where, _, attribute = name.rpartition(".")
    found = getattr(import_module(where), attribute, None) or import_module(name)
    assert found.__doc__


def test_the_quick_start_is_stored_without_outputs_and_is_python() -> None:
    cells = json.loads((DOCS / "quickstart.ipynb").read_text(encoding="utf-8"))["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    assert [cell for cell in code if cell["outputs"] or cell["execution_count"]] == []
    names = {
        node.attr
        for cell in code
        for node in ast.walk(ast.parse("".join(cell["source"])))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "ins"
    }
    assert {"load", "compile", "search", "draw"} <= names <= {*ins.__all__}
