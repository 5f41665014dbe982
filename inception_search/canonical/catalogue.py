"""Finding networks: by shipped name, by path, from text; and modules inside them."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from inception_search.errors import SpecError, UnknownNameError, unknown_name
from inception_search.spec.document import load_network, parse_network
from inception_search.spec.network import Network
from inception_search.spec.shipped import shipped_folder, shipped_names
from inception_search.spec.step import AnyStep, Use

FOLDER = "canonical"
SUFFIXES = (".yaml", ".yml", ".json")


def names() -> tuple[str, ...]:
    """The names of the shipped networks, sorted."""
    return shipped_names(FOLDER)


def load(network: str | Path) -> Network:
    """A network by shipped name, from a file, from YAML text, or the best of a run folder.

    Raises :class:`~inception_search.errors.UnknownNameError` for a name nothing answers to, and
    :class:`~inception_search.errors.DocumentError` for a document that cannot be used.
    """
    if not isinstance(network, str | Path):
        raise SpecError("not a network", found=network, expected="a shipped name, a path, or YAML text")
    best = _best_of(network)
    if best is not None or isinstance(network, Path):
        return load_network(best or network)
    if "\n" in network or network.lstrip().startswith("{"):
        return parse_network(network)
    if network in names():
        return _shipped(network)
    if network.endswith(SUFFIXES) or "/" in network:
        return load_network(network)
    error = unknown_name("network", network, names())
    error.expected = f"{error.expected}, or the path of a document (.yaml) or run folder"
    raise error


def module(reference: str) -> AnyStep:
    """The module a reference such as ``inception_v4.inception_a`` names: a block or stage of a shipped network."""
    name, _, part = reference.partition(".")
    network = load(name)
    known = {**network.stages, **network.blocks}
    if part not in known:
        raise unknown_name(f"module of {name}", part, known)
    step = known[part]
    while isinstance(step, Use):
        step = network.blocks[step.name]
    return step


def _best_of(path: str | Path) -> Path | None:
    """The document of the best network in a run folder."""
    if isinstance(path, str) and ("\n" in path or len(path) > 4096 or path in names()):
        return None
    best = Path(path) / "best.yaml"
    try:
        return best if best.is_file() else None
    except (OSError, ValueError):  # no path at all
        return None


@lru_cache(maxsize=64)
def _shipped(name: str) -> Network:
    path = shipped_folder() / FOLDER / f"{name}.yaml"
    if not path.is_file():
        raise UnknownNameError("no such shipped network", found=name)
    return load_network(path)
