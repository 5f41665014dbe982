"""The facade takes what people pass, or says what to pass instead."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import inception_search as ins
from inception_search.errors import InceptionSearchError
from inception_search.study.config import StudyConfig

NET = ins.load("inception_v1")
WRONG: dict[str, tuple[Callable[[], Any], str]] = {
    "load nothing": (lambda: ins.load(None), r"network: not a usable argument of load\(\), got None"),  # type: ignore[arg-type]
    "compile a number": (lambda: ins.compile(3), r"compile\(\), got 3 \(int\); expected a network or its name"),  # type: ignore[arg-type]
    "lower a number": (lambda: ins.lower(3), r"write lower\(load\("),  # type: ignore[arg-type]
    "arch_id of a number": (lambda: ins.arch_id(3), r"write arch_id\(load\("),  # type: ignore[arg-type]
    "three sides": (
        lambda: ins.compile(NET, input_size=(1, 2, 3)),
        r"\(a whole number, a whole number\)",
    ),  # type: ignore[arg-type]
    "a file that is not there": (lambda: ins.load("no_such_net"), r"or the path of a document \(.yaml\)"),
}


@pytest.mark.parametrize(("call", "words"), WRONG.values(), ids=WRONG.keys())
def test_a_wrong_argument_is_our_error(call: Callable[[], Any], words: str) -> None:
    with pytest.raises(InceptionSearchError, match=words):
        call()


def test_text_of_a_network_reads_back() -> None:
    assert ins.load(ins.to_yaml(NET)) == NET


def test_the_best_of_a_run_folder_loads(tmp_path: Path) -> None:
    (tmp_path / "best.yaml").write_text(ins.to_yaml(NET), encoding="utf-8")
    assert ins.load(tmp_path) == ins.load(str(tmp_path)) == NET


def test_reprs_are_one_line() -> None:
    assert repr(NET) == "Network('inception_v1', 3x224x224, 15 stages, 1000 classes)"
    assert repr(ins.load_space("inception_modules")).startswith("Space('inception_modules', 21 holes, ")


def test_budgets_may_be_written_with_an_exponent() -> None:
    assert StudyConfig.of(max_macs=1e6).max_macs == 1_000_000
