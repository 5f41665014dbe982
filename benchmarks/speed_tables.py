"""The tables of docs/performance.md, in Markdown, from the results of inference.py and training_step.py."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from benchmarks.markdown import markdown

NETWORKS = {
    "googlenet": "GoogLeNet",
    "inception_v3": "Inception v3",
    "inception_v4": "Inception v4",
    "inception_resnet_v2": "Inception-ResNet-v2",
}
PROXIES = {
    "inception_v1": "modules of v1",
    "inception_v4": "modules of v4",
    "inception_resnet_v2": "blocks of Inception-ResNet-v2",
    "inception_v3": "Inception v3, 299x299, batch 4",
}
AMX = "amx_bf16"


class Goal(NamedTuple):
    """A ratio to reach: how many times as long the ``other`` variant takes as ``ours``."""

    batch: int
    ours: str
    other: str
    target: str


GOALS = (
    Goal(1, "ours", "eager", "2.2; GoogLeNet 3.2; Inception-ResNet-v2 2.0"),
    Goal(1, "ours", "torch.compile", "1.3"),
    Goal(1, "ours", "torch.compile, freezing", "1.05"),
    Goal(1, "ours", "OpenVINO", "0.9"),
    Goal(1, "ours", "ONNX Runtime", "0.9"),
    Goal(1, "ours, bfloat16", "eager", "3.6; with AMX 4.5"),
    Goal(1, "ours, bfloat16", "torch.compile, freezing, bfloat16", "1.05"),
    Goal(1, "ours, bfloat16", "OpenVINO, bfloat16", "0.85"),
    Goal(16, "ours, workers", "eager, channels_last", "1.5"),
    Goal(16, "ours, workers", "OpenVINO", "0.95"),
    Goal(16, "ours, workers", "OpenVINO, streams", "0.95"),
)
TRAINING_TARGETS = {"inception_v1": "1.8", "inception_v4": "1.6", "inception_resnet_v2": "1.3", "inception_v3": ""}


def of_inference(figures: dict[str, Any]) -> str:
    """Ratios with their targets, time to optimise and memory, then the times themselves."""
    tables = [_ratios(figures["rows"]), _preparation(figures["rows"])]
    if "memory" in figures:
        tables.append(_memory(figures["memory"]))
    tables.extend(_times(figures["rows"], batch) for batch in _batches(figures["rows"]))
    return "\n\n".join([*tables, _facts(figures)])


def _facts(figures: dict[str, Any]) -> str:
    """What the figures were taken on, in a sentence or two."""
    facts, rows = figures["facts"], figures["rows"].values()
    plain = {"processor", "instructions", "threads", "torch_uses"}
    versions = ", ".join(f"{name} {value}" for name, value in facts.items() if name not in plain)
    used = [row["used_by_others"] for row in rows if row["used_by_others"] is not None]
    others = f" Other processes used at most {100 * max(used):.0f} % of the processor." if used else ""
    return (
        f"{facts['processor']} ({', '.join(facts['instructions'])}), {facts['threads']} threads; {versions}. Rounds:"
        f" {' and '.join(map(str, sorted({row['rounds'] for row in rows})))}.{others}"
    )


def _ratios(rows: dict[str, Any]) -> str:
    lines = []
    for goal in GOALS:
        found = [rows.get(f"{name}, batch {goal.batch}", {}).get("ratios", {}) for name in NETWORKS]
        cells = [_interval(ratios.get(goal.ours, {}).get(goal.other)) for ratios in found]
        lines.append([f"{goal.ours}; compared with: {goal.other}", goal.batch, goal.target, *cells])
    return markdown(["speed-up (95 % interval)", "batch", "target", *NETWORKS.values()], lines)


def _interval(found: dict[str, float] | None) -> str:
    return f"{found['ratio']:.2f} ({found['low']:.2f} to {found['high']:.2f})" if found else ""


def _preparation(rows: dict[str, Any]) -> str:
    """Seconds until the first answer, and how many times as long torch.compile takes."""
    lines = []
    for key, label in (("seconds_to_first_answer", "ours, first"), ("seconds_again", "ours, again")):
        lines.append([f"{label} (s)", *(_number(rows, name, key, "ours", ".2f") for name in NETWORKS)])
    for variant in ("torch.compile", "torch.compile, freezing", "OpenVINO", "ONNX Runtime"):
        cells = [_number(rows, name, "seconds_to_first_answer", variant, ".1f") for name in NETWORKS]
        lines.append([f"{variant} (s)", *cells])
    lines.append(["torch.compile / ours, first (target: 30)", *(_faster(rows, name) for name in NETWORKS)])
    return markdown(["preparation and first answer, batch 1, float32", *NETWORKS.values()], lines)


def _number(rows: dict[str, Any], name: str, key: str, variant: str, form: str) -> str:
    found = rows.get(f"{name}, batch 1", {}).get(key, {}).get(variant)
    return "" if found is None else format(found, form)


def _faster(rows: dict[str, Any], name: str) -> str:
    seconds = rows.get(f"{name}, batch 1", {}).get("seconds_to_first_answer", {})
    return f"{seconds['torch.compile'] / seconds['ours']:.0f}" if {"torch.compile", "ours"} <= seconds.keys() else ""


def of_rewrite_costs(figures: dict[str, Any]) -> str:
    """Times of all places of each pass, with several choices of places, and the error of the prediction."""
    heads = [
        "phase and pass",
        "places",
        "chosen",
        "as written (ms)",
        "all rewritten (ms)",
        "chosen ones rewritten (ms)",
        "best choice (ms)",
        "median error of the predicted saving",
    ]
    lines = []
    for name, row in figures["rows"].items():
        times = (f"{row['ms'][kind]:.1f}" for kind in ("as_written", "everywhere", "chosen", "best"))
        error = f"{row['saved']['median_error']:.2f}"
        lines.append([name, str(row["places"]), str(row["chosen_places"]), *times, error])
    return markdown(heads, lines)


def of_convolution_share(figures: dict[str, Any]) -> str:
    """The share of convolutions in the time of networks, and their speed beside that of a matrix product."""
    heads = [
        "one thread, float32",
        "share of the time in convolutions",
        "convolutions (GFLOP/s)",
        "matrix product (GFLOP/s)",
        "convolutions / product",
    ]
    lines = []
    for name, row in figures["rows"].items():
        own, product = row["gflops"], row["gflops_of_product"]
        lines.append([name, f"{row['share_of_time']:.2f}", str(own), str(product), f"{own / product:.2f}"])
    return markdown(heads, lines)


def of_exports(figures: dict[str, Any]) -> str:
    """Time to convert to ONNX, and the speed of our files beside the runtimes' own conversions."""
    rows = figures["rows"]
    heads = ["conversion to ONNX (s)", "ours", "torch.onnx.export", "ratio (target: 3)"]
    lines = []
    for name, row in rows.items():
        own, other = row["seconds"]["ours"], row["seconds"]["torch.onnx.export"]
        lines.append([NETWORKS[name], f"{own:.2f}", f"{other:.2f}", f"{row['conversion_ratio']['ratio']:.1f}"])
    kinds = dict.fromkeys(kind for row in rows.values() for kind in row["ratios"])
    speeds = [[kind, *(_interval(row["ratios"].get(kind)) for row in rows.values())] for kind in kinds]
    names = ["speed-up, batch 1 (target: 1.0; int8 1.5)", *(NETWORKS[name] for name in rows)]
    return f"{markdown(heads, lines)}\n\n{markdown(names, speeds)}"


