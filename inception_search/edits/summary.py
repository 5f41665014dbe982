"""Traits of networks, such as the number of modules, and the changes of traits between two networks in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from inception_search.numbers import class_count, counted
from inception_search.spec.base_model import BatchNorm
from inception_search.spec.network import Aux, Embedding, Network
from inception_search.spec.step import AnyStep, Block, Concat, Conv, Lrn, Pool, Repeat, Use, children


class Trait(NamedTuple):
    """A property of a network that an edit path describes."""

    name: str
    value: Callable[[Network], Any]
    words: Callable[[Any, Any], str]
    """The text for a change from one value to another; empty if another trait describes it."""


def changes(before: Network, after: Network) -> list[str]:
    """The changed traits in words, the most important first."""
    found = []
    for trait in TRAITS:
        old, new = trait.value(before), trait.value(after)
        if old != new and (change := trait.words(old, new)):
            found.append(change)
    return found


def convolutions(network: Network) -> Counter[str]:
    """The number of convolutions of each kernel, such as ``7x7 row_col`` for a factorised one."""
    counts: Counter[str] = Counter()
    for step in steps_of(network):
        if isinstance(step, Conv):
            factor = f" {step.factor}" if step.factor != "none" else ""
            counts["x".join(map(str, step.kernel)) + factor] += 1
    return counts


def steps_of(network: Network) -> Iterator[AnyStep]:
    """Every step of the stages, with uses and repeats unrolled."""
    for stage in network.stages.values():
        yield from _inside(stage, network)


def _inside(step: AnyStep, network: Network) -> Iterator[AnyStep]:
    yield step
    if isinstance(step, Use):
        yield from _inside(network.blocks[step.name], network)
    for _ in range(step.times if isinstance(step, Repeat) else 1):
        for _, part in children(step):
            yield from _inside(part, network)


def _modules(network: Network) -> int:
    """The number of concats that keep the size of the feature map, without nested ones and the stem."""
    stages = list(network.stages.values())[1:]
    return sum(_count(stage, network) for stage in stages)


def _count(step: AnyStep, network: Network) -> int:
    if isinstance(step, Use):
        return _count(network.blocks[step.name], network)
    if isinstance(step, Concat):
        return not any(_shrinks(part) for part in _inside(step, network))
    times = step.times if isinstance(step, Repeat) else 1
    return times * sum(_count(part, network) for _, part in children(step))


def _shrinks(step: AnyStep) -> bool:
    return isinstance(step, Conv | Pool) and step.stride != 1


def _residuals(network: Network) -> int:
    return sum(isinstance(step, Block) and step.skip != "none" for step in steps_of(network))


def _averages(network: Network) -> int:
    return sum(isinstance(step, Pool) and step.mode == "avg" for step in steps_of(network))


def _lrns(network: Network) -> int:
    return sum(isinstance(step, Lrn) for step in steps_of(network))


def _spatial(network: Network) -> Counter[str]:
    return Counter({kernel: count for kernel, count in convolutions(network).items() if kernel != "1x1"})


def _pointwise(network: Network) -> int:
    return convolutions(network)["1x1"]


def _size(network: Network) -> str:
    return "x".join(map(str, network.input.shape[1:]))


def _stem(network: Network) -> AnyStep:
    return next(iter(network.stages.values()))


def _shape_of_stem(network: Network) -> tuple[str, ...]:
    convs = (step for step in _inside(_stem(network), network) if isinstance(step, Conv))
    return tuple("x".join(map(str, conv.kernel)) for conv in convs)


def _reductions(network: Network) -> int:
    """The number of strided convolutions after the stem."""
    stages = list(network.stages.values())[1:]
    inside = (step for stage in stages for step in _inside(stage, network))
    return sum(isinstance(step, Conv) and step.stride != 1 for step in inside)


def _kernels(old: Counter[str], new: Counter[str]) -> str:
    less = ", ".join(f"{old[k] - new[k]} fewer {k}" for k in sorted(old) if new[k] < old[k])
    more = ", ".join(f"{new[k] - old[k]} more {k}" for k in sorted(new) if new[k] > old[k])
    verb = "factorise: " if less and more and _factorised(old, new) else "other kernels: " if less and more else ""
    return verb + ", ".join(part for part in (less, more) if part)


def _factorised(old: Counter[str], new: Counter[str]) -> bool:
    """Whether every added kernel is a factor of a removed one, or part of a stack of 3x3 that replaces one."""
    less = {kernel for kernel in old if new[kernel] < old[kernel]}
    more = {kernel for kernel in new if new[kernel] > old[kernel]}
    stacks = any(kernel in ("5x5", "7x7") for kernel in less)
    return all(kernel.partition(" ")[0] in less or (kernel == "3x3" and stacks) for kernel in more)


def _toggle(words: str) -> Callable[[Any, Any], str]:
    return lambda old, new: f"add {words}" if new else f"drop {words}"


def _number(thing: str, where: str = "") -> Callable[[Any, Any], str]:
    def words(old: int, new: int) -> str:
        return f"{counted(new, thing) if new else f'no {thing}s'}{where} ({'was' if old == 1 else 'were'} {old})"

    return words


def _residual(old: int, new: int) -> str:
    if not old:
        return f"add residual sums around {counted(new, 'module')}"
    return f"residual sums around {counted(new, 'module')} (were {old})" if new else "drop the residual sums"


def _of_stem(old: tuple[str, ...], new: tuple[str, ...]) -> str:
    return f"another stem: {', '.join(old)} becomes {', '.join(new)}"


def _either(who: str, yes: str, no: str, what: str) -> Callable[[Any, Any], str]:
    return lambda old, new: f"{who} {yes if new else no} {what}"


def _listed(widths: tuple[int, ...]) -> str:
    return ", ".join(map(str, widths)) or "none"


def _embedding(old: Embedding | None, new: Embedding | None) -> str:
    return f"an embedding of {new.width}{' and unit length' if new.unit_length else ''}" if new else "no embedding"


def _norm(old: BatchNorm | None, new: BatchNorm | None) -> str:
    """The changed settings of a batch norm that is kept."""
    if old is None or new is None:
        return ""
    before, after = old.to_dict(), new.to_dict()
    names = [name for name in type(new).model_fields if before.get(name) != after.get(name)]
    changed = [f"{name} {getattr(new, name)} (was {getattr(old, name)})" for name in names]
    return f"batch norm with {', '.join(changed)}"


def _aux_heads(old: Mapping[str, Aux], new: Mapping[str, Aux]) -> str:
    """The changes of auxiliary classifiers that are kept."""
    changed = []
    for name, aux in new.items():
        before = old.get(name, aux)
        if aux.after != before.after:
            changed.append(f"auxiliary classifier {name} after stage {aux.after} (was {before.after})")
        if aux.model_copy(update={"after": before.after}) != before:
            changed.append(f"other layers or weight in auxiliary classifier {name}")
    return ", ".join(changed)


TRAITS: tuple[Trait, ...] = (
    Trait("batch norm", lambda net: net.conv_defaults.norm is not None, _toggle("batch norm")),
    Trait("stem", _shape_of_stem, _of_stem),
    Trait("reductions", _reductions, _number("strided convolution", " between the phases")),
    Trait("modules", _modules, _number("Inception module")),
    Trait("residual", _residuals, _residual),
    Trait("kernels", _spatial, _kernels),
    Trait("averages", _averages, lambda old, new: f"average pooling in {counted(new, 'module')} (was {old})"),
    Trait("image", _size, lambda old, new: f"images of {new} (were {old})"),
    Trait("response norm", lambda net: _lrns(net) > 0, _toggle("local response normalisation")),
    Trait("aux", lambda net: len(net.aux), _number("auxiliary classifier")),
    Trait("head", lambda net: net.head.classifier, lambda old, new: f"a head of kind {new} (was {old})"),
    Trait("dropout", lambda net: net.head.dropout, lambda old, new: f"dropout {new:g} (was {old:g})"),
    Trait("head pool", lambda net: net.head.pool, lambda old, new: f"global pooling {new} (was {old})"),
    Trait(
        "hidden", lambda net: net.head.hidden, lambda old, new: f"hidden layers {_listed(new)} (were {_listed(old)})"
    ),
    Trait("embedding", lambda net: net.head.embedding, _embedding),
    Trait("auxiliary classifiers", lambda net: net.aux, _aux_heads),
    Trait(
        "count_pad", lambda net: net.pool_defaults.count_pad, _either("average pooling", "counts", "ignores", "padding")
    ),
    Trait("ceil", lambda net: net.pool_defaults.ceil, _either("pools", "round", "do not round", "sizes up")),
    Trait("padding", lambda net: net.same_padding, lambda old, new: f"{new} padding (was {old})"),
    Trait("norm", lambda net: net.conv_defaults.norm, _norm),
    Trait("channels", lambda net: net.input.channels, _number("channel", " of the image")),
    Trait("bias", lambda net: net.conv_defaults.bias, _toggle("biases of convolutions")),
    Trait("act", lambda net: net.conv_defaults.act, lambda old, new: f"{new} (was {old})"),
    Trait("classes", lambda net: net.head.classes, lambda old, new: f"{class_count(new)} (were {old})"),
    Trait("points", _pointwise, _number("1x1 convolution")),
)
