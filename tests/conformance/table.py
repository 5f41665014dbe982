"""The table of docs/networks.md: every network and implementation, counted and compared.

    python -m tests.conformance.table --measure     runs every reference (ten minutes on two cores), keeps the figures
    python -m tests.conformance.table               prints the table from the figures kept

Parameters, MACs and convolutions are counted anew on our documents; the differences are those kept in
benchmarks/results/conformance.json with the versions they were measured with.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

from inception_search.graph.graph import Graph
from tests.conformance.measure import measure
from tests.conformance.measured import PAPER_SPECS
from tests.conformance.references import REFERENCES
from tests.conformance.test_counts import ROWS, graph_of_row, our_graph
from tests.conformance.test_tf_slim import FOLDER, differences, read

RESULTS = Path(__file__).parents[2] / "benchmarks" / "results" / "conformance.json"
FIGURES = "largest relative differences, float64"
IN_TENSORFLOW = {
    "tf_slim.inception_v1": "inception_v1@slim",
    "tf_slim.inception_v2": "bn_inception@slim",
    "tf_slim.inception_v3_1001": "inception_v3@slim",
    "inception_v4@slim_1001": "inception_v4@slim",
    "inception_resnet_v2@slim_1001": "inception_resnet_v2@slim",
    "facenet_tf.inception_resnet_v1": "inception_resnet_v1@facenet_tf",
    "facenet_tf.inception_resnet_v2_299": "inception_resnet_v2@facenet_tf",
}
PACKAGES = ("torch", "torchvision", "timm", "pretrainedmodels", "facenet-pytorch", "keras", "pytorch-fid")
COLUMNS = (
    "reference",
    "document",
    "parameters",
    "with auxiliary",
    "MACs",
    "convolutions",
    "output error",
    "gradient error",
)


def main() -> None:
    """Measure, or print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--measure", action="store_true", help="run every reference implementation")
    if parser.parse_args().measure:
        write({**measured(), **measured_in_tensorflow()})
    print(table())


def measured() -> dict[str, Any]:
    """Differences of every reference that can be installed: outputs (main, auxiliary), gradients (worst of all)."""
    found = {}
    for name, reference in REFERENCES.items():
        difference = measure(reference)
        worst = max(difference.image_gradient, difference.parameter_gradient)
        found[name] = {"outputs": difference.outputs, "gradients": worst}
        print(name, found[name], flush=True)
    return found


def measured_in_tensorflow() -> dict[str, Any]:
    """The same of the originals in TensorFlow, from their arrays (see test_tf_slim.py); {} when there are none.

    The gradient is that of the image alone.
    """
    found = {}
    for name, document in IN_TENSORFLOW.items() if FOLDER in os.environ else ():
        difference = differences(document, read(document))
        outputs = [value for key, value in difference.items() if key.startswith("output:")]
        found[name] = {"outputs": outputs, "gradients": difference["gradient"]}
        print(name, found[name], flush=True)
    return found


def write(found: dict[str, Any]) -> None:
    """Keep the figures; those of implementations that were not run stay."""
    kept = json.loads(RESULTS.read_text(encoding="utf-8"))[FIGURES] if RESULTS.is_file() else {}
    figures = {"date": date.today().isoformat(), "versions": _versions(), FIGURES: {**kept, **found}}
    RESULTS.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


def table() -> str:
    """The table in Markdown."""
    kept = json.loads(RESULTS.read_text(encoding="utf-8"))[FIGURES]
    rules = ["---" if column in COLUMNS[:2] else "---:" for column in COLUMNS]
    lines = [list(COLUMNS), rules]
    counted: set[tuple[str, ...]] = set()
    for name in dict.fromkeys((*ROWS, *kept)):
        line = _line(name, kept.get(name))
        counts = tuple(line[1:-2])
        if name not in PAPER_SPECS or counts not in counted:  # a graph that an implementation has is named after it
            lines.append(line)
        counted.add(counts)
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _line(name: str, difference: dict[str, Any] | None) -> list[str]:
    document = ROWS[name].document if name in ROWS else REFERENCES[name].document
    graph = _graph(name, document)
    cost = graph.cost()
    counts = [f"{n:,}" for n in (cost.params, cost.params_with_aux, cost.macs, _convolutions(graph))]
    outputs = _short(max(difference["outputs"])) if difference else "-"
    return [name, f"`{document}`", *counts, outputs, _short(difference["gradients"]) if difference else "-"]


def _short(value: float) -> str:
    return f"{value:.0e}" if value else "0"


def _graph(name: str, document: str) -> Graph:
    """Our graph at the size and with the classes and heads of a row."""
    if name in ROWS:
        return graph_of_row(name)
    reference = REFERENCES[name]
    return our_graph(document, reference.input, reference.classes, aux=reference.aux)


def _convolutions(graph: Graph) -> int:
    return sum(node.op.name == "conv" for node in graph.nodes)


def _versions() -> dict[str, str]:
    ours = {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}}
    return ours | {"tensorflow-cpu": "2.15.1", "tf_slim": "1.1.0"}  # in an environment of their own


if __name__ == "__main__":
    main()
