"""The tables of docs/benchmarks.md and docs/performance.md, in Markdown, from the files in benchmarks/results.

python -m benchmarks.tables NAME           prints one; docs/refresh.py writes all of them into the pages
"""

from __future__ import annotations

import json
import statistics
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks import speed_tables
from benchmarks.markdown import markdown

RESULTS = Path(__file__).parent / "results"
COMMANDS = {
    "strategies": "python benchmarks/strategies.py",
    "conditional_fashion_mnist": "python benchmarks/conditional.py",
    "conditional_digits": "python benchmarks/conditional.py --data digits",
    "trials": "python benchmarks/trials.py",
    "rewrite_costs": "python benchmarks/rewrite_costs.py",
    "exports": "python benchmarks/exports.py",
    "latency_table": "python benchmarks/latency_table.py",
    "inference": "python benchmarks/inference.py",
    "convolution_share": "python benchmarks/convolution_share.py",
    "training_step": "python benchmarks/training_step.py",
    "overhead": "python benchmarks/overhead.py",
    "scale": "python benchmarks/scale.py --strategy NAME --trials N",
    "large_run": "python benchmarks/large_run.py --trials 20000",
    "kills": "python benchmarks/kills.py",
    "kills_ray": "python benchmarks/kills.py --executor ray --kills 100 --workers 3 --trials 24 --epochs 30 "
    "--pause 0.5",
    "candidates": "python benchmarks/candidates.py",
    "spaces": "python benchmarks/spaces.py",
    "canonical": "python benchmarks/canonical.py",
    "drawing": "python benchmarks/drawing.py",
    "conformance": "python -m tests.conformance.table",
}
ANY = "any (no time is measured)"
WRONG = {
    "not_complete": "incomplete trials",
    "numbers_missing": "missing trial numbers",
    "architectures_twice": "architectures trained twice",
    "finished_and_lost": "finished trials lost",
    "told_twice": "results reported to the strategy twice",
    "index_differs": "differences between Optuna's study and the records",
    "differs_from_peace": "differences from the same study without kills",
    "left_over": "files or processes left over",
}
TRIALS_TARGETS = {"14x14": "4.0", "28x28": "3.0"}
POINT = ("10", "20", "30", "60")  # trials


def result(name: str) -> dict[str, Any]:
    """The figures of one benchmark."""
    found: dict[str, Any] = json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))
    return found


def of_all() -> str:
    """Every benchmark with its command, hardware, versions and date."""
    rows = []
    for name, command in COMMANDS.items():
        found = result(name)
        facts = found.get("facts") or found.get("versions", {})
        packages = {**facts, **facts.get("packages", {})}
        versions = ", ".join(
            f"{package} {packages[package]}" for package in ("python", "torch", "optuna") if package in packages
        )
        date = found.get("date") or facts["date"]
        rows.append([f"`{name}.json`", f"`{command}`", processors(found), versions, date])
    return markdown(["results file", "command", "processor", "versions", "date"], rows).replace("---:", "---")


def processor(facts: dict[str, Any]) -> str:
    """The processor that a benchmark ran on, with its cores, and its widest vector instructions if they are known."""
    name, _, cores = str(facts.get("processor", ANY)).partition(" x ")
    cores, _, widest = cores.partition(", ")
    return f"{name}, {cores} cores{f' ({widest})' if widest else ''}" if cores else name


def processors(found: dict[str, Any]) -> str:
    """The processor of a benchmark, or those of its rows if they were taken on several."""
    rows = [row for row in dict(found.get("rows", {})).values() if "processor" in row]
    return "; ".join(dict.fromkeys(map(processor, rows))) if rows else processor(found.get("facts", {}))


def source(name: str) -> str:
    """Where a table comes from, in a line below it."""
    found = result(name)
    facts = found.get("facts", {})
    return f"*`{COMMANDS[name]}`; {processors(found)}; {found.get('date') or facts['date']}.*"


def of_strategies() -> str:
    """Test accuracy on NAS-Bench-201 after so many evaluations."""
    rows = []
    for name, row in result("strategies")["rows"].items():
        strategy, _, objective = name.partition(", ")
        cells = [f"{row[n]['mean']:.2f} ± {row[n]['half']:.2f}" if n in row else "" for n in ("50", "100", "200")]
        reported = "200 epochs" if objective == "direct" else "12 epochs"
        rows.append([f"`{strategy}`", reported, row["seeds"], *cells])
    rows.sort(key=lambda row: row[1], reverse=True)
    heads = ["strategy", "accuracy given after", "seeds", *(f"after {n} evaluations" for n in (50, 100, 200))]
    return markdown(heads, rows)


