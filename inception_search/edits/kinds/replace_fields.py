"""Steps with other fields, and facts about steps that edits need."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from pydantic import ValidationError

from inception_search.spec.base_model import SpecModel
from inception_search.spec.factorisation import dilation_of, stride_of
from inception_search.spec.network import Network
from inception_search.spec.step import AdaptivePool, AnyStep, Conv, Depthwise, Pool, children

M = TypeVar("M", bound=SpecModel)


def variant(step: M, **changes: Any) -> M | None:
    """``step`` with some fields changed; None if the result is invalid or equal."""
    try:
        made = type(step)(**{**step.__dict__, **changes})
    except ValidationError:
        return None
    return made if made != step else None


def variants(step: M, changes: Iterable[Mapping[str, Any]]) -> tuple[M, ...]:
    """``step`` with each of the ``changes`` of fields; invalid and equal results are dropped."""
    found = (variant(step, **fields) for fields in changes)
    return tuple(option for option in found if option is not None)


def reduces(step: AnyStep, network: Network) -> bool:
    """Whether a step reduces the size of its feature map."""
    step = network.resolve(step)
    if isinstance(step, Conv | Depthwise | Pool):
        return stride_of(step.stride) != (1, 1) or not keeps_size(step)
    if isinstance(step, AdaptivePool):
        return True
    return any(reduces(part, network) for _, part in children(step))


def keeps_size(step: Conv | Depthwise | Pool) -> bool:
    """Whether the padding of a step keeps the size of its feature map."""
    if step.padding in ("same", "tf") or step.kernel == (1, 1):
        return True
    needed = tuple(d * (k - 1) for d, k in zip(dilations(step), step.kernel, strict=True))
    return isinstance(step.padding, tuple) and tuple(2 * p for p in step.padding) == needed


def dilations(step: Conv | Depthwise | Pool) -> tuple[int, int]:
    """The (height, width) dilation of a kernel; a pool has none."""
    return (1, 1) if isinstance(step, Pool) else dilation_of(step)


def last_width(step: AnyStep) -> int | None:
    """The width of the last convolution in a step; None if there is none."""
    if isinstance(step, Conv):
        return step.width
    for _, part in reversed(children(step)):
        if (width := last_width(part)) is not None:
            return width
    return None
