"""``--json`` of every verb that has it: only JSON on stdout, typed, with the keys that ``docs/json.md`` lists."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest

from inception_search.cli.main import VERBS, _command
from tests.cli.conftest import Command
from tests.example import copy_example

DOCUMENT = (Path(__file__).parents[2] / "docs" / "json.md").read_text(encoding="utf-8")
QUICK = ("--epochs", "1", "--image-size", "8", "--train-images", "64", "--workers", "2")

# For each verb, words that come after it; together they show every key.
COMMANDS: dict[str, list[tuple[str, ...]]] = {
    "list": [(), ("dialects",)],
    "show": [("inception_v3",), ("inception_v4.inception_b", "--depth", "0")],
    "diff": [("inception_v1", "inception_v4"), ("inception_v3.mixed_6b", "inception_v4.inception_b")],
    "passes": [("inception_v3.mixed_6b", "--no-measure")],
    "bench": [("nin_cifar10", "--out", "table.json", "--threads", "1")],
    "weights": [(), ("inception_v3",)],
    "path": [("nin_cifar10", "inception_v1")],
    "report": [("whole",), ("part", "--top", "3")],
    "proxies": [("whole", "--names", "naswot")],
    "finalize": [("whole", "--top", "1", "--baselines", "1", "--seeds", seeds, *QUICK) for seeds in ("1", "2")],
}
WITH_JSON = [name for name in VERBS if any("--json" in option.opts for option in _command(name).params)]

NUMBER = re.compile(r"[-+−]?(\d{1,3}([,_]\d{3})+|\d*\.?\d+)([eE][-+]?\d+)?\s?(%|[kKMGBT])?")
JOINED = re.compile(r"[\w@.]+(, ?[\w@.]+)+|\w+(\+\w+)+|-?[\d.]+( -?[\d.]+)+")
PLAIN = {"string": str, "integer": int, "number": (int, float), "boolean": bool}


def _shapes() -> dict[str, dict[str, str]]:
    """Key to value of each table of the document, by its heading."""
    found: dict[str, dict[str, str]] = {}
    for part in re.split(r"^##+ ", DOCUMENT, flags=re.MULTILINE)[1:]:
        name = part.split("`")[1]
        rows = [line.strip("| ").split("|") for line in part.splitlines() if line.startswith("| `")]
        more = re.search(r"^The keys of `(.+)`, and$", part, flags=re.MULTILINE)
        found[name] = (found[more[1]] if more else {}) | {row[0].strip("` "): row[1].strip() for row in rows}
    return found


SHAPES = _shapes()
PRINTED = dict(re.findall(r"^\| `(\w+)` \| ((?:list of )?`[\w ]+`) \|$", DOCUMENT, re.MULTILINE))


def problems(value: Any, kind: str, place: str) -> Iterator[str]:
    """What of ``value`` is not as documented."""
    if kind.endswith(" or null"):
        if value is not None:
            yield from problems(value, kind.removesuffix(" or null"), place)
    elif kind.startswith("(") and kind.endswith(")"):
        yield from problems(value, kind[1:-1], place)
    elif kind.startswith("list of "):
        if not isinstance(value, list):
            yield f"{place}: {value!r} is no list"
        else:
            for index, item in enumerate(value):
                yield from problems(item, kind.removeprefix("list of "), f"{place}[{index}]")
    elif kind.startswith("mapping of "):
        for name, item in value.items():
            yield from problems(item, kind.removeprefix("mapping of "), f"{place}.{name}")
    elif kind == "value":
        yield from _of_any_kind(value, place)
    elif kind == "point":
        bad = [name for name, item in value.items() if not isinstance(item, str | int | float | bool)]
        yield from (f"{place}.{name}: no value of a hole" for name in bad)
    elif kind in PLAIN:
        if not isinstance(value, PLAIN[kind]) or (isinstance(value, bool) and kind != "boolean"):
            yield f"{place}: {value!r} is no {kind}"
        elif isinstance(value, str):
            yield from _of_any_kind(value, place)
    else:
        expected = SHAPES[kind.strip("`")]
        if list(value) != list(expected):
            yield f"{place}: keys {list(value)}, documented {list(expected)}"
        else:
            for name, item in value.items():
                yield from problems(item, expected[name], f"{place}.{name}")


def _of_any_kind(value: Any, place: str) -> Iterator[str]:
    """Numbers and lists that are texts, anywhere inside."""
    if isinstance(value, dict | list):
        for name, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _of_any_kind(item, f"{place}.{name}")
    elif isinstance(value, str) and (NUMBER.fullmatch(value) or JOINED.fullmatch(value)):
        yield f"{place}: {value!r} is a text"


def no_number(text: str) -> NoReturn:
    raise AssertionError(f"{text} is not JSON")


def test_every_verb_with_json_is_listed() -> None:
    assert set(WITH_JSON) == set(COMMANDS) == set(PRINTED)


@pytest.mark.parametrize("verb", WITH_JSON)
def test_json_is_typed_and_documented(command: Command, tmp_path: Path, verb: str) -> None:
    copy_example(tmp_path / "whole")
    copy_example(tmp_path / "part", records=6)
    before = {path for path in tmp_path.rglob("*") if path.is_file()}
    for words in COMMANDS[verb]:
        said = command(verb, *words, "--json")
        assert said.code == 0, said.err
        data = json.loads(said.out, parse_constant=no_number)
        if verb == "list" and words:
            data = {kind: data.get(kind, []) for kind in SHAPES["listing"]}
        assert list(problems(data, PRINTED[verb], verb)) == []
    if verb not in ("bench", "proxies", "finalize"):  # they keep what they have computed
        assert {path for path in tmp_path.rglob("*") if path.is_file()} == before


@pytest.mark.usefixtures("without_plots")
def test_a_report_as_json_says_what_the_page_says(command: Command, tmp_path: Path) -> None:
    run = copy_example(tmp_path / "part", records=18)
    (run / "report.html").unlink()
    said = command("report", "part", "--json", "--out", "page.html")
    assert said.code == 0
    assert said.err == "page.html\n"
    data, page = json.loads(said.out), (tmp_path / "page.html").read_text(encoding="utf-8")
    assert not (run / "report.html").exists()
    assert data["summary"] in page
    assert data["counts"] == {"complete": 16, "pruned": 1, "paused": 0, "infeasible": 1, "failed": 0, "duplicate": 0}
    best, reference = data["best_found"], data["best_baseline"]
    assert reference["name"] == data["leaderboard"][0]["name"]
    assert data["leaderboard"][0]["versus_best_baseline"] == 0.0
    row = next(row for row in data["leaderboard"] if row["trial"] == best["trial"])
    assert row == {**best, "rank": row["rank"], "versus_best_baseline": best["score"] - reference["score"]}
    assert {row["name"] for row in data["baselines"] if row["score"]} <= {row["name"] for row in data["leaderboard"]}
    assert best["cost"]["macs"] <= data["study"]["max_macs"]
    values = [(row["objectives"]["macs"], row["objectives"]["accuracy"]) for row in data["front"]]
    assert values == sorted(values)
    assert [accuracy for _, accuracy in values] == sorted(accuracy for _, accuracy in values)
    assert all(ranking["rows"] or ranking["refusal"] for ranking in data["importance"])


@pytest.mark.usefixtures("without_plots")
def test_a_damaged_run_says_so_in_json(command: Command, tmp_path: Path) -> None:
    run = copy_example(tmp_path / "mine", records=14)
    (run / "env.json").write_text("{{{")
    said = command("report", "mine", "--json")
    assert said.code == 1
    data = json.loads(said.out)
    assert data["state"].startswith("Not finished: 13 of 34 trials are trained")
    assert len(data["damage"]) == said.err.count("warning: ") == 1
    assert data["environments"] == []
