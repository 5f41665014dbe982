"""The document on searches lists every option, the values it takes and its default."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from inception_search.cli import main
from inception_search.cli.naming import ABOUT_DATASETS
from inception_search.options import option_fields, option_schemas
from inception_search.proxies.table import PROXIES
from inception_search.store.objectives import OBJECTIVES
from inception_search.study.config import FIDELITY, StudyConfig, option_names
from inception_search.study.final.options import FinalOptions
from inception_search.study.json_schema import study_schema
from inception_search.training.fidelity import Fidelity
from inception_search.typed_options import SearchOptions

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


OF_TABLES = pytest.mark.parametrize(
    ("name", "values"), [("data", ABOUT_DATASETS), ("objectives", OBJECTIVES), ("warmup_proxy", PROXIES)], ids=str
)


@OF_TABLES
def test_values_of_tables_are_listed(name: str, values: dict[str, Any]) -> None:
    assert [value for value in values if f"`{value}`" not in ROWS[name][0]] == []


@OF_TABLES
def test_editors_list_the_values_of_tables(name: str, values: dict[str, Any]) -> None:
    description = study_schema()["properties"][name]["description"]
    assert [value for value in values if f"`{value}`" not in description] == []


def test_editors_are_told_what_every_option_means() -> None:
    properties = study_schema()["properties"]
    assert [name for name in option_names() if not properties[name].get("description")] == []


HELPED = [
    (verb, name)
    for verb, kind in {"search": StudyConfig, "finalize": FinalOptions}.items()
    for name in option_fields(kind)
]


@pytest.mark.parametrize(("verb", "name"), HELPED)
def test_help_says_what_each_option_means_and_its_default(verb: str, name: str, helps: dict[str, list[str]]) -> None:
    """The text of each flag ends in its range, where it has one, and its default."""
    flag = f"--{name.replace('_', '-')}"
    own = next(part for part in helps[verb] if flag in re.split(r"[ ,]+", part)[:4])
    said = re.search(r"\[(.*; )?default: (.+?)\]", own)
    assert said, own
    if verb == "search":
        in_document = ROWS[name][1].replace("`true`", "yes").replace("`false`", "no").replace("`", "")
        assert said[2] == in_document


@pytest.fixture(scope="module")
def helps() -> dict[str, list[str]]:
    """The flags of each verb, each with its help in one line."""
    said = {verb: CliRunner().invoke(main.app, [verb, "--help"]).output for verb in ("search", "finalize")}
    return {verb: [" ".join(part.split()) for part in re.split("\n  (?=-)", text)] for verb, text in said.items()}


@pytest.mark.parametrize(
    ("flag", "words"),
    [
        ("--batch-size", "Images per step. [2 or more; default: 32, 64 or 128 by the number of training images]"),
        ("--eta", "[2 to 16; default: 3]"),
        ("--data", "The dataset. [digits, fashion_mnist, cifar10, image_folder; default: digits]"),
        (
            "--retries",
            "Number of attempts for a trial whose process keeps dying before it finishes an epoch. [default: 3]",
        ),
        (
            "--repeat-top",
            "Repeat only this many of the best architectures, after all trials have finished. [default: all]",
        ),
        ("--pruner", "median|asha|halving|hyperband|none"),
        ("--strategy-option", "NAME=VALUE"),
    ],
)
def test_help_is_plain(flag: str, words: str, helps: dict[str, list[str]]) -> None:
    assert words in next(part for part in helps["search"] if re.match(rf"{flag}\b", part))


def test_keywords_in_python_have_the_types_that_options_take() -> None:
    expected = {
        "epochs": "int",
        "max_macs": "int | None",
        "label_smoothing": "float | None",
        "run": "str | Path | None",
    }
    expected |= {"objectives": "Sequence[str] | str", "strategy": "str | BaseSampler", "augment": "bool"}
    expected |= {"optimizer": "Literal['sgd', 'rmsprop', 'adamw']", "reference": "Mapping[str, float] | str | None"}
    expected |= {"warm_start": "Sequence[str | Path] | str", "strategy_options": "Mapping[str, Any]"}
    assert {name: SearchOptions.__annotations__[name].__forward_arg__ for name in expected} == expected
    assert StudyConfig.of(warm_start=[Path("a"), "b"]).warm_start == ("a", "b")
