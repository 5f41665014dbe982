"""What a search is: every option, checked, with its default; stored whole in ``study.yaml``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeAlias

import yaml
from pydantic import BeforeValidator, Field, ValidationError, WrapValidator, model_validator

from inception_search.credentials import masked_values
from inception_search.data.class_weights import parse_class_weights
from inception_search.errors import (
    ConfigError,
    DocumentError,
    InceptionSearchError,
    Place,
    SchemaVersionError,
    did_you_mean,
)
from inception_search.measures.budget import LIMITS, Budget
from inception_search.numbers import number
from inception_search.options import Options, Positive, Whole, number_hint
from inception_search.optuna_bridge.storage_url import StorageUrl
from inception_search.spec.document import read_text
from inception_search.spec.yaml_reader import MarkedDict, read_yaml
from inception_search.store.objectives import check_objectives
from inception_search.strategies.table import names as strategies
from inception_search.study.given_options import Given, given_options
from inception_search.study.pruner_options import AshaOptions, Eta, pruner_options
from inception_search.study.strategy_name import StrategyName, with_sampler_named

Name: TypeAlias = Annotated[str, Field(min_length=1), BeforeValidator(lambda v: str(v) if isinstance(v, Path) else v)]
Storage: TypeAlias = Annotated[
    str,
    Field(min_length=1),
    WrapValidator(lambda v, check: v if isinstance(v, StorageUrl) else StorageUrl(check(v))),
]
Names: TypeAlias = Annotated[
    tuple[Annotated[str, Field(min_length=1)], ...],
    BeforeValidator(lambda v: tuple(part.strip() for part in v.split(",")) if isinstance(v, str) else v),
]
Point: TypeAlias = Annotated[
    dict[str, Annotated[float, Field(allow_inf_nan=False)]],
    BeforeValidator(lambda v: _point(v)),
]
Share: TypeAlias = Annotated[float, Field(strict=True, ge=0, lt=1)]
ChosenWeights: TypeAlias = Annotated[str | dict[str, float], BeforeValidator(parse_class_weights)]
Factor: TypeAlias = Annotated[float, Field(strict=True, gt=0, le=8)]
SCHEMA = "inception-search/study"
VERSION = 2
HIDDEN = ("schema", "version", "facts")
PAUSING = ("asha", "halving", "hyperband")
# What of the options goes into a training as it is; the sizes are done before, and are there to be read in records.
FIDELITY = (
    *("epochs", "batch_size", "learning_rate", "precision", "width", "depth", "image_size", "train_images"),
    *("optimizer", "schedule", "warmup", "decay", "weight_decay", "label_smoothing", "class_weights", "ema"),
    *("cutout", "augment", "curve_images"),
)
# From version n to the options of version n + 1.
UPGRADES: dict[int, dict[str, str]] = {1: {"sampler": "strategy"}}


def _point(value: Any) -> Any:
    """``accuracy=0.1,macs=10M`` as a mapping with numbers."""
    if isinstance(value, str) and all("=" in part for part in value.split(",")):
        value = dict(part.split("=", 1) for part in value.replace(" ", "").split(","))
    return {name: number(item) for name, item in value.items()} if isinstance(value, dict) else value


class StudyConfig(Options):
    """The options of a search; the same names in a config file, as flags and as keyword arguments."""

    space: Name = "inception_modules"
    """A shipped space's name, or a path."""
    data: Name = "digits"
    """Dataset: digits, fashion_mnist, cifar10, image_folder."""
    data_root: Name | None = None
    """Folder of the dataset, where it needs one."""
    image_size: Whole | None = None
    """Side of the square images in pixels (default: the dataset's)."""
    train_images: Whole | None = None
    """Train on at most this many images, stratified (default: all)."""
    validation_images: Whole | None = None
    """Number of validation images (default: the dataset's validation images). If the dataset has fewer, the others come
    from the training images that are not used."""
    curve_images: Whole | None = None
    """Number of validation images after each epoch but the last (default: 1,000); the last epoch uses all of them."""
    download: bool = False
    """Allow the dataset to be downloaded."""
    trials: Whole = 40
    """Distinct architectures to train, the canonical baselines among them."""
    max_macs: Whole | None = None
    """Budget: multiply-adds for one image (default: none)."""
    max_params: Whole | None = None
    """Budget: parameters (default: none)."""
    max_activation_bytes: Whole | None = None
    """Budget: bytes of all op outputs for one image, in float32 (default: none)."""
    max_depth: Whole | None = None
    """Budget: convolutions and linear layers on the longest path (default: none)."""
    max_latency_ms: Positive | None = None
    """Budget: milliseconds for one image on the search's device, the sum over ops (default: none)."""
    min_macs: Whole | None = None
    """Least multiply-adds for one image (default: none)."""
    min_params: Whole | None = None
    """Least parameters (default: none)."""
    min_depth: Whole | None = None
    """Least depth (default: none)."""
    min_receptive_field: Whole | None = None
    """Least side, in pixels, of what one position of the last map sees (default: none)."""
    objectives: Names = ("accuracy",)
    """What the search optimises: accuracy, balanced_accuracy, macro_f1, loss, params, macs, activation_bytes, latency
    or seconds; with several of them it looks for the Pareto front."""
    reference: Point | None = None
    """Reference point of the hypervolume: a value for each objective ("accuracy=0.1,macs=1e7")."""
    baselines: bool = True
    """Train the space's canonical modules first."""
    warm_start: Names = ()
    """Run folders of earlier studies. Their best networks that lie in the space are trained after the baselines."""
    warm_top: Whole = 5
    """Number of networks taken from each study in ``warm_start``."""
    repeats: Whole = 1
    """Number of times each architecture is trained, each time with another seed; the search uses the mean."""
    repeat_top: Whole | None = None
    """Repeat only this many of the best architectures, after all trials have finished (default: all)."""
    strategy: StrategyName = "tpe"
    """The search algorithm that suggests the next architecture: a strategy, or a sampler of Optuna or OptunaHub."""
    strategy_options: Given = {}
    """Options of the strategy, by name."""
    warmup_proxy: Name | None = None
    """A zero-cost proxy that scores ``warmup_points`` random architectures; those with the best scores are trained
    first."""
    warmup_points: Whole = 100
    """Number of random architectures that ``warmup_proxy`` scores."""
    warmup_trials: Whole = 10
    """Number of those architectures that are trained first."""
    proxies: Names = ()
    """Zero-cost proxies that the predictor strategy uses as input features."""
    pruner: Literal["median", "asha", "halving", "hyperband", "none"] = "median"
    """How trials that fall behind others at the same epoch end early: median stops them, asha, halving and hyperband
    pause them. Baselines are never stopped."""
    pruner_options: Given = {}
    """Options of the pruner, by name; its ``eta`` and ``min_epochs`` override the two below."""
    eta: Eta = 3
    """Reduction factor of asha, halving and hyperband: one trial of this many at a rung continues."""
    min_epochs: Whole = 1
    """Epochs of a trial before the first rung."""
    epochs: Whole = 8
    """Epochs of one trial."""
    width: Factor = 1.0
    """Factor on the filters of the networks that are trained; limits and costs stay those of the full network."""
    depth: Factor = 1.0
    """Factor on the number of repeated blocks of the networks that are trained."""
    optimizer: Literal["sgd", "rmsprop", "adamw"] = "sgd"
    """The optimizer: sgd with Nesterov momentum, rmsprop as in the papers, or adamw."""
    schedule: Literal["one_cycle", "cosine", "linear", "exponential", "constant"] | None = None
    """Learning rate over the epochs (default: one_cycle; constant with a decay where the pruner pauses trials)."""
    warmup: Share | None = None
    """Share of the steps over which the learning rate rises (default: 0.25; 0.1 where the pruner pauses trials)."""
    decay: Share | None = None
    """Share of the steps, the last ones of the constant schedule, over which the learning rate falls to zero
    (default: 0; 0.3 where the pruner pauses trials and no schedule is given)."""
    weight_decay: Annotated[float, Field(strict=True, ge=0, allow_inf_nan=False)] | None = None
    """Weight decay of convolutions and linear layers (default: the optimizer's)."""
    label_smoothing: Share | None = None
    """Label smoothing: the share of the target probability that is spread over all classes (default: 0.1)."""
    class_weights: ChosenWeights = "none"
    """Weights of the classes in the training loss: none (all equal), balanced (rare classes count more), or weights by
    class name ("ok=1,bad=10"; 1 for the others)."""
    ema: Share = 0.0
    """Decay per step of an exponential moving average of the weights, which is then validated and saved (0: none)."""
    cutout: Share = 0.0
    """Side of the square that cutout erases from training images, as a fraction of the image's side (0: none)."""
    augment: bool = True
    """Augment training images as the dataset allows."""
    aux: bool = True
    """Train auxiliary classifiers, too, where a network has them."""
    batch_size: Annotated[int, Field(strict=True, ge=2)] | None = None
    """Images per step (default: 32, 64 or 128 by the number of training images)."""
    learning_rate: Positive | None = None
    """The peak learning rate (default: the optimizer's)."""
    precision: Literal["float32", "bfloat16"] = "float32"
    """Precision of the arithmetic in training; weights are always float32."""
    workers: Whole | None = None
    """Number of trials that run at the same time (default: one per core on a CPU; on a GPU, as many as are measured to
    be faster, up to 8)."""
    threads: Annotated[int, Field(strict=True, ge=1, le=1024)] | None = None
    """CPU threads of one trial. The study keeps this number, since the last digits of results depend on it
    (default on a CPU: 1; all cores if one trial runs at a time)."""
    device: str = "auto"
    """Device of the trials: cpu, cuda, cuda:<number>, or auto (a GPU if there is one)."""
    trial_seconds: Positive = 3600.0
    """Time limit of one trial in seconds. A trial over the limit continues from its last epoch once, then it fails."""
    retries: Whole = 3
    """Number of times a trial is started if its process dies before it finishes an epoch."""
    storage: Storage | None = None
    """URL of the Optuna storage for the index, such as postgresql://user@host/db (default: a journal in the run
    folder). Its password is never saved: ``study.yaml`` has ``***`` in its place."""
    seed: Annotated[int, Field(strict=True, ge=0, lt=2**31)] = 0
    """Seed of the strategy, the initial weights, the order of the images and their augmentation."""
    run: Name | None = None
    """The run folder (default: a new one under runs/)."""

    @model_validator(mode="before")
    @classmethod
    def _sampler(cls, data: Any) -> Any:
        return with_sampler_named(data)

    @classmethod
    def of(cls, **options: Any) -> Self:
        """A checked configuration; :class:`ConfigError` names the option that cannot be used."""
        try:
            config = cls.model_validate(options)
        except ValidationError as error:
            raise _config_error(error) from None
        config = config.model_copy(update=_rungs_of(config))
        config.budget()  # limits that contradict each other
        check_objectives(config.objectives)
        _check_reference(config)
        _check_repeats(config)
        return config

    def budget(self, device: str = "cpu", threads: int | None = None) -> Budget:
        """The limits, with latency that on ``device`` with so many CPU ``threads``."""
        return Budget(**{name: getattr(self, name) for name in LIMITS}, device=device, threads=threads)

    @classmethod
    def read(cls, path: Path | str, **overrides: Any) -> Self:
        """The configuration in a YAML file; ``overrides`` win over it."""
        data = _mapping(Path(path))
        options = {key: value for key, value in data.items() if key not in HIDDEN}
        try:
            return cls.of(**{**options, **_joined(options, overrides)})
        except InceptionSearchError as error:
            name = (error.path or "").split(".")[0]
            if name in overrides:
                raise
            raise error.at(file=str(path), line=getattr(data, "lines", {}).get(name)) from None

    def text(self, facts: dict[str, Any]) -> str:
        """The whole resolved configuration as YAML, with what was found when the study began."""
        data = {"schema": SCHEMA, "version": VERSION, **masked_values(self.model_dump()), "facts": facts}
        return str(yaml.dump(data, Dumper=_Dumper, sort_keys=False))

    def resolved(self, train_images: int, image_size: int) -> Self:
        """The same with a value for each setting of the training that was left to its default.

        Args:
            train_images: how many images a trial trains on; few need small batches to take enough steps.
            image_size: side of the square images, in pixels.
        """
        from inception_search.training.fidelity import Fidelity

        by_size = 32 if train_images < 5_000 else 64 if train_images < 20_000 else 128
        sized = self.model_copy(update={"batch_size": self.batch_size or by_size, "image_size": image_size})
        recipe = Fidelity.from_dict(sized.fidelity(None)).to_dict()
        return sized.model_copy(update={name: recipe[name] for name in FIDELITY if getattr(sized, name) is None})

    def fidelity(self, threads: int | None) -> dict[str, Any]:
        """The fields of a training fidelity that this configuration sets; the rest are its defaults."""
        given = {name: getattr(self, name) for name in FIDELITY if getattr(self, name) is not None}
        if self.class_weights == "none":
            del given["class_weights"]  # a recipe without is the same as those of earlier versions
        if self.schedule is None and self.pruner in PAUSING:
            given = {"schedule": "constant", "decay": 0.3, "warmup": 0.1, **given}
        return given if threads is None else {**given, "threads": threads}

    @property
    def pruning(self) -> Options:
        """The options of the pruner, all of them."""
        own = {"eta": self.eta, "min_epochs": self.min_epochs} if self.pruner in PAUSING else {}
        return pruner_options(self.pruner, {**own, **self.pruner_options})

    @property
    def rungs(self) -> tuple[int, ...]:
        """The epochs at which trials may be paused, without the last."""
        found, epoch = [], self.min_epochs
        while self.pruner in PAUSING and epoch < self.epochs:
            found.append(epoch)
            epoch *= self.eta
        return tuple(found)


