"""The plan of a search, validated before anything is written, and the context that all its trials share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inception_search.data.class_weights import weights_of
from inception_search.errors import ConfigError, DataError, Place, RunFolderError, raw
from inception_search.measures.budget import Budget
from inception_search.measures.device_table import DeviceTable, device_table
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
    """Everything a search needs, loaded and validated before the run folder is touched."""

    config: StudyConfig
    space: Space
    dataset: Dataset
    device: str
    latency_table: DeviceTable | None = None
    """Times of ops on the machine that networks are for."""

    def facts(self) -> dict[str, Any]:
        """The facts stored with a study: those that must match when it is resumed, and its environment."""
        return {
            "data": {**self.dataset.describe(), **self._images()},
            "space": fingerprint(self.space.text),
            "device": self.device,
            "versions": versions(),
            **({} if self.latency_table is None else {"latency_table": fingerprint(self.latency_table.text)}),
        }

    @property
    def table_file(self) -> str | None:
        """The file of the table of latencies, if there is one."""
        return None if self.latency_table is None else str(self.latency_table.path)

    def _images(self) -> dict[str, Any]:
        """The preprocessing of images and the names of classes, for users of a trained network."""
        data = self.dataset
        return {"class_names": list(data.classes), "mean": list(data.mean), "std": list(data.std)}

    @contextmanager
    def opened(self, folder: Layout, *, test: bool = False) -> Iterator[StudyContext]:
        """The shared context of trials with files in ``folder``; their images are in files while the block lasts.

        The test images have their own file, written only with ``test``. Files left by a killed search are replaced, and
        removed at the end of the next one. Raises RunFolderError.
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
                latency_table=self.table_file,
            )
        except SafetensorError as error:
            rule = f"the images cannot be written for the trials: {error}"
            raise RunFolderError(rule, place=Place(str(folder.jobs_folder))) from None
        finally:
            for path in files:
                with suppress(OSError):
                    path.unlink(missing_ok=True)


def make_plan(config: StudyConfig, space: Space, run: Layout | None = None) -> Plan:
    """Load and validate the data, device and table of latencies in ``config``.

    ``run``: the folder of a study that has begun, which keeps its table. Raises UnknownNameError, ConfigError
    or DataError.
    """
    from inception_search.data.catalogue import load_data
    from inception_search.training.devices import pick_device

    # The devices of a cluster are known later, when it is connected.
    device = "cpu" if config.executor == "ray" else str(pick_device(config.device))
    with _errors_of_options(config):
        dataset = load_data(
            config.data,
            root=config.data_root,
            image_size=config.training.image_size,
            download=config.download,
            limit=config.training.train_images,
            validation_images=config.validation_images,
        )
    weights_of(config.training.class_weights, dataset.classes, [1] * len(dataset.classes))  # raises for unknown classes
    return Plan(config, space, dataset, device, table_of(config, run))


def table_of(config: StudyConfig, run: Layout | None = None) -> DeviceTable | None:
    """The table of latencies of a study, which its run folder keeps; None if latency is measured here."""
    if config.latency_table is None:
        return None
    kept = None if run is None else run.latency_table_file
    return device_table(config.latency_table if kept is None else kept)


