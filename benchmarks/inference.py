"""Inference of ``ins.optimize``, compared with eager PyTorch, torch.compile, OpenVINO and ONNX Runtime.

    python benchmarks/inference.py      prints the tables and writes benchmarks/results/inference.json

Needs the test set-up (``make test``), a C++ compiler for torch.compile, and the packages of
``benchmarks/requirements.txt``; what is not installed is reported as missing. The networks are timm's and torchvision's
with random weights, ours the same networks with the same weights. A variant whose logits differ from those of the
eager module by more than rounding is not timed.

The variants take turns in one process, in a random order in every round; figures are ratios of medians over rounds,
with a 95 % bootstrap interval over rounds. Leave the machine alone meanwhile: the share of the processor that others
used is recorded. Recorded rows of networks and batches that are not run are kept.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import sys
import tempfile
import time
from collections.abc import Collection
from pathlib import Path
from subprocess import CalledProcessError
from typing import Any

import torch
from evidence import Others, facts_of_speed, today
from peak_memory import peak_memory
from peers import BFLOAT16, LEAST_MEMORY, SUBJECTS, Call, Task, makers
from rounds import interleaved, ratio, summary

import inception_search as ins
from benchmarks.speed_tables import of_inference

RESULTS = Path(__file__).parent / "results" / "inference.json"
ROUNDS = {1: 30}  # by the size of the batch
FEWER = 8  # for all other sizes
# Differences from the eager module in float32, as a share of the largest logit, that rounding explains.
ROUNDING = {"float32": 1e-4, "bfloat16": 5e-2}
PACKAGES = ("torch", "timm", "torchvision", "openvino", "onnxruntime", "onnxscript", "inception-search")
MEMORY = ("inception_v4", 16, ("eager", "eager, channels_last", "OpenVINO", "ours", LEAST_MEMORY))
OURS = "ours"


def measured(task: Task, rounds: int, skipped: tuple[str, ...]) -> dict[str, Any]:
    """The row of one network and batch."""
    calls: dict[str, Call] = {}
    row: dict[str, Any] = {"rounds": rounds, "seconds_to_first_answer": {}, "difference": {}, "not_timed": {}}
    expected = task.module(task.images)
    for name, maker in makers(task.batch).items():
        if name.startswith(skipped):
            continue
        print(f"  {name}", end="", flush=True)
        begun = time.perf_counter()
        try:
            call = maker(task)
            answer = torch.as_tensor(call()).float()
        except Exception as error:  # whatever ails another package, the others can be measured
            row["not_timed"][name] = _reason(error)
            print(f": {row['not_timed'][name]}")
            continue
        row["seconds_to_first_answer"][name] = round(time.perf_counter() - begun, 3)
        difference = float((answer - expected).abs().max() / expected.abs().max())
        row["difference"][name] = float(f"{difference:.2g}")
        print(f": {row['seconds_to_first_answer'][name]} s, difference {difference:.1e}")
        if difference < ROUNDING["bfloat16" if name.endswith(BFLOAT16) else "float32"]:
            calls[name] = call
        else:
            row["not_timed"][name] = f"wrong answers: they differ by {difference:.2g}"
    return row | timed(calls, rounds, warm=task.batch == 1)


def _reason(error: Exception) -> str:
    if isinstance(error, ModuleNotFoundError):
        return f"missing: {error.name} is not installed"
    return f"failed: {type(error).__name__}: {str(error).strip().partition(chr(10))[0][:200]}"


def timed(calls: dict[str, Call], rounds: int, *, warm: bool) -> dict[str, Any]:
    """Milliseconds of every variant, and how many times as long as ours each of the others takes."""
    others = Others()
    times = interleaved(calls, rounds, warm=warm)
    share = others.share()
    ratios = {
        name: {other: ratio(times[other], times[name]) for other in times if not other.startswith(OURS)}
        for name in times
        if name.startswith(OURS)
    }
    return {"used_by_others": share, "ms": summary(times), "ratios": ratios}


def optimised_again(task: Task, names: Collection[str], repeats: int = 3) -> dict[str, float]:
    """Seconds of ``ins.optimize`` with the first answer once more, for those of ``names``: the fastest of a few."""
    fastest = {}
    for name, maker in makers(task.batch).items():
        if name.startswith(OURS) and name in names:
            seconds = []
            for _ in range(repeats):
                begun = time.perf_counter()
                maker(task)()
                seconds.append(time.perf_counter() - begun)
            fastest[name] = round(min(seconds), 3)
    return fastest


def memory(repeats: int, skipped: tuple[str, ...]) -> dict[str, Any]:
    """Peak memory of one inference, each variant in processes of its own."""
    network, batch, variants = MEMORY
    rows: dict[str, Any] = {}
    for variant in variants:
        if variant.startswith(skipped):
            continue
        try:
            rows[variant] = peak_memory(variant, network, batch, repeats)
        except CalledProcessError as error:  # the package is missing, or this is not Linux
            rows[variant] = {"not_measured": error.stderr.strip().rpartition("\n")[2]}
        print(f"  {variant}: {rows[variant]}", flush=True)
    return {"network": network, "batch": batch, "processes": repeats, "megabytes": rows}


def warm_up(skipped: tuple[str, ...]) -> None:
    """Import what the variants import; the time that this takes is no part of any figure."""
    if not "torch.compile".startswith(skipped):
        torch.compile(lambda x: x + 1)(torch.ones(1))
    if not OURS.startswith(skipped):
        small = ins.compile("nin_cifar10").eval()
        ins.optimize(small, batch_size=1, dtype="float32")(torch.zeros(1, 3, 32, 32))


def write(figures: dict[str, Any]) -> None:
    """Replace the file with the results."""
    RESULTS.write_text(json.dumps(figures, indent=2) + "\n")


def recorded(threads: int) -> dict[str, Any]:
    """The results so far, for which new rows are taken; none if they are of another machine or other versions."""
    now = facts_of_speed(threads, PACKAGES)
    if RESULTS.exists():
        figures: dict[str, Any] = json.loads(RESULTS.read_text())
        if figures["facts"] == now:
            return figures | {"date": today()}
        print("the results file is of another machine or other versions: it is written anew")
    return {"date": today(), "facts": now, "rows": {}}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--networks", nargs="*", default=list(SUBJECTS), choices=SUBJECTS, metavar="NAME")
    parser.add_argument("--batches", nargs="*", type=int, default=[1, 16], metavar="N")
    parser.add_argument("--rounds", type=int, help=f"default: {ROUNDS[1]} for batch 1, else {FEWER}")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--skip", nargs="*", default=[], metavar="VARIANT", help='such as "torch.compile"')
    parser.add_argument("--memory", type=int, default=5, metavar="PROCESSES", help="0: do not measure memory")
    return parser.parse_args()


def main() -> int:
    """Measure, write after every row, print; 1 if one of ours could not be timed."""
    options = arguments()
    torch.set_num_threads(options.threads)
    torch.set_grad_enabled(False)
    figures = recorded(options.threads)
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        os.environ["TORCHINDUCTOR_CACHE_DIR"] = folder  # what earlier runs compiled would make compilation seem fast
        warm_up(tuple(options.skip))
        for batch in options.batches:
            for network in options.networks:
                print(f"{network}, batch {batch}", flush=True)
                task = Task(network, batch, options.threads)
                rounds = options.rounds or ROUNDS.get(batch, FEWER)
                row = measured(task, rounds, tuple(options.skip))
                failed |= any(name.startswith(OURS) for name in row["not_timed"])
                row["seconds_again"] = optimised_again(task, row["ms"])
                figures["rows"][f"{network}, batch {batch}"] = row
                write(figures)
                del task
                torch._dynamo.reset()
                gc.collect()
        if options.memory:
            print("memory", flush=True)
            figures["memory"] = memory(options.memory, tuple(options.skip))
            write(figures)
    print(f"\n{of_inference(figures)}\n\n{RESULTS}")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