def _rungs_of(config: StudyConfig) -> dict[str, int]:
    """``eta`` and ``min_epochs`` of the pruner's options, which are those of the study. Raises ConfigError."""
    pruning = config.pruning
    return {"eta": pruning.eta, "min_epochs": pruning.min_epochs} if isinstance(pruning, AshaOptions) else {}


def _joined(options: Mapping[str, Any], overrides: Mapping[str, Any]) -> dict[str, Any]:
    """``overrides``, with those of the options of strategy and pruner that they do not name."""
    both = [name for name in ("strategy_options", "pruner_options") if name in options and name in overrides]
    return {**overrides, **{name: {**given_options(options[name]), **given_options(overrides[name])} for name in both}}


def _check_reference(config: StudyConfig) -> None:
    names = set(config.reference or config.objectives)
    if names != set(config.objectives):
        expected = "a value for each of " + ", ".join(config.objectives)
        raise ConfigError("not a reference point", path="reference", found=config.reference, expected=expected)


def _check_repeats(config: StudyConfig) -> None:
    if config.repeat_top is not None and config.repeats == 1:
        mend = "say how often each is trained: repeats: 3"
        raise ConfigError("nothing is repeated", path="repeat_top", found=config.repeat_top, mend=mend)


def version_of(path: Path) -> int:
    """The version of the configuration in a file, 1 or more, before it is brought up to date."""
    data = read_yaml(read_text(path), str(path))
    version = data.get("version", VERSION) if isinstance(data, MarkedDict) else VERSION
    return version if type(version) is int else VERSION


