"""What bounds ``ins.optimize``: the share of its time in convolutions, and their speed beside a matrix product.

    python benchmarks/convolution_share.py      prints the table and writes benchmarks/results/convolution_share.json

One thread, float32. The product is of two 2048x2048 matrices, timed between the networks: about what the processor can
do. A network computed by convolutions at that speed, and by nothing else, cannot be made faster by better code.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import torch
from evidence import facts_of_speed, today
from torch.profiler import ProfilerActivity, profile

import inception_search as ins
from benchmarks.speed_tables import of_convolution_share

RESULTS = Path(__file__).parent / "results" / "convolution_share.json"
SUBJECTS = (
    ("inception_v1@torchvision", 1),
    ("inception_v3", 1),
    ("inception_v4", 1),
    ("inception_resnet_v2", 1),
    ("inception_v3", 4),
    ("inception_v4", 4),
)
SIDE, TRIES, CALLS = 2048, 7, 5
CONVOLUTION = "mkldnn::_convolution_pointwise"
PACKAGES = ("torch", "inception-search")


def product_rate() -> float:
    """Floating-point operations per second of a large matrix product; the fastest of some tries."""
    a, seconds = torch.randn(SIDE, SIDE), []
    for _ in range(TRIES):
        begun = time.perf_counter()
        torch.mm(a, a)
        seconds.append(time.perf_counter() - begun)
    return 2 * SIDE**3 / min(seconds)


def measured(name: str, batch: int) -> dict[str, Any]:
    """The row of one network at a batch size."""
    model = ins.compile(name, seed=0).eval()
    fast = ins.optimize(model, batch_size=batch, record=False)
    _, height, width = model.network.input.shape
    images = torch.randn(batch, 3, height, width)
    fast(images)
    before = product_rate()
    with profile(activities=[ProfilerActivity.CPU]) as events:
        for _ in range(CALLS):
            fast(images)
    rate = max(before, product_rate())
    times = {event.key: event.self_cpu_time_total for event in events.key_averages()}
    convolutions = sum(time for key, time in times.items() if key.startswith(CONVOLUTION))
    operations = 2 * ins.lower(model.network).cost().macs * batch * CALLS
    return {
        "share_of_time": round(convolutions / sum(times.values()), 3),
        "gflops": round(operations / convolutions / 1e3),
        "gflops_of_product": round(rate / 1e9),
    }


def main() -> None:
    torch.set_num_threads(1)
    rows = {f"{name}, batch {batch}": measured(name, batch) for name, batch in SUBJECTS}
    figures = {"date": today(), "facts": facts_of_speed(1, PACKAGES), "rows": rows}
    RESULTS.write_text(json.dumps(figures, indent=2) + "\n")
    print(of_convolution_share(figures))


if __name__ == "__main__":
    main()
