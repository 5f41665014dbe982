"""Conversion of named tensors to the state of a module. All checks come before the first change."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import torch

from inception_search.canonical.weight_names import Entry, part_of
from inception_search.canonical.weight_styles import AXES, SAME, torch_shape
from inception_search.errors import WeightsError, raw
from inception_search.graph.graph import Graph
from inception_search.graph.ops import Conv
from inception_search.lowering import lower
from inception_search.spec.network import Network
from inception_search.weights.checkpoint import printable
from inception_search.weights.heads import linear_layers
from inception_search.weights.mismatch import Cause, Mismatch, hint_of
from inception_search.weights.naming import OURS, Naming, is_gamma
from inception_search.weights.report import WeightsReport
from inception_search.weights.source import NetworkIn

_SHOWN = 5  # mismatches named in an error
BACKGROUND = 1001  # classes of TF-slim's ImageNet checkpoints: the first is the background


@dataclass(frozen=True)
class Allowed:
    """The differences between file and module that arguments of ``compile`` permit: classes, input channels."""

    classes: bool = False
    channels: bool = False


@dataclass
class _Fit:
    state: dict[str, torch.Tensor] = field(default_factory=dict)
    used: dict[str, str] = field(default_factory=dict)
    adapted: dict[str, str] = field(default_factory=dict)
    filled: dict[str, float] = field(default_factory=dict)
    fresh: list[str] = field(default_factory=list)
    unused: dict[str, str] = field(default_factory=dict)
    wrong: list[Mismatch] = field(default_factory=list)


def fit(
    inside: NetworkIn,
    own: Mapping[str, torch.Tensor],
    naming: Naming,
    network: Network,
    allowed: Allowed,
    file: str | None = None,
) -> tuple[dict[str, torch.Tensor], WeightsReport]:
    """The tensors for the keys of ``own`` (the ``state_dict`` of ``network``), and a report on each.

    Raises :class:`WeightsError` that names the first tensors that are missing, unknown or of the wrong shape, with both
    shapes.
    """
    found, first, tensors = _Fit(), readers_of_image(lower(network)), inside.tensors
    by_key = {entry.key: entry for entry in naming.entries}
    theirs = set(naming.parts.values())
    for key, value in own.items():
        entry = by_key.get(key)
        if entry is not None and entry.name in tensors:
            _take(found, entry, tensors[entry.name], value, first, allowed)
        elif (entry is None or entry.optional) and (n := _neutral(key, own)) is not None and part_of(key) in theirs:
            found.state[key] = torch.full_like(value, n)
            found.filled[key] = n
        elif _may_lack(key, naming, tensors, allowed):
            found.fresh.append(key)
        else:
            found.wrong.append(_missing(key, entry))
    _leftovers(found, inside, own, naming, allowed)
    if found.wrong:
        places = "one place" if len(found.wrong) == 1 else f"{len(found.wrong)} places"
        below = f" below {printable(inside.prefix)}" if inside.prefix else ""
        raise WeightsError(
            f"the weights do not fit {naming.network} ({naming.implementation}'s names{below}) in {places}",
            found=raw("; ".join(wrong.what for wrong in found.wrong[:_SHOWN])),
            hint=hint_of(found.wrong, naming, network, allowed.channels),
        ).at(file=file)
    report = WeightsReport(
        file,
        naming.network,
        naming.implementation,
        found.used,
        found.adapted,
        found.filled,
        tuple(found.fresh),
        found.unused,
        below=inside.prefix,
    )
    return found.state, report


def readers_of_image(graph: Graph) -> frozenset[str]:
    """The weight keys of the convolutions whose input is the image."""
    return frozenset(f"{node.path}.weight" for node in graph.nodes if node.inputs == (0,) and isinstance(node.op, Conv))


def turned(tensor: torch.Tensor, layout: str, shape: tuple[int, ...]) -> torch.Tensor:
    """``tensor`` transposed from ``layout`` to PyTorch's layout and reshaped to ``shape``."""
    return tensor if layout == SAME else tensor.permute(AXES[layout]).reshape(shape)


