"""The campaign of ``kills.py`` on a Ray cluster of three nodes: nodes and actors are killed, too."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.kill_watch import family, servers, trials
from benchmarks.kills import Campaign
from benchmarks.ray_nodes import Nodes, cluster

SHARES = {"search": 0.04, "node": 0.06, "actor": 0.15, "server": 0.05}  # of all kills; the others are of trials
NAMES = ("one", "two", "three")


@dataclass
class RayCampaign(Campaign):
    """Kills of trials, servers, actors, nodes and the search. A killed node is replaced by a new one."""

    shares: dict[str, float] = field(default_factory=lambda: dict(SHARES))
    nodes: Nodes | None = None
    added: int = 0

    def victims(self, kind: str) -> list[int]:
        """The processes of a kind; for a node its raylet."""
        assert self.nodes is not None
        if kind == "search":
            return [self.search.pid] if self.actors() else []
        if kind == "node":
            return [self.nodes.raylet(name) for name in self.nodes.named]
        found = {"actor": lambda pid: [pid], "server": servers, "trial": trials}[kind]
        return [pid for actor in self.actors() for pid in found(actor)]

    def actors(self) -> list[int]:
        """The processes of the cluster that have a server of trials."""
        assert self.nodes is not None
        raylets = [self.nodes.raylet(name) for name in self.nodes.named]
        return [pid for raylet in raylets for pid in family(raylet) if servers(pid)]

    def replace(self, kind: str, victim: int) -> None:
        """Start a killed search again; add a node for a killed one."""
        if kind == "node":
            assert self.nodes is not None
            (name,) = (name for name in self.nodes.named if self.nodes.raylet(name) == victim)
            self.nodes.kill(name)
            self.added += 1
            self.nodes.add(f"new-{self.added}")
        else:
            super().replace(kind, victim)


def fight_on_ray(folder: Path, **options: Any) -> dict[str, Any]:
    """The campaign on a new cluster."""
    with cluster(*NAMES) as nodes:
        place = f"executor: ray\naddress: '{nodes.address}'\nthreads: 1\n"
        return RayCampaign(folder, **options, nodes=nodes, place=place).fight()
