"""``inception-search view``: what it writes, names and measures; mistakes in one sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Command
from tests.example import copy_example


@pytest.mark.parametrize(
    ("item", "written"),
    [
        ("inception_v4", "inception_v4.html"),
        ("inception_v4.inception_a", "inception_v4.inception_a.html"),
        ("inception_v1..inception_v4:3", None),
    ],
)
def test_a_page_is_written_and_its_path_printed(
    command: Command, tmp_path: Path, item: str, written: str | None
) -> None:
    done = command("view", item)
    assert done.code == 0, done.err
    named = Path(done.out.strip())
    assert written in (None, named.name)
    assert (tmp_path / named).read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


def test_a_study_and_one_of_its_trials(command: Command, tmp_path: Path) -> None:
    copy_example(tmp_path / "runs/a", records=14)
    done = command("view", "runs/a", "--top", "2")
    assert (done.code, done.out) == (0, "a.html\n")
    assert "the best 2 found, and every baseline" in (tmp_path / "a.html").read_text(encoding="utf-8")
    assert command("view", "runs/a:0", "-o", "t.html").out == "t.html\n"
    assert "<title>runs/a:0</title>" in (tmp_path / "t.html").read_text(encoding="utf-8")


def test_time_is_measured_where_it_is_asked_for(command: Command, tmp_path: Path) -> None:
    done = command("view", "nin_cifar10", "--time")
    assert (done.code, done.out) == (0, "nin_cifar10.html\n")
    assert "measuring every op" in done.err
    assert '"timed":true' in (tmp_path / "nin_cifar10.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nope",), "unknown network, got 'nope'"),
        (("inception_v4.inception_q",), "unknown module of inception_v4, got 'inception_q'"),
        (("inception_v4", "-o", "x.svg"), "x.svg: a page is an HTML file, got '.svg'; expected .html; write x.html"),
        (("inception_v4", "-o", "no/x.html"), "no: no such folder"),
        (("runs/a", "--time"), "name one of its trials: inception-search view runs/a:0 --time"),
        (("runs/a:999",), "no such trial, got 999"),
    ],
)
def test_mistakes_are_one_sentence(command: Command, tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    copy_example(tmp_path / "runs/a", records=3)
    done = command("view", *arguments)
    assert done.code == 2
    assert done.err.startswith("error: ")
    assert said in done.err
    assert not list(tmp_path.glob("*.html"))
