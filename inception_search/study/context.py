"""What a search is made of, found and checked before anything is written; and what all its trials share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inception_search.data.class_weights import weights_of
from inception_search.errors import ConfigError, DataError, Place, RunFolderError, raw
from inception_search.optuna_bridge.given_sampler import OWN, GivenSampler
from inception_search.runner.job import Job
from inception_search.space.holes import Params
from inception_search.space.space import Space
from inception_search.spec.documents.parse import network_from_data
from inception_search.spec.network import Network
from inception_search.store.disk import typed_errors
from inception_search.store.layout import Layout
from inception_search.store.provenance import fingerprint, versions
from inception_search.store.record import Origin, TrialRecord
from inception_search.store.run_folder import RunFolder
from inception_search.strategies.protocol import Observation
from inception_search.study.config import StudyConfig
from inception_search.study.strategy_name import described_sampler
from inception_search.study.trial import Trial, make_candidate

if TYPE_CHECKING:
    from optuna.samplers import BaseSampler

    from inception_search.data.dataset import Dataset


@dataclass(frozen=True)
class Plan:
    """What a search is made of, all of it found and checked before the run folder is touched."""

    config: StudyConfig
    space: Space
    dataset: Dataset
    device: str

    def facts(self) -> dict[str, Any]:
        """What a study must find again when it goes on, and what it was begun with."""
        return {
            "data": {**self.dataset.describe(), **self._images()},
            "space": fingerprint(self.space.text),
            "device": self.device,
            "versions": versions(),
        }

    def _images(self) -> dict[str, Any]:
        """What a trained network must be given, and what its outputs stand for."""
        data = self.dataset
        return {"class_names": list(data.classes), "mean": list(data.mean), "std": list(data.std)}

    @contextmanager
    def opened(self, folder: Layout, *, test: bool = False) -> Iterator[StudyContext]:
        """What all trials share whose files are in ``folder``; their images are in files there while the block lasts.

        The test images are in a file of their own, and only with ``test``. What a kill leaves is replaced, and then
        removed, by whoever goes on. Raises RunFolderError.
        """
        from safetensors import SafetensorError

        from inception_search.data.frozen import SEEN, freeze

        data = self.dataset
        files = {folder.images_file: SEEN, **({folder.test_images_file: ("test",)} if test else {})}
        try:
            for path, splits in files.items():
                with typed_errors(path):
                    freeze(data, path, splits)
            yield StudyContext(
                config=self.config,
                space=self.space,
                data_file=folder.images_file,
                shape=data.shape,
                classes=len(data.classes),
                data=data.describe(),
                device=self.device,
                threads=self.config.threads,
                test_file=folder.test_images_file if test else None,
            )
        except SafetensorError as error:
            rule = f"the images cannot be written for the trials: {error}"
            raise RunFolderError(rule, place=Place(str(folder.jobs_folder))) from None
        finally:
            for path in files:
                with suppress(OSError):
                    path.unlink(missing_ok=True)


def make_plan(config: StudyConfig, space: Space) -> Plan:
    """Load and check what ``config`` names. Raises UnknownNameError, ConfigError or DataError."""
    from inception_search.data.catalogue import load_data
    from inception_search.training.devices import pick_device

    device = str(pick_device(config.device))
    with _errors_of_options(config):
        dataset = load_data(
            config.data,
            root=config.data_root,
            image_size=config.training.image_size,
            download=config.download,
            limit=config.training.train_images,
            validation_images=config.validation_images,
        )
    weights_of(config.training.class_weights, dataset.classes, [1] * len(dataset.classes))  # refuses names of no class
    return Plan(config, space, dataset, device)


@contextmanager
def _errors_of_options(config: StudyConfig) -> Iterator[None]:
    """Errors of reading the images under the names of the options of a study.

    Python and torch each have an error of their own for images that do not fit in memory.
    """
    try:
        yield
    except ConfigError as error:
        if error.path != "root":
            raise
        raise ConfigError(error.rule, path="data_root", hint="write data_root=FOLDER") from None
    except (MemoryError, RuntimeError) as error:
        if not isinstance(error, MemoryError) and "memory" not in str(error):
            raise
        raise DataError(
            "the images do not fit in memory",
            path="image_size",
            found=config.training.image_size,
            hint="use smaller images",
        ) from None


def check_same(run: RunFolder, plan: Plan, facts: dict[str, Any]) -> None:
    """Refuse to go on with other images or another space: their trials cannot be compared."""
    data = facts.get("data")
    begun = data.get("fingerprint") if isinstance(data, dict) else None
    hint = "restore the dataset and its options, or start a new run"
    refuse_other("the study was begun on other data", run.path, begun, plan.dataset.fingerprint, hint)
    now, hint = fingerprint(plan.space.text), "restore space.yaml, or start a new run"
    refuse_other("the study was begun with another space", run.path, facts.get("space"), now, hint)


def refuse_other(rule: str, path: Path, begun: str | None, now: str, hint: str) -> None:
    """Raise RunFolderError where what is used ``now`` has another fingerprint than when it was ``begun``, if known."""
    if begun not in (None, now):
        found, expected = raw(f"fingerprint {now}"), f"fingerprint {begun}"
        raise RunFolderError(rule, place=Place(str(path)), found=found, expected=expected, hint=hint)


def given_again(config: StudyConfig, sampler: BaseSampler | None) -> StudyConfig:
    """The configuration of a study that goes on, with the sampler that it was begun with.

    Raises ConfigError where it was given in Python and is not now, and where it is another.
    """
    begun = config.strategy
    if sampler is None:
        if not begun.startswith(OWN) or isinstance(begun, GivenSampler):
            return config
        kind = begun.rpartition(".")[2]
        hint = f"give it again: ins.resume(run, strategy={kind}(...))"
        if config.strategy_options:
            hint += f", with the options that it had: {config.strategy_options}"
        rule = "the sampler of the study was given in Python and cannot be made from its name"
        raise ConfigError(rule, path="strategy", found=begun, hint=hint)
    name, own = described_sampler(sampler)
    if name != begun or own != config.strategy_options:
        expected = f"{begun}, with {config.strategy_options or 'no options'}"
        found = raw(f"{name}, with {own or 'no options'}")
        hint = "give the one that it was begun with, or begin a new run with warm_start"
        raise ConfigError("the study has another sampler", path="strategy", found=found, expected=expected, hint=hint)
    return config.model_copy(update={"strategy": name})


@dataclass(frozen=True)
class StudyContext:
    """What all trials of a study share: the configuration, and what was found when the search began or resumed."""

    config: StudyConfig
    space: Space
    data_file: Path
    shape: tuple[int, int, int]
    """(C, H, W) of the images."""
    classes: int
    data: dict[str, Any]
    """The dataset as records describe it."""
    device: str
    threads: int | None
    """CPU threads of one trial; None: as many as torch likes."""
    test_file: Path | None = None
    """The test images, where trials are tested at their end."""

    def trial_of(self, kept: TrialRecord | Job) -> Trial:
        """The trial that a record or a job is of."""
        if isinstance(kept, Job):
            params, latency, tries = dict(kept.params), None, kept.tries
            origin: Origin = kept.origin  # type: ignore[assignment]
        else:
            params, latency, tries, origin = dict(kept.holes), kept.latency, 1, kept.origin
        trial = self.trial_at(kept.number, network_from_data(kept.network or {}), params, latency)
        facts = {"origin": origin, "label": kept.label, "facts": dict(kept.facts), "repeat_of": kept.repeat_of}
        return trial.again(**facts, seed=kept.seed, attempt=kept.attempt, tries=tries)

    def trial_at(self, number: int, network: Network, params: Params, latency: float | None = None) -> Trial:
        """A trial of ``network``; its ``latency`` in ms (measured if None) where the study limits or minimises it."""
        candidate = make_candidate(network, params, self.shape, self.classes)
        timed = "latency" in self.config.objectives or self.config.budget.max_latency_ms
        if candidate.measured is not None and timed:
            target = self.config.budget.on(self.device, self.threads).target
            if latency is None:
                candidate.measured.latency(target)
            else:
                candidate.measured.latencies[target] = latency
        return Trial.of(number, candidate)

    def job_of(self, trial: Trial, folder: Layout) -> Job:
        """The job of training ``trial``, whose files are in ``folder``."""
        number = trial.number
        return Job(
            number=number,
            attempt=trial.attempt,
            arch_id=trial.arch_id,
            started=trial.started,
            network=trial.network.to_dict(),
            data=_inside(self.data_file, folder),
            fidelity=self.config.fidelity(self.threads),
            seed=trial.seed,
            device=self.device,
            result=_inside(folder.result_file(number), folder),
            checkpoint=_inside(folder.checkpoint_file(number), folder),
            state=_inside(folder.state_file(number), folder),
            aux=self.config.aux,
            test=None if self.test_file is None else _inside(self.test_file, folder),
            tries=trial.tries,
            params=trial.params,
            origin=trial.origin,
            label=trial.label,
            facts=trial.facts,
            repeat_of=trial.repeat_of,
        )

    def observed(self, record: TrialRecord, losses: tuple[float, ...] | None) -> Observation:
        """A record as strategies see it, with these losses; a paused one may still be reported better."""
        state: Any = "pruned" if record.state == "paused" else record.state
        known = losses if state in ("complete", "pruned") else None
        epochs = record.curve[-1].epoch if record.curve else 0
        costs = {name: float(value) for name, value in record.measures.items()}
        params, facts = dict(record.holes), dict(record.facts)
        return Observation(record.number, params, record.arch_id or "", state, known, epochs, costs, facts, self.space)


def _inside(path: Path, folder: Layout) -> str:
    return str(path.relative_to(folder.path)) if path.is_relative_to(folder.path) else str(path)
