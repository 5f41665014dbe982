"""``inception-search proxies``: the table, JSON, and what is refused."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from inception_search.lowering import lower
from inception_search.proxies.table import PROXIES
from tests.cli.conftest import Command
from tests.proxies.made_study import made

FEW = ["--names", "synflow, naswot", "--images", "16"]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study of 31 networks, more accurate the more parameters they have, in about so."""

    def accuracy(network, number):
        return 0.5 + 1e-5 * lower(network).cost().params + 0.001 * (number % 3)

    return made(tmp_path_factory.mktemp("study") / "run", accuracy, 31).path


def test_a_table(command: Command, run: Path) -> None:
    said = command("proxies", run, *FEW)
    assert (said.code, said.err) == (0, "")
    rows = {line.split()[0]: line for line in said.out.splitlines() if line.startswith(tuple(PROXIES))}
    assert set(rows) == {"params", "macs", "synflow", "naswot"}
    for row in rows.values():
        assert len(re.findall(r"-?\d\.\d\d \[-?\d\.\d\d,-?\d\.\d\d\]", row)) == 2
    assert rows["params"].rstrip().endswith("baseline")
    assert rows["naswot"].split("]")[-1].split(maxsplit=1)[1].strip() in ("beats", "not distinguishable", "worse")
    for words in ("against params", "top 4", "31 networks", "16 training images", "params is the better baseline"):
        assert words in said.out


def test_as_json(command: Command, run: Path) -> None:
    found = json.loads(command("proxies", run, *FEW, "--seeds", 2, "--json").out)
    assert (found["networks"], found["images"], found["seeds"], found["baseline"]) == (31, 16, 2, "params")
    rows = {row["name"]: row for row in found["proxies"]}
    assert set(rows) == {"params", "macs", "synflow", "naswot"}
    for row in rows.values():
        assert row["spearman_interval"][0] <= row["spearman"] <= row["spearman_interval"][1]
        assert row["kendall_interval"][0] <= row["kendall"] <= row["kendall_interval"][1]
    assert rows["params"]["gain"] == 0


def test_a_narrow_terminal_has_room(command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    by_chance = made(tmp_path / "run", lambda _, number: 0.5 + 0.01 * (7 * number % 31), 31)
    monkeypatch.setenv("COLUMNS", "80")
    said = command("proxies", by_chance.path, *FEW)
    assert "…" not in said.out
    assert "not distinguishable" in said.out


def test_notes_go_to_stderr(command: Command, run: Path) -> None:
    (run / "proxies.json").write_text("{")
    said = command("proxies", run, *FEW, "--json")
    assert json.loads(said.out)
    assert said.err.startswith("note: ")
    assert "is replaced" in said.err


BAD = [
    (["--names", "snp"], 2, "did you mean 'snip'"),
    (["--names", " , "], 2, "no proxies are named"),
    (["--images", "99999"], 2, "expected 1 to 4096"),
    (["--images", "0"], 2, "images"),
    (["--seeds", "x"], 2, "seeds"),
]


@pytest.mark.parametrize(("options", "code", "words"), BAD)
def test_bad_options(command: Command, run: Path, options: list[str], code: int, words: str) -> None:
    said = command("proxies", run, *options)
    assert (said.code, said.out) == (code, "")
    assert words in said.err


def test_too_few_networks_and_no_run_folder(command: Command, tmp_path: Path) -> None:
    few = made(tmp_path / "few", lambda _, number: 0.1 * number, 3)
    said = command("proxies", few.path)
    assert (said.code, said.out) == (1, "")
    assert said.err.startswith("error: ")
    assert "3 architectures trained" in said.err
    assert command("proxies", tmp_path / "nothing").code == 2
    assert "Usage" in command("proxies").out + command("proxies").err
