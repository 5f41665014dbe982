"""Time, bytes and boxes of a picture, beside torchview, torchlens and torchvista where they are installed.

    python benchmarks/drawing.py            prints the table and writes benchmarks/results/drawing.json

Subjects: the module Mixed_6b of Inception v3, and all of Inception-ResNet-v2 (one box per stage, and every box). The
peers get the PyTorch modules that torchvision and timm build, and need the program ``dot`` (torchvista brings its own);
their time is from the module to the file, tracing included, since that is what a user waits for. Ours is from the
document to the SVG, its shapes and costs worked out anew, or known from the picture before. Medians; ratios are to
ours of every box, in the same round.
The peers are no dependency: pip install torchview graphviz torchlens torchvista, and --no-deps torchvision timm.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, NamedTuple

import inception_search as ins
from inception_search.figures.annotations import facts_of_network

ROOT = Path(__file__).parents[1]
RESULTS = Path(__file__).parent / "results" / "drawing.json"
PEERS = ("torchview", "torchlens", "torchvista")
MODULE, NETWORK = "v3 mixed_6b", "inception_resnet_v2"


class Picture(NamedTuple):
    """What one call made: bytes of the file, and boxes in it (None: not to be counted in a file of this kind)."""

    size: int
    boxes: int | None


def ours(subject: str, network: ins.Network, style: str, known: bool) -> Picture:
    """A picture by this package; ``known``: shapes and costs are those of the picture before."""
    if not known:
        facts_of_network.cache_clear()
    if subject == MODULE:
        figure = ins.draw(network.stages["mixed_6b"], network=network)
    else:
        figure = ins.draw(network, style=style)  # type: ignore[arg-type]
    return Picture(len(figure.svg.encode()), len(figure.drawing.boxes))


def torch_modules() -> dict[str, tuple[Any, Any]]:
    """The subjects as the peers get them: a module and its input."""
    sys.path.insert(0, str(ROOT))
    import_module("tests.torchvision_shim")  # before torchvision
    import timm
    import torch
    from torchvision.models.inception import InceptionC

    return {
        MODULE: (InceptionC(768, channels_7x7=128).eval(), torch.randn(1, 768, 17, 17)),
        NETWORK: (timm.create_model(NETWORK).eval(), torch.randn(1, 3, 299, 299)),
    }


def torchview(module: Any, x: Any, folder: Path) -> Picture:
    """Its defaults, on the meta device."""
    from torchview import draw_graph

    svg = draw_graph(module, input_size=tuple(x.shape), device="meta").visual_graph.pipe(format="svg")
    return Picture(len(svg), svg.count(b'class="node"'))


def torchlens(module: Any, x: Any, folder: Path) -> Picture:
    """Its defaults, without opening the picture."""
    import torchlens as lens

    path = folder / "lens"
    lens.trace(module, x).draw(vis_outpath=str(path), vis_fileformat="svg", vis_save_only=True)
    svg = path.with_suffix(".svg").read_bytes()
    return Picture(len(svg), svg.count(b'class="node"'))


def torchvista(module: Any, x: Any, folder: Path) -> Picture:
    """Its HTML page; the boxes are drawn when it is opened."""
    from torchvista import trace_model

    path = folder / "vista.html"
    trace_model(module, x, export_format="html", export_path=str(path))
    return Picture(path.stat().st_size, None)


CALLS: dict[str, Callable[[Any, Any, Path], Picture]] = {
    "torchview": torchview,
    "torchlens": torchlens,
    "torchvista": torchvista,
}


def installed() -> dict[str, str]:
    """The versions of the peers that are there."""
    found = {}
    for name in PEERS:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            print(f"{name} is not installed: left out")
    return found


def timed(call: Callable[[], Picture]) -> tuple[float, Picture]:
    """Milliseconds, and what was made."""
    start = time.perf_counter()
    made = call()
    return 1000 * (time.perf_counter() - start), made


def measured(rounds: int, peers: dict[str, str], folder: Path) -> Iterator[tuple[str, list[float], Picture]]:
    """Every row: its name, its milliseconds by round, its picture."""
    rows: dict[str, tuple[list[float], Picture]] = {}
    documents = {MODULE: ins.load("inception_v3@torchvision"), NETWORK: ins.load(NETWORK)}
    calls: dict[str, Callable[[], Picture]] = {}
    for subject, style in ((MODULE, "plain"), (NETWORK, "overview"), (NETWORK, "plain")):
        for known in (False, True):
            name = f"{subject}, ours, {style}{', shapes known' * known}"
            calls[name] = partial(ours, subject, documents[subject], style, known)
    if peers:
        for name in peers:
            for subject, (module, x) in torch_modules().items():  # for each its own: torchview moves them to meta
                calls[f"{subject}, {name}"] = partial(CALLS[name], module, x, folder)
    for call in calls.values():
        with silent():
            call()  # imports, caches
    for _ in range(rounds):
        for name, call in calls.items():
            with silent():
                took, made = timed(call)
            rows.setdefault(name, ([], made))[0].append(took)
    yield from ((name, took, made) for name, (took, made) in rows.items())


class silent:  # noqa: N801  (used as a function)
    """Keeps what the peers print and warn of off the table."""

    def __enter__(self) -> None:
        self.warnings = warnings.catch_warnings()
        self.warnings.__enter__()
        warnings.simplefilter("ignore")
        self.saved = os.dup(1)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)

    def __exit__(self, *_: object) -> None:
        os.dup2(self.saved, 1)
        os.close(self.saved)
        self.warnings.__exit__(None, None, None)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    peers = installed()
    rows: dict[str, dict[str, Any]] = {}
    times: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, took, made in measured(rounds, peers, Path(folder)):
            rows[name] = {"ms": 0.0, "bytes": made.size, "boxes": made.boxes}
            times[name] = took
    for name, row in rows.items():
        subject = name.split(",")[0]
        own = times[f"{subject}, ours, plain"]  # every box, as the peers draw
        row["times ours"] = round(statistics.median(a / b for a, b in zip(times[name], own, strict=True)), 2)
        row["ms"] = round(statistics.median(times[name]), 2)
        print(f"{name:46} {row['ms']:10.2f} ms {row['times ours']:10.1f}x {row['bytes']:10,} bytes  {row['boxes']}")
    from evidence import processor, today

    facts = {"python": platform.python_version(), "processor": processor(), "rounds": rounds, **peers}
    RESULTS.write_text(json.dumps({"date": today(), "facts": facts, "rows": rows}, indent=2) + "\n")
    print(re.sub(r".*/benchmarks", "benchmarks", str(RESULTS)))


if __name__ == "__main__":
    main()
