"""``inception-search list``: the networks, and what tells their dialects apart."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

import inception_search as ins
from inception_search.canonical.dialect_facts import facts
from inception_search.cli.list import _in_words
from tests.cli.conftest import Command

COLUMNS = ["name", "input", "same padding", "strided pools", "averages", "norm", "conv bias", "head", "auxiliary"]
COSTS = ["parameters", "with auxiliary", "MACs"]
SHIPPED = [f"{name}@{dialect}" for name in ins.names() for dialect in ins.dialects(name)]


def listed(command: Command, kind: str) -> dict[str, dict[str, Any]]:
    said = command("list", kind, "--json")
    assert (said.code, said.err) == (0, "")
    data = json.loads(said.out)
    assert list(data) == [kind]
    return {row["name"]: row for row in data[kind]}


def test_networks_and_their_dialects_as_json(command: Command) -> None:
    rows = listed(command, "networks")
    assert tuple(rows) == ins.names()
    for name, row in rows.items():
        assert list(row) == ["name", "input", *COSTS, "dialects", "source"]
        assert row["dialects"] == list(ins.dialects(name))
        assert row["source"] == ins.load(name).source
    assert rows["inception_v3"]["parameters"] == 23_834_568
    assert rows["inception_v3"]["with auxiliary"] == 27_161_264
    assert rows["inception_v3"]["MACs"] == 5_713_216_096
    assert rows["nin_cifar10"]["input"] == [3, 32, 32]


def test_every_dialect_as_json(command: Command) -> None:
    rows = listed(command, "dialects")
    assert list(rows) == SHIPPED
    main = []
    for name, row in rows.items():
        network = ins.load(name)
        cost = ins.lower(network).cost()
        assert list(row) == [*COLUMNS, *COSTS, "stands for"]
        assert [row[column] for column in COSTS] == [cost.params, cost.params_with_aux, cost.macs]
        assert row["input"] == list(network.input.shape)
        assert row["stands for"].startswith(network.source)
        assert all(row.values())
        main += [name] * row["stands for"].endswith(" (the main one)")
    assert main == [f"{name}@{next(iter(ins.dialects(name)))}" for name in ins.names()]


# name, column, what it says: from the documents of the implementations
FACTS = [
    ("inception_v1@paper", "norm", "none"),
    ("inception_v1@paper", "conv bias", "yes"),
    ("inception_v1@paper", "head", "dropout 0.4, 1000 classes"),
    ("inception_v1@paper", "auxiliary", "after inception_4a, after inception_4d"),
    ("inception_v1@paper", "strided pools", "rounded up"),
    ("inception_v1@paper", "averages", "-"),
    ("inception_v1@slim", "auxiliary", "none"),
    ("inception_v1@slim", "strided pools", "SAME"),
    ("inception_v1@slim", "same padding", "TensorFlow's"),
    ("inception_v1@slim", "norm", "eps 0.001, momentum 0.0003, no gamma"),
    ("inception_v3@timm", "averages", "count the border"),
    ("inception_v3@slim", "averages", "leave the border out"),
    ("inception_v3@slim", "strided pools", "rounded down"),
    ("inception_v3@caffe", "strided pools", "rounded up"),
    ("inception_v3@fid", "head", "1008 classes"),
    ("inception_resnet_v1@facenet", "head", "dropout 0.6, embedding 512 of unit length"),
    ("inception_resnet_v1@facenet_tf", "head", "dropout 0.2, embedding 512"),
    ("inception_resnet_v1@facenet", "input", "3x160x160"),
    ("nin_cifar10@paper", "head", "10 classes as maps"),
    ("bn_inception@cadene", "norm", "eps 1e-05, momentum 0.1"),
    ("bn_inception@cadene", "same padding", "k//2 on every side"),
]


@pytest.mark.parametrize(("name", "column", "said"), FACTS)
def test_a_dialect_is_told_by(name: str, column: str, said: str) -> None:
    assert facts(ins.load(name))[column] == said


@pytest.mark.parametrize("kind", ["networks", "dialects", "spaces", "datasets", "ops"])
def test_markdown_is_one_table_of_all_that_json_has(command: Command, kind: str) -> None:
    rows = listed(command, kind)
    head, rules, *lines = command("list", kind, "--markdown").out.splitlines()
    columns = list(next(iter(rows.values())))
    assert head == f"| {' | '.join(columns)} |"
    assert [set(rule.strip()) <= set("-:") for rule in rules.strip("|").split("|")] == [True] * len(columns)
    cells = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]
    assert cells == [
        [" ".join(cell.replace("|", "\\|").split()) for cell in _in_words(row).values()] for row in rows.values()
    ]


def test_the_table_of_dialects_fits_a_terminal(command: Command) -> None:
    said = command("list", "dialects")
    assert (said.code, said.err) == (0, "")
    assert max(map(len, said.out.splitlines())) <= 160
    words = " ".join(said.out.split())
    assert all(name in words for name in SHIPPED)
    assert "conv bias" not in words  # the columns that make it too wide are in JSON and Markdown


def test_everything_in_every_form(command: Command) -> None:
    kinds = ["networks", "dialects", "spaces", "datasets", "ops"]
    assert list(json.loads(command("list", "--json").out)) == kinds
    tables = command("list", "--markdown").out.split("\n\n")
    assert len(tables) == len(kinds)
    assert all(table.startswith("| name |") for table in tables)
    said = command("list")
    assert [line.strip() for line in said.out.splitlines() if line.strip() in kinds] == kinds


def test_a_misspelt_kind_is_one_line(command: Command) -> None:
    said = command("list", "dialect")
    assert (said.code, said.out) == (2, "")
    assert "did you mean 'dialects'?" in said.err
    assert said.err.count("\n") == 1
