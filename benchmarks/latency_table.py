"""How well a table of op latencies predicts networks that it has not seen, beside a prediction from multiply-adds.

    python benchmarks/latency_table.py      prints a row for each space and runtime; writes results/latency_table.json

For each space, a plan with the default number of whole networks is timed, as on another machine, and then other random
networks of the space, each as a whole. They are predicted by the scaled sum of their ops, of which most are estimated.
The peer is what a search without a table can do: milliseconds proportional to multiply-adds, with the median factor of
the whole networks in the plan. Leave the machine alone meanwhile.
"""

from __future__ import annotations

import argparse
import itertools
import json
import statistics
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from evidence import facts_of_speed, today

import inception_search as ins
from inception_search.lowering import lower
from inception_search.measures.device_plan import make_plan, part_of
from inception_search.measures.device_table import DeviceTable
from inception_search.measures.plan_sources import from_space, random_networks
from inception_search.measures.units import deployed
from inception_search.on_device.runtime import Runtime, open_runtime
from inception_search.on_device.stopwatch import milliseconds
from inception_search.on_device.time_plan import time_plan

RESULTS = Path(__file__).parent / "results" / "latency_table.json"
SPACES = {"inception_modules": (3, 32, 32), "separable_modules": (3, 64, 64), "nas_bench_201": (3, 32, 32)}
RUNTIMES = ("torch", "onnxruntime", "openvino")
UNSEEN = 500_000  # the first seed of networks that are in no plan


def row(space: ins.Space, shape: tuple[int, int, int], runtime: str, ops: int, unseen: int) -> dict[str, Any]:
    """The errors of predictions of ``unseen`` networks for images of ``shape`` (C, H, W)."""
    source = from_space(space, shape=shape, classes=10)
    plan = make_plan(source.networks, source.others, about=source.about, most_ops=ops)
    with TemporaryDirectory() as folder:
        file = Path(folder) / "table.json"
        time_plan(plan, file, runtime=runtime, threads=1)
        table = DeviceTable(file)
    macs = {name: ins.measure_network(network, "macs") for name, network in source.networks.items()}
    factor = statistics.median(each.whole / macs[each.name] for each in table.networks)
    here = open_runtime(runtime, threads=1)
    by_table, by_macs, shares, wholes = [], [], [], []
    networks = list(itertools.islice(random_networks(space, shape, 10, UNSEEN), unseen))
    times = [
        [_whole(network, here) for network in networks] for _ in range(2)
    ]  # at two times, of which one may be busy
    for network, whole in zip(networks, map(min, *times), strict=True):
        found = table.latency(lower(network, aux=False))
        by_table.append(found.milliseconds / whole - 1)
        by_macs.append(factor * ins.measure_network(network, "macs") / whole - 1)
        shares.append(found.timed)
        wholes.append(whole)
    return {
        "version": here.version,
        "ops": len(table.rows),
        "scale": table.scale,
        "median_ms": statistics.median(wholes),
        "timed_share": statistics.median(shares),
        "estimate_error": statistics.median(table.errors_of_estimates() or [0.0]),
        "table": _errors(by_table),
        "macs": _errors(by_macs),
    }


def _whole(network: ins.Network, runtime: Runtime) -> float:
    return milliseconds([runtime.prepare(part_of(deployed(network)), 1)], runtime.wait)[0]


def _errors(relative: list[float]) -> dict[str, float]:
    sizes = sorted(map(abs, relative))
    return {"median": statistics.median(sizes), "largest": sizes[-1]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--ops", type=int, default=300)
    parser.add_argument("--unseen", type=int, default=20)
    options = parser.parse_args()
    rows = {}
    for name, shape in SPACES.items():
        for runtime in RUNTIMES:
            found = row(ins.load_space(name), shape, runtime, options.ops, options.unseen)
            rows[f"{name}, {runtime}"] = {"images": list(shape), **found}
            print(name, runtime, found, flush=True)
    figures = {"date": today(), "facts": facts_of_speed(1, RUNTIMES), "rows": rows}
    RESULTS.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    print(RESULTS)


if __name__ == "__main__":
    main()