def _take(
    found: _Fit,
    entry: Entry,
    tensor: torch.Tensor,
    value: torch.Tensor,
    first: frozenset[str],
    allowed: Allowed,
) -> None:
    """Put a tensor of the file into the state, or record why it does not fit."""
    key, want, given = entry.key, tuple(value.shape), tuple(tensor.shape)
    try:
        shape = torch_shape(entry.layout, given)
    except WeightsError:
        what = f"{entry.name}: {given}, which is not {entry.layout}, for {want} of {key}"
        found.wrong.append(Mismatch(Cause.VALUES, what))
        return
    if tensor.is_floating_point() != value.is_floating_point():
        found.wrong.append(Mismatch(Cause.VALUES, f"{entry.name}: {tensor.dtype} for {value.dtype}"))
    elif tensor.is_floating_point() and not bool(torch.isfinite(tensor.to(value.dtype)).all()):
        found.wrong.append(Mismatch(Cause.VALUES, f"{entry.name}: not all finite as {value.dtype}"))
    elif shape == want:
        found.state[key], found.used[key] = turned(tensor, entry.layout, shape), entry.name
    elif is_classifier(key) and shape == (BACKGROUND, *want[1:]) and want[0] == BACKGROUND - 1:
        found.state[key], found.used[key] = turned(tensor, entry.layout, shape)[1:], entry.name
        found.adapted[key] = "the first of 1001 classes, the background, dropped"
    elif is_classifier(key) and allowed.classes and _differ_in(0, shape, want):
        found.fresh.append(key)
        found.unused[entry.name] = "of another number of classes"
    elif key in first and allowed.channels and _differ_in(1, shape, want):
        weight = turned(tensor, entry.layout, shape).to(value.dtype)
        found.state[key], found.used[key] = other_channels(weight, want[1]), entry.name
        found.adapted[key] = f"from {shape[1]} to {want[1]} input channels"
    else:
        found.wrong.append(_other_shape(entry, shape, want, first))


def _other_shape(entry: Entry, shape: tuple[int, ...], want: tuple[int, ...], first: frozenset[str]) -> Mismatch:
    what = f"{entry.name}: {shape} for {want} of {entry.key}"
    if is_classifier(entry.key) and _differ_in(0, shape, want):
        return Mismatch(Cause.CLASSES, what, shape[0], want[0])
    if entry.key in first and _differ_in(1, shape, want):
        return Mismatch(Cause.CHANNELS, what, shape[1], want[1])
    return Mismatch(Cause.WIDTH if len(shape) == len(want) else Cause.VALUES, what)


def _missing(key: str, entry: Entry | None) -> Mismatch:
    what, part = f"missing {entry.name if entry else key}", part_of(key)
    if part.startswith("aux."):
        return Mismatch(Cause.AUX, what, part)
    return Mismatch(Cause.CLASSIFIER if is_classifier(key) else Cause.LAYERS, what)


def _differ_in(axis: int, shape: tuple[int, ...], want: tuple[int, ...]) -> bool:
    """Whether two different shapes differ in ``axis`` only."""
    same_rank = axis < len(shape) == len(want)
    return same_rank and shape[axis] > 0 and (*shape[:axis], *shape[axis + 1 :]) == (*want[:axis], *want[axis + 1 :])


