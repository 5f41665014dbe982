"""What a search is: every option, checked, with its default; stored whole in ``study.yaml``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeAlias

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from inception_search.errors import ConfigError, DocumentError, Place, SchemaVersionError, did_you_mean
from inception_search.measures.budget import LIMITS, Budget
from inception_search.spec.document import read_text
from inception_search.spec.yaml_reader import MarkedDict, read_yaml

# 1e6 is how people write a budget, and a float to YAML.
Whole: TypeAlias = Annotated[
    int,
    Field(strict=True, ge=1, le=10**15),
    BeforeValidator(lambda v: int(v) if isinstance(v, float) and v.is_integer() else v),
]
Positive: TypeAlias = Annotated[float, Field(strict=True, gt=0, allow_inf_nan=False)]
Name: TypeAlias = Annotated[str, Field(min_length=1), BeforeValidator(lambda v: str(v) if isinstance(v, Path) else v)]
SCHEMA = "inception-search/study"
VERSION = 1
HIDDEN = ("schema", "version", "facts")


class StudyConfig(BaseModel):
    """The options of a search; the same names in a config file, as flags and as keyword arguments."""

    model_config = ConfigDict(frozen=True, extra="forbid")

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
    baselines: bool = True
    """Train the space's canonical modules first."""
    sampler: Literal["tpe", "random"] = "tpe"
    pruner: Literal["median", "none"] = "median"
    """Stop trials that at equal epochs are below the median; baselines are never stopped."""
    epochs: Whole = 8
    batch_size: Annotated[int, Field(strict=True, ge=2)] | None = None
    """Images per step (default: 32, 64 or 128 by the number of training images)."""
    learning_rate: Positive | None = None
    precision: Literal["float32", "bfloat16"] = "float32"
    workers: Whole | None = None
    """Trials at a time (default: one per core on a CPU, one on a GPU)."""
    device: str = "auto"
    """auto, cpu, cuda or cuda:<number>."""
    trial_seconds: Positive = 3600.0
    """Wall-clock limit of one trial, from its start."""
    seed: Annotated[int, Field(strict=True, ge=0, lt=2**31)] = 0
    run: Name | None = None
    """The run folder (default: a new one under runs/)."""

    @classmethod
    def of(cls, **options: Any) -> Self:
        """A checked configuration; :class:`ConfigError` names the option that cannot be used."""
        try:
            config = cls.model_validate(options)
        except ValidationError as error:
            raise _config_error(error) from None
        config.budget()  # limits that contradict each other
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
            return cls.of(**{**options, **overrides})
        except ConfigError as error:
            name = (error.path or "").split(".")[0]
            if name in overrides:
                raise
            raise error.at(file=str(path), line=getattr(data, "lines", {}).get(name)) from None

    def text(self, facts: dict[str, Any]) -> str:
        """The whole resolved configuration as YAML, with what was found when the study began."""
        data = {"schema": SCHEMA, "version": VERSION, **self.model_dump(), "facts": facts}
        return str(yaml.dump(data, Dumper=_Dumper, sort_keys=False))

    def with_batch_size(self, train_images: int) -> Self:
        """The same with the default batch size settled: few images need small batches to take enough steps."""
        by_size = 32 if train_images < 5_000 else 64 if train_images < 20_000 else 128
        return self.model_copy(update={"batch_size": self.batch_size or by_size})

    def fidelity(self, threads: int | None) -> dict[str, Any]:
        """The fields of a training fidelity that this configuration sets; the rest are its defaults."""
        given = {
            "epochs": self.epochs,
            "batch_size": self.batch_size,
            "learning_rate": self.learning_rate,
            "precision": self.precision,
            "threads": threads,
        }
        return {name: value for name, value in given.items() if value is not None}


def facts_of(path: Path) -> dict[str, Any]:
    """The facts a ``study.yaml`` has besides the options."""
    facts = _mapping(path).get("facts")
    return dict(json.loads(json.dumps(facts))) if isinstance(facts, dict) else {}  # without the lines it came from


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
    if version != VERSION:
        mend = "install a newer inception-search"
        raise SchemaVersionError("unknown version", place=place, found=version, expected=str(VERSION), mend=mend)
    return data


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
        mend = did_you_mean(str(first["input"]), _literals(name))
        return ConfigError("not a usable value", path=name, found=first["input"], expected=text, mend=mend)
    text = first["msg"].removeprefix("Input should be ").replace("a valid integer", "a whole number")
    text = "a text that is not empty" if first["type"] == "string_too_short" else text
    return ConfigError("not a usable value", path=name, found=first["input"], expected=text)


def _literals(name: str) -> tuple[str, ...]:
    annotation: Any = StudyConfig.model_fields[name].annotation
    return tuple(str(value) for value in getattr(annotation, "__args__", ()))
