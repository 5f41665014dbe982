"""Resolve the names of networks and modules, in Python and on the command line (docs/naming.md has all forms)."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from inception_search.canonical.catalogue import SUFFIXES, WEIGHTS, is_file, is_folder, names
from inception_search.canonical.catalogue import load as load_document
from inception_search.errors import ConfigError, RunFolderError, SpecError, unknown_name
from inception_search.hub.repository import local
from inception_search.spec.network import Network
from inception_search.spec.step import AnyStep, Use
from inception_search.store.record import TrialRecord

if TYPE_CHECKING:
    from inception_search.store.final_training import FinalTraining

BETWEEN = ".."
TRIALS = "trials.jsonl"
_NUMBERED = re.compile(r"(.+):([0-9]{1,9})\Z", re.DOTALL)
_FINAL = re.compile(r"(.+):final(?::([0-9]{1,9}))?\Z", re.DOTALL)
_WITH_MODULE = re.compile(r"(.+)\.([a-z][a-z0-9_]{0,63})\Z", re.DOTALL)
_DIALECT = re.compile(r"@[A-Za-z0-9_]*\Z")
_LONGEST = 4096


class Item(NamedTuple):
    """A network, the name it was requested by, and optionally one of its modules."""

    name: str
    network: Network
    module: str | None = None

    @property
    def step(self) -> AnyStep | None:
        """The module, with a reference to a block resolved; None for the whole network."""
        if self.module is None:
            return None
        step = {**self.network.stages, **self.network.blocks}[self.module]
        while isinstance(step, Use):
            step = self.network.blocks[step.name]
        return step

    @property
    def whole(self) -> Network | AnyStep:
        """The module if one was requested, else the network."""
        return self.network if self.step is None else self.step

    @property
    def stem(self) -> str:
        """A file name for this item, without suffix."""
        return re.sub(r"[^A-Za-z0-9_.@-]+", "_", self.name).strip("._") or "network"


class Trial(NamedTuple):
    """A trial of a run folder by number (None: the best one). ``final``: as ``finalize`` trained it."""

    run: Path
    number: int | None
    final: bool = False


def item(words: str | Path, module: str | None = None) -> Item:
    """The network or module that ``words`` name; ``module`` is a block or stage of that network.

    Raises :class:`UnknownNameError` if the name is unknown, :class:`ConfigError` if a trial or point does not exist,
    :class:`RunFolderError` for a run folder that cannot be used, and the errors of reading a document.
    """
    base, inner = _split_module(local(words))
    if inner is not None and module is not None:
        hint = f"write {base!r} and the one module"
        raise ConfigError("a module of a module cannot be named", found=f"{words} and {module}", hint=hint)
    module = inner if module is None else module
    name, network = _network(base)
    if module is None:
        return Item(name, network)
    parts = {**network.stages, **network.blocks}
    if module not in parts:
        raise unknown_name(f"module of {name}", module, set(parts))
    return Item(f"{name}.{module}", network, module)


def load(network: str | Path) -> Network:
    """Load a network by its name (docs/naming.md has all forms).

    Networks of a study have its number of classes and its image size.

    Args:
        network: a shipped name with or without a dialect (``"inception_v3@keras"``), the path of a document or of a
            saved model, a model on the Hugging Face Hub (``"hf://user/name"``), YAML text, a run folder (its best
            network), a trial (``"runs/first:12"``), the best network that :func:`finalize` trained
            (``"runs/first:final"``), or a step of the edit path between two networks
            (``"inception_v1..inception_v4:3"``).

    Returns:
        The network: a validated document without weights. Its ``input.shape`` is (C, H, W) in pixels.

    Raises:
        UnknownNameError: nothing has this name.
        SpecError: it is the name of a module.
        DocumentError: the document cannot be used.

    >>> net = ins.load("inception_v3")
    >>> net
    Network('inception_v3', 3x299x299, 12 stages, 1000 classes)
    >>> ins.load("inception_v3@keras").dialect
    'keras'
    """
    found = item(network)
    if found.module is not None:
        raise SpecError(
            "a whole network is needed here, and this is a module of one",
            found=str(network),
            expected=f"a network, such as {found.name.removesuffix('.' + found.module)!r}",
            hint="draw, diff, view, to_yaml and load_module take modules, too",
        )
    return found.network


def load_module(reference: str | Path) -> AnyStep:
    """Load a module, which is a block or stage of a network, by its name.

    Args:
        reference: the name of a network and its module: ``"inception_v4.inception_a"``, ``"runs/first:12.module"``
            (docs/naming.md).

    Returns:
        The module: a step, as :func:`parse_step` returns them.

    Raises:
        UnknownNameError: nothing has this name.
        ConfigError: it is the name of a whole network.

    >>> module = ins.load_module("inception_v4.inception_a")
    >>> module.kind, len(module.branches)
    ('concat', 4)
    """
    step = module_item(reference).step
    assert step is not None
    return step


def module_item(reference: str | Path) -> Item:
    """The item of a module; raises :class:`ConfigError` where ``reference`` names a whole network."""
    found = item(reference)
    if found.module is None:
        known = list(dict.fromkeys((*found.network.stages, *found.network.blocks)))
        raise ConfigError(
            "a module is needed here, and this is a whole network",
            found=str(reference),
            expected=f"{found.name}.NAME, where NAME is one of {', '.join(known)}",
        )
    return found


def trial_named(words: str | Path) -> Trial | None:
    """The trial that ``words`` name, by its number or as the best of a run folder; None for anything else."""
    text = str(words)
    if is_run_folder(text):
        return Trial(Path(text), None)
    final = _FINAL.match(text)
    found = final or _NUMBERED.match(text)
    if found is None or "\n" in text or is_file(text) or _sides(found[1]) is not None:
        return None
    return Trial(Path(found[1]), None if found[2] is None else int(found[2]), final is not None)


def is_run_folder(words: str | Path) -> bool:
    """Whether ``words`` are the path of a study's folder, or of one with the ``best.yaml`` of a study."""
    if "\n" in str(words) or len(str(words)) > _LONGEST or str(words) in names():
        return False
    return is_file(Path(words, TRIALS)) or is_file(Path(words, "best.yaml"))