def _leftovers(
    found: _Fit, inside: NetworkIn, own: Mapping[str, torch.Tensor], naming: Naming, allowed: Allowed
) -> None:
    """Classify the tensors of the file that no key used.

    Tensors of parts that are not built, or of a head that is omitted or initialised again, are reported as unused. All
    others are mismatches.
    """
    tensors, heads, gammas = inside.tensors, _own_head(inside, naming), _gammas(naming, own)
    replaced = allowed.classes and not any(key.startswith("head.") for key in found.used)
    taken = {*found.used.values(), *found.unused, *(entry.name for entry in naming.entries)}
    built = {part_of(key) for key in own}
    for name in tensors:
        if name in taken:
            continue
        part = naming.parts.get(name) or (part_of(name) if naming.implementation == OURS else None)
        if part is not None and part not in built and part.partition(".")[0] in ("aux", "head"):
            found.unused[name] = f"of {part}, which is not built"
        elif part is not None and name in gammas:
            if bool((tensors[name] == 1).all()):
                found.unused[name] = "a gamma of ones, as norms without gamma have"
            else:
                what = f"{name} is a gamma, which the norm {gammas[name]} does not have"
                found.wrong.append(Mismatch(Cause.GAMMA, what))
        elif name in inside.beside and tensors[name].ndim == 0:
            found.unused[name] = "a counter beside the network"
        elif name in heads and replaced:
            found.unused[name] = "of another head"
        elif name in heads:
            found.wrong.append(Mismatch(Cause.HEAD, f"{name} {tuple(tensors[name].shape)} has no place", heads[name]))
        else:
            found.wrong.append(Mismatch(Cause.LAYERS, f"{name} {tuple(tensors[name].shape)} has no place"))


def _own_head(inside: NetworkIn, naming: Naming) -> dict[str, str]:
    """Tensors of a user's own head by name, with the widths of its linear layers ("" if it has other layers).

    They lie beside the network, or in modules that are not its stages.
    """
    trunk = {_outermost(name) for name, part in naming.parts.items() if part.partition(".")[0] not in ("head", "aux")}
    names = [
        name
        for name in inside.tensors
        if name not in naming.parts and (name in inside.beside or _outermost(name) not in trunk)
    ]
    widths = ", ".join(str(layer.shape[0]) for layer in linear_layers(names, inside.tensors))
    return dict.fromkeys(names, widths)


def _outermost(name: str) -> str:
    return re.split("[./]", name, maxsplit=1)[0]


def _gammas(naming: Naming, own: Collection[str]) -> dict[str, str]:
    """File names of the gammas of norms that have no gamma here, with our paths of those norms."""
    found = {}
    for entry in naming.entries:
        norm, dot, last = entry.key.rpartition(".bias")
        if dot and not last and f"{norm}.running_mean" in own:
            for theirs, gamma in (("bias", "weight"), ("beta", "gamma")):
                if entry.name.endswith(theirs):
                    found[entry.name.removesuffix(theirs) + gamma] = norm
    return found


def _neutral(key: str, own: Collection[str]) -> float | None:
    """The neutral value of a tensor that other implementations do not have; None if it has no neutral value."""
    if key.endswith(".num_batches_tracked"):
        return 0.0
    return 1.0 if is_gamma(key, own) else None


def _may_lack(key: str, naming: Naming, tensors: Mapping[str, torch.Tensor], allowed: Allowed) -> bool:
    """Whether a file may lack ``key``.

    A file may lack the classifier for a new number of classes, a head that its implementation does not have, or an
    entire auxiliary classifier.
    """
    part = part_of(key)
    if part.partition(".")[0] not in ("head", "aux"):
        return False
    if (is_classifier(key) and allowed.classes) or part not in naming.parts.values():
        return True
    return part.startswith("aux.") and not any(naming.parts.get(name) == part for name in tensors)


def is_classifier(key: str) -> bool:
    """Whether a tensor belongs to the last layer of the head or of an auxiliary classifier."""
    parts = key.split(".")
    return "classifier" in parts and parts[0] in ("head", "aux")


def other_channels(weight: torch.Tensor, channels: int) -> torch.Tensor:
    """Adapt a convolution's weight (O, I, H, W) to another number of input channels.

    The response to grey images (all channels equal) is preserved. With fewer channels, each new one is the sum of
    several old ones. With more, the old ones repeat, each divided by its number of copies.
    """
    before = weight.shape[1]
    if channels < before:
        return torch.stack([weight[:, i::channels].sum(1) for i in range(channels)], 1)
    times = [len(range(i % before, channels, before)) for i in range(channels)]
    copies = weight[:, [i % before for i in range(channels)]]
    return copies / torch.tensor(times, device=weight.device).reshape(1, -1, 1, 1)