def of_conditional(name: str) -> str:
    """The best accuracy after so many trials, and of the best after three more trainings."""
    found = result(name)
    rows: list[list[object]] = []
    for strategy, row in found["rows"].items():
        cells = [f"{row[n]['mean']:.1f} ± {row[n]['interval']:.1f}" for n in (*POINT, "again")]
        rows.append([f"`{strategy}`", row["60"]["seeds"], *cells])
    for pair, row in found["differences"].items():
        cells = [f"{row[n]['mean']:+.1f} ± {row[n]['interval']:.1f}" for n in (*POINT, "again")]
        rows.append([pair, " and ".join(map(str, row["60"]["seeds"])), *cells])
    heads = ["strategy / difference", "seeds", *(f"after {n} trials" for n in POINT), "best network, retrained"]
    return markdown(heads, rows)


def of_trials() -> str:
    """Trials per hour, compared with Optuna with a DataLoader and eager modules."""
    rows = [
        [
            name,
            *(row["trials_per_hour"][side] for side in ("ours", "theirs")),
            f"{row['ratio']:.2f}",
            TRIALS_TARGETS.get(name, ""),
            f"{row['accuracy_difference']:+.1f} ± {row['accuracy_interval']:.1f}",
            row["networks"],
            processor(row),
        ]
        for name, row in result("trials")["rows"].items()
    ]
    heads = [
        "images (pixels)",
        "trials per hour",
        "trials per hour of the loop",
        "ratio",
        "target",
        "accuracy difference (points)",
        "networks",
        "processor",
    ]
    return markdown(heads, rows)


def of_overhead() -> str:
    """What a search costs besides training."""
    rows = result("overhead")["rows"]
    names = [name.removeprefix("ms_at_1000_") for name in rows if name.startswith("ms_at_1000_")]
    strategies = [name for name in names if not name.endswith("_with_a_limit")]

    def ms(name: str) -> object:
        return rows.get(f"ms_at_1000_{name}", {}).get("ask_and_tell", "")

    asked = markdown(
        [
            "strategy, after 1,000 trials",
            "ask + tell (ms)",
            "ask + tell (ms), with limits that 10 % of points satisfy",
        ],
        [[f"`{name}`", ms(name), ms(f"{name}_with_a_limit")] for name in strategies],
    )
    processes, stored = rows["seconds_of_processes"], rows["seconds_at_5000"]
    costs = markdown(
        ["part of a search", "time"],
        [
            ["start of a search", f"{processes['start']} s"],
            ["overhead per trial: process start, data, checkpoint", f"{processes['trial']} s"],
            *[
                [f"search overhead per trial, at {int(n):,} trials", f"{ms} ms"]
                for n, ms in rows["ms_of_a_trial"].items()
            ],
            *[[f"{what} a study with 5,000 trials", f"{seconds} s"] for what, seconds in stored.items()],
        ],
    )
    return f"{asked}\n\n{costs}"


def of_large_run() -> str:
    """Verbs on a run folder with many trials."""
    found = result("large_run")
    rows = [[f"`{verb}`", f"{found[verb]['seconds']} s", f"{found[verb]['peak_mb']} MB"] for verb in ("draw", "report")]
    return markdown([f"{found['trials']:,} trials, {found['file_mb']:.0f} MB", "time", "peak memory"], rows)


def of_scale() -> str:
    """The driver of a search on a simulated cluster, by the number of trials so far."""
    runs = result("scale")["rows"].values()
    rates = [
        [
            f"`{run['strategy']}`",
            f"{run['workers']:,}",
            f"{row['trials']:,}",
            row["trials_per_second"],
            row["trials_per_cpu_second"],
            row["ask_ms"],
            row["memory_mb"],
        ]
        for run in runs
        for row in run["milestones"]
        if row["trials"] <= sum(run["states"].values()) - run["workers"]  # later, no trial begins
    ]
    heads = [
        "strategy",
        "workers",
        "trials so far",
        "trials per second",
        "trials per second of processor time",
        "ask (ms)",
        "memory (MB)",
    ]
    ends = [
        [
            f"`{run['strategy']}`",
            f"{sum(run['states'].values()):,}",
            run["trials_per_second"],
            f"{sum(run['states'].values()) / run['driver_cpu_seconds']:.1f}",
            run["peak_memory_mb"],
            *(f"{run['folder_mb'][name]:.0f}" for name in ("trials.jsonl", "journal.log")),
            *(run["seconds"][what] for what in ("load", "resume", "report")),
        ]
        for run in runs
    ]
    names = ["strategy", "trials", "trials per second", "per second of processor time", "peak memory (MB)"]
    names += ["trials.jsonl (MB)", "journal.log (MB)", "load (s)", "resume (s)", "report (s)"]
    return f"{markdown(heads, rates)}\n\n{markdown(names, ends)}"


