"""The document on searches lists every option, the values it takes and its default."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from inception_search.cli.datasets import ABOUT
from inception_search.options import option_schemas
from inception_search.proxies.table import PROXIES
from inception_search.store.objectives import OBJECTIVES
from inception_search.study.config import FIDELITY, StudyConfig, option_names
from inception_search.study.json_schema import study_schema
from inception_search.training.fidelity import Fidelity

SEARCH = (Path(__file__).parents[2] / "docs" / "search.md").read_text(encoding="utf-8")
CELLS = (line.strip("| ").split(" | ") for line in SEARCH.partition("## Every option")[2].splitlines())
ROWS = {cells[0].strip("`"): cells[1:] for cells in CELLS if len(cells) == 4}
SCHEMA = option_schemas(StudyConfig)


@pytest.mark.parametrize("name", option_names())
def test_every_option_has_its_row(name: str) -> None:
    values, default, meaning = ROWS[name]
    assert default
    assert meaning.endswith(".")
    options = SCHEMA[name].get("anyOf", [SCHEMA[name]])
    for value in (value for option in options for value in option.get("enum", ())):
        assert f"`{value}`" in values
    if any(option.get("type") == "boolean" for option in options):
        assert values == "`true`, `false`"


@pytest.mark.parametrize("name", option_names())
def test_the_default_is_that_of_a_study(name: str) -> None:
    value, said = getattr(StudyConfig(), name), ROWS[name][1]
    if value is not None:
        expected = "none" if value in ((), {}) else value[0] if isinstance(value, tuple) else value
        assert yaml.safe_load(said.strip("`")) == expected


@pytest.mark.parametrize(
    "name", [n for n in FIDELITY if getattr(StudyConfig(), n) is None and getattr(Fidelity(), n) is not None]
)
def test_what_is_settled_when_the_study_begins_is_listed(name: str) -> None:
    used = getattr(StudyConfig().resolved(train_images=10_000, image_size=28), name)
    assert f"{used:,g}" in ROWS[name][1] if isinstance(used, int | float) else ROWS[name][1].startswith(used)


@pytest.mark.parametrize(
    ("name", "values"), [("data", ABOUT), ("objectives", OBJECTIVES), ("warmup_proxy", PROXIES)], ids=str
)
def test_values_of_tables_are_listed(name: str, values: dict[str, Any]) -> None:
    assert [value for value in values if f"`{value}`" not in ROWS[name][0]] == []


def test_editors_are_told_what_every_option_means() -> None:
    properties = study_schema()["properties"]
    assert [name for name in option_names() if not properties[name].get("description")] == []
