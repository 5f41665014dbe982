"""``inception-search passes``, ``draw --passes`` and ``diff --passes``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from inception_search.passes import PASSES
from tests.cli.conftest import Command

MODULE = "inception_v3.mixed_6b"


def test_a_row_for_each_pass_and_the_network(command: Command) -> None:
    said = command("passes", MODULE, "--no-measure")
    assert (said.code, said.err) == (0, "")
    lines = said.out.splitlines()
    assert lines[0].rstrip() == f"{MODULE} on 1 x 768x17x17, inference, float32, cpu"
    rows = {line.split()[0]: line.split() for line in lines[2:] if line.split()[:1] and line.split()[0] in PASSES}
    assert rows["fold_norm"][1:5] == ["10", "20", "→", "10"]
    assert rows["merge_siblings"][1] == "1"
    assert rows["share_values"] == ["share_values", "0"]
    assert "norms 10 → 0" in said.out
    assert "merge_siblings: convolutions that read one value" in said.out


def test_places(command: Command) -> None:
    said = command("passes", MODULE, "--no-measure", "--places", "--phase", "training", "--only", "swap_pool")
    assert "  mixed_6b.branches.3.{0,1.conv}  " in said.out
    assert "merge_siblings" not in said.out


def test_nothing_to_do(command: Command) -> None:
    said = command("passes", "nin_cifar10", "--no-measure", "--phase", "training")
    assert said.code == 0
    assert "no pass changes anything" in said.out


def test_small_images_without_auxiliary_classifiers(command: Command) -> None:
    small = ("passes", "inception_v3", "--no-measure", "--phase", "training", "--input-size", 107)
    assert "--no-aux" in command(*small).err
    assert "aux" not in command(*small, "--no-aux", "--places").out


def test_times_are_measured(command: Command) -> None:
    said = command("passes", MODULE, "--input-size", 75, "--only", "merge_siblings", "--json")
    found = json.loads(said.out)
    assert found["input"] == [768, 3, 3]
    (row,) = found["passes"]
    for side in (found["before"], found["after"], row["before"], row["after"], row["places"][0]["after"]):
        assert side["milliseconds"] > 0


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["passes", MODULE, "--only", "fold_nrm"], "unknown pass, got 'fold_nrm'"),
        (["passes", MODULE, "--only", "fold_nrm"], "did you mean 'fold_norm'?"),
        (
            ["passes", MODULE, "--only", "fold_norm", "--phase", "training"],
            "--only: the pass is not exact in training, got 'fold_norm'",
        ),
        (["passes", MODULE, "--phase", "trainin"], "did you mean 'training'?"),
        (["passes", MODULE, "--dtype", "float16"], "unknown dtype, got 'float16'; expected one of bfloat16, float32"),
        (["passes", MODULE, "--device", "gpu"], "--device: unknown device, got 'gpu'"),
        (["draw", MODULE, "--passes", "inferenc"], "unknown phase or pass, got 'inferenc'"),
        (
            ["diff", MODULE, "--passes", "merge_siblings,training"],
            "--passes: a phase beside other names, got 'merge_si",
        ),
        (
            ["draw", MODULE, "--passes", "fold_norm,join_norms"],
            "--passes: the pass is not exact in inference, got 'join_norms'",
        ),
        (["passes", MODULE, "--threads", "100000"], "--threads: too many threads, got 100000; expected at most 1,024"),
        (["draw", MODULE, "--passes", "inference", "--blocks"], "--blocks: not possible with --passes; leave out one"),
        (["draw", MODULE, "--passes", "inference", "--style", "paper"], "--style: not possible with --passes"),
        (["diff", MODULE, MODULE, "--passes", "inference"], "B: not possible with --passes"),
        (["diff", MODULE, "--passes", "inference", "--json"], "--json: not possible with --passes"),
        (["diff", MODULE], "a second network or module is missing; name it, or write --passes inference"),
    ],
)
def test_mistakes(command: Command, words: list[str], expected: str) -> None:
    said = command(*words)
    assert said.code == 2
    assert said.err.startswith("error: ")
    assert said.err.count("\n") == 1
    assert expected in said.err


def test_draw(command: Command, tmp_path: Path) -> None:
    said = command("draw", MODULE, "--passes", "merge_siblings")
    assert said.out == f"{MODULE}.svg\n", said.err
    picture = (tmp_path / f"{MODULE}.svg").read_text()
    assert f"{MODULE} for merge_siblings" in picture
    assert "channels 0–191" in picture


@pytest.mark.parametrize("suffix", ["mmd", "dot", "tikz", "html", "txt"])
def test_draw_in_other_formats(command: Command, suffix: str) -> None:
    said = command("draw", MODULE, "--passes", "merge_siblings", "-o", f"module.{suffix}")
    assert said.out == f"module.{suffix}\n", said.err


def test_diff(command: Command, tmp_path: Path) -> None:
    said = command("diff", MODULE, "--passes", "merge_siblings, share_values", "--exit-code")
    assert said.code == 1
    lines = said.out.splitlines()
    assert lines[0].startswith("  merge_siblings: mixed_6b.branches.{0.conv,0.norm,0.act,1.0.conv,")
    assert "+ %1 mixed_6b.branches.{0,1.0,2.0}.conv = conv(%0, width=448, kernel=(1, 1)) : 448x17x17" in lines
    assert lines[-1] == f"{MODULE}_rewritten.svg"
    assert (tmp_path / lines[-1]).is_file()
    same = command("diff", "nin_cifar10", "--passes", "share_values", "--exit-code", "--no-draw")
    assert (same.code, same.out) == (0, "  no pass changes anything\n")
