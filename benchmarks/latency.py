"""The sum of op latencies beside the latency of the whole network, for classic networks and points of a space.

    python benchmarks/latency.py            prints the table and writes benchmarks/results/latency.json

Both are those of one image at inference, as ``inception_search.measures.latency`` finds them. Each round measures
every op anew (no cache file is read) and then the network; figures are medians over rounds, ratios taken round by
round. Leave the machine alone meanwhile: with several threads, other work makes either figure useless.
"""

from __future__ import annotations

import argparse
import json
import platform
import random
import statistics
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import inception_search as ins
from inception_search.measures.latency import latency
from inception_search.measures.target import Target
from inception_search.measures.timing import facts_of

RESULTS = Path(__file__).parent / "results" / "latency.json"
CLASSIC = ("inception_v1", "inception_v3", "inception_v4", "inception_resnet_v2")


def networks(points: int) -> dict[str, ins.Network]:
    """The classic networks at their own sizes, and points of the shipped space."""
    space, rng = ins.load_space("inception_modules"), random.Random(0)
    small = {f"inception_modules, point {i}": space.decode(space.sample(rng)) for i in range(points)}
    return {name: ins.load(name) for name in CLASSIC} | small


def row(network: ins.Network, rounds: int, **options: Any) -> dict[str, float]:
    """Milliseconds of both, and the ratio of the sum to the whole."""
    sums, wholes = [], []
    for _ in range(rounds):
        with TemporaryDirectory() as folder:
            sums.append(latency(network, cache=Path(folder) / "latency.json", **options))
        wholes.append(latency(network, whole=True, **options))
    ratios = [one / whole for one, whole in zip(sums, wholes, strict=True)]
    figures = {"sum_ms": sums, "whole_ms": wholes, "ratio": ratios}
    return {name: round(statistics.median(values), 4) for name, values in figures.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--points", type=int, default=8, help="of the space inception_modules")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    rows = {}
    for name, network in networks(options.points).items():
        rows[name] = row(network, options.rounds, device=options.device, threads=options.threads)
        print(f"{name:32} sum {rows[name]['sum_ms']:9.3f} ms   whole {rows[name]['whole_ms']:9.3f} ms", end="")
        print(f"   ratio {rows[name]['ratio']:.2f}", flush=True)
    facts = {
        "python": platform.python_version(),
        "device": facts_of(Target(options.device, options.threads)),
        "rounds": options.rounds,
    }
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps({"facts": facts, "rows": rows}, indent=2) + "\n")
    print(RESULTS)


if __name__ == "__main__":
    main()
