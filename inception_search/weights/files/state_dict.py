"""Conversion of state dicts from training scripts (nested, prefixed, with other entries) to plain named tensors."""

from __future__ import annotations

import itertools
import reprlib
from collections.abc import Collection, Mapping
from typing import Any

import torch

from inception_search.errors import WeightsError, raw
from inception_search.weights.files.contents import Contents, check_count, to_tensor

_DEEPEST = 8  # nested state dicts
_NESTED = ("state_dict", "model_state_dict", "model", "state_dict_ema")  # the first key found is used
WRAPPERS = ("module.", "_orig_mod.")  # of DataParallel and torch.compile; removed if all names have them
_HINT = "give the state dict alone: model.state_dict()"


def read_state_dict(value: object, kind: str = "state_dict") -> Contents:
    """The named tensors of ``value``, a mapping of names to tensors or numpy arrays, perhaps nested in another.

    ``left_out`` names the entries next to a nested state dict. Raises WeightsError for any other value.
    """
    left_out: list[str] = []
    for depth in itertools.count():
        if (key := _nested_key(value)) is None:
            break
        if depth == _DEEPEST:
            rule = "state dicts are nested too deeply, or hold themselves"
            raise WeightsError(rule, path=key, expected=f"at most {_DEEPEST} within each other", hint=_HINT)
        assert isinstance(value, Mapping)
        check_count(len(value), "entries")
        left_out += [other if isinstance(other, str) else reprlib.repr(other) for other in value if other != key]
        value = value[key]
    if not isinstance(value, Mapping):
        found = f"{type(value).__module__}.{type(value).__name__}"
        raise WeightsError("this is not a state dict", found=found, expected="names and tensors", hint=_HINT)
    check_count(len(value), "entries")
    tensors = {_text(name): _tensor(name, item) for name, item in value.items()}
    return Contents(kind, without_prefixes(tensors), left_out=tuple(left_out))


def without_prefixes(tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """``tensors`` without the wrapper prefixes that all their names share."""
    found = dict(tensors)
    while prefix := _shared_prefix(found):
        found = {name.removeprefix(prefix): tensor for name, tensor in found.items()}
    return found


def _shared_prefix(names: Collection[str]) -> str | None:
    """The first wrapper prefix that all ``names`` begin with and none equals."""
    shared = (p for p in WRAPPERS if names and all(name.startswith(p) and name != p for name in names))
    return next(shared, None)


def _nested_key(value: object) -> str | None:
    if not isinstance(value, Mapping):
        return None
    return next((key for key in _NESTED if isinstance(value.get(key), Mapping)), None)


def _text(name: object) -> str:
    if isinstance(name, str):
        return name
    shown = raw(reprlib.repr(name))  # the full repr of a nested key can be endless
    raise WeightsError("the names of tensors must be text", found=shown, expected="a str", hint=_HINT)


def _tensor(name: object, value: Any) -> torch.Tensor:
    import numpy as np

    if isinstance(value, torch.Tensor):
        return value
    if isinstance(value, np.ndarray | np.generic):
        return to_tensor(value, _text(name))
    found = f"{type(value).__module__}.{type(value).__name__}"
    raise WeightsError("this entry is not a tensor", path=_text(name), found=found, expected="a tensor", hint=_HINT)
