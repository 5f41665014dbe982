"""The base classes of all parts of a document: frozen models, and the types of their fields."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from inception_search.errors import SpecError
from inception_search.spec.limits import MAX_KERNEL, MAX_WIDTH

Size: TypeAlias = Annotated[int, Field(strict=True, ge=1, le=MAX_KERNEL)]
Pad: TypeAlias = Annotated[int, Field(strict=True, ge=0, le=MAX_KERNEL)]
Width: TypeAlias = Annotated[int, Field(strict=True, ge=1, le=MAX_WIDTH)]
Start: TypeAlias = Annotated[int, Field(strict=True, ge=0, lt=MAX_WIDTH)]
Probability: TypeAlias = Annotated[float, Field(strict=True, ge=0.0, lt=1.0, allow_inf_nan=False)]
Finite: TypeAlias = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Flag: TypeAlias = Annotated[bool, Field(strict=True)]
Name: TypeAlias = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")]

Padding: TypeAlias = Literal["same", "valid", "tf"] | tuple[Pad, Pad]
Stride: TypeAlias = Size | tuple[Size, Size]
Dilation: TypeAlias = Size | tuple[Size, Size]
Factor: TypeAlias = Literal["none", "row_col", "col_row", "stacked", "split"]
Activation: TypeAlias = Literal["none", "relu", "relu6", "leaky_relu", "elu", "gelu", "silu", "tanh", "sigmoid"]


M = TypeVar("M", bound=BaseModel)
_ALL: dict[type[BaseModel], set[str]] = {}


class SpokenType(type(BaseModel)):  # type: ignore[misc]
    """Metaclass of models whose constructor raises SpecError, for users; readers validate without the constructor."""

    def __call__(cls, *values: Any, **fields: Any) -> Any:
        if values:
            raise SpecError(f"the fields of {cls.__name__} are given by name", found=values[0])
        try:
            return super().__call__(**fields)
        except ValidationError as error:
            raise refusal(error) from None


def refusal(error: ValidationError) -> SpecError:
    """The first error that pydantic found in the fields of a model, as a SpecError."""
    first = error.errors(include_url=False, include_context=False)[0]
    path = ".".join(str(part) for part in first["loc"])
    rule = first["msg"].removeprefix("Value error, ")
    expected = rule.removeprefix("Input should be ") if rule.startswith("Input should be ") else None
    rule = "not a usable value" if expected else rule
    return SpecError(rule, path=path or None, found=first["input"], expected=expected)


class SpecModel(BaseModel):
    """A frozen value that refuses unknown fields and compares by its fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def to_dict(self) -> dict[str, Any]:
        """The stored (long) form: plain JSON data with ``kind``, without fields at their defaults."""
        return {
            name: plain(value)
            for name, value in self.__dict__.items()
            if name == "kind" or value != type(self).model_fields[name].default
        }


class BatchNorm(SpecModel):
    """Batch normalisation; ``momentum`` is the weight of the new batch (PyTorch's convention)."""

    kind: Literal["batch"] = "batch"
    eps: Annotated[float, Field(strict=True, gt=0.0, lt=1.0)] = 1e-3
    momentum: Annotated[float, Field(strict=True, gt=0.0, le=1.0)] = 0.1
    gamma: Flag = True


def trusted(model: type[M], fields: dict[str, Any]) -> M:
    """A model of ``fields`` (all of them) that are known to be valid. Skips validation: a search makes thousands."""
    made = model.__new__(model)
    object.__setattr__(made, "__dict__", fields)
    object.__setattr__(
        made, "__pydantic_fields_set__", _ALL.get(model) or _ALL.setdefault(model, {*model.model_fields})
    )
    object.__setattr__(made, "__pydantic_extra__", None)
    object.__setattr__(made, "__pydantic_private__", None)
    return made


def plain(value: Any) -> Any:
    """A value of a field as plain JSON data."""
    if isinstance(value, SpecModel):
        return value.to_dict()
    if isinstance(value, tuple):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return value
