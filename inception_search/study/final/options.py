"""What a user may say of the final trainings, and the recipe that comes of it and of the study's."""

from __future__ import annotations

import warnings
from typing import Annotated, Any, Self

from pydantic import Field, ValidationError

from inception_search.errors import ConfigError, did_you_mean
from inception_search.options import Options, Whole, number_hint
from inception_search.study.config import Factor, StudyConfig

_SMALLER = ("width", "depth")  # what a study may have made smaller; whole in the end unless told otherwise


class FinalOptions(Options):
    """The options of ``finalize``; what is None is the study's, or all there is."""

    top: Whole = 3
    """How many of the networks found."""
    baselines: Annotated[int, Field(strict=True, ge=0)] | None = None
    """How many of the canonical ones (None: all that are complete)."""
    seeds: Whole = 3
    """Trainings of each network."""
    epochs: Whole | None = None
    train_images: Whole | None = None
    """None: all of them."""
    validation_images: Whole | None = None
    """None: the dataset's own."""
    image_size: Whole | None = None
    """Pixels; None: the study's."""
    width: Factor = 1.0
    depth: Factor = 1.0
    batch_size: Annotated[int, Field(strict=True, ge=2)] | None = None
    augment: bool | None = None
    max_macs: Whole | None = None
    """Only networks of at most so many multiply-adds at the study's image size."""
    workers: Whole | None = None
    """Trainings at a time."""
    device: str | None = None

    @classmethod
    def of(cls, **options: Any) -> Self:
        """Checked options; ConfigError names the one that cannot be used."""
        if options.pop("together", None) is not None:  # an option of version 0.1
            warnings.warn("together has no effect: seeds are trained one by one", DeprecationWarning, stacklevel=2)
        try:
            return cls.model_validate(options)
        except ValidationError as error:
            raise _config_error(error) from None


def recipe_of(config: StudyConfig, options: FinalOptions) -> dict[str, Any]:
    """The fidelity of the final trainings, and ``aux``: the study's recipe on the whole problem.

    ``image_size`` is there where the study or the options name one, ``train_images`` where the options do. Raises
    ConfigError.
    """
    from inception_search.training.fidelity import Fidelity

    fidelity = {**config.fidelity(None), **{name: getattr(options, name) for name in _SMALLER}}
    fidelity.pop("train_images", None)
    told = {name: getattr(options, name) for name in ("epochs", "train_images", "image_size", "batch_size", "augment")}
    fidelity |= {name: value for name, value in told.items() if value is not None}
    Fidelity.from_dict(fidelity)
    return {**fidelity, "aux": config.aux}


def _config_error(error: ValidationError) -> ConfigError:
    first = error.errors(include_url=False, include_context=False)[0]
    name, known = str(first["loc"][0]), tuple(FinalOptions.model_fields)
    if first["type"] == "extra_forbidden":
        mend = did_you_mean(name, known)
        return ConfigError("unknown option", path=name, found=name, expected=f"one of {', '.join(known)}", mend=mend)
    text = first["msg"].removeprefix("Input should be ").replace("a valid integer", "a whole number")
    mend = number_hint(first)
    return ConfigError("not a usable value", path=name, found=first["input"], expected=text, mend=mend)
