"""The networks that a plan times: one network, those of a study, or random points of a space."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from inception_search.errors import ConfigError, InceptionSearchError
from inception_search.estimate import estimate
from inception_search.measures.budget import Budget
from inception_search.measures.measured_network import at_size
from inception_search.measures.sample_within import sample_within
from inception_search.space.space import Space
from inception_search.spec.documents.parse import network_from_data
from inception_search.spec.identity.arch_id import arch_id
from inception_search.spec.network import Network
from inception_search.store.query import leaderboard
from inception_search.store.run_folder import RunFolder

NETWORKS = 6  # the default number of networks that are timed as a whole
POINTS = 200  # random points whose ops are offered to a plan
TRIES = 30  # draws of a point within a budget before one is repaired
FAILURES = 100  # draws in a row that are not networks, or not new, after which no more are made


class Source(NamedTuple):
    """Networks that are timed as a whole, by name, and further ones, of which only ops are timed."""

    about: str
    networks: Mapping[str, Network]
    others: Iterator[Network]


def from_network(name: str, network: Network) -> Source:
    """One network."""
    return Source(name, {name: network}, iter(()))


def from_space(
    space: Space,
    most: int = NETWORKS,
    shape: tuple[int, int, int] | None = None,
    classes: int | None = None,
    budget: Budget | None = None,
) -> Source:
    """Random networks of a space.

    Args:
        space: the space.
        most: the number of networks that are timed as a whole.
        shape: the shape (C, H, W) of the images (default: the space's).
        classes: the number of classes (default: the space's).
        budget: the limits on the networks (default: none).

    Raises:
        ConfigError: no point that was drawn is a network for these images within the budget.
    """
    drawn = random_networks(space, shape, classes, budget=budget)
    networks = {f"point {number}": network for number, network in zip(range(most), drawn, strict=False)}
    if not networks:
        within = " within the limits" if budget else ""
        rule = f"no point of space {space.name!r} that was drawn fits these images{within}"
        raise ConfigError(rule, path="shape", found=shape)
    size = next(iter(networks.values())).input.shape
    return Source(f"space {space.name} on images of {'x'.join(map(str, size))}", networks, drawn)


def from_run(run: RunFolder, most: int = NETWORKS, budget: Budget | None = None) -> Source:
    """Networks of a study: the best trials, and random points of its space within ``budget`` for its images.

    Raises ConfigError for a study without a trial that has a network.
    """
    records = run.records()
    known = [record for record in records if record.network is not None]
    if not known:
        raise ConfigError("no trial of the study has a network yet", path=str(run.path))
    best = leaderboard(records, max(1, most // 2)) or known[:1]
    networks = {f"trial {record.number}": network_from_data(record.network) for record in best}
    one = next(iter(networks.values()))
    space = Space(run.space_text(), str(run.space_file))
    drawn = random_networks(space, one.input.shape, one.head.classes, budget=budget)
    for number, network in zip(range(most - len(networks)), drawn, strict=False):
        networks[f"point {number}"] = network
    return Source(f"study {run.path.name}", networks, drawn)


def random_networks(
    space: Space,
    shape: tuple[int, int, int] | None,
    classes: int | None,
    first_seed: int = 0,
    budget: Budget | None = None,
) -> Iterator[Network]:
    """Different random networks of a space; points that are not networks for images (C, H, W) are left out.

    With a budget, points outside it are repaired as in a search.
    """
    seen: set[str] = set()
    seed, failures = first_seed, 0
    while len(seen) < POINTS and failures < FAILURES:
        seed, failures = seed + 1, failures + 1
        try:
            if budget is not None:
                network = sample_within(space, budget, seed, tries=TRIES, shape=shape, classes=classes).network
            else:
                network = at_size(space.decode(space.sample(seed)), shape, classes)
                _ = estimate(network)  # raises if the shapes do not fit
        except InceptionSearchError:
            continue
        if (known := arch_id(network)) not in seen:
            seen.add(known)
            failures = 0
            yield network