def of_kills(name: str) -> str:
    """What kills did to a study."""
    found = result(name)
    killed = [
        [f"kills of {'an' if what[0] in 'aeiou' else 'a'} {what}", number] for what, number in found["kills"].items()
    ]
    wrong = [[WRONG.get(what, f"trials {what.replace('_', ' ')}"), number] for what, number in found["wrong"].items()]
    return markdown(["event", "number"], [*killed, ["attempts at trials", f"{found['attempts']:,}"], *wrong])


def of_candidates() -> str:
    """Networks that are validated and costed per second."""
    rows = result("candidates")["rows"]
    cells = [
        [name, f"{row['candidates_per_second']:,.0f}", f"{row['ratio_to_peer']:,.0f}"] for name, row in rows.items()
    ]
    return markdown(["networks", "per second", "speed-up"], cells)


def of_spaces() -> str:
    """The space `inception`, and those of PyGlove and NNI."""
    found = result("spaces")
    rates = markdown(
        ["operation", "per second"],
        [
            [name, _rate(row["networks_per_second"])]
            for name, row in found["rows"].items()
            if "networks_per_second" in row
        ],
    )
    ratios = markdown(
        ["this package", "compared with", "speed-up"],
        [[row["ours"], row["theirs"], f"{row['networks_ratio']:,.0f}"] for row in found["ratios"]],
    )
    return f"{rates}\n\n{ratios.replace('---:', '---', 1)}"


def _rate(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"


def of_canonical() -> str:
    """Reading and costing documents, and loading weights."""
    found = result("canonical")
    times = [row["milliseconds"] for row in found["documents"].values() if "milliseconds" in row]
    read = [["median", f"{statistics.median(times):.1f}"], ["fastest", min(times)], ["slowest", max(times)]]
    documents = markdown([f"parse, lower and cost a document ({len(times)} documents)", "ms"], read)
    loaded = [[name, row["seconds"], row["ratio_to_timm"]] for name, row in found["weights"].items()]
    weights = markdown(["loading weights into a compiled network", "s", "speed-up over timm"], loaded)
    return f"{documents}\n\n{weights}"


def of_drawing() -> str:
    """Figures, compared with those of other packages."""
    rows = [
        [
            name,
            f"{row['ms']:,.1f}",
            f"{row['bytes'] / 1000:,.0f}",
            f"{row['boxes']:,}" if row["boxes"] else "",
            f"{row['times ours']:.3g}",
        ]
        for name, row in result("drawing")["rows"].items()
    ]
    return markdown(["figure", "ms", "kB", "boxes", 'time / time of "ours, plain"'], rows)


TABLES: dict[str, Callable[[], str]] = {
    "all": of_all,
    "strategies": of_strategies,
    "conditional_fashion_mnist": lambda: of_conditional("conditional_fashion_mnist"),
    "conditional_digits": lambda: of_conditional("conditional_digits"),
    "trials": of_trials,
    "overhead": of_overhead,
    "scale": of_scale,
    "large_run": of_large_run,
    "kills": lambda: of_kills("kills"),
    "kills_ray": lambda: of_kills("kills_ray"),
    "candidates": of_candidates,
    "spaces": of_spaces,
    "canonical": of_canonical,
    "drawing": of_drawing,
    "inference": lambda: speed_tables.of_inference(result("inference")),
    "convolution_share": lambda: speed_tables.of_convolution_share(result("convolution_share")),
    "exports": lambda: speed_tables.of_exports(result("exports")),
    "latency_table": lambda: speed_tables.of_latency_table(result("latency_table")),
    "rewrite_costs": lambda: speed_tables.of_rewrite_costs(result("rewrite_costs")),
    "training_step": lambda: speed_tables.of_training_step(result("training_step")),
}

if __name__ == "__main__":
    name = sys.argv[1]
    print(TABLES[name]())
    if name in COMMANDS:
        print(f"\n{source(name)}")
