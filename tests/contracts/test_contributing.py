"""What CONTRIBUTING.md names is there: files, tables and make targets."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "path", sorted({*re.findall(r"`((?:inception_search|search_spaces|tests|docs)/[\w./]+)`", TEXT)})
)
def test_a_file_or_the_folder_of_a_new_one_is_there(path: str) -> None:
    place = ROOT / path
    new = re.search(r"[A-Z]{2,}", place.name)  # a name that the contributor chooses
    assert (place.parent if new else place).exists()


@pytest.mark.parametrize(("table", "path"), re.findall(r"`([A-Z]+)` in `([\w./]+)`", TEXT))
def test_a_table_is_in_its_file(table: str, path: str) -> None:
    assert re.search(rf"^{table}\b", (ROOT / path).read_text(encoding="utf-8"), re.M)


@pytest.mark.parametrize("target", sorted({*re.findall(r"make (\w+)", TEXT)} - {"sure"}))
def test_a_target_is_in_the_makefile(target: str) -> None:
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)


def test_a_link_leads_to_a_file() -> None:
    for name in ("CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md"):
        for link in re.findall(r"\]\((?!https?:)([^)#]+)", (ROOT / name).read_text(encoding="utf-8")):
            assert (ROOT / link).exists(), (name, link)