def facts_of(path: Path) -> dict[str, Any]:
    """The facts a ``study.yaml`` has besides the options."""
    facts = _mapping(path).get("facts")
    return dict(json.loads(json.dumps(facts))) if isinstance(facts, dict) else {}  # without the lines it came from


def index_name(path: Path) -> str:
    """The name of the Optuna study of a ``study.yaml``, in a storage that may hold others; it moves with the folder."""
    return str(facts_of(path).get("index") or f"inception-search: {path.parent.name}")


class _Dumper(yaml.SafeDumper):
    """Writes what our reader reads back: to YAML 1.1, unlike to it, the text 12e4 is no number."""


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=None if _is_plain(text) else '"')


def _is_plain(text: str) -> bool:
    try:
        return bool(read_yaml(text) == text)
    except DocumentError:
        return False


_Dumper.add_representer(str, _represent_text)


def _mapping(path: Path) -> MarkedDict:
    """The mapping in a configuration file; whose schema and version, where it names them, are ours."""
    data = read_yaml(read_text(path), str(path))
    place = Place(str(path))
    if not isinstance(data, MarkedDict):
        raise ConfigError("not a mapping of options", place=place, found=data, expected="option: value, line by line")
    schema, version = data.get("schema", SCHEMA), data.get("version", VERSION)
    if schema != SCHEMA:
        raise ConfigError("not a search configuration", place=place, found=schema, expected=f"schema {SCHEMA!r}")
    if type(version) is not int or not 1 <= version <= VERSION:
        mend = "install a newer inception-search"
        raise SchemaVersionError("unknown version", place=place, found=version, expected=str(VERSION), mend=mend)
    for old in range(version, VERSION):
        _rename(data, UPGRADES[old])
    return data


