"""``inception-search diff``: printed, drawn, as data; what it takes; mistakes in one sentence."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import inception_search as ins
from inception_search.canonical.catalogue import load
from inception_search.spec.documents.to_yaml import network_text
from inception_search.spec.transform import remake
from tests.cli.conftest import Command
from tests.example import copy_example


def test_two_networks_are_printed_and_drawn(command: Command, tmp_path: Path) -> None:
    done = command("diff", "inception_v3", "inception_v4")
    assert done.code == 0, done.err
    assert done.out.startswith("--- inception_v3\n+++ inception_v4\n")
    assert "~ mixed_5b … mixed_5d → inception_a: 3 → 4 x inception_a" in done.out
    assert "parameters 23,834,568 → 42,679,816 (+18,845,248, +79.1 %)" in done.out
    assert done.out.splitlines()[-1] == "inception_v3_to_inception_v4.svg"
    assert "+18.8 M parameters (+79 %)" in (tmp_path / "inception_v3_to_inception_v4.svg").read_text()


def test_two_modules(command: Command, tmp_path: Path) -> None:
    done = command("diff", "inception_v3.mixed_6b", "inception_v4.inception_b", "-o", "b.svg")
    assert done.code == 0, done.err
    assert "1x1 192 → 1x1 384" in done.out
    assert "192 → 384" in (tmp_path / "b.svg").read_text()
    named = command(
        "diff", "inception_v3", "inception_v4", "--module", "mixed_6b", "--module", "inception_b", "--no-draw"
    )
    assert named.out == done.out.removesuffix("b.svg\n")


def test_one_module_of_two_documents(command: Command, tmp_path: Path) -> None:
    net = load("inception_v4")
    blocks = {**net.blocks, "inception_a": ins.parse_step("{concat: [1x1 96, [1x1 64, 3x3 128]]}")}
    (tmp_path / "mine.yaml").write_text(network_text(remake(net, name="mine", blocks=blocks)))
    done = command("diff", "inception_v4", "mine.yaml", "--module", "inception_a", "--no-draw")
    assert done.code == 0, done.err
    assert "4 → 2 branches" in done.out
    assert not list(tmp_path.glob("*.svg"))


def test_documents_of_one_name_are_told_apart_by_their_files(command: Command, tmp_path: Path) -> None:
    net = load("inception_v3")
    for name, rate in (("a.yaml", 0.25), ("b.yaml", 0.5)):
        (tmp_path / name).write_text(network_text(remake(net, head=remake(net.head, dropout=rate))))
    done = command("diff", "a.yaml", "b.yaml", "--no-draw")
    assert done.out.startswith("--- a.yaml\n+++ b.yaml\n")
    assert "~ head.dropout: dropout 0.25 → dropout 0.5" in done.out


def test_points_on_a_path(command: Command) -> None:
    done = command("diff", "inception_v1..inception_v4:3", "inception_v1..inception_v4:4", "--no-draw")
    assert done.code == 0, done.err
    assert "max 3x3 → avg 3x3" in done.out


def test_trials_are_whole_networks_and_the_searched_module_is_drawn(command: Command, tmp_path: Path) -> None:
    copy_example(tmp_path / "runs/a", records=14)
    records = [record for record in ins.Study.open("runs/a").records if record.network]
    a, b = records[0].number, records[-1].number
    done = command("diff", f"runs/a:{a}", f"runs/a:{b}", "-o", "t.svg")
    assert done.code == 0, done.err
    assert done.out.startswith(f"--- runs/a:{a}\n+++ runs/a:{b}\n")
    found = ins.diff(f"runs/a:{a}", f"runs/a:{b}")
    assert found.text in done.out
    assert bool(found) == (records[0].arch_id != records[-1].arch_id)
    assert f"runs/a:{b}" in (tmp_path / "t.svg").read_text()


def test_json_has_every_entry_with_its_costs(command: Command, tmp_path: Path) -> None:
    done = command("diff", "inception_v3", "inception_v4", "--json")
    data = json.loads(done.out)
    assert data == ins.diff("inception_v3", "inception_v4").to_dict()
    assert data["differs"]
    assert not data["same_architecture"]
    assert data["a"]["params"] == 23_834_568
    modules = next(entry for entry in data["entries"] if entry["b"] == ["inception_a"])
    assert modules["a"] == ["mixed_5b", "mixed_5c", "mixed_5d"]
    assert modules["changes"] == [{"field": "times", "old": 3, "new": 4}]
    assert modules["shapes"] == [[288, 35, 35], [384, 35, 35]]
    assert not list(tmp_path.glob("*.svg"))


def test_markdown_is_a_block_of_kind_diff(command: Command) -> None:
    lines = command("diff", "inception_v3", "inception_v3@torchvision", "--markdown").out.splitlines()
    assert (lines[0], lines[-1]) == ("```diff", "```")
    assert any(line.startswith("+ head.dropout: dropout 0.5") for line in lines)
    assert any(line.startswith("! preprocess:") for line in lines)


@pytest.mark.parametrize(("other", "code"), [("inception_v3", 0), ("inception_v4", 1)])
def test_the_exit_code_says_whether_they_differ(command: Command, other: str, code: int) -> None:
    assert command("diff", "inception_v3", other, "--no-draw").code == 0
    assert command("diff", "inception_v3", other, "--no-draw", "--exit-code").code == code


def test_equals_have_no_difference(command: Command) -> None:
    assert "\nno difference\n" in command("diff", "inception_v4", "inception_v4", "--no-draw").out


def test_colours_only_where_they_are_wanted(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    words = ("diff", "inception_v3", "inception_v3@torchvision", "--no-draw")
    assert "\x1b[" not in command(*words).out
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    assert "\x1b[32m+ head.dropout" in command(*words).out
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[3" not in command(*words).out


def test_the_strip_of_a_path_as_differences(command: Command, tmp_path: Path) -> None:
    done = command("path", "inception_v1", "bn_inception", "--diff", "-o", "strip.svg")
    assert done.code == 0, done.err
    strip = (tmp_path / "strip.svg").read_text()
    assert "conv_defaults: norm none → batch" in strip
    assert 'class="added-line"' in strip


WRONG = [
    (
        ("inception_v4.inception_b", "inception_v3"),
        "inception_v3 is a whole network and inception_v4.inception_b a module",
    ),
    (("inception_v4.inception_b", "inception_v3"), "such as inception_v3.mixed_6"),
    (("inception_v4", "inception_v4.inception_b"), "such as inception_v4.inception_b"),
    (("inception_v4", "inception_v9"), "did you mean 'inception_v4'"),
    (("inception_v4.inception_z", "inception_v3"), "unknown module of inception_v4, got 'inception_z'"),
    (
        ("inception_v4", "inception_v3", "--module", "stem", "--module", "a", "--module", "b"),
        "--module: there are two sides",
    ),
    (("inception_v4", "inception_v3", "--module", "inception_b"), "unknown module of inception_v3"),
    (("inception_v4", "runs/none:3"), "there is no such run folder"),
    (("inception_v4", "inception_v3", "-o", "d.gif"), "expected one of .svg"),
    (("inception_v4", "inception_v3", "-o", "no/where/d.svg"), "no such folder"),
    (("inception_v4", "broken.yaml"), "broken.yaml"),
]


@pytest.mark.parametrize(("words", "error"), WRONG, ids=[f"{i} {row[1]}" for i, row in enumerate(WRONG)])
def test_mistakes_are_one_sentence(command: Command, tmp_path: Path, words: tuple[str, ...], error: str) -> None:
    (tmp_path / "broken.yaml").write_text("name: [")
    done = command("diff", *words)
    assert done.code == (1 if "broken.yaml" in words else 2)  # that is there, and is no document
    assert error in done.err
    assert done.err.startswith("error: ")
    assert "Traceback" not in done.err


def test_in_python_with_steps_and_networks() -> None:
    v3, v4 = load("inception_v3"), load("inception_v4")
    found = ins.diff(v3.stages["mixed_6b"], v4.blocks["inception_b"], network_a=v3, network_b=v4)
    assert found
    assert "1x1 192 → 1x1 384" in found.text
    assert found.to_dict()["a"]["params"] == 1_297_408
    alone = ins.diff(v3.stages["mixed_6b"], v4.blocks["inception_b"], input_shape=(768, 17, 17))
    assert alone.to_dict()["b"]["macs"] > found.to_dict()["a"]["macs"]
    assert not ins.diff(v3, "inception_v3")
    text = "{schema: inception-search/network, version: 1, name: t, stages: {a: 3x3 8}}"
    assert "+ b: 5x5 8" in ins.diff(text, text.replace("3x3 8}", "3x3 8, b: 5x5 8}")).text
