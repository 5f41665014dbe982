"""What a name stands for, in Python and on the command line: a network, a module, a trial, a point on a path."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from inception_search.canonical.catalogue import is_file, load, names
from inception_search.errors import ConfigError, unknown_name
from inception_search.spec.network import Network
from inception_search.spec.step import AnyStep, Use

NUMBERED = re.compile(r"(.+):([0-9]{1,9})\Z")
BETWEEN = ".."
HELP = (
    "A network (name, path or run folder), a module (inception_v4.inception_a), a trial (runs/NAME:12) "
    "or a point on the path between two networks (inception_v1..inception_v4:3)"
)
MODULE = "module"  # the searched block of a study's networks


class Item(NamedTuple):
    """A network with the words that name it, and, where one was asked for, a module of it."""

    name: str
    network: Network
    module: str | None = None

    @property
    def step(self) -> AnyStep | None:
        """The module, a block that is only named opened; None for the whole network."""
        if self.module is None:
            return None
        step = {**self.network.stages, **self.network.blocks}[self.module]
        while isinstance(step, Use):
            step = self.network.blocks[step.name]
        return step

    @property
    def whole(self) -> Network | AnyStep:
        """The module where one was asked for, else the network."""
        return self.network if self.step is None else self.step

    @property
    def stem(self) -> str:
        """The beginning of a file's name for it."""
        return re.sub(r"[^A-Za-z0-9_.@-]+", "_", self.name).strip("._") or "network"


def item(words: str, module: str | None = None) -> Item:
    """The item that ``words`` name; ``module`` is a block or stage of it.

    Raises :class:`UnknownNameError` where nothing answers to a name, :class:`ConfigError` where a trial or point is
    not there, and the errors of reading a document.
    """
    base, _, part = words.partition(".")
    if module is None and base.partition("@")[0] in names() and part and not part.startswith("."):
        words, module = base, part
    name, network = _network(words)
    if module is None:
        return Item(name, network)
    parts = {**network.stages, **network.blocks}
    if module not in parts:
        raise unknown_name(f"module of {name}", module, parts)
    return Item(f"{name}.{module}", network, module)


def _network(words: str) -> tuple[str, Network]:
    numbered = NUMBERED.match(words)
    if numbered and not is_file(words):
        start, between, goal = numbered[1].partition(BETWEEN)
        if between and start and goal and not Path(numbered[1]).is_dir():
            return words, _point(start, goal, int(numbered[2]))
        return words, _trial(numbered[1], int(numbered[2]))
    network = load(words)
    return (words if words.partition("@")[0] in names() else network.name), network


def _trial(run: str, number: int) -> Network:
    from inception_search.spec.document import network_from_data
    from inception_search.store.run_folder import RunFolder

    records = {record.number: record for record in RunFolder.open(run).records()}
    if number not in records:
        known = f"0 to {max(records)}" if records else "a study with trials; this one has none yet"
        raise ConfigError("no such trial", path=run, found=number, expected=known)
    document = records[number].network
    if document is None:
        raise ConfigError(
            f"trial {number} has no network", path=run, found=records[number].reason, mend="name another trial"
        )
    return network_from_data(document)


def _point(start: str, goal: str, number: int) -> Network:
    from inception_search.edits.history import path

    moves = path(load(start), load(goal))
    if number >= len(moves):
        raise ConfigError(
            "no such point on the path", path=f"{start}{BETWEEN}{goal}", found=number, expected=f"0 to {len(moves) - 1}"
        )
    return moves[number].network