def _rename(data: MarkedDict, names: dict[str, str]) -> None:
    for before, after in names.items():
        if before in data and "schema" in data:  # a file that a study wrote; what people write is of this version
            data[after] = data.pop(before)


def option_names() -> tuple[str, ...]:
    """The names of all options."""
    return tuple(StudyConfig.model_fields)


def _config_error(error: ValidationError) -> ConfigError:
    first = error.errors(include_url=False, include_context=False)[0]
    name = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        mend = did_you_mean(name, option_names())
        known = ", ".join(option_names())
        return ConfigError("unknown option", path=name, found=name, expected=f"one of {known}", mend=mend)
    if first["type"] == "literal_error":
        text = first["msg"].removeprefix("Input should be ")
        mend = did_you_mean(first["input"], _literals(name))
        return ConfigError("not a usable value", path=name, found=first["input"], expected=text, mend=mend)
    name = name.split(".")[0]
    text = first["msg"].removeprefix("Input should be ").removeprefix("Value error, ")
    text = text.replace("a valid integer", "a whole number").replace("a valid string", "a text")
    text = text.replace("a valid dictionary", "a number for each objective, such as 'accuracy=0.1,macs=1e7'")
    text = "a text that is not empty" if first["type"] == "string_too_short" else text
    return ConfigError("not a usable value", path=name, found=first["input"], expected=text, mend=number_hint(first))


def _literals(name: str) -> tuple[str, ...]:
    if name == "strategy":
        return strategies()
    annotation: Any = StudyConfig.model_fields[name].annotation
    return tuple(str(value) for value in getattr(annotation, "__args__", ()))
