"""``inception-search bench``, and searches with its tables."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import inception_search as ins
from inception_search.lowering import lower
from inception_search.measures.device_table import device_table
from inception_search.spec.documents.parse import network_from_data
from inception_search.store.run_folder import RunFolder
from tests.cli.conftest import QUICK, Command

TINY_PLAN = ("--space", "tiny.yaml", "--shape", "1x8x8", "--classes", 10, "--networks", 2, "--ops", 30)


def test_a_plan_for_another_machine(command: Command) -> None:
    said = command("bench", *TINY_PLAN, "--plan", "plan.json")
    assert (said.code, said.err) == (0, "")
    assert "2 networks) and time_plan.pyz beside it" in said.out
    assert "python time_plan.pyz plan.json -o table.json --runtime torch or onnxruntime or openvino" in said.out
    assert Path("time_plan.pyz").is_file()
    again = command("bench", *TINY_PLAN, "--plan", "plan.json")
    assert (
        again.err
        == "error: --plan: the plan exists, got 'plan.json'; give --out TABLE to time it, or --force to "
        + ("write it again\n")
    )


def test_a_plan_is_timed_here(command: Command) -> None:
    command("bench", *TINY_PLAN, "--plan", "plan.json")
    said = command("bench", "--plan", "plan.json", "-o", "table.json", "--threads", 1)
    assert said.code == 0
    assert said.out.splitlines()[0] == f"wrote table.json: {len(device_table('table.json').rows)} ops were timed"
    assert all(f"point {number}" in said.out for number in range(2))
    other = command("bench", "nin_cifar10", "--plan", "plan.json", "-o", "other.json")
    assert "--plan: the plan is for space tiny on images of 1x8x8, not for nin_cifar10, got 'plan.json'" in other.err


def test_a_search_for_another_machine(command: Command) -> None:
    command("bench", *TINY_PLAN, "-o", "table.json", "--threads", 1)
    limit = 1e3 * max(each.whole for each in device_table("table.json").networks)
    table = ("--latency-table", "table.json", "--max-latency-ms", limit)
    said = command("search", "--space", "tiny.yaml", *table, "--trials", 2, *QUICK, "--run", "run")
    assert said.code == 0, said.err
    assert "note: latency is that of " in said.err
    assert " ms  a1-" in said.out  # the column of the leaderboard
    Path("table.json").unlink()
    assert command("resume", "run", "--trials", 3).code == 0
    kept = device_table("run/latency_table.json")
    for record in RunFolder.open("run").records():
        graph = lower(network_from_data(record.network), aux=False)
        assert record.latency == pytest.approx(kept.latency(graph).milliseconds)
    page = Path("run/report.html").read_text(encoding="utf-8")
    assert "Latencies of this study are those of" in page
    assert "--latency-table run/latency_table.json" in page
    facts = json.loads(command("report", "run", "--json").out)["latency"]
    assert [each["name"] for each in facts["networks"]] == ["point 0", "point 1"]
    changed = Path("run/latency_table.json").read_text().replace('"batch_size": 1', '"batch_size": 2')
    Path("run/latency_table.json").write_text(changed)
    assert "the study was begun with another table of latencies" in command("resume", "run", "--trials", 4).err


def test_a_plan_of_a_study(command: Command) -> None:
    command("search", "--space", "tiny.yaml", "--trials", 1, *QUICK, "--run", "run")
    said = command("bench", "run", "--networks", 2, "--ops", 10, "--plan", "plan.json")
    assert said.code == 0, said.err
    plan = json.loads(Path("plan.json").read_text())
    assert plan["about"] == "study run"
    assert [network["name"] for network in plan["networks"]] == ["trial 0", "point 0"]
    assert {str(network["part"]["inputs"]["x0"]) for network in plan["networks"]} == {"[1, 8, 8]"}


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["bench", "nin_cifar10"], "nothing to write; give --plan FILE to time on another machine, or --out FILE"),
        (["bench", "-o", "t.json"], "a plan is for one network, run or space; give NET, a run folder or --space"),
        (["bench", "nin_cifar10", "--space", "tiny.yaml", "-o", "t.json"], "a plan is for one network, run or space"),
        (
            ["bench", "nin_cifar10", "--classes", "4", "-o", "t.json"],
            "--shape: shape and classes are for a space, got 4",
        ),
        (["bench", "--space", "tiny.yaml", "--shape", "28", "-o", "t.json"], "not the shape of images, got '28'"),
        (["bench", "nin_cifar10", "-o", "no/t.json"], "no/t.json: the file cannot be written"),
        (["bench", "nin_cifar10", "-o", "t.json", "--runtime", "onx"], "there is no runtime 'onx'; there are torch, "),
        (["bench", "--plan", "tiny.yaml", "-o", "t.json"], "tiny.yaml: this is not JSON; expected a plan"),
        (["bench", "nothing", "-o", "t.json"], "'nothing'"),
        (["search", "--latency-table", "t.json", "--run", "run"], "--latency-table: t.json: the file cannot be read"),
    ],
)
def test_bad_input(words: list[str], expected: str, command: Command) -> None:
    said = command(*words)
    assert said.code != 0
    assert expected in said.err
    assert {path.name for path in Path().iterdir()} == {"tiny.yaml"}


def test_a_table_without_a_use_is_noted(command: Command) -> None:
    command("bench", *TINY_PLAN, "-o", "table.json", "--threads", 1)
    options = ("--latency-table", "table.json", "--trials", 1, *QUICK, "--run", "run")
    said = command("search", "--space", "tiny.yaml", *options)
    assert "latency_table has no effect without max_latency_ms or the objective latency" in said.err
    assert ins.open_run("run").records[0].latency is None
