"""What a user may say of the final trainings, and the recipe that comes of it and of the study's."""

from __future__ import annotations

import warnings
from typing import Annotated, Any, Self

from pydantic import Field, ValidationError

from inception_search.options import Factor, Options, Whole, option_error
from inception_search.study.config import StudyConfig
from inception_search.training.fidelity import BatchSize, Fidelity

_SMALLER = ("width", "depth")  # what a study may have made smaller; whole in the end unless an option says otherwise


class FinalOptions(Options):
    """The options of ``finalize``; what is None is the study's, or all there is."""

    top: Whole = 3
    """Number of the networks found that are trained, the best by validation first."""
    baselines: Annotated[int, Field(strict=True, ge=0)] | None = None
    """Number of the canonical networks that are trained (default: all that are complete)."""
    seeds: Whole = 3
    """Number of trainings of each network, each with another seed."""
    epochs: Whole | None = None
    """Epochs of one training (default: the study's)."""
    train_images: Whole | None = None
    """Train on at most this many images, stratified (default: all)."""
    validation_images: Whole | None = None
    """Number of validation images (default: the dataset's validation images)."""
    image_size: Whole | None = None
    """Side of the square images in pixels (default: the study's)."""
    width: Factor = 1.0
    """Factor on the filters of the networks."""
    depth: Factor = 1.0
    """Factor on the number of repeated blocks of the networks."""
    batch_size: BatchSize | None = None
    """Images per step (default: the study's)."""
    augment: bool | None = None
    """Augment training images as the dataset allows (default: as in the study)."""
    max_macs: Whole | None = None
    """Only networks of at most this many multiply-adds at the study's image size (default: the study's limit)."""
    workers: Whole | None = None
    """Number of trainings that run at the same time (default: the study's)."""
    device: str | None = None
    """Device of the trainings: cpu, cuda, cuda:<number>, or auto (default: the study's)."""

    @classmethod
    def of(cls, **options: Any) -> Self:
        """Checked options; ConfigError names the one that cannot be used."""
        if options.pop("together", None) is not None:  # an option of version 0.1
            warnings.warn("together has no effect: seeds are trained one by one", DeprecationWarning, stacklevel=2)
        try:
            return cls.model_validate(options)
        except ValidationError as error:
            raise option_error(error, cls) from None


def recipe_of(config: StudyConfig, options: FinalOptions) -> dict[str, Any]:
    """The fidelity of the final trainings, and ``aux``: the study's recipe on the whole problem.

    ``image_size`` is there where the study or the options name one, ``train_images`` where the options do. Raises
    ConfigError.
    """
    fidelity = {**config.fidelity(None), **{name: getattr(options, name) for name in _SMALLER}}
    fidelity.pop("train_images", None)
    told = {name: getattr(options, name) for name in ("epochs", "train_images", "image_size", "batch_size", "augment")}
    fidelity |= {name: value for name, value in told.items() if value is not None}
    Fidelity.from_dict(fidelity)
    return {**fidelity, "aux": config.aux}
