"""How fast the grand space is sampled, costed, encoded, decoded and edited, beside PyGlove and NNI.

    python benchmarks/spaces.py --peer-python PATH     prints the table and writes benchmarks/results/spaces.json

``--peer-python``: an interpreter that has PyGlove or NNI (``pip install pyglove``, ``pip install nni torch
pytorch-lightning``); once for each. Without it only our own side is measured. Every process runs on one and the same
core, rounds of all rows alternate, and seconds are processor time, so other load on the machine weighs on
both sides alike. Figures are medians over rounds; ratios are taken round by round. What each peer does and does not
do is in :data:`PEERS`, and goes into the results.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import statistics
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from candidates import processor
from spaces_peers import timed

import inception_search as ins
from inception_search.estimate import estimate
from inception_search.space.load_space import load_space
from inception_search.space.space import Space
from inception_search.spec.documents.files import shipped_folder
from inception_search.spec.network import Network

RESULTS = Path(__file__).parent / "results" / "spaces.json"
PROGRAM = Path(__file__).parent / "spaces_peers.py"
GOALS = {
    "draw and cost, by points": ("networks_per_second", 500),
    "draw and cost, by holes": ("networks_per_second", 500),
    "encode, the slowest canonical network": ("milliseconds_at_most", 20),
    "mutate inception_v4": ("networks_per_second", 1_000),
}
WALK = 20  # edits from inception_v4 on before a walk begins again
PEERS = {
    "pyglove_template_group": "PyGlove, pg.template of one group (a repeated module), numbers as pg.oneof over all "
    "values; types and bounds of fields are checked, nothing is shaped or costed",
    "pyglove_run_group": "the same group by dynamic evaluation (options made only when chosen; no encode)",
    "pyglove_template_network": "PyGlove, pg.template of the whole network, numbers as pg.floatv, optional groups "
    "in place of a variable number; types and bounds of fields are checked, nothing is shaped or costed",
    "pyglove_run_network": "the same network by dynamic evaluation",
    "nni_flat": "NNI, nni.mutable: one Categorical for each hole of ours, whether reached or not; makes a dict of "
    "values, no network; nothing is checked or costed",
    "nni_darts": "NNI, nni.nas.hub's DARTS space (CIFAR-10, 8 cells): another, smaller space; makes a torch model",
}
NOT_MEASURED = {
    "naslib": "no release on the package index (pip: no matching distribution); its repository could not be reached"
}
PEER_TASKS = {"draw": 3, "decode": 3, "encode": 2, "edit": 3}  # points per round of what takes a peer a second each
Rates = dict[str, dict[str, list[float]]]  # row -> figure -> one value per round


class Peer:
    """A process in another interpreter that times a peer's work on request."""

    def __init__(self, python: Path) -> None:
        quiet = {**os.environ, "PYTHONWARNINGS": "ignore"}
        self.process = subprocess.Popen(
            [str(python), str(PROGRAM)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=quiet,
        )
        self.facts = self.answer()

    def answer(self) -> dict[str, Any]:
        """The next line it writes."""
        assert self.process.stdout is not None
        return dict(json.loads(self.process.stdout.readline()))

    def ask(self, **request: Any) -> dict[str, Any]:
        """Its answer to a request."""
        assert self.process.stdin is not None
        print(json.dumps(request), file=self.process.stdin, flush=True)
        return self.answer()

    def close(self) -> None:
        """End it."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()


@contextmanager
def started(pythons: list[Path]) -> Iterator[list[Peer]]:
    """The peers' processes."""
    peers = [Peer(python) for python in pythons]
    try:
        yield peers
    finally:
        for peer in peers:
            peer.close()


def group_space() -> Space:
    """A space of one group of the grand space: its definitions, and a network of nothing else."""
    text = (shipped_folder() / "inception.yaml").read_text()
    before, _, rest = text.partition("contains:")
    defined = rest[rest.index("define:") : rest.index("\nnetwork:")]
    network = (
        "network: {name: one_group, input: 3x32x32, stages: {only: {$use: group}}, head: {pool: avg, classes: 10}}"
    )
    return Space(f"{before}{defined}\n{network}\n")


def refused(network: Network) -> bool:
    """Whether a network cannot be costed: its image shrinks to nothing, say."""
    try:
        estimate(network)
    except ins.InceptionSearchError:
        return True
    return False


class Ours:
    """Our side: each row does ``count`` of something and says how many decisions that were."""

    def __init__(self) -> None:
        self.spaces = {"network": load_space("inception"), "group": group_space()}
        self.v4 = ins.load("inception_v4")

    def rows(self, count: int, seed: int) -> Iterator[tuple[str, dict[str, float]]]:
        """The figures of every row, measured one after the other."""
        for by in ("points", "holes"):
            yield f"draw, by {by}", self.draw("network", by, count, seed, cost=False)
            yield f"draw and cost, by {by}", self.draw("network", by, count, seed, cost=True)
        yield "draw one group, by holes", self.draw("group", "holes", count, seed, cost=False)
        yield "draw and cost one group, by holes", self.draw("group", "holes", count, seed, cost=True)
        for what in ("network", "group"):
            yield from self.of_points(what, count, seed)
        yield from self.edits(count, seed)

    def draw(self, what: str, by: Any, count: int, seed: int, cost: bool) -> dict[str, float]:
        """Draw valid networks, and cost them."""
        space, rng = self.spaces[what], random.Random(seed)
        drawn: list[int] = []
        failed: list[bool] = []

        def work() -> None:
            for _ in range(count):
                network, params = space.draw(rng, by)
                drawn.append(len(params))
                if cost:
                    failed.append(refused(network))

        figures = per_second(timed(work), count, sum(drawn))
        return figures | ({"refused_by_cost": sum(failed) / count} if cost else {})

    def of_points(self, what: str, count: int, seed: int) -> Iterator[tuple[str, dict[str, float]]]:
        """Decode, encode, and neighbours of points drawn by holes."""
        space, rng = self.spaces[what], random.Random(seed)
        points = [space.sample(rng, "holes") for _ in range(max(1, count // 4))]
        networks = [fresh(space.decode(point)) for point in points]
        decisions = sum(map(len, points))
        name = f"{what}s by holes" if what == "network" else "one group"
        work: dict[str, Callable[[], Any]] = {
            f"decode, {name}": lambda: [space.decode(point) for point in points],
            f"encode, {name}": lambda: [space.encode(network) for network in networks],
            f"a random neighbour, {name}": lambda: [space.neighbour(point, rng) for point in points],
        }
        for row, doing in work.items():
            yield row, per_second(timed(doing), len(points), decisions)
        found: list[int] = []
        seconds = timed(lambda: found.append(sum(1 for _ in space.neighbours(points[0]))))
        yield f"every neighbour of a point, {name}", per_second(seconds, found[0], found[0] * len(points[0]))

    def edits(self, count: int, seed: int) -> Iterator[tuple[str, dict[str, float]]]:
        """Random edits of inception_v4: of itself, of what edits made of it, and inside the grand space."""
        rng, space = random.Random(seed), self.spaces["network"]
        few = max(1, count // 8)

        def walk() -> None:
            network = self.v4
            for number in range(count):
                network = ins.mutate(network if number % WALK else self.v4, rng).network

        decisions = len(space.encode(self.v4))
        one = timed(lambda: [ins.mutate(self.v4, rng) for _ in range(count)])
        yield "mutate inception_v4", per_second(one, count, count * decisions)
        yield "mutate, walks from inception_v4", per_second(timed(walk), count, count * decisions)
        inside = timed(lambda: [ins.mutate(self.v4, rng, space=space) for _ in range(few)])
        yield "mutate inception_v4 inside the space", per_second(inside, few, few * decisions)

    def canonical(self, rounds: int) -> dict[str, dict[str, float]]:
        """Milliseconds of encode and arch_id of every canonical network, of new objects every time."""
        space = self.spaces["network"]
        rows = {}
        for name in space.document.contains:
            row: dict[str, float] = {"decisions": len(space.encode(ins.load(name)))}
            for task, work in (("encode", space.encode), ("arch_id", ins.arch_id)):
                times = [1e3 * timed(partial(work, fresh(ins.load(name)))) for _ in range(rounds)]
                row[f"{task}_best_ms"] = round(min(times), 2)
                row[f"{task}_median_ms"] = round(statistics.median(times), 2)
            rows[name] = row
        return rows


def fresh(network: Network) -> Network:
    """The same network in new objects, of which nothing is remembered."""
    return Network.model_validate(network.to_dict())


def per_second(seconds: float, networks: int, decisions: float) -> dict[str, float]:
    """The figures of a row."""
    return {
        "networks_per_second": networks / seconds,
        "decisions_per_second": decisions / seconds,
        "decisions_per_network": decisions / networks,
    }


def make_peers(processes: list[Peer], space: Space) -> tuple[dict[str, Peer], dict[str, Any]]:
    """The peers that can be made, by name, and seconds to make them or why not."""
    domains = {name: [str(v) for v in getattr(hole, "domain", None) or (0.0,)] for name, hole in space.holes.items()}
    made, notes = {}, {}
    for process in processes:
        for name in PEERS:
            if process.facts["packages"][name.partition("_")[0]] is None:
                continue
            extra = {"domains": domains} if name == "nni_flat" else {}
            reply = process.ask(task="make", peer=name, **extra)
            notes[name] = reply.get("error") or {"seconds_to_make": round(reply["seconds"], 1)}
            if "error" not in reply:
                made[name] = process
    return made, notes


def peer_rows(peers: dict[str, Peer], seed: int) -> Iterator[tuple[str, dict[str, float]]]:
    """The figures of the peers' rows."""
    for name, process in peers.items():
        for task, count in PEER_TASKS.items():
            if (name.startswith("nni") and task != "draw") or ("_run_" in name and task == "encode"):
                continue
            count = 100 if name == "nni_flat" else count
            reply = process.ask(task=task, peer=name, count=count, seed=seed)
            if "error" in reply:
                raise SystemExit(f"{name}, {task}: {reply['error']}")
            yield f"{name}: {task}", per_second(reply["seconds"], reply["count"], reply["decisions"])


VERSUS = [  # our row, the peer's task, the peers
    ("draw, by holes", "draw", ("pyglove_template_network", "pyglove_run_network", "nni_flat", "nni_darts")),
    ("draw and cost, by holes", "draw", ("pyglove_template_network", "pyglove_run_network", "nni_flat", "nni_darts")),
    ("draw and cost, by points", "draw", ("pyglove_template_network", "pyglove_run_network", "nni_flat", "nni_darts")),
    ("draw and cost one group, by holes", "draw", ("pyglove_template_group", "pyglove_run_group")),
    ("decode, networks by holes", "decode", ("pyglove_template_network", "pyglove_run_network")),
    ("decode, one group", "decode", ("pyglove_template_group", "pyglove_run_group")),
    ("encode, networks by holes", "encode", ("pyglove_template_network",)),
    ("encode, one group", "encode", ("pyglove_template_group",)),
    ("a random neighbour, networks by holes", "edit", ("pyglove_template_network", "pyglove_run_network")),
    ("mutate, walks from inception_v4", "edit", ("pyglove_template_network", "pyglove_run_network")),
]


def ratios(rates: Rates) -> list[dict[str, Any]]:
    """Ours by theirs, round by round: per network and per decision."""
    out = []
    for ours, task, names in VERSUS:
        for theirs in (f"{name}: {task}" for name in names if f"{name}: {task}" in rates):
            row: dict[str, Any] = {"ours": ours, "theirs": theirs}
            for figure in ("networks", "decisions"):
                pairs = zip(*(rates[side][f"{figure}_per_second"] for side in (ours, theirs)), strict=True)
                row[f"{figure}_ratio"] = _short(statistics.median(our / their for our, their in pairs))
            out.append(row)
    return out


def _short(value: float) -> float:
    """Three digits, or the whole number."""
    return float(f"{value:.3g}") if value < 1_000 else round(value)


def measured(options: argparse.Namespace) -> dict[str, Any]:
    """Everything the results file says."""
    load = [round(os.getloadavg()[0], 1)]
    ours = Ours()
    rates: Rates = {}
    with started(options.peer_python) as processes:
        peers, notes = make_peers(processes, ours.spaces["network"])
        for _ in ours.rows(count=40, seed=10_000):  # first-call costs are nobody's
            pass
        for number in range(options.rounds):
            for row, figures in (*ours.rows(options.count, number), *peer_rows(peers, number)):
                for figure, value in figures.items():
                    rates.setdefault(row, {}).setdefault(figure, []).append(value)
            print(f"round {number + 1} of {options.rounds}", flush=True)
        canonical = ours.canonical(3 * options.rounds)
        facts = [process.facts for process in processes]
    load.append(round(os.getloadavg()[0], 1))
    rows = {name: {figure: _short(statistics.median(v)) for figure, v in row.items()} for name, row in rates.items()}
    return {
        "facts": our_facts(options, load) | {"peers": facts, "not_measured": NOT_MEASURED},
        "compared": {name: {"what": what, "made": notes[name]} for name, what in PEERS.items() if name in notes},
        "goals": goals(rows, canonical),
        "rows": rows,
        "canonical": canonical,
        "ratios": ratios(rates),
    }


def our_facts(options: argparse.Namespace, load: list[float]) -> dict[str, Any]:
    """The setting of the measurement."""
    packages = {name: version(name) for name in ("inception-search", "pydantic", "pyyaml")}
    return {
        "date": date.today().isoformat(),
        "python": platform.python_version(),
        "packages": packages,
        "processor": processor(),
        "one_core": True,
        "load_before_and_after": load,
        "clock": "processor time",
        "rounds": options.rounds,
        "count": options.count,
        "ours": "validated against every rule of documents; 'and cost': shapes, parameters, multiply-adds, "
        "activations and depth, too",
    }


def goals(rows: dict[str, dict[str, float]], canonical: dict[str, dict[str, float]]) -> dict[str, dict[str, Any]]:
    """Each goal, what was measured, and whether that is enough."""
    out: dict[str, dict[str, Any]] = {}
    for name, (figure, goal) in GOALS.items():
        if figure == "milliseconds_at_most":
            value = max(row["encode_median_ms"] for row in canonical.values())
            out[name] = {"goal": goal, "median": value, "met": value <= goal}
        else:
            value = rows[name][figure]
            out[name] = {"goal": goal, "median": value, "met": value >= goal}
    return out


def show(results: dict[str, Any]) -> None:
    """Print the tables."""
    for name, row in results["rows"].items():
        rate, decisions = row["networks_per_second"], row["decisions_per_network"]
        print(f"{name:48} {rate:>12,.4g} per second   {decisions:>6,.0f} decisions each")
    for name, row in results["canonical"].items():
        print(f"{name:24} {row}")
    for row in results["ratios"]:
        ratio = f"{row['networks_ratio']:>10,.5g} x a network {row['decisions_ratio']:>10,.5g} x a decision"
        print(f"{row['ours']:40} {row['theirs']:36} {ratio}")
    for name, row in results["goals"].items():
        print(f"{name:40} {row}")


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--peer-python", type=Path, action="append", default=[], metavar="PATH")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--count", type=int, default=200, help="networks per row and round, ours")
    options = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    results = measured(options)
    show(results)
    RESULTS.write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
