"""A training step of ``ins.compile(..., optimize="training")``, compared with the plain modules.

    python benchmarks/training_step.py      prints the table and writes benchmarks/results/training_step.json

A step is forward, cross-entropy, backward and fused SGD with momentum. Small networks, as a search trains (32x32
images, batch 32), and Inception v3 in full (299x299, batch 4). The variants take turns in one process; figures are
ratios of medians over rounds, with a 95 % bootstrap interval over rounds. A variant is not timed if its first loss
differs by more than rounding. Kernels are ATen ops that compute something. Leave the machine alone meanwhile. Recorded
rows of networks that are not run are kept.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import torch
from evidence import Others, facts_of_speed, today
from rounds import interleaved, ratio, summary
from torch import Tensor

import inception_search as ins
from benchmarks.speed_tables import of_training_step
from inception_search.backend.network_module import NetworkModule
from inception_search.measures.choose_rewrites import Optimize
from inception_search.passes.pipeline import passes_of
from tests.aten_ops import aten_ops, training_step
from tests.proxy_networks import MODULES, WIDTH, proxy_network

RESULTS = Path(__file__).parent / "results" / "training_step.json"
FULL = "inception_v3"
ROUNDS, FEWER = 40, 12  # of small networks and of the large one
ROUNDING = {"float32": 1e-4, "bfloat16": 5e-2}  # relative differences of the first loss
PACKAGES = ("torch", "inception-search")
PLAIN, OURS = "none", "training"  # values of optimize=


class Variant(NamedTuple):
    """One way to take the step."""

    optimize: Optimize
    layout: torch.memory_format = torch.channels_last
    dtype: str = "float32"
    compiled: bool = False


VARIANTS = {
    "plain": Variant(PLAIN, torch.contiguous_format),
    "plain, channels_last": Variant(PLAIN),
    "plain, channels_last, bfloat16": Variant(PLAIN, dtype="bfloat16"),
    "ours": Variant(OURS),
    "ours, bfloat16": Variant(OURS, dtype="bfloat16"),
}
COMPILED = {
    "torch.compile": Variant(PLAIN, compiled=True),
    "torch.compile, bfloat16": Variant(PLAIN, dtype="bfloat16", compiled=True),
}


def batch_of(name: str) -> tuple[Tensor, Tensor]:
    """Random images and labels for a network."""
    torch.manual_seed(0)
    shape, classes = ((4, 3, 299, 299), 1000) if name == FULL else ((32, 3, 32, 32), 10)
    return torch.randn(shape), torch.randint(classes, shape[:1])


def network(name: str, optimize: Optimize) -> NetworkModule:
    """A network with weights that do not depend on ``optimize``."""
    if name == FULL:
        return ins.compile(FULL, seed=0, optimize=optimize)
    return ins.compile(proxy_network(name), width=WIDTH, seed=0, optimize=optimize)


def step_of(name: str, variant: Variant) -> tuple[Callable[[], Tensor], NetworkModule]:
    """The step of a variant, on its own copy of the network, and this copy."""
    images, labels = batch_of(name)
    model = network(name, variant.optimize).to(memory_format=variant.layout)  # type: ignore[call-overload]
    images = images.contiguous(memory_format=variant.layout)
    run = torch.compile(model, dynamic=False) if variant.compiled else model
    autocast = torch.bfloat16 if variant.dtype == "bfloat16" else None
    return training_step(run, images, labels, autocast=autocast), model


def measured(name: str, variants: dict[str, Variant], rounds: int) -> dict[str, Any]:
    """The row of one network."""
    steps: dict[str, Callable[[], Tensor]] = {}
    row: dict[str, Any] = {"rounds": rounds, "difference": {}, "not_timed": {}}
    expected = None
    for variant, what in variants.items():
        take, _ = step_of(name, what)
        torch.manual_seed(0)  # dropout
        loss = float(take())
        expected = loss if expected is None else expected
        difference = abs(loss - expected) / expected
        row["difference"][variant] = float(f"{difference:.2g}")
        if difference < ROUNDING[what.dtype]:
            steps[variant] = take
        else:
            row["not_timed"][variant] = f"another loss: {loss:.6g} in place of {expected:.6g}"
    others = Others()
    times = interleaved(steps, rounds)
    row |= {"used_by_others": others.share(), "ms": summary(times)}
    row["ratios"] = {
        faster: {slower: ratio(times[slower], times[faster]) for slower in times if slower != faster}
        for faster in times
    }
    return row | {"kernels": kernels(name)}


def kernels(name: str) -> dict[str, Any]:
    """Kernels of a step of the plain modules, of ours, and with every pass wherever it can be applied.

    Which rewrites ours has, the cost model decides from measurements on this machine; the other two numbers are the
    same on every machine.
    """
    counted, rewrites = {}, {}
    for variant, optimize in (("plain", PLAIN), ("ours", OURS), ("every pass", passes_of("training"))):
        take, model = step_of(name, Variant(optimize))
        take()  # the first step allocates the momentum
        counted[variant] = aten_ops(take)
        rewrites[variant] = Counter(of for of, _ in model.rewrites.get("training", ()))
    totals = {variant: ops.total() for variant, ops in counted.items()}
    return {"totals": totals, "rewrites": rewrites["ours"], "of_ours": dict(counted["ours"].most_common())}


def main() -> int:
    """Measure, write after every row, print; 1 if ours could not be timed."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--networks", nargs="*", default=[*MODULES, FULL], choices=[*MODULES, FULL], metavar="NAME")
    parser.add_argument("--rounds", type=int, help=f"default: {ROUNDS} for small networks, {FEWER} for {FULL}")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--compile", action="store_true", help="torch.compile, too: a minute for each network")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    known = facts_of_speed(options.threads, PACKAGES)
    figures: dict[str, Any] = {"rows": {}}
    if RESULTS.exists() and json.loads(RESULTS.read_text())["facts"] == known:
        figures = json.loads(RESULTS.read_text())
    figures = {"date": today(), "facts": known, "rows": figures["rows"]}
    failed = False
    for name in options.networks:
        rounds = options.rounds or (FEWER if name == FULL else ROUNDS)
        row = measured(name, VARIANTS | (COMPILED if options.compile else {}), rounds)
        failed |= bool(row["not_timed"])
        figures["rows"][name] = row
        print(name, row["not_timed"] or "", row["kernels"]["totals"], flush=True)
        RESULTS.write_text(json.dumps(figures, indent=2) + "\n")
    print(f"\n{of_training_step(figures)}\n\n{RESULTS}")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
