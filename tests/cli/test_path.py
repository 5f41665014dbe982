"""``inception-search path``: printed, drawn, as data; mistakes in one line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from inception_search.canonical.catalogue import load
from inception_search.spec.documents.parse import network_from_data
from inception_search.spec.documents.to_yaml import network_text
from inception_search.spec.transform import remake
from tests.cli.conftest import Command


def test_the_edits_are_printed_and_drawn(command: Command, tmp_path: Path) -> None:
    done = command("path", "inception_v1", "bn_inception")
    assert done.code == 0, done.err
    assert "add batch norm" in done.out
    assert "9 fewer 5x5, 18 more 3x3" in done.out
    assert "edits lead to bn_inception" in done.out
    picture = (tmp_path / "inception_v1_to_bn_inception.svg").read_text()
    assert "add batch norm" in picture
    assert picture.startswith("<svg")


def test_as_json_every_network_is_there(command: Command, tmp_path: Path) -> None:
    done = command("path", "nin_cifar10", "inception_v1", "--json")
    moves = json.loads(done.out)
    networks = [network_from_data(move["network"]) for move in moves]
    assert networks[-1] == load("inception_v1")
    assert [move["cost"]["params"] for move in moves][-1] == 6_998_552
    assert not list(tmp_path.glob("*.svg"))


def test_documents_of_ones_own_and_no_picture(command: Command, tmp_path: Path) -> None:
    net = load("inception_v3")
    (tmp_path / "mine.yaml").write_text(network_text(remake(net, name="mine", head=remake(net.head, dropout=0.5))))
    done = command("path", "inception_v3", "mine.yaml", "--no-draw", "--markdown")
    assert done.code == 0, done.err
    assert "| 1 | dropout 0.5 (was 0) | 23,834,568 |" in done.out
    assert not list(tmp_path.glob("*.svg"))


@pytest.mark.parametrize("options", [(), ("--diff",)])
def test_on_paper_the_steps_stand_in_as_many_columns_as_fit(
    command: Command, tmp_path: Path, options: tuple[str, ...]
) -> None:
    done = command("path", "inception_v1", "bn_inception", "--width", "7in", "--title", "", "-o", "p.svg", *options)
    assert done.code == 0, done.err
    assert "type is" not in done.err
    assert done.err.endswith("or less to draw: one step, as inception_v1..bn_inception:1\n")
    picture = (tmp_path / "p.svg").read_text()
    assert 'width="7in"' in picture
    assert ">From inception_v1" not in picture.partition("</title>")[2]


WRONG = [
    (("inception_v1", "inception_v9"), "did you mean 'inception_v4'"),
    (("inception_v1", "nin_cifar10", "--space", "nin"), "inception_v1 is not in space 'nin'"),
    (("inception_v1", "inception_v3", "--space", "incepton"), "did you mean 'inception'"),
    (("inception_v1", "inception_v3", "--out", "nowhere/p.svg"), "no such folder"),
    (("inception_v1", "inception_v3", "--out", "p.gif"), "expected one of .svg"),
]


@pytest.mark.parametrize(("words", "error"), WRONG, ids=[row[1] for row in WRONG])
def test_mistakes_are_one_sentence(command: Command, words: tuple[str, ...], error: str) -> None:
    done = command("path", *words)
    assert done.code == (1 if "nin" in words else 2)  # a space that there is, and does not have both networks
    assert error in done.err
    assert done.err.startswith("error: ")
    assert "Traceback" not in done.err