def records_of(run: str | Path) -> dict[int, TrialRecord]:
    """The trials of a run folder by number. Raises :class:`RunFolderError` and :class:`DocumentError`."""
    from inception_search.store.run_folder import RunFolder

    return {record.number: record for record in RunFolder.open(run).records()}


def record_of(trial: Trial) -> TrialRecord:
    """The record of a trial; raises :class:`ConfigError` for a number without one, or a study without a best.

    Also raises :class:`RunFolderError` for the best final training if there is none.
    """
    from inception_search.store.query import best
    from inception_search.store.run_folder import RunFolder

    if (final := final_of(trial)) is not None:
        return record_of(Trial(trial.run, final.trial))
    if trial.number is not None and (record := RunFolder.open(trial.run).record(trial.number)) is not None:
        return record
    records = records_of(trial.run)
    if trial.number is None:
        found = best(records.values())
        if found is None:
            hint = "name one of its trials, such as " + repr(f"{trial.run}:{min(records, default=0)}")
            raise ConfigError("no trial of the study is complete yet", path=str(trial.run), hint=hint)
        return found
    known = f"0 to {max(records)}" if records else "a study with trials; this one has none yet"
    raise ConfigError("no such trial", path=str(trial.run), found=trial.number, expected=known)


def final_of(trial: Trial) -> FinalTraining | None:
    """The final training that ``trial`` names; None where it names a trial of the search.

    Raises :class:`RunFolderError` if no final training is finished, :class:`ConfigError` if this one does not exist.
    """
    if not trial.final:
        return None
    from inception_search.store.final_training import final_training
    from inception_search.store.run_folder import RunFolder

    return final_training(RunFolder.open(trial.run), trial.number)


