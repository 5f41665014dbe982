"""``inception-search list``: the networks, and what tells their dialects apart."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

import inception_search as ins
from inception_search.canonical.dialect_facts import facts, in_words
from inception_search.passes import PASSES
from tests.cli.conftest import Command

COLUMNS = ["name", "input", "same_padding", "strided_pools", "averages", "norm", "conv_bias", "head", "auxiliary"]
COSTS = ["params", "params_with_aux", "macs"]
TITLES = {
    "params": "parameters",
    "params_with_aux": "with auxiliary classifiers",
    "macs": "MACs",
    "main": "default",
    "averages": "average pools include padding",
    "strided_pools": "rounding of strided pools",
    "auxiliary": "auxiliary classifiers after",
}
SHIPPED = [f"{name}@{dialect}" for name in ins.list_models(dialects=False) for dialect in ins.list_dialects(name)]


def listed(command: Command, kind: str) -> dict[str, dict[str, Any]]:
    said = command("list", kind, "--json")
    assert (said.code, said.err) == (0, "")
    data = json.loads(said.out)
    assert list(data) == [kind]
    return {row["name"]: row for row in data[kind]}


def test_networks_and_their_dialects_as_json(command: Command) -> None:
    rows = listed(command, "networks")
    assert list(rows) == ins.list_models(dialects=False)
    for name, row in rows.items():
        assert list(row) == ["name", "input", *COSTS, "dialects", "source"]
        assert row["dialects"] == list(ins.list_dialects(name))
        assert row["source"] == ins.load(name).source
    assert rows["inception_v3"]["params"] == 23_834_568
    assert rows["inception_v3"]["params_with_aux"] == 27_161_264
    assert rows["inception_v3"]["macs"] == 5_713_216_096
    assert rows["nin_cifar10"]["input"] == [3, 32, 32]


def test_every_dialect_as_json(command: Command) -> None:
    rows = listed(command, "dialects")
    assert list(rows) == SHIPPED
    main = []
    for name, row in rows.items():
        network = ins.load(name)
        cost = ins.lower(network).cost()
        assert list(row) == [*COLUMNS, *COSTS, "main", "stands_for"]
        assert [row[column] for column in COSTS] == [cost.params, cost.params_with_aux, cost.macs]
        assert row["input"] == list(network.input.shape)
        assert row["stands_for"] == network.source
        main += [name] * row["main"]
    assert main == [f"{name}@{next(iter(ins.list_dialects(name)))}" for name in ins.list_models(dialects=False)]


# name, column, what it says: from the documents of the implementations
FACTS = [
    ("inception_v1@paper", "norm", "none"),
    ("inception_v1@paper", "conv_bias", "yes"),
    ("inception_v1@paper", "head", "dropout 0.4, 1000 classes"),
    ("inception_v1@paper", "auxiliary", "inception_4a, inception_4d"),
    ("inception_v1@paper", "strided_pools", "rounded up"),
    ("inception_v1@paper", "averages", "-"),
    ("inception_v1@slim", "auxiliary", "-"),
    ("inception_v1@slim", "strided_pools", "SAME"),
    ("inception_v1@slim", "same_padding", "TensorFlow's SAME"),
    ("inception_v1@slim", "norm", "eps 0.001, momentum 0.0003, no gamma"),
    ("inception_v3@timm", "averages", "yes"),
    ("inception_v3@slim", "averages", "no"),
    ("inception_v3@slim", "strided_pools", "rounded down"),
    ("inception_v3@caffe", "strided_pools", "rounded up"),
    ("inception_v3@fid", "head", "1008 classes"),
    ("inception_resnet_v1@facenet", "head", "dropout 0.6, embedding 512, L2-normalised"),
    ("inception_resnet_v1@facenet_tf", "head", "dropout 0.2, embedding 512"),
    ("nin_cifar10@paper", "head", "10 classes as feature maps"),
    ("bn_inception@cadene", "norm", "eps 1e-05, momentum 0.1"),
    ("bn_inception@cadene", "same_padding", "k//2"),
]


@pytest.mark.parametrize(("name", "column", "said"), FACTS)
def test_a_dialect_is_told_by(name: str, column: str, said: str) -> None:
    assert in_words(facts(ins.load(name)))[column] == said


def test_facts_are_typed(command: Command) -> None:
    rows = listed(command, "dialects")
    facenet = rows["inception_resnet_v1@facenet"]
    assert facenet["input"] == [3, 160, 160]
    assert facenet["head"]["embedding"] == {"width": 512, "unit_length": True}
    assert (facenet["head"]["dropout"], facenet["head"]["classes"]) == (0.6, None)
    v1 = rows["inception_v1@paper"]
    assert (v1["norm"], v1["conv_bias"], v1["averages"]) == (None, True, None)
    assert v1["auxiliary"] == ["inception_4a", "inception_4d"]
    assert rows["inception_v1@slim"]["norm"] == {"eps": 0.001, "momentum": 0.0003, "gamma": False}
    assert rows["inception_v3@fid"]["head"]["classes"] == 1008


@pytest.mark.parametrize("kind", ["networks", "dialects", "spaces", "datasets", "ops"])
def test_markdown_has_all_that_json_has(command: Command, kind: str) -> None:
    """In one table, or with the sentences in a second one, whose first column is again the name."""
    rows = list(listed(command, kind).values())
    texts: dict[str, list[str]] = {}
    for part in command("list", kind, "--markdown").out.strip().split("\n\n"):
        heads, rules, *lines = [
            [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in part.splitlines()
        ]
        assert [set(rule) <= set("-:") for rule in rules] == [True] * len(heads)
        texts |= {head: list(column) for head, column in zip(heads, zip(*lines, strict=True), strict=True)}
    assert set(texts) == {TITLES.get(name, name.replace("_", " ")) for name in rows[0]}
    for name in rows[0]:
        for row, cell in zip(rows, texts[TITLES.get(name, name.replace("_", " "))], strict=True):
            if isinstance(row[name], int) and not isinstance(row[name], bool) and row[name] < 10**12:
                assert float(cell.replace(",", "")) == pytest.approx(row[name], rel=0.01)
            if isinstance(row[name], str) and name not in ("same_padding", "strided_pools", "averages"):
                assert cell.replace("\\|", "|").startswith(" ".join(row[name].split()))


def test_the_table_of_dialects_fits_a_terminal(command: Command) -> None:
    said = command("list", "dialects")
    assert (said.code, said.err) == (0, "")
    assert max(map(len, said.out.splitlines())) <= 160
    words = " ".join(said.out.split())
    assert all(name in words for name in SHIPPED)
    assert "conv bias" not in words  # the columns that make it too wide are in JSON and Markdown


def test_everything_in_every_form(command: Command) -> None:
    kinds = ["networks", "dialects", "spaces", "datasets", "ops", "passes"]
    assert list(json.loads(command("list", "--json").out)) == kinds
    tables = command("list", "--markdown").out.split("\n\n")
    assert len(tables) == len(kinds) + 1  # the sentences about dialects are a table of their own
    assert all(table.startswith("| name |") for table in tables)
    said = command("list")
    assert [line.strip() for line in said.out.splitlines() if line.strip() in kinds] == kinds


def test_passes_in_the_order_in_which_they_run(command: Command) -> None:
    rows = listed(command, "passes")
    assert list(rows) == list(PASSES)
    assert rows["fold_norm"]["phases"] == ["inference"]
    assert rows["merge_siblings"] == {
        "name": "merge_siblings",
        "phases": ["inference", "training"],
        "measured": True,
        "about": PASSES["merge_siblings"].summary,
    }


def test_a_misspelt_kind_is_one_line(command: Command) -> None:
    said = command("list", "dialect")
    assert (said.code, said.out) == (2, "")
    assert "did you mean 'dialects'?" in said.err
    assert said.err.count("\n") == 1
