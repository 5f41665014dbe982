"""How, and how much, a network is trained: everything that decides the outcome besides network, data and seed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal, Self, get_args

from inception_search.data.class_weights import EXPECTED, ClassWeights, is_usable
from inception_search.errors import ConfigError, did_you_mean
from inception_search.training.optimizers import OPTIMIZERS, OptimizerName
from inception_search.training.ranges import bad, check_fields
from inception_search.training.schedule import SCHEDULES, ScheduleName

Precision = Literal["float32", "bfloat16"]
_OF_OPTIMIZER: Any = None  # a default that depends on the optimizer, put in when the fidelity is made


@dataclass(frozen=True)
class Fidelity:
    """A recipe as plain data, whole and checked; ConfigError, naming the field, for what cannot be used.

    **The problem made smaller**, for whoever builds the network and the data to apply (training itself reads none
    of the four): ``width`` and ``depth`` are factors on channels and repeats, ``image_size`` is the side in pixels,
    ``train_images`` the number of images (None: as they are).

    **How much**: ``epochs`` passes of batches of ``batch_size``.

    **The optimizer**: ``sgd`` (Nesterov), ``rmsprop`` (that of the Inception papers) or ``adamw``. ``momentum`` is
    AdamW's beta1 too, ``alpha`` the decay of the mean square (AdamW's beta2), ``epsilon`` what is added to it.
    ``learning_rate`` (the peak), ``weight_decay``, ``alpha`` and ``epsilon`` default by optimizer, and hold the
    number used once the fidelity is made; ``weight_decay`` spares norm scales and biases; ``gradient_clip`` bounds
    the norm of the gradient.

    **The schedule**: rates rise over the first ``warmup`` (fraction of all steps), then as ``schedule`` says; with
    ``constant`` they fall in a line over the last ``decay`` of the steps, so that partial runs compare by epoch.

    **The rest**: ``label_smoothing``; ``class_weights`` is what each class counts in the training loss: ``none`` (all
    alike), ``balanced`` (images / (classes * images of the class)) or numbers by class name, 1 for the others; ``ema``
    is the decay per step of an average of the weights (0: none), which is validated and kept; ``augment`` allows what
    the dataset allows, and ``cutout`` (side of the erased square as a fraction of the image's) on top; ``norm_images``
    training images set the batch norm statistics before each validation (0: the running averages are used as they
    are); ``curve_images`` validation images, the same ones in every training, are looked at after an epoch that another
    follows, and all after the last; ``precision`` bfloat16 is autocast; ``threads`` is torch's thread count meanwhile
    (None: as it is).
    """

    epochs: int = 8
    batch_size: int = 64
    learning_rate: float = _OF_OPTIMIZER
    momentum: float = 0.9
    weight_decay: float = _OF_OPTIMIZER
    label_smoothing: float = 0.1
    warmup: float = 0.25
    gradient_clip: float = 5.0
    norm_images: int = 512
    curve_images: int = 1000
    augment: bool = True
    precision: Precision = "float32"
    threads: int | None = None
    optimizer: OptimizerName = "sgd"
    schedule: ScheduleName = "one_cycle"
    decay: float = 0.0
    alpha: float | None = None
    epsilon: float | None = None
    ema: float = 0.0
    cutout: float = 0.0
    width: float = 1.0
    depth: float = 1.0
    image_size: int | None = None
    train_images: int | None = None
    class_weights: ClassWeights = field(default="none", hash=False)  # a mapping has no hash

    def __post_init__(self) -> None:
        _check_choice("optimizer", self.optimizer, tuple(OPTIMIZERS))
        _check_choice("schedule", self.schedule, tuple(SCHEDULES))
        _check_choice("precision", self.precision, get_args(Precision))
        for name, value in OPTIMIZERS[self.optimizer].defaults.items():
            if getattr(self, name) is None:
                object.__setattr__(self, name, value)  # the one way to settle a field of a frozen dataclass
        check_fields(self.to_dict())
        if not is_usable(self.class_weights):
            raise bad("class_weights", self.class_weights, EXPECTED)
        if not isinstance(self.augment, bool):
            raise bad("augment", self.augment, "true or false")
        self._check_effect()

    def _check_effect(self) -> None:
        """Refuse what would silently do nothing."""
        for name in ("alpha", "epsilon"):
            if name not in OPTIMIZERS[self.optimizer].defaults and getattr(self, name) is not None:
                raise bad(name, getattr(self, name), f"nothing: the optimizer {self.optimizer} has no {name}")
        if self.decay and self.schedule != "constant":
            raise bad("decay", self.decay, f"0 with the schedule {self.schedule}", "use schedule 'constant'")
        if self.decay + self.warmup > 1:
            raise bad("decay", self.decay, f"at most {1 - self.warmup:g}, what warmup leaves of the steps")

    def to_dict(self) -> dict[str, Any]:
        """Field names to plain JSON values; :meth:`from_dict` reads it back."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """The fidelity with these fields, defaults elsewhere; ConfigError for unknown names or bad values."""
        known = [field.name for field in fields(cls)]
        for name in values:
            if name not in known:
                mend = did_you_mean(str(name), known)
                expected = "one of " + ", ".join(known)
                raise ConfigError("unknown fidelity field", found=name, expected=expected, mend=mend)
        return cls(**values)


def _check_choice(name: str, value: Any, choices: tuple[str, ...]) -> None:
    if not isinstance(value, str) or value not in choices:
        mend = did_you_mean(value, choices) if isinstance(value, str) else None
        raise bad(name, value, "one of " + ", ".join(choices), mend)
