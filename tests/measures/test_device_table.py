"""Plans, the tables that other machines make of them, and latencies from tables."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

import inception_search as ins
from inception_search.errors import ConfigError
from inception_search.lowering import lower
from inception_search.measures.device_plan import make_plan
from inception_search.measures.device_table import DeviceTable, device_table
from inception_search.measures.plan_sources import from_network, from_space, random_networks
from inception_search.measures.units import Unit, deployed, facts, units
from inception_search.on_device import time_plan as timing
from inception_search.on_device.archive import program
from inception_search.on_device.files import TABLE, VERSION, read_table
from inception_search.on_device.parts import PlanError
from inception_search.on_device.time_plan import time_plan
from inception_search.space.load_space import load_space
from inception_search.spec.network import Network

TARGET = {"runtime": "torch", "version": "2", "device": "Chip", "threads": 4, "machine": "Linux arm64"}


def cost(unit: Unit) -> float:
    """A time that a machine could need for a unit."""
    sizes = unit.sizes()
    return 1e-3 + 2e-8 * sizes["macs"] + 1e-7 * sizes["values"]


def write_table(path: Path, known: Mapping[Unit, int], networks: list[dict[str, Any]], **changes: Any) -> Path:
    rows = [{**facts(unit), "ms": cost(unit), "sweeps": 2} for unit in known]
    head = {"schema": TABLE, "version": VERSION, "plan": "", "about": "", "batch_size": 1, "finished": True}
    path.write_text(
        json.dumps({**head, "target": TARGET, "call_ms": 0.0, "ops": rows, "networks": networks, **changes})
    )
    return path


def timed(name: str, network: Network, factor: float) -> dict[str, Any]:
    """A network that takes ``factor`` times the sum of its ops."""
    found = units(deployed(network))
    whole = factor * sum(cost(unit) * calls for unit, calls in found.items())
    return {"name": name, "ms": whole, "ops": {unit.key: calls for unit, calls in found.items()}}


@pytest.fixture(scope="module")
def points() -> list[Network]:
    drawn = random_networks(load_space("inception_modules"), (3, 32, 32), 10)
    return [next(drawn) for _ in range(40)]


def total(network: Network) -> float:
    return sum(cost(unit) * calls for unit, calls in units(deployed(network)).items())


class TestUnits:
    def test_an_activation_belongs_to_the_convolution_that_it_follows(self) -> None:
        found = {unit.key: calls for unit, calls in units(deployed(ins.load("nin_cifar10"))).items()}
        convs = {key: calls for key, calls in found.items() if key.startswith("Conv(")}
        assert sum(convs.values()) == 9
        assert all("Act(kind='relu')" in key for key in convs)
        assert not any(key.startswith("Act(") for key in found)

    def test_the_same_work_on_other_sizes_is_one_kind(self) -> None:
        kinds = {unit.kind for unit in units(deployed(ins.load("inception_v1"))) if unit.op.name == "conv"}
        assert kinds == {
            f"conv kernel=({k}, {k}) stride=({s}, {s}) dilation=(1, 1)" for k, s in [(7, 2), (1, 1), (3, 1), (5, 1)]
        }


class TestPlans:
    def test_a_plan_of_a_network_has_each_of_its_ops_once(self) -> None:
        plan = make_plan(from_network("nin", ins.load("nin_cifar10")).networks, about="nin")
        (network,) = plan["networks"]
        assert sorted(network["ops"]) == sorted(op["key"] for op in plan["ops"])
        assert sum(network["ops"].values()) == 13  # nine convolutions, three pools, a flatten
        json.dumps(plan)

    def test_a_plan_of_a_space_is_filled_with_ops_of_other_points(self) -> None:
        source = from_space(load_space("inception_modules"), 2, (3, 16, 16), 10)
        plan = make_plan(source.networks, source.others, about=source.about, most_ops=200)
        assert source.about == "space inception_modules on images of 3x16x16"
        assert [each["name"] for each in plan["networks"]] == ["point 0", "point 1"]
        assert len(plan["ops"]) == len({op["key"] for op in plan["ops"]}) == 200
        assert {"[3, 16, 16]"} == {str(each["part"]["inputs"]["x0"]) for each in plan["networks"]}

    def test_images_that_no_point_fits(self) -> None:
        with pytest.raises(ConfigError, match="no point of space 'inception' that was drawn fits these images"):
            from_space(load_space("inception"), 1, (3, 4, 4))


class TestTables:
    def test_a_network_of_timed_ops_is_their_scaled_sum(self, points: list[Network], tmp_path: Path) -> None:
        known = {unit: 1 for network in points for unit in units(deployed(network))}
        whole = [
            timed(f"n{i}", network, factor)
            for i, (network, factor) in enumerate(zip(points[:3], [0.7, 0.8, 1.0], strict=True))
        ]
        table = DeviceTable(write_table(tmp_path / "t.json", known, whole))
        assert table.scale == pytest.approx(0.8)
        found = table.latency(lower(points[7], aux=False))
        assert found.milliseconds == pytest.approx(0.8 * total(points[7]))
        assert found.timed == 1.0
        first, second, third = table.networks
        assert first.scaled is not None
        assert first.scaled / first.whole == pytest.approx(0.9 / 0.7)
        assert second.ops / second.whole == pytest.approx(1 / 0.8)
        assert third.scaled is not None
        assert third.scaled / third.whole == pytest.approx(0.75)

    def test_ops_that_were_not_timed_are_estimated(self, points: list[Network], tmp_path: Path) -> None:
        known = {unit: 1 for network in points[:30] for unit in units(deployed(network))}
        table = DeviceTable(write_table(tmp_path / "t.json", known, []))
        for network in points[30:]:
            found = table.latency(lower(network, aux=False))
            assert found.timed < 1.0
            assert found.milliseconds == pytest.approx(total(network), rel=0.02)
        errors = sorted(table.errors_of_estimates())
        assert errors[len(errors) // 2] < 0.02

    def test_a_kind_without_timed_ops_is_estimated_from_all(self, points: list[Network], tmp_path: Path) -> None:
        known = {u: 1 for network in points for u in units(deployed(network)) if "kernel=(3, 3)" not in u.kind}
        table = DeviceTable(write_table(tmp_path / "t.json", known, []))
        network = ins.load("nin_cifar10")
        assert table.latency(lower(network, aux=False)).milliseconds == pytest.approx(total(network), rel=0.5)

    def test_a_budget_and_a_measure_use_the_table(self, points: list[Network], tmp_path: Path) -> None:
        known = {unit: 1 for network in points for unit in units(deployed(network))}
        file = write_table(tmp_path / "t.json", known, [])
        ms = total(points[0])
        assert ins.measure_network(points[0], "latency", latency_table=file) == pytest.approx(ms)
        assert ins.Budget(max_latency_ms=1.01 * ms, latency_table=file).violation(points[0]) is None
        excess, words = ins.Budget(max_latency_ms=0.5 * ms, latency_table=file).violation(points[0]) or (0.0, "")
        assert excess == pytest.approx(1.0)
        assert "milliseconds of latency are over the budget" in words

    def test_a_search_samples_within_it(self, points: list[Network], tmp_path: Path) -> None:
        known = {unit: 1 for network in points for unit in units(deployed(network))}
        file = write_table(tmp_path / "t.json", known, [])
        limit = sorted(total(network) for network in points)[10]
        budget = ins.Budget(max_latency_ms=limit, latency_table=file)
        found = ins.sample_within(load_space("inception_modules"), budget, shape=(3, 32, 32), classes=10)
        assert device_table(file).latency(lower(found.network, aux=False)).milliseconds <= limit

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("{", "this is not JSON; expected a table of latencies"),
            ("[]", "found JSON of another kind"),
            ('{"schema": "inception-search/latency-plan"}', "found schema 'inception-search/latency-plan'"),
            ('{"schema": "inception-search/latency-table", "version": 9}', "found version 9"),
            (
                '{"schema": "inception-search/latency-table", "version": 1, "batch_size": 1, "ops": [{"key": 3}]}',
                "the table has too few timed ops, got '0 ops'",
            ),
        ],
    )
    def test_a_file_that_is_no_table(self, text: str, words: str, tmp_path: Path) -> None:
        file = tmp_path / "t.json"
        file.write_text(text)
        with pytest.raises(ConfigError, match=r"t\.json") as caught:
            device_table(file)
        assert words in str(caught.value)

    def test_a_file_that_is_missing(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match=r"t\.json: the file cannot be read \(No such file or directory\)"):
            device_table(tmp_path / "t.json")


@pytest.fixture
def plan() -> dict[str, Any]:
    return make_plan({"nin": ins.load("nin_cifar10")}, about="nin")


class TestTiming:
    def test_everything_in_the_plan_is_timed(self, plan: dict[str, Any], tmp_path: Path) -> None:
        time_plan(plan, tmp_path / "t.json", threads=1)
        table = DeviceTable(tmp_path / "t.json")
        assert [row["key"] for row in table.rows.values()] == [op["key"] for op in plan["ops"]]
        assert table.networks[0].whole > 0
        assert table.target.endswith(", 1 thread")

    def test_an_interrupted_run_goes_on(
        self, plan: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        left, made = [5], []

        def few(calls: Sequence[Callable[[], object]], wait: Callable[[], None]) -> list[float]:
            if left[0] == 0:
                raise KeyboardInterrupt
            left[0] -= 1
            made.append(1)
            return [1.5]

        monkeypatch.setattr(timing, "milliseconds", few)
        with pytest.raises(KeyboardInterrupt):
            time_plan(plan, tmp_path / "t.json", threads=1)
        kept = read_table(tmp_path / "t.json")
        assert (len(kept["ops"]), kept["finished"]) == (4, False)
        assert kept["ops"][3]["ms"] is None
        with pytest.raises(ConfigError, match="too few timed ops"):
            DeviceTable(tmp_path / "t.json")
        left[0], said = -1, []
        made.clear()
        time_plan(plan, tmp_path / "t.json", threads=1, say=said.append)
        assert said[0] == f"{tmp_path / 't.json'} has 4 ops of this plan; the others are timed"
        assert len(made) == 1 + 3 + 2 * len(plan["ops"]) - 3  # an empty call, three times the network, ops twice

    @pytest.mark.parametrize("change", [{"about": "other"}, {}])
    def test_another_table_is_not_replaced(self, change: dict[str, str], plan: dict[str, Any], tmp_path: Path) -> None:
        small = {**plan, "ops": plan["ops"][:1], "networks": []}
        time_plan(small, tmp_path / "t.json", threads=1)
        before = (tmp_path / "t.json").read_text()
        with pytest.raises(PlanError, match="replace it with --force"):
            time_plan({**small, **change}, tmp_path / "t.json", threads=1)
        assert (tmp_path / "t.json").read_text() == before
        time_plan({**small, **change}, tmp_path / "t.json", threads=1, force=True)

    def test_an_op_that_the_runtime_lacks_is_left_out(self, plan: dict[str, Any], tmp_path: Path) -> None:
        odd = {
            **plan["ops"][0],
            "key": "odd",
            "part": {**plan["ops"][0]["part"], "calls": [["Fancy", ["x0"], "y", {}]]},
        }
        table = time_plan({**plan, "ops": [*plan["ops"], odd]}, tmp_path / "t.json", threads=1)
        assert table["ops"][-1]["why"] == "the runtime torch cannot run the operator Fancy"
        assert "odd" not in DeviceTable(tmp_path / "t.json").rows


class TestProgram:
    def test_it_runs_without_the_package(self, plan: dict[str, Any], tmp_path: Path) -> None:
        (tmp_path / "time_plan.pyz").write_bytes(program())
        (tmp_path / "plan.json").write_text(json.dumps({**plan, "ops": plan["ops"][:2], "networks": []}))
        script = (
            "import runpy, sys\n"
            "try:\n    runpy.run_path('time_plan.pyz', run_name='__main__')\n"
            "except SystemExit as end:\n    assert not end.code, end.code\n"
            "print([m.__file__ for name, m in sys.modules.items() if name.startswith('inception_search')])\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", script, "plan.json", "-o", "t.json", "--threads", "1"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        said, files = done.stdout.splitlines()
        assert said == "wrote t.json: 2 ops were timed"
        assert all("time_plan.pyz" in file for file in ast.literal_eval(files))
        assert read_table(tmp_path / "t.json")["finished"]

    def test_it_is_python_3_10(self, tmp_path: Path) -> None:
        (tmp_path / "time_plan.pyz").write_bytes(program())
        with zipfile.ZipFile(tmp_path / "time_plan.pyz") as archive:
            for name in archive.namelist():
                ast.parse(archive.read(name), feature_version=(3, 10))

    @pytest.mark.parametrize(
        ("arguments", "words"),
        [
            (["missing.json"], "missing.json: the file cannot be read (No such file or directory)"),
            (["plan.json", "--runtime", "tflite"], "there is no runtime 'tflite'"),
            (["plan.json", "-o", "nowhere/t.json"], "nowhere/t.json: the file cannot be written"),
        ],
    )
    def test_bad_arguments(
        self,
        arguments: list[str],
        words: str,
        plan: dict[str, Any],
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        from inception_search.on_device.main import main

        monkeypatch.chdir(tmp_path)
        Path("plan.json").write_text(json.dumps(plan))
        assert main(arguments) == 1
        assert words in capsys.readouterr().err