def of_latency_table(figures: dict[str, Any]) -> str:
    """Errors of latencies from tables, beside those of a prediction from multiply-adds."""
    heads = ["space", "runtime", "images", "median (ms)", "from timed ops", "error of the table", "error from MACs"]
    lines = []
    for name, row in figures["rows"].items():
        errors = [f"{_percent(row[k]['median'])}, at most {_percent(row[k]['largest'])}" for k in ("table", "macs")]
        images = "x".join(map(str, row["images"]))
        times = [f"{row['median_ms']:.3g}", _percent(row["timed_share"])]
        lines.append([*name.split(", "), images, *times, *errors])
    return markdown(heads, lines)


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _memory(memory: dict[str, Any]) -> str:
    """Peak memory, and its share of that of the eager module."""
    measured = {name: row for name, row in memory["megabytes"].items() if "whole" in row}
    eager = measured.get("eager", {})
    lines = []
    for name, row in measured.items():
        shares = [f"{row[key] / eager[key]:.2f}" if eager else "" for key in ("whole", "inference")]
        lines.append([name, f"{row['whole']:.0f}", shares[0], f"{row['inference']:.0f}", shares[1]])
    heads = [
        f"peak memory, {NETWORKS[memory['network']]}, batch {memory['batch']}, float32",
        "with weights (MB)",
        "/ eager (target: 0.8)",
        "added by the inference (MB)",
        "/ eager (target: 0.8)",
    ]
    return markdown(heads, lines)


def _batches(rows: dict[str, Any]) -> list[int]:
    return sorted({int(name.rpartition(" ")[2]) for name in rows})


def _times(rows: dict[str, Any], batch: int) -> str:
    """Median milliseconds of every variant."""
    found = [rows.get(f"{name}, batch {batch}", {}).get("ms", {}) for name in NETWORKS]
    variants = dict.fromkeys(variant for times in found for variant in times)
    lines = [[variant, *(_median(times.get(variant)) for times in found)] for variant in variants]
    return markdown([f"median time, batch {batch} (ms)", *NETWORKS.values()], lines)


def _median(found: dict[str, float] | None) -> str:
    return f"{found['median']:.1f}" if found else ""


def of_training_step(figures: dict[str, Any]) -> str:
    """Speed-ups over the plain modules with their targets, kernels of a step, then the times themselves."""
    rows = {name: figures["rows"][name] for name in PROXIES if name in figures["rows"]}
    lines = [[PROXIES[name], TRAINING_TARGETS[name], *_speed_ups(row["ratios"])] for name, row in rows.items()]
    heads = ["speed-up of a step (95 % interval)", "target", "ours / plain", "ours / plain, channels_last"]
    speed = markdown([*heads, "both in bfloat16, channels_last"], lines)
    kernels = markdown(
        [
            "kernels of a step",
            "plain",
            "ours",
            "every pass",
            "ours / plain",
            "every pass / plain (target: at most 0.60)",
        ],
        [[PROXIES[name], *_counts(row["kernels"]["totals"])] for name, row in rows.items()],
    )
    variants = dict.fromkeys(variant for row in rows.values() for variant in row["ms"])
    times = [[variant, *(_median(row["ms"].get(variant)) for row in rows.values())] for variant in variants]
    medians = markdown(["median time of a step (ms)", *(PROXIES[name] for name in rows)], times)
    return "\n\n".join([speed, kernels, medians, _facts(figures)])


def _speed_ups(ratios: dict[str, Any]) -> Iterable[str]:
    ours, halved = ratios.get("ours", {}), ratios.get("ours, bfloat16", {})
    yield from (_interval(ours.get(other)) for other in ("plain", "plain, channels_last"))
    yield _interval(halved.get("plain, channels_last, bfloat16"))


def _counts(totals: dict[str, int]) -> Iterable[str | int]:
    yield from totals.values()
    yield from (f"{totals[name] / totals['plain']:.2f}" for name in ("ours", "every pass"))