@contextmanager
def _errors_of_options(config: StudyConfig) -> Iterator[None]:
    """Translates errors of reading the images to the names of a study's options.

    Python and torch have different errors for images that do not fit in memory.
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
    """Refuse to resume with other images or another space, because trials would not be comparable."""
    data = facts.get("data")
    begun = data.get("fingerprint") if isinstance(data, dict) else None
    hint = "restore the dataset and its options, or start a new run"
    refuse_other("the study was begun on other data", run.path, begun, plan.dataset.fingerprint, hint)
    now, hint = fingerprint(plan.space.text), "restore space.yaml, or start a new run"
    refuse_other("the study was begun with another space", run.path, facts.get("space"), now, hint)
    if plan.latency_table is not None:
        now, hint = fingerprint(plan.latency_table.text), f"restore {run.latency_table_file.name}, or start a new run"
        rule = "the study was begun with another table of latencies"
        refuse_other(rule, run.path, facts.get("latency_table"), now, hint)


def refuse_other(rule: str, path: Path, begun: str | None, now: str, hint: str) -> None:
    """Raise RunFolderError if the fingerprint ``now`` is not ``begun``, the one at the start (None: unknown)."""
    if begun not in (None, now):
        found, expected = raw(f"fingerprint {now}"), f"fingerprint {begun}"
        raise RunFolderError(rule, place=Place(str(path)), found=found, expected=expected, hint=hint)


def given_again(config: StudyConfig, sampler: BaseSampler | None) -> StudyConfig:
    """The configuration of a resumed study, with its original sampler.

    Raises ConfigError if a sampler from Python is not passed again, and if another one is passed.
    """
    begun = config.strategy
    if sampler is None:
        if not begun.startswith(OWN) or isinstance(begun, GivenSampler):
            return config
        kind = begun.rpartition(".")[2]
        hint = f"pass it again: ins.resume(run, strategy={kind}(...))"
        if config.strategy_options:
            hint += f", with its options: {config.strategy_options}"
        rule = "the sampler of the study was passed from Python and cannot be created from its name"
        raise ConfigError(rule, path="strategy", found=begun, hint=hint)
    name, own = described_sampler(sampler)
    if name != begun or own != config.strategy_options:
        expected = f"{begun}, with {config.strategy_options or 'no options'}"
        found = raw(f"{name}, with {own or 'no options'}")
        hint = "pass the original sampler, or start a new run with warm_start"
        raise ConfigError("the study has another sampler", path="strategy", found=found, expected=expected, hint=hint)
    return config.model_copy(update={"strategy": name})


@dataclass(frozen=True)
class StudyContext:
    """The shared context of a study's trials: the configuration, and the facts from the start or resume."""

    config: StudyConfig
    space: Space
    data_file: Path
    shape: tuple[int, int, int]
    """(C, H, W) of the images."""
    classes: int
    data: dict[str, Any]
    """The description of the dataset in records."""
    device: str
    threads: int | None
    """CPU threads of one trial; None: torch's default."""
    test_file: Path | None = None
    """The test images, if trials are tested at their end."""
    latency_table: str | None = None
    """The file with the times of ops on the machine that networks are for; None: latency is measured here."""

    @property
    def budget(self) -> Budget:
        """The limits of the study, with the device or the table that has the latency."""
        return self.config.budget.on(self.device, self.threads, self.latency_table)

    def trial_of(self, kept: TrialRecord | Job) -> Trial:
        """The trial of a record or a job."""
        if isinstance(kept, Job):
            params, latency, tries = dict(kept.params), None, kept.tries
            origin: Origin = kept.origin  # type: ignore[assignment]
        else:
            params, latency, tries, origin = dict(kept.holes), kept.latency, 1, kept.origin
        trial = self.trial_at(kept.number, network_from_data(kept.network or {}), params, latency)
        facts = {"origin": origin, "label": kept.label, "facts": dict(kept.facts), "repeat_of": kept.repeat_of}
        return trial.again(**facts, seed=kept.seed, attempt=kept.attempt, tries=tries)

    def trial_at(self, number: int, network: Network, params: Params, latency: float | None = None) -> Trial:
        """A trial of ``network``; ``latency`` in ms is measured if None and the study limits or minimises it."""
        candidate = make_candidate(network, params, self.shape, self.classes)
        timed = "latency" in self.config.objectives or self.config.budget.max_latency_ms
        if candidate.measured is not None and timed:
            target = self.budget.target
            if latency is None:
                candidate.measured.latency(target)
            else:
                candidate.measured.latencies[target] = latency
        return Trial.of(number, candidate)

    def job_of(self, trial: Trial, folder: Layout) -> Job:
        """The job that trains ``trial``, with files in ``folder``."""
        number = trial.number
        return Job(
            number=number,
            attempt=trial.attempt,
            arch_id=trial.arch_id,
            started=trial.started,
            network=trial.document,
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
        """A record as an observation for strategies, with these losses; a paused one may be reported again."""
        state: Any = "pruned" if record.state == "paused" else record.state
        known = losses if state in ("complete", "pruned") else None
        epochs = record.curve[-1].epoch if record.curve else 0
        costs = {name: float(value) for name, value in record.measures.items()}
        params, facts = dict(record.holes), dict(record.facts)
        return Observation(record.number, params, record.arch_id or "", state, known, epochs, costs, facts, self.space)


def _inside(path: Path, folder: Layout) -> str:
    return str(path.relative_to(folder.path)) if path.is_relative_to(folder.path) else str(path)
