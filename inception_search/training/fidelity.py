"""The options of a training: everything that determines the result besides network, data and seed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self, TypeAlias

from pydantic import BeforeValidator, Field, ModelWrapValidatorHandler, ValidationError, model_validator

from inception_search.data.class_weights import parse_class_weights
from inception_search.errors import ConfigError
from inception_search.options import (
    OPEN,
    Factor,
    Keyword,
    NotNegative,
    Open,
    Options,
    Positive,
    Share,
    Whole,
    option_error,
    option_fields,
)
from inception_search.training.schedule import ScheduleName

OptimizerName = Literal["sgd", "rmsprop", "adamw"]
Precision = Literal["float32", "bfloat16"]
BatchSize: TypeAlias = Annotated[int, Field(strict=True, ge=2)]  # batch norm needs two images for a variance
ChosenWeights: TypeAlias = Annotated[
    str | dict[str, float], BeforeValidator(parse_class_weights), Keyword("Mapping[str, float] | str")
]
# Defaults that depend on the optimizer. Those of rmsprop are from Szegedy et al. 2016 and the published code.
OPTIMIZER_DEFAULTS: Mapping[OptimizerName, Mapping[str, float]] = {
    "sgd": {"learning_rate": 0.1, "weight_decay": 5e-4},
    "rmsprop": {"learning_rate": 0.045, "weight_decay": 4e-5, "alpha": 0.9, "epsilon": 1.0},
    "adamw": {"learning_rate": 2e-3, "weight_decay": 0.05, "alpha": 0.999, "epsilon": 1e-8},
}


class Recipe(Options):
    """The training options of a study; values of None are determined at its start."""

    epochs: Whole = 8
    """Epochs of one trial."""
    image_size: Whole | None = None
    """Side of the square images in pixels (default: the dataset's)."""
    train_images: Whole | None = None
    """Maximum number of training images, a stratified sample (default: all)."""
    curve_images: Annotated[Whole, Open(1000)] = OPEN
    """Number of validation images used after each epoch. The last epoch, and one at which a trial pauses, use all
    images (default: 1,000)."""
    batch_size: Annotated[BatchSize, Open(64)] = OPEN
    """Images per step (default: 32, 64 or 128 by the number of training images)."""
    width: Factor = 1.0
    """Factor on the number of filters of the networks that are trained. Limits and costs are those of the full
    network."""
    depth: Factor = 1.0
    """Factor on the number of repeated blocks of the networks that are trained. Limits and costs are those of the full
    network."""
    optimizer: OptimizerName = "sgd"
    """The optimizer: sgd with Nesterov momentum, rmsprop as in the papers, or adamw."""
    learning_rate: Annotated[Positive, Open()] = OPEN
    """The peak learning rate (default: the optimizer's)."""
    schedule: Annotated[ScheduleName, Open("one_cycle")] = OPEN
    """Schedule of the learning rate (default: one_cycle; constant with a decay if the pruner pauses trials)."""
    warmup: Annotated[Share, Open(0.25)] = OPEN
    """Fraction of the steps, at the start, in which the learning rate rises (default: 0.25; 0.1 if the pruner pauses
    trials)."""
    decay: Annotated[Share, Open(0.0)] = OPEN
    """Fraction of the steps, at the end, in which the learning rate of the constant schedule falls to zero
    (default: 0; 0.3 if the pruner pauses trials and no schedule is given)."""
    weight_decay: Annotated[NotNegative, Open()] = OPEN
    """Weight decay of convolutions and linear layers (default: the optimizer's)."""
    label_smoothing: Annotated[Share, Open(0.1)] = OPEN
    """Label smoothing: the fraction of the target probability that is spread over all classes (default: 0.1)."""
    class_weights: ChosenWeights = "none"
    """Weights of the classes in the training loss: none (all equal), balanced (rare classes count more), or weights by
    class name ("ok=1,bad=10"; 1 for the others)."""
    ema: Share = 0.0
    """Decay factor per step of an exponential moving average of the weights, which is validated and saved (0: none)."""
    cutout: Share = 0.0
    """Side of the square that cutout erases from training images, as a fraction of the image's side (0: none)."""
    augment: bool = True
    """Augment training images as the dataset allows."""
    precision: Precision = "float32"
    """Floating-point format of the computations in training; weights are always float32."""


class Fidelity(Recipe):
    """The complete options of a training: a recipe without open values; raises ConfigError, naming the field.

    ``width``, ``depth``, ``image_size`` and ``train_images`` have no effect on the training itself; they are applied
    when network and data are built. ``weight_decay`` does not apply to norm scales and biases.

    >>> Fidelity(optimizer="adamw").learning_rate
    0.002
    """

    momentum: Share = 0.9
    """Momentum of sgd and rmsprop; beta1 of adamw."""
    alpha: Share | None = None
    """Decay of the mean square of rmsprop; beta2 of adamw (default: the optimizer's)."""
    epsilon: Positive | None = None
    """What is added to the mean square (default: the optimizer's)."""
    gradient_clip: Positive = 5.0
    """Largest norm of the gradient."""
    norm_images: Annotated[int, Field(strict=True, ge=0)] = 512
    """Training images that set the batch norm statistics before each validation (0: the running averages are used)."""
    threads: Whole | None = None
    """CPU threads of torch during the training (default: as many as it has)."""

    @model_validator(mode="wrap")
    @classmethod
    def _checked(cls, data: Any, check: ModelWrapValidatorHandler[Self]) -> Self:
        try:
            return check(_settled(data) if isinstance(data, dict) else data)
        except ValidationError as error:
            raise option_error(error, cls, path="fidelity") from None

    @model_validator(mode="after")
    def _has_effect(self) -> Self:
        """Refuse options that would have no effect."""
        for name in ("alpha", "epsilon"):
            if name not in OPTIMIZER_DEFAULTS[self.optimizer] and getattr(self, name) is not None:
                raise self._unusable(name, f"nothing: the optimizer {self.optimizer} has no {name}")
        if self.decay and self.schedule != "constant":
            raise self._unusable("decay", f"0 with the schedule {self.schedule}", "use schedule 'constant'")
        if self.decay + self.warmup > 1:
            raise self._unusable("decay", f"at most {1 - self.warmup:g}, what warmup leaves of the steps")
        return self

    def _unusable(self, name: str, expected: str, hint: str | None = None) -> ConfigError:
        path, found = f"fidelity.{name}", getattr(self, name)
        return ConfigError("not a usable value", path=path, found=found, expected=expected, hint=hint)

    def __hash__(self) -> int:
        return hash(tuple(value for name, value in self if name != "class_weights"))  # a mapping has no hash

    def to_dict(self) -> dict[str, Any]:
        """Field names to plain JSON values; :meth:`from_dict` reads it back."""
        return self.model_dump()

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """The fidelity with these fields, defaults elsewhere; ConfigError for unknown names or bad values."""
        return cls(**values)


def _settled(given: dict[str, Any]) -> dict[str, Any]:
    """``given`` with defaults for all omitted options."""
    fields = option_fields(Recipe)
    defaults = {name: mark.default for name, each in fields.items() for mark in each.metadata if isinstance(mark, Open)}
    optimizer = given.get("optimizer", fields["optimizer"].default)
    defaults |= next((values for name, values in OPTIMIZER_DEFAULTS.items() if name == optimizer), {})
    return {**defaults, **{name: value for name, value in given.items() if value is not None or name not in defaults}}