def _split_module(words: str | Path) -> tuple[str | Path, str | None]:
    """The name of a network, and the module after its last dot; None if no module is named."""
    if _is_text(words) or _stands_for_network(words):
        return words, None
    parted = _WITH_MODULE.match(str(words))
    if parted is None or f".{parted[2]}" in SUFFIXES or not _stands_for_network(parted[1]):
        return words, None
    return parted[1], parted[2]


def _is_text(words: str | Path) -> bool:
    return isinstance(words, str) and ("\n" in words or words.lstrip().startswith("{"))


def _stands_for_network(words: str | Path) -> bool:
    """Whether ``words`` have the form of a whole network's name: shipped, numbered, or a path that exists."""
    text = str(words)
    base = text if is_file(text) else _DIALECT.sub("", text)
    numbered = _NUMBERED.match(text) or _FINAL.match(text)
    return base in names() or numbered is not None or is_file(base) or is_run_folder(text)


def _network(words: str | Path) -> tuple[str, Network]:
    text = str(words)
    if _is_text(words) or is_file(text):
        network = load_document(words)
        return network.name, network
    numbered = _NUMBERED.match(text)
    sides = _sides(numbered[1] if numbered else text)
    if sides is not None:
        return text, _point(*sides, None if numbered is None else int(numbered[2]))
    trial = trial_named(text)
    if trial is not None and (trial.number is not None or trial.final or not is_file(trial.run / "best.yaml")):
        return text, _document_of(trial)
    if "/" in text and not text.endswith(SUFFIXES) and not os.path.lexists(text):  # a pipe is there, too
        _check_run_folder(text)
    network = load_document(words)
    return (text if text.partition("@")[0] in names() or is_run_folder(text) else network.name), network


def _check_run_folder(text: str) -> None:
    """Raise for a path that does not exist; weight files and dialects are skipped, as they have errors of their own."""
    from inception_search.store.run_folder import RunFolder

    if text.endswith(WEIGHTS) or _DIALECT.search(text) or text.partition("@")[0] in names():
        return
    try:
        RunFolder.open(text)
    except RunFolderError as error:
        error.hint = f"{error.hint}, or the path of a document ({', '.join(SUFFIXES)})"
        raise


def _document_of(trial: Trial) -> Network:
    from inception_search.spec.documents.parse import network_from_data

    record = record_of(trial)
    if record.network is None:
        found, hint = record.reason, "name another trial"
        raise ConfigError(f"trial {record.number} has no network", path=str(trial.run), found=found, hint=hint)
    final = final_of(trial)
    return network_from_data(record.network) if final is None else final.network(record)


def _sides(text: str) -> tuple[str, str] | None:
    """The two names in ``a..b``, else None; the dots of a file path such as ``../a`` do not separate names."""
    if is_folder(text):
        return None
    return next(((text[:at], text[at + len(BETWEEN) :]) for at in _dots(text)), None)


def _dots(text: str) -> Iterator[int]:
    at = text.find(BETWEEN)
    while at >= 0:
        after = text[at + len(BETWEEN) :]
        if at > 0 and text[at - 1] not in "/." and after and not after.startswith("/"):
            yield at
        at = text.find(BETWEEN, at + 1)


def _point(start: str, goal: str, number: int | None) -> Network:
    from inception_search.edits.edit_path import path

    moves = path(load(start), load(goal))
    if number is None or number >= len(moves):
        rule = "no such point on the path" if number is not None else "a point on a path is named by its number"
        between = f"{start}{BETWEEN}{goal}"
        hint = f"inception-search path {start} {goal} prints them" if number is None else None
        raise ConfigError(rule, path=between, found=number, expected=f"0 to {len(moves) - 1}", hint=hint)
    return moves[number].network
