"""The stem of a network: what brings the image down before its first module. Small images want less of it."""

from __future__ import annotations

from inception_search.errors import SpecError
from inception_search.spec.factor import stride_of
from inception_search.spec.network import Network
from inception_search.spec.step import (
    AnyStep,
    Block,
    Chain,
    Concat,
    Conv,
    Depthwise,
    Pool,
    Repeat,
    children,
)
from inception_search.spec.transform import map_children, remake

STEM = "stem"


def stem_stages(network: Network) -> tuple[str, ...]:
    """The stages of the stem: the one of that name, or those before the first with branches, or the first."""
    if STEM in network.stages:
        return (STEM,)
    leading = []
    for name, step in network.stages.items():
        if _has_branches(step, network):
            break
        leading.append(name)
    every = len(leading) == len(network.stages)
    return tuple(leading[:1] if every or not leading else leading)


def set_stem_stride(network: Network, stride: int) -> Network:
    """``network`` with a stem of ``stride`` (1, 2, 4 ...) where it has more: for small images.

    From the first on, its strided convolutions and pools get stride 1 and same padding until no more than ``stride``
    is left; every layer stays, so weights fit. Raises SpecError for a stride that cannot be left.
    """
    changed, left = dict(network.stages), stride
    for name in reversed(stem_stages(network)):
        changed[name] = _kept(changed[name], left)
        left = max(1, left // _stride(changed[name]))
    made = remake(network, stages=changed)
    if stem_stride(made) != stride:
        total = stem_stride(network)
        raise SpecError("the stem cannot have this stride", found=stride, expected=f"1, or a divisor of its {total}")
    return made


def stem_stride(network: Network) -> int:
    """By how much the stem divides the height and width of the image (same padding taken for granted)."""
    total = 1
    for name in stem_stages(network):
        total *= _stride(network.stages[name])
    return total


def _has_branches(step: AnyStep, network: Network) -> bool:
    step = network.resolve(step)
    inside = children(step)
    return isinstance(step, Concat | Block) or any(_has_branches(part, network) for _, part in inside)


def _stride(step: AnyStep) -> int:
    """The stride of a step: along its longest branch."""
    if isinstance(step, Conv | Depthwise | Pool):
        return max(stride_of(step.stride))
    if isinstance(step, Chain):
        total = 1
        for part in step.steps:
            total *= _stride(part)
        return total
    if isinstance(step, Concat):
        return max(_stride(branch) for branch in step.branches)
    if isinstance(step, Repeat):
        return int(_stride(step.body) ** step.times)
    return _stride(step.body) if isinstance(step, Block) else 1


def _kept(step: AnyStep, stride: int) -> AnyStep:
    """``step`` with no more than ``stride``; the steps that come last keep theirs."""
    if _stride(step) <= stride:
        return step
    if isinstance(step, Conv | Depthwise | Pool):
        return _unstrided(step)
    if isinstance(step, Chain):
        parts: list[AnyStep] = []
        for part in reversed(step.steps):
            parts.append(_kept(part, stride))
            stride = max(1, stride // _stride(parts[-1]))
        return remake(step, steps=tuple(reversed(parts)))
    return map_children(step, lambda part: _kept(part, stride))


def _unstrided(step: Conv | Depthwise | Pool) -> AnyStep:
    """``step`` with stride 1 and as large an output as its input."""
    odd = step.kernel[0] % 2 == 1 and step.kernel[1] % 2 == 1
    return remake(step, stride=1, padding="same" if odd else "tf")
