"""The configuration of a search: every option with its default, validated, and stored in ``study.yaml``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self, TypeAlias

import yaml
from pydantic import BeforeValidator, Field, ValidationError, WrapValidator, model_validator

from inception_search.credentials import masked_values
from inception_search.errors import ConfigError, DocumentError, InceptionSearchError, Place, SchemaVersionError
from inception_search.measures.budget import Limits
from inception_search.numbers import number
from inception_search.options import (
    Keyword,
    Options,
    PathName,
    Positive,
    Whole,
    flat,
    grouped,
    groups,
    option_error,
    option_fields,
)
from inception_search.optuna_bridge.storage_url import StorageUrl
from inception_search.spec.documents.files import read_text
from inception_search.spec.documents.yaml_reader import MarkedDict, read_yaml
from inception_search.store.objectives import check_objectives
from inception_search.study.given_options import Given, given_options
from inception_search.study.pruner_options import AshaOptions, Eta, pruner_options
from inception_search.study.strategy_name import StrategyName, with_sampler_named
from inception_search.training.fidelity import Fidelity, Recipe

Name: TypeAlias = Annotated[str, Field(min_length=1)]
Storage: TypeAlias = Annotated[
    str,
    Field(min_length=1),
    WrapValidator(lambda v, check: v if isinstance(v, StorageUrl) else StorageUrl(check(v))),
]
Address: TypeAlias = Annotated[str, Field(pattern=r"^(auto|(ray://)?[^/@\s]+:[0-9]{1,5})$")]
Names: TypeAlias = Annotated[tuple[Name, ...], BeforeValidator(lambda v: _by_commas(v)), Keyword("Sequence[str] | str")]
Paths: TypeAlias = Annotated[
    tuple[PathName, ...], BeforeValidator(lambda v: _by_commas(v)), Keyword("Sequence[str | Path] | str")
]
Point: TypeAlias = Annotated[
    dict[str, Annotated[float, Field(allow_inf_nan=False)]],
    BeforeValidator(lambda v: _point(v)),
    Keyword("Mapping[str, float] | str"),
]
SCHEMA = "inception-search/study"
VERSION = 2
HIDDEN = ("schema", "version", "facts")
PAUSING = ("asha", "halving", "hyperband")
FIDELITY = tuple(Recipe.model_fields)
"""The options that are passed to a training unchanged."""
# From version n to the options of version n + 1.
UPGRADES: dict[int, dict[str, str]] = {1: {"sampler": "strategy"}}


def _by_commas(value: Any) -> Any:
    return tuple(part.strip() for part in value.split(",")) if isinstance(value, str) else value


def _point(value: Any) -> Any:
    """``accuracy=0.1,macs=10M`` as a mapping with numbers."""
    if isinstance(value, str) and all("=" in part for part in value.split(",")):
        value = dict(part.split("=", 1) for part in value.replace(" ", "").split(","))
    if value is not None and not isinstance(value, dict):
        raise ValueError("a number for each objective, such as 'accuracy=0.1,macs=1e7'")
    return {name: number(item) for name, item in value.items()} if isinstance(value, dict) else value


class StudyConfig(Options):
    """The options of a search; the same names in a config file, as flags and as keyword arguments."""

    space: PathName = "inception_modules"
    """The search space: the name of a shipped one, or a YAML file."""
    data: Name = "digits"
    """The dataset."""
    data_root: PathName | None = None
    """Folder with the files of the dataset, for datasets that need one."""
    validation_images: Whole | None = None
    """Number of validation images (default: the dataset's split). If the dataset has fewer, extra ones come from unused
    training images."""
    download: bool = False
    """Allow the dataset to be downloaded."""
    trials: Whole = 40
    """Number of distinct architectures to train, including the canonical baselines."""
    budget: Limits = Limits()
    """Hard limits on the networks that are trained."""
    latency_table: PathName | None = None
    """Table of latencies that ``inception-search bench`` made on another machine; ``max_latency_ms`` and the objective
    latency are then those of that machine (default: measured on the search's device)."""
    objectives: Names = ("accuracy",)
    """What the search optimises; with several objectives the result is a Pareto front."""
    reference: Point | None = None
    """Reference point of the hypervolume: a value for each objective, such as "accuracy=0.1,macs=1e7" (default:
    computed from the limits and the canonical networks)."""
    baselines: bool = True
    """Train the space's canonical networks first."""
    warm_start: Paths = ()
    """Run folders of earlier studies. Their best networks that lie in the space are trained after the baselines."""
    warm_top: Whole = 5
    """Number of networks taken from each study in ``warm_start``."""
    repeats: Whole = 1
    """Number of times each architecture is trained, each time with another seed; the search uses the mean."""
    repeat_top: Whole | None = None
    """Repeat only this many of the best architectures, after all trials have finished (default: all)."""
    strategy: StrategyName = "tpe"
    """The search algorithm that suggests the next architecture: a strategy of this package, or a sampler of Optuna
    (optuna:NAME) or OptunaHub (optunahub:samplers/NAME)."""
    strategy_options: Given = {}
    """Options of the strategy, by name."""
    warmup_proxy: Name | None = None
    """A zero-cost proxy that scores ``warmup_points`` random architectures; those with the best scores are trained
    first."""
    warmup_points: Whole = 100
    """Number of random architectures that ``warmup_proxy`` scores."""
    warmup_trials: Whole = 10
    """Number of architectures with the best scores of ``warmup_proxy`` that are trained first."""
    proxies: Names = ()
    """Zero-cost proxies that the predictor strategy uses as input features."""
    pruner: Literal["median", "asha", "halving", "hyperband", "none"] = "median"
    """How trials that are worse than others at the same epoch end early: median stops them; asha, halving and hyperband
    pause them. Baselines are never stopped or paused."""
    pruner_options: Given = {}
    """Options of the pruner, by name; eta and min_epochs given here override those of the study."""
    eta: Eta = 3
    """Reduction factor of asha, halving and hyperband: at each rung the best 1/eta of the trials continue."""
    min_epochs: Whole = 1
    """Epochs of a trial up to the first rung of asha, halving and hyperband."""
    training: Recipe = Recipe()
    """How each network is trained."""
    aux: bool = True
    """Train the auxiliary classifiers of networks that have them."""
    workers: Whole | None = None
    """Number of trials that run at the same time (default: one per core on a CPU; on a GPU, as many as are measured to
    be faster, up to 8)."""
    threads: Annotated[int, Field(strict=True, ge=1, le=1024)] | None = None
    """CPU threads of one trial. The study keeps this number, since the last digits of results depend on it
    (default on a CPU: 1; all cores if one trial runs at a time)."""
    device: str = "auto"
    """Device of the trials: cpu, cuda, cuda:<number>, or auto (a GPU if there is one)."""
    trial_seconds: Positive = 3600.0
    """Time limit of one trial in seconds. A trial that exceeds it is restarted once from its last epoch; the second
    time it fails."""
    executor: Literal["local", "ray"] = "local"
    """Where trials run: in processes of this machine (local), or on the nodes of a Ray cluster (ray)."""
    address: Address | None = None
    """Address of the Ray cluster: auto (the one of this machine), host:port, or ray://host:port (default: a Ray that is
    started on this machine alone)."""
    retries: Whole = 3
    """Number of attempts for a trial whose process keeps dying before it finishes an epoch."""
    storage: Storage | None = None
    """URL of the storage of the Optuna study, such as postgresql://user@host/db (default: a journal in the run
    folder). Its password is never saved: ``study.yaml`` has ``***`` in its place."""
    seed: Annotated[int, Field(strict=True, ge=0, lt=2**31)] = 0
    """Seed of the strategy, the initial weights, the order of the images and their augmentation. With one worker, a
    study repeats exactly."""
    run: PathName | None = None
    """The run folder (default: a new one under runs/)."""

    @model_validator(mode="before")
    @classmethod
    def _sampler(cls, data: Any) -> Any:
        return with_sampler_named(data)

    @classmethod
    def of(cls, **options: Any) -> Self:
        """A validated configuration; raises :class:`ConfigError` naming an unusable option."""
        try:
            config = cls.model_validate(options)
        except ValidationError as error:
            raise option_error(error, cls) from None
        config = config.model_copy(update=_rungs_of(config))
        config.budget.on()  # limits that contradict each other
        check_objectives(config.objectives)
        _check_reference(config)
        _check_repeats(config)
        _check_address(config)
        return config

    @classmethod
    def read(cls, path: Path | str, **overrides: Any) -> Self:
        """The configuration in a YAML file; ``overrides`` take precedence."""
        data = _mapping(Path(path))
        overrides = flat(cls, overrides)
        try:
            options = flat(cls, {key: value for key, value in data.items() if key not in HIDDEN})
            return cls.of(**{**options, **_joined(options, overrides)})
        except InceptionSearchError as error:
            if (error.path or "").split(".")[0] in overrides:
                raise
            raise _located(error, data, str(path)) from None

    def options(self) -> dict[str, Any]:
        """Every option by name, including those in groups."""
        return flat(type(self), self.model_dump())

    def changed(self, **options: Any) -> Self:
        """A copy with other values, not validated, for some options."""
        update = grouped(type(self), options)
        return self.model_copy(
            update=update | {name: getattr(self, name).model_copy(update=update[name]) for name in groups(type(self))}
        )

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            """Options of groups by their own names, as in version 0.1: ``epochs`` is ``training.epochs``."""
            for group, options in groups(type(self)).items():
                if name in options.model_fields:
                    return getattr(getattr(self, group), name)
            return super().__getattr__(name)

    def text(self, facts: dict[str, Any]) -> str:
        """The resolved configuration as YAML, with the ``facts`` determined when the study began."""
        data = {"schema": SCHEMA, "version": VERSION, **masked_values(self.options()), "facts": facts}
        return str(yaml.dump(data, Dumper=_Dumper, sort_keys=False))

    def resolved(self, train_images: int, image_size: int) -> Self:
        """A copy with a value for each setting of the training that was left at its default.

        Args:
            train_images: number of training images of a trial; small datasets need small batches for enough steps.
            image_size: side of the square images, in pixels.
        """
        by_size = 32 if train_images < 5_000 else 64 if train_images < 20_000 else 128
        sized = self.changed(batch_size=self.training.batch_size or by_size, image_size=image_size)
        recipe = Fidelity.from_dict(sized.fidelity(None)).to_dict()
        return sized.changed(**{name: recipe[name] for name, value in sized.training if value is None})

    def fidelity(self, threads: int | None) -> dict[str, Any]:
        """The fields of a training fidelity that this configuration sets; the rest are its defaults."""
        given = {name: value for name, value in self.training if value is not None}
        if self.training.class_weights == "none":
            del given["class_weights"]  # without it the recipe equals those of earlier versions
        if "schedule" not in given and self.pruner in PAUSING:
            given = {"schedule": "constant", "decay": 0.3, "warmup": 0.1, **given}
        return given if threads is None else {**given, "threads": threads}

    @property
    def pruning(self) -> Options:
        """All options of the pruner."""
        own = {"eta": self.eta, "min_epochs": self.min_epochs} if self.pruner in PAUSING else {}
        return pruner_options(self.pruner, {**own, **self.pruner_options})

    @property
    def rungs(self) -> tuple[int, ...]:
        """The epochs at which trials may be paused, without the last epoch."""
        found, epoch = [], self.min_epochs
        while self.pruner in PAUSING and epoch < self.training.epochs:
            found.append(epoch)
            epoch *= self.eta
        return tuple(found)


def _rungs_of(config: StudyConfig) -> dict[str, int]:
    """``eta`` and ``min_epochs`` from the pruner's options, which override the study's. Raises ConfigError."""
    pruning = config.pruning
    return {"eta": pruning.eta, "min_epochs": pruning.min_epochs} if isinstance(pruning, AshaOptions) else {}


def _joined(options: Mapping[str, Any], overrides: Mapping[str, Any]) -> dict[str, Any]:
    """``overrides``, with the stored strategy and pruner options that they do not set."""
    both = [name for name in ("strategy_options", "pruner_options") if name in options and name in overrides]
    return {**overrides, **{name: {**given_options(options[name]), **given_options(overrides[name])} for name in both}}


def _check_reference(config: StudyConfig) -> None:
    names = set(config.reference or config.objectives)
    if names != set(config.objectives):
        expected = "a value for each of " + ", ".join(config.objectives)
        raise ConfigError("not a reference point", path="reference", found=config.reference, expected=expected)


def _check_repeats(config: StudyConfig) -> None:
    if config.repeat_top is not None and config.repeats == 1:
        rule, hint = "no effect unless repeats > 1", "set repeats too, e.g. repeats: 3"
        raise ConfigError(rule, path="repeat_top", found=config.repeat_top, hint=hint)


def placed(config: StudyConfig, executor: str | None, address: str | None) -> StudyConfig:
    """``config`` with another executor and address, if given; a local executor has no address. Raises ConfigError."""
    if executor == "local" and address is None:
        return config.changed(executor="local", address=None)
    given = {"executor": executor, "address": address}
    return StudyConfig.of(**{**config.options(), **{name: value for name, value in given.items() if value is not None}})


def _check_address(config: StudyConfig) -> None:
    if config.address is not None and config.executor != "ray":
        rule, hint = "no effect unless executor is ray", "set executor too: executor: ray"
        raise ConfigError(rule, path="address", found=config.address, hint=hint)


def _located(error: InceptionSearchError, data: Any, file: str) -> InceptionSearchError:
    """``error`` with the file, and with the line and group of its option."""
    path = (error.path or "").split(".")
    for group in groups(StudyConfig):
        named = path[1:] if path[0] == group else path
        if named and isinstance(inside := data.get(group), MarkedDict) and named[0] in inside:
            error.place = Place(file, inside.lines.get(named[0]), ".".join((group, *named)))
            return error
    return error.at(file=file, line=getattr(data, "lines", {}).get(path[0]))


def version_of(path: Path) -> int:
    """The version of the configuration in a file, at least 1, before any upgrade."""
    data = read_yaml(read_text(path), str(path))
    version = data.get("version", VERSION) if isinstance(data, MarkedDict) else VERSION
    return version if type(version) is int else VERSION


def facts_of(path: Path) -> dict[str, Any]:
    """The facts in a ``study.yaml``, which are stored next to the options."""
    facts = _mapping(path).get("facts")
    return dict(json.loads(json.dumps(facts))) if isinstance(facts, dict) else {}  # drops the line numbers


def optuna_name(path: Path) -> str:
    """The name of a study's Optuna study, unique in a shared storage; it moves with the folder."""
    return str(facts_of(path).get("index") or f"inception-search: {path.parent.name}")


class _Dumper(yaml.SafeDumper):
    """YAML dumper for our reader: it quotes texts such as ``12e4``, which are numbers to our reader only."""


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=None if _is_plain(text) else '"')


def _is_plain(text: str) -> bool:
    try:
        return bool(read_yaml(text) == text)
    except DocumentError:
        return False


_Dumper.add_representer(str, _represent_text)


def _mapping(path: Path) -> MarkedDict:
    """The mapping in a configuration file, upgraded; raises for another schema or an unknown version."""
    data = read_yaml(read_text(path), str(path))
    place = Place(str(path))
    if not isinstance(data, MarkedDict):
        raise ConfigError("not a mapping of options", place=place, found=data, expected="option: value, line by line")
    schema, version = data.get("schema", SCHEMA), data.get("version", VERSION)
    if schema != SCHEMA:
        raise ConfigError("not a search configuration", place=place, found=schema, expected=f"schema {SCHEMA!r}")
    if type(version) is not int or not 1 <= version <= VERSION:
        hint = "install a newer inception-search"
        raise SchemaVersionError("unknown version", place=place, found=version, expected=str(VERSION), hint=hint)
    for old in range(version, VERSION):
        _rename(data, UPGRADES[old])
    return data


def _rename(data: MarkedDict, names: dict[str, str]) -> None:
    for before, after in names.items():
        if before in data and "schema" in data:  # written by a study; files by hand use the current names
            data[after] = data.pop(before)


def option_names() -> tuple[str, ...]:
    """The names of all options."""
    return tuple(option_fields(StudyConfig))
