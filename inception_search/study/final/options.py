"""The options of the final trainings, and the configuration that results from them and the study's."""

from __future__ import annotations

import warnings
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationError

from inception_search.options import Factor, Options, Whole, option_error
from inception_search.study.config import Address, StudyConfig, placed
from inception_search.training.fidelity import BatchSize, Fidelity

_REPLACED = ("epochs", "image_size", "batch_size", "augment", "workers", "device")
_WHOLE = ("width", "depth", "train_images", "validation_images")  # taken from the options, never from the study


class FinalOptions(Options):
    """The options of ``finalize``; what is None is the study's, or all there is."""

    top: Whole = 3
    """Number of found networks to train, the best by validation first."""
    baselines: Annotated[int, Field(strict=True, ge=0)] | None = None
    """Number of canonical baselines to train, the best by validation first (default: all that are complete)."""
    seeds: Whole = 3
    """Number of trainings of each network, each with a new seed."""
    epochs: Whole | None = None
    """Epochs of one training (default: the study's)."""
    train_images: Whole | None = None
    """Maximum number of training images, a stratified sample (default: all)."""
    validation_images: Whole | None = None
    """Number of validation images (default: the dataset's validation images)."""
    image_size: Whole | None = None
    """Side of the square images in pixels (default: the study's)."""
    width: Factor = 1.0
    """Factor on the number of filters of the networks."""
    depth: Factor = 1.0
    """Factor on the number of repeated blocks of the networks."""
    batch_size: BatchSize | None = None
    """Images per step (default: the study's)."""
    augment: bool | None = None
    """Augment training images as the dataset allows (default: as in the study)."""
    max_macs: Whole | None = None
    """Maximum multiply-adds (MACs) of a network at the study's image size (default: the study's limit)."""
    workers: Whole | None = None
    """Number of trainings that run at the same time (default: the study's)."""
    device: str | None = None
    """Device of the trainings: cpu, cuda, cuda:<number>, or auto (default: the study's)."""
    executor: Literal["local", "ray"] | None = None
    """Where trainings run: in processes of this machine (local), or on the nodes of a Ray cluster (ray) (default: the
    study's)."""
    address: Address | None = None
    """Address of the Ray cluster: auto (the one of this machine), host:port, or ray://host:port (default: the
    study's)."""

    @classmethod
    def of(cls, **options: Any) -> Self:
        """Validated options; ConfigError names an unusable one."""
        if options.pop("together", None) is not None:  # an option of version 0.1
            warnings.warn("together has no effect: seeds are trained one by one", DeprecationWarning, stacklevel=2)
        try:
            return cls.model_validate(options)
        except ValidationError as error:
            raise option_error(error, cls) from None


def final_config(config: StudyConfig, options: FinalOptions) -> StudyConfig:
    """The configuration of the final trainings: the study's recipe on the whole dataset. Raises ConfigError."""
    given = {name: getattr(options, name) for name in _REPLACED if getattr(options, name) is not None}
    whole = {name: getattr(options, name) for name in _WHOLE}
    final = placed(config, options.executor, options.address).changed(**given, **whole)
    Fidelity.from_dict(final.fidelity(None))
    return final
