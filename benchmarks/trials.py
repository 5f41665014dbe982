"""Trials per hour: a search of ours against the loop a practitioner writes, same networks, same recipe.

    python benchmarks/trials.py         prints the table and writes benchmarks/results/trials.json

Each round runs ``inception-search search`` (random points, nothing stopped early), and then the networks that it has
trained in ``benchmarks/trials_peer.py``, both as commands, start and end included, on all cores of the machine. Ratios
are taken round by round. Ours validates epochs that another follows on 1,000 images (`curve_images`), as a search does
by default; the loop on all 5,000. Recorded rows of settings that are not run are kept. Leave the machine alone
meanwhile: what disturbs one of the two for a minute moves the ratio by a third.

Accuracies after the last epoch, on all validation images, are compared network by network, with a 95 % interval of the
mean difference. A search gives every trial the study's seed, and a lucky order of images is then lucky for all of them;
the loop has a seed for each network. So ours are trained once more for this, apart from the clock, each with the seed
that it has there; and again with batch norm's running averages, which the loop has, too (`norm_images: 0`), instead of
statistics measured before a validation.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

from evidence import half_interval, processor, today

import inception_search as ins

HERE = Path(__file__).parent
RESULTS = HERE / "results" / "trials.json"
PEER = HERE / "trials_peer.py"
OURS = [sys.executable, "-c", "from inception_search.cli.main import run; run()", "search"]
# Small proxies, of which a search trains most, and larger ones at the dataset's own size.
SMALL = {"image_size": 14, "train_images": 1500, "epochs": 3, "batch_size": 64, "max_macs": 3_500_000}
LARGE = {"image_size": 28, "train_images": 2000, "epochs": 2, "batch_size": 64, "max_macs": 14_000_000}
# In bfloat16 ours alone: the loop beside it is in float32, as most are written for a CPU.
SETTINGS: dict[str, dict[str, Any]] = {
    "14x14": SMALL,
    "28x28": LARGE,
    "28x28 bfloat16": LARGE | {"precision": "bfloat16"},
}


def timed(command: list[str], folder: Path) -> float:
    """Seconds of a command."""
    begun = time.perf_counter()
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}\n{done.stdout}\n{done.stderr}")
    return time.perf_counter() - begun


def round_of(setting: dict[str, Any], data: str, trials: int, seed: int, *, accuracies: bool) -> dict[str, Any]:
    """Both loops on the same networks; ``accuracies``: and ours without the clock, for the accuracies."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        options = {"data": data, "strategy": "random", "pruner": "none", "trials": trials, "seed": seed, "run": "run"}
        flags = [f"--{key.replace('_', '-')}={value}" for key, value in (options | setting).items()]
        ours = timed([*OURS, *flags, "--no-baselines"], folder)
        records = ins.Study.open(folder / "run").records
        trained = [record for record in records if record.state == "complete"]
        sizes = {"image_size": setting["image_size"], "limit": setting["train_images"]}
        task = {
            "networks": [record.network for record in trained],
            "fidelity": trained[0].fidelity,
            "data": {"name": data, **sizes},
        }
        (folder / "task.json").write_text(json.dumps(task))
        theirs = timed([sys.executable, str(PEER), "task.json"], folder)
        print(f"{len(trained)} trials: ours {ours:.0f} s, theirs {theirs:.0f} s", flush=True)
        figures = {"trials": len(trained), "ours": ours, "theirs": theirs}
        if not accuracies:
            return figures
        answer = json.loads((folder / "answer.json").read_text())
        differences, with_averages = (
            [100 * (own - other) for own, other in zip(own_seeds(task, **changes), answer, strict=True)]
            for changes in ({}, {"norm_images": 0})
        )
        return figures | {"differences": differences, "with_averages": with_averages}


def own_seeds(task: dict[str, Any], **changes: Any) -> list[float]:
    """Final accuracies, 0..1, of the networks trained by our loop, the first with seed 0, the next with 1 ...

    ``changes`` are of the fidelity.
    """
    from inception_search.backend.build import build
    from inception_search.data.loader import DeviceData
    from inception_search.lowering import lower
    from inception_search.spec.documents.parse import network_from_data
    from inception_search.training.fidelity import Fidelity
    from inception_search.training.trainer import train

    data, fidelity = DeviceData(ins.load_data(**task["data"]), "cpu"), Fidelity.from_dict(task["fidelity"] | changes)
    networks = [network_from_data(each) for each in task["networks"]]
    results = [
        train(build(lower(network), name=network.name, seed=seed), data, fidelity, seed=seed)
        for seed, network in enumerate(networks)
    ]
    return [result.final.validation_accuracy for result in results]


def row(rounds: list[dict[str, Any]]) -> dict[str, Any]:
    """Trials per hour of both and the ratio by round."""
    ratios = [each["theirs"] / each["ours"] for each in rounds]
    per_hour = {who: [3600 * each["trials"] / each[who] for each in rounds] for who in ("ours", "theirs")}
    return {
        "trials_per_hour": {who: round(statistics.median(values)) for who, values in per_hour.items()},
        "ratio": round(statistics.median(ratios), 2),
        "ratios": [round(ratio, 2) for ratio in ratios],
    }


def accuracy_row(rounds: list[dict[str, Any]]) -> dict[str, Any]:
    """The mean difference of accuracies, in percentage points."""
    differences, with_averages = (
        [value for each in rounds for value in each[name]] for name in ("differences", "with_averages")
    )
    return {
        "accuracy_difference": round(statistics.fmean(differences), 2),
        "accuracy_interval": round(half_interval(differences), 2),
        "accuracy_difference_with_averages": round(statistics.fmean(with_averages), 2),
        "accuracy_interval_with_averages": round(half_interval(with_averages), 2),
        "networks": len(differences),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", default="fashion_mnist")
    parser.add_argument("--trials", type=int, default=40, help="of a round; 40: as many as a search has by default")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--settings", default=",".join(SETTINGS))
    parser.add_argument("--no-accuracies", action="store_true", help="times alone; recorded accuracies are kept")
    options = parser.parse_args()
    rows = json.loads(RESULTS.read_text())["rows"] if RESULTS.is_file() else {}
    for name in options.settings.split(","):
        rounds = [
            round_of(SETTINGS[name], options.data, options.trials, seed, accuracies=not options.no_accuracies)
            for seed in range(options.rounds)
        ]
        rows[name] = rows.get(name, {}) | row(rounds) | {"processor": processor(), "date": today()}
        if not options.no_accuracies:
            rows[name] |= accuracy_row(rounds)
        print(f"{name}: {rows[name]}", flush=True)
    facts = {
        "data": options.data,
        "settings": SETTINGS,
        "python": platform.python_version(),
        **{package: version(package) for package in ("torch", "optuna", "inception-search")},
    }
    RESULTS.write_text(json.dumps({"date": today(), "facts": facts, "rows": rows}, indent=2) + "\n")
    print(RESULTS)


if __name__ == "__main__":
    main()
