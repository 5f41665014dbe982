"""A run folder with many trials, and what it takes to draw one of them and to write the report.

    python benchmarks/large_run.py --trials 20000 --out benchmarks/results/large_run.json

The records of the committed example are repeated with new numbers and values; every verb runs in a process of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from evidence import processor, today

from inception_search.store.jsonl import sealed
from inception_search.store.provenance import versions
from inception_search.store.run_folder import RunFolder

EXAMPLE = Path(__file__).parents[1] / "runs" / "example"


def make_run(target: Path, trials: int) -> Path:
    """A copy of the example's folder with so many records, and no index."""
    shutil.copytree(EXAMPLE, target)
    known = [record for record in RunFolder.open(EXAMPLE).records() if record.state == "complete"]
    with (target / "trials.jsonl").open("w", encoding="utf-8") as file:
        for number in range(trials):
            record = known[number % len(known)]
            changed = {"number": number, "arch_id": f"a1-{number:016x}", "origin": "sampled", "label": None}
            if number < len(known):
                changed = {"number": number}
            elif record.value is not None:
                changed["value"] = record.value * (0.5 + 0.5 * (number * 7919 % trials) / trials)
            file.write(sealed(record.model_copy(update=changed).to_json()) + "\n")
    (target / "journal.log").write_text("")
    return target


def measured(*arguments: str) -> dict[str, float]:
    """Seconds, those of processor time, and peak memory (MB) of one command of its own."""
    begun = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-m", "inception_search", *arguments], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{' '.join(arguments)} ended with status {status}")
    seconds, busy = time.perf_counter() - begun, usage.ru_utime + usage.ru_stime
    return {"seconds": round(seconds, 2), "cpu_seconds": round(busy, 2), "peak_mb": round(usage.ru_maxrss / 1024)}


def main() -> None:
    """Make the folder, measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=20_000)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        run = make_run(Path(folder) / "run", options.trials)
        found = {
            "date": today(),
            "trials": options.trials,
            "file_mb": round((run / "trials.jsonl").stat().st_size / 1e6, 1),
            "draw": measured("draw", f"{run}:{options.trials - 1}", "-o", f"{folder}/one.svg"),
            "report": measured("report", str(run), "-o", f"{folder}/report"),
        }
    found |= {"facts": {"processor": processor(), **versions()}}
    text = json.dumps(found, indent=1) + "\n"
    print(text, end="")
    if options.out:
        options.out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
