"""Our ONNX beside the runtimes' own conversions of timm's module: time to convert, and speed of what was converted.

    python benchmarks/exports.py      prints the tables and writes benchmarks/results/exports.json

Every network has the same weights on both sides. Conversions take turns, and so do inferences (batch 1, float32, all
threads, in one process); a variant is not timed if its logits differ by more than rounding. int8 is calibrated on
random images: its speed does not depend on them. Leave the machine alone meanwhile.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from evidence import Others, facts_of_speed, today
from peers import SUBJECTS, Call, Task
from rounds import interleaved, ratio, summary
from torch import Tensor

from benchmarks.speed_tables import of_exports
from inception_search.data.dataset import Dataset, Split
from inception_search.exports.exporter import export

RESULTS = Path(__file__).parent / "results" / "exports.json"
INT8 = "inception_v3"
PACKAGES = ("torch", "timm", "torchvision", "onnx", "onnxscript", "onnxruntime", "openvino", "nncf", "inception-search")
ROUNDING, ROUGHLY = 1e-4, 0.5  # relative differences of the logits, in float32 and in int8


def conversions(task: Task, repeats: int) -> dict[str, list[float]]:
    """Seconds of both conversions to ONNX, by turns; ours includes its check by ``onnx.checker``."""
    calls: dict[str, Callable[[Path], Any]] = {
        "ours": lambda folder: export(task.model, "onnx", folder / "m.onnx", check=False, force=True),
        "torch.onnx.export": lambda folder: torch.onnx.export(
            task.module, (task.images,), folder / "t.onnx", dynamo=True, verbose=False
        ),
    }
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    with tempfile.TemporaryDirectory() as folder:
        for number in range(repeats + 1):
            for name, call in calls.items():
                begun = time.perf_counter()
                call(Path(folder))
                if number:  # the first has imports
                    seconds[name].append(time.perf_counter() - begun)
    return seconds


def runs(task: Task, folder: Path) -> dict[str, Call]:
    """One inference in each runtime of each conversion."""
    import openvino

    x = task.images
    theirs = folder / "theirs.onnx"
    torch.onnx.export(task.module, (x,), theirs, dynamo=True, verbose=False)
    ours = export(task.model, "onnx", folder / "ours.onnx", check=False).path
    xml = export(task.model, "openvino", folder / "ours.xml", check=False).path
    converted = openvino.convert_model(task.module, example_input=x, input=[list(x.shape)])
    calls = {
        "ONNX Runtime, ours": in_onnxruntime(ours, x, task.threads),
        "ONNX Runtime, torch.onnx.export": in_onnxruntime(theirs, x, task.threads),
        "OpenVINO, ours": in_openvino(xml, x, task.threads),
        "OpenVINO, its own conversion": in_openvino(converted, x, task.threads),
    }
    if task.name == INT8:
        data = random_images(x)
        small = export(task.model, "onnx", folder / "int8.onnx", int8=True, calibrate=data, check=False).path
        calls["ONNX Runtime, ours, int8"] = in_onnxruntime(small, x, task.threads)
        small = export(task.model, "openvino", folder / "int8.xml", int8=True, calibrate=data, check=False).path
        calls["OpenVINO, ours, int8"] = in_openvino(small, x, task.threads)
    return calls


def in_onnxruntime(file: Path, x: Tensor, threads: int) -> Call:
    """A call of ONNX Runtime."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    feed = {session.get_inputs()[0].name: x.numpy()}
    return lambda: session.run(None, feed)[0]


def in_openvino(model: Any, x: Tensor, threads: int) -> Call:
    """A call of OpenVINO, set for latency."""
    import openvino

    options = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": str(threads)}
    core = openvino.Core()
    network = core.read_model(model) if isinstance(model, Path) else model
    network.reshape(list(x.shape))
    request, images = core.compile_model(network, "CPU", options).create_infer_request(), x.numpy()
    return lambda: request.infer([images], share_inputs=True, share_outputs=True)[0]


def random_images(x: Tensor) -> Dataset:
    """Sixteen random images of a thousand classes."""
    pixels = torch.randint(0, 256, (16, *x.shape[1:]), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    split = Split(pixels, torch.zeros(len(pixels), dtype=torch.int64))
    return Dataset("random", tuple(f"class {number}" for number in range(1000)), split, split, split)


def measured(task: Task, rounds: int, repeats: int) -> dict[str, Any]:
    """The row of one network."""
    seconds = conversions(task, repeats)
    row: dict[str, Any] = {"seconds": {name: round(statistics.median(each), 3) for name, each in seconds.items()}}
    row["conversion_ratio"] = ratio(seconds["torch.onnx.export"], seconds["ours"])
    with tempfile.TemporaryDirectory() as folder:
        calls, timed = runs(task, Path(folder)), dict[str, Call]()
        expected = task.module(task.images).numpy()
        row["not_timed"] = {}
        for name, call in calls.items():
            difference = float(np.abs(np.asarray(call()) - expected).max() / np.abs(expected).max())
            if difference <= (ROUGHLY if name.endswith("int8") else ROUNDING):
                timed[name] = call
            else:
                row["not_timed"][name] = f"{difference:.1e} of the largest logit"
        others = Others()
        times = interleaved(timed, rounds)
        row |= {"used_by_others": others.share(), "ms": summary(times)}
    row["ratios"] = {}
    for faster, slower in (
        ("ONNX Runtime, ours", "ONNX Runtime, torch.onnx.export"),
        ("OpenVINO, ours", "OpenVINO, its own conversion"),
        ("ONNX Runtime, ours, int8", "ONNX Runtime, ours"),
        ("OpenVINO, ours, int8", "OpenVINO, ours"),
    ):
        if faster in times and slower in times:
            row["ratios"][f"{faster} / {slower}"] = ratio(times[slower], times[faster])
    return row


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--networks", nargs="*", default=list(SUBJECTS), choices=SUBJECTS, metavar="NAME")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--repeats", type=int, default=3, help="conversions of each kind")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.set_grad_enabled(False)
    figures: dict[str, Any] = {"date": today(), "facts": facts_of_speed(options.threads, PACKAGES), "rows": {}}
    for name in options.networks:
        print(name, flush=True)
        figures["rows"][name] = measured(Task(name, 1, options.threads), options.rounds, options.repeats)
        RESULTS.write_text(json.dumps(figures, indent=2) + "\n")
    print(of_exports(figures))


if __name__ == "__main__":
    main()
