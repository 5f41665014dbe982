"""The keywords of ``ins.search`` and ``ins.finalize``; written by ``python docs/refresh.py``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypedDict

if TYPE_CHECKING:
    from optuna.samplers import BaseSampler


class SearchOptions(TypedDict, total=False):
    """The options of :class:`~inception_search.study.config.StudyConfig`, which documents them."""

    data: str
    data_root: str | Path | None
    validation_images: int | None
    download: bool
    trials: int
    max_macs: int | None
    max_params: int | None
    max_activation_bytes: int | None
    max_depth: int | None
    max_latency_ms: float | None
    min_macs: int | None
    min_params: int | None
    min_depth: int | None
    min_receptive_field: int | None
    latency_table: str | Path | None
    objectives: Sequence[str] | str
    reference: Mapping[str, float] | str | None
    baselines: bool
    warm_start: Sequence[str | Path] | str
    warm_top: int
    repeats: int
    repeat_top: int | None
    strategy: str | BaseSampler
    strategy_options: Mapping[str, Any]
    warmup_proxy: str | None
    warmup_points: int
    warmup_trials: int
    proxies: Sequence[str] | str
    pruner: Literal["median", "asha", "halving", "hyperband", "none"]
    pruner_options: Mapping[str, Any]
    eta: int
    min_epochs: int
    epochs: int
    image_size: int | None
    train_images: int | None
    curve_images: int | None
    batch_size: int | None
    width: float
    depth: float
    optimizer: Literal["sgd", "rmsprop", "adamw"]
    learning_rate: float | None
    schedule: Literal["one_cycle", "cosine", "linear", "exponential", "constant"] | None
    warmup: float | None
    decay: float | None
    weight_decay: float | None
    label_smoothing: float | None
    class_weights: Mapping[str, float] | str
    ema: float
    cutout: float
    augment: bool
    precision: Literal["float32", "bfloat16"]
    aux: bool
    workers: int | None
    threads: int | None
    device: str
    trial_seconds: float
    executor: Literal["local", "ray"]
    address: str | None
    retries: int
    storage: str | None
    seed: int
    run: str | Path | None


class FinalizeOptions(TypedDict, total=False):
    """The options of :class:`~inception_search.study.final.options.FinalOptions`, which documents them."""

    top: int
    baselines: int | None
    seeds: int
    epochs: int | None
    train_images: int | None
    validation_images: int | None
    image_size: int | None
    width: float
    depth: float
    batch_size: int | None
    augment: bool | None
    max_macs: int | None
    workers: int | None
    device: str | None
    executor: Literal["local", "ray"] | None
    address: str | None
