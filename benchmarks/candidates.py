"""How many candidate networks a second can be validated, shaped and costed, beside timm with a FLOP counter.

    python benchmarks/candidates.py            prints the table and writes benchmarks/results/candidates.json

Needs the test set-up (``make test``) and ``pip install --no-deps ptflops``. Ours: a document as plain data goes
through validation, shape inference, and parameter, MAC, activation and depth counts, without torch. Theirs:
``timm.create_model("inception_v4")`` and ``ptflops.get_model_complexity_info`` (parameters and MACs). Rounds of
all rows alternate in one process; figures are medians over rounds, ratios are taken round by round.
"""

from __future__ import annotations

import argparse
import gc
import json
import platform
import random
import statistics
import time
from collections.abc import Callable
from contextlib import redirect_stdout
from importlib.util import find_spec
from io import StringIO
from pathlib import Path
from typing import Any

from evidence import processor, today

import inception_search as ins
from inception_search.estimate import estimate
from inception_search.space.load_space import load_space
from inception_search.spec.network import Network
from inception_search.spec.step import Conv
from inception_search.spec.transform import map_convs, remake

RESULTS = Path(__file__).parent / "results" / "candidates.json"
PEER = "timm + ptflops, inception_v4"


def one_width_changed(network: Network, rng: random.Random) -> dict[str, Any]:
    """The long form of ``network`` with the width of one convolution changed: what a mutation makes."""
    name = rng.choice(list(network.blocks))
    convs: list[Conv] = []
    map_convs(network.blocks[name], lambda conv: convs.append(conv) or conv)
    chosen = rng.randrange(len(convs))
    seen = iter(range(len(convs)))

    def change(conv: Conv) -> Conv:
        return remake(conv, width=rng.randrange(32, 512, 32)) if next(seen) == chosen else conv

    return remake(network, blocks={**network.blocks, name: map_convs(network.blocks[name], change)}).to_dict()


def every_width_changed(network: Network, rng: random.Random) -> dict[str, Any]:
    """The long form of ``network`` with the width of every convolution drawn anew."""

    def change(conv: Conv) -> Conv:
        return remake(conv, width=rng.randrange(32, 512, 32))

    blocks = {name: map_convs(step, change) for name, step in network.blocks.items()}
    stages = {name: map_convs(step, change) for name, step in network.stages.items()}
    return remake(network, blocks=blocks, stages=stages).to_dict()


def candidates(count: int, seed: int) -> dict[str, list[dict[str, Any]]]:
    """Different candidates for every row, as the plain data a document is."""
    rng, v4, space = random.Random(seed), ins.load("inception_v4"), load_space("inception_modules")
    return {
        "points of the space inception_modules": [space.decode(space.sample(rng)).to_dict() for _ in range(count)],
        "inception_v4, one width changed": [one_width_changed(v4, rng) for _ in range(count)],
        "inception_v4, every width changed": [every_width_changed(v4, rng) for _ in range(count)],
    }


def peer() -> None:
    """One candidate the usual way: build the model, run a counter over it."""
    import timm
    from ptflops import get_model_complexity_info

    model = timm.create_model("inception_v4")
    with redirect_stdout(StringIO()):
        get_model_complexity_info(model, (3, 299, 299), as_strings=False, print_per_layer_stat=False)


def timed(work: Callable[[], None]) -> float:
    """Seconds; what is in memory already (the documents of the round) is kept from the garbage collector's walks."""
    gc.collect()
    gc.freeze()
    begun = time.perf_counter()
    work()
    seconds = time.perf_counter() - begun
    gc.unfreeze()
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--count", type=int, default=400, help="candidates per row and round")
    options = parser.parse_args()

    for needed in ("timm", "ptflops"):
        if find_spec(needed) is None:
            raise SystemExit(f"{needed} is missing: run 'make test' once, then pip install --no-deps ptflops")

    import torch

    import tests.torchvision_shim  # noqa: F401 - before timm

    # isort: split
    import timm

    peer()  # imports and first-call costs are nobody's
    rates: dict[str, list[float]] = {}
    ratios: dict[str, list[float]] = {}
    for number in range(options.rounds):
        theirs = timed(peer)
        rates.setdefault(PEER, []).append(1 / theirs)
        for name, documents in candidates(options.count, seed=number).items():

            def work(documents: list[dict[str, Any]] = documents) -> None:
                for document in documents:
                    estimate(Network.model_validate(document))

            rate = options.count / timed(work)
            rates.setdefault(name, []).append(rate)
            ratios.setdefault(name, []).append(rate * theirs)

    rows = {
        name: {
            "candidates_per_second": round(statistics.median(values), 2),
            "ratio_to_peer": round(statistics.median(ratios[name]), 1) if name in ratios else 1.0,
        }
        for name, values in rates.items()
    }
    facts = {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "timm": timm.__version__,
        "processor": processor(),
        "rounds": options.rounds,
        "count": options.count,
    }
    for name, row in rows.items():
        print(f"{name:40} {row['candidates_per_second']:>12,.1f} per second   {row['ratio_to_peer']:>8,.1f} x")
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps({"date": today(), "facts": facts, "rows": rows}, indent=2) + "\n")
    print(RESULTS)


if __name__ == "__main__":
    main()
