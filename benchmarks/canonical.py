"""How long a canonical document takes to be read, lowered and costed, and a compiled network to get its weights.

    python benchmarks/canonical.py             prints the tables and writes benchmarks/results/canonical.json

Needs the test set-up (``make test``) and ``pip install --no-deps ptflops``. Beside ours, in the same rounds: timm's
``create_model`` with ptflops' counts, and timm's ``create_model``, ``torch.load`` and ``load_state_dict``. Figures are
medians over rounds, ratios are taken round by round.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

from candidates import processor, today

import inception_search as ins
from inception_search.spec.documents.files import shipped_folder
from inception_search.spec.documents.parse import load_network

RESULTS = Path(__file__).parent / "results" / "canonical.json"
TIMM = ("inception_v3", "inception_v4", "inception_resnet_v2")


def seconds(work: Callable[[], Any]) -> float:
    """One timed call."""
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def documented(name: str, dialect: str) -> None:
    """Read, lower, cost; nothing remembered."""
    ins.lower(load_network(shipped_folder() / "canonical" / f"{name}.yaml", dialect)).cost()


def counted_by_peer(name: str) -> None:
    """The same figures from a model that is built and run."""
    import timm
    from ptflops import get_model_complexity_info

    with redirect_stdout(StringIO()):
        get_model_complexity_info(timm.create_model(name), (3, 299, 299), as_strings=False, print_per_layer_stat=False)


def documents(rounds: int) -> dict[str, dict[str, float]]:
    """Milliseconds of every document and dialect; the ratio to the peer where it has the network."""
    rows: dict[str, dict[str, float]] = {}
    for name in ins.list_models(dialects=False):
        for dialect in ins.list_dialects(name):
            ours = [seconds(lambda n=name, d=dialect: documented(n, d)) for _ in range(rounds)]
            row = {"milliseconds": round(1e3 * statistics.median(ours), 1)}
            if name in TIMM and dialect == "timm":
                theirs = [seconds(lambda n=name: counted_by_peer(n)) for _ in range(rounds)]
                ratios = [their / our for their, our in zip(theirs, ours, strict=True)]
                row["ratio_to_timm_and_ptflops"] = round(statistics.median(ratios), 1)
            rows[f"{name}@{dialect}"] = row
    return rows


def weights(rounds: int) -> dict[str, dict[str, float]]:
    """Seconds from a weight file to a model that has it, ours beside timm's, round by round."""
    import timm
    import torch

    rows = {}
    for name in TIMM:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / f"{name}.pth"
            torch.save(timm.create_model(name).state_dict(), file)

            def theirs(name: str = name, file: Path = file) -> None:
                timm.create_model(name).load_state_dict(torch.load(file, weights_only=True))

            def mine(name: str = name, file: Path = file) -> None:
                ins.compile(name, weights=file)

            pairs = [(seconds(mine), seconds(theirs)) for _ in range(rounds)]
        rows[name] = {
            "seconds": round(statistics.median(our for our, _ in pairs), 2),
            "ratio_to_timm": round(statistics.median(their / our for our, their in pairs), 2),
        }
    return rows


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    import torch

    import tests.torchvision_shim  # noqa: F401 - before timm

    # isort: split
    import timm

    counted_by_peer("inception_v3")  # imports and first-call costs are nobody's
    documented("inception_v3", "timm")
    facts = {"torch": torch.__version__, "timm": timm.__version__, "processor": processor(), "rounds": rounds}
    figures = {"date": today(), "facts": facts, "documents": documents(rounds), "weights": weights(rounds)}
    for part in ("documents", "weights"):
        for name, row in figures[part].items():
            print(f"{name:36} {row}")
    RESULTS.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
