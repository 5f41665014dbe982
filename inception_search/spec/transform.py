"""Transforms of network documents to another width, depth, input or head."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from numbers import Real
from typing import Any, TypeVar

from pydantic import ValidationError

from inception_search.errors import ConfigError, SpecError, raw
from inception_search.numbers import class_count
from inception_search.spec.base_model import SpecModel, refusal
from inception_search.spec.limits import MAX_WIDTH
from inception_search.spec.network import Aux, Input, Network, Preprocess, with_source
from inception_search.spec.step import (
    AnyStep,
    Block,
    Chain,
    Concat,
    Conv,
    Dag,
    DagNode,
    Narrow,
    Repeat,
    chain,
    children,
    concat,
)

M = TypeVar("M", bound=SpecModel)
MAX_FACTOR = 1_000


def scale_width(step: AnyStep, factor: float, multiple: int = 4) -> AnyStep:
    """``step`` with every width times ``factor``, rounded to a ``multiple`` (at least one of it)."""

    def scale(part: AnyStep) -> AnyStep:
        if isinstance(part, Narrow):
            start = int(part.start * factor) // multiple * multiple
            return remake(part, width=scaled(part.width, factor, multiple), start=start)
        if not isinstance(part, Conv):
            return map_children(part, scale)
        mid = scaled(part.mid, factor, multiple) if part.mid is not None else None
        return remake(part, width=scaled(part.width, factor, multiple), mid=mid)

    return scale(step)


def scaled(width: int, factor: float, multiple: int = 4) -> int:
    """``width`` times ``factor``, rounded to a ``multiple`` (at least one of it)."""
    _check_factor("width", factor)
    if not 1 <= multiple <= MAX_WIDTH:
        raise SpecError(f"widths are rounded to a multiple of 1 to {MAX_WIDTH:,}", found=multiple)
    return max(multiple, round(width * factor / multiple) * multiple)


def scale_network_width(network: Network, factor: float, multiple: int = 4) -> Network:
    """Scale the number of filters of every convolution and hidden layer; the number of classes stays.

    Args:
        network: the network.
        factor: the factor.
        multiple: numbers of filters are rounded to multiples of this number.

    Returns:
        The scaled network.

    Raises:
        SpecError: a number of filters becomes too large; the error has the path of the step.

    >>> half = ins.scale_width("inception_v4", 0.5)
    >>> ins.measure_network("inception_v4", "params"), ins.measure_network(half, "params")
    (42679816, 11070712)
    """

    def scale(name: str, step: AnyStep) -> AnyStep:
        try:
            return scale_width(step, factor, multiple)
        except SpecError as error:
            raise _at_step(error, name, step, factor, multiple) from None

    return remake(
        network,
        blocks={name: scale(f"blocks.{name}", step) for name, step in network.blocks.items()},
        stages={name: scale(name, step) for name, step in network.stages.items()},
        aux={name: _scaled_aux(aux, factor, multiple) for name, aux in network.aux.items()},
        head=remake(network.head, hidden=_scaled_all(network.head.hidden, factor, multiple)),
    )


def _at_step(error: SpecError, name: str, step: AnyStep, factor: float, multiple: int) -> SpecError:
    """``error`` with the place of the first step that cannot be scaled."""
    for fields, part in children(step):
        try:
            scale_width(part, factor, multiple)
        except SpecError as inner:
            words = (str(field) for field in fields if field != "steps")
            return _at_step(inner, ".".join((name, *words)), part, factor, multiple)
    if error.path is not None:
        error.place = replace(error.place, path=f"{name}.{error.path}")
    return error


def _scaled_aux(aux: Aux, factor: float, multiple: int) -> Aux:
    return remake(aux, body=scale_width(aux.body, factor, multiple), hidden=_scaled_all(aux.hidden, factor, multiple))


def _scaled_all(widths: tuple[int, ...], factor: float, multiple: int) -> tuple[int, ...]:
    return tuple(scaled(width, factor, multiple) for width in widths)


def set_input(
    network: Network, *, channels: int | None = None, height: int | None = None, width: int | None = None
) -> Network:
    """Change the shape (C, H, W) of the images of a network.

    Use :func:`lower` to check whether the network fits the size.

    Args:
        network: the network.
        channels: channels of the images (default: unchanged).
        height: height of the images in pixels (default: unchanged).
        width: width of the images in pixels (default: unchanged).

    Returns:
        The changed network. ``preprocess.resize`` is scaled with the input; with another number of channels
        ``preprocess`` is removed.

    Raises:
        SpecError: a number is outside the range that documents allow.

    >>> ins.set_input("inception_v3", height=139, width=139).input.shape
    (3, 139, 139)
    """
    given = {"channels": channels, "height": height, "width": width}
    changes = {name: value for name, value in given.items() if value is not None}
    if not changes:
        return network
    size = remake(network.input, **changes)
    return remake(network, input=size, preprocess=_preprocess_at(network, size))


def _preprocess_at(network: Network, size: Input) -> Preprocess | None:
    """The preprocessing for another input, with the same part of the image; None for other channels."""
    facts = network.preprocess
    if facts is None or size.channels != network.input.channels:  # mean and std have a number per channel
        return None
    if facts.resize is None:
        return facts
    before, after = min(network.input.height, network.input.width), min(size.height, size.width)
    return remake(facts, resize=max(1, round(facts.resize * after / before)))


def set_classes(network: Network, classes: int) -> Network:
    """Change the number of classes of a network and of its auxiliary classifiers.

    Args:
        network: the network. If it has no classifier, one is added.
        classes: the number of classes; 0 removes the classifier: the output is the features (N, C).

    Returns:
        The changed network.

    Raises:
        SpecError: the number is outside the range that documents allow.

    >>> ins.set_classes("inception_v4", 10).head.classes
    10
    """
    head = network.head
    if classes == 0:
        return drop_head(network)
    if head.classifier == "none":
        embedding = head.embedding and remake(head.embedding, unit_length=False)
        return remake(network, head=remake(head, classes=classes, classifier="linear", embedding=embedding))
    return remake(network, head=remake(head, classes=classes))


def drop_head(network: Network, pool: str | None = None) -> Network:
    """Remove the classifiers of a network; its output is then features: pooled (N, C), or a map (N, C, H, W).

    The global pooling, hidden layers and an embedding layer are kept.

    Args:
        network: the network.
        pool: pooling of the last feature map: ``"avg"``, ``"max"``, or ``"none"`` for the feature map itself (default:
            the network's own pooling).

    Returns:
        The changed network.

    Raises:
        SpecError: ``pool`` is not one of these values.

    >>> ins.compile(ins.drop_head("nin_cifar10")).num_classes
    0
    """
    pool = pool or network.head.pool
    return remake(network, head=remake(network.head, classifier="none", pool=pool), aux={})


def set_head(network: Network, classes: int | None = None, pool: str | None = None) -> Network:
    """``network`` with other ``classes`` (0: no classifier) and global ``pool``; None does not change a value.

    Raises ConfigError for ``pool="none"`` with a classifier, if the head of the network pools.
    """
    network = network if classes is None else set_classes(network, classes)
    head = network.head
    if pool is None:
        return network
    if pool == "none" and head.classifier == "linear" and head.pool != "none":
        raise ConfigError(
            "maps that are not pooled are given without a classifier",
            found=raw(f"global_pool='none' with {class_count(head.classes)}"),
            hint="give num_classes=0, too; or write 'head: {pool: none}' in the document to classify flat maps",
        )
    return remake(network, head=remake(head, pool=pool))


def set_depth(network: Network, factor: float) -> Network:
    """Scale the number of repeats of the repeated modules of a network.

    Args:
        network: the network.
        factor: factor on the number of repeats (the result is rounded, and at least 1).

    Returns:
        The scaled network.

    Raises:
        SpecError: the network has no repeats, and the factor is not 1.

    >>> deep = ins.scale_depth("inception_v4", 2)
    >>> ins.measure_network("inception_v4", "depth"), ins.measure_network(deep, "depth")
    (76, 135)
    """
    _check_factor("depth", factor)
    if factor != 1 and not any(_has_repeat(step) for step in _all_steps(network)):
        rule, hint = "the network has no repeats, which a depth factor multiplies", "use width, or write '2 x block'"
        raise SpecError(rule, found=raw(f"depth {factor:g} for {network.name}"), hint=hint)

    def deepen(step: AnyStep) -> AnyStep:
        if isinstance(step, Repeat):
            return remake(step, times=max(1, round(step.times * factor)), body=deepen(step.body))
        return map_children(step, deepen)

    return remake(
        network,
        blocks={name: deepen(step) for name, step in network.blocks.items()},
        stages={name: deepen(step) for name, step in network.stages.items()},
        aux={name: remake(aux, body=deepen(aux.body)) for name, aux in network.aux.items()},
    )


def shrink(network: Network, width: float = 1.0, depth: float = 1.0) -> Network:
    """A reduced ``network``: widths and repeats times a factor; without repeats only the widths.

    Canonical and sampled networks are reduced in the same way. Widths are rounded to multiples of 4.
    """
    if width != 1.0:
        network = scale_network_width(network, width)
    deep = depth == 1.0 or not any(_has_repeat(step) for step in _all_steps(network))
    return network if deep else set_depth(network, depth)


def _all_steps(network: Network) -> tuple[AnyStep, ...]:
    bodies = (aux.body for aux in network.aux.values())
    return (*network.blocks.values(), *network.stages.values(), *bodies)


def _has_repeat(step: AnyStep) -> bool:
    return isinstance(step, Repeat) or any(_has_repeat(part) for _, part in children(step))


def swap_stem(network: Network, stem: AnyStep) -> Network:
    r"""Replace the stem of a network, for example by a small one for 32x32 images.

    Args:
        network: the network.
        stem: the step that replaces the first stage.

    Returns:
        The changed network.

    Raises:
        SpecError: the result is not a valid document.

    >>> small = ins.swap_stem("inception_v3", ins.parse_step("3x3 192 s1"))
    >>> ins.to_yaml(small.stages["stem"])
    '3x3 192\n'
    """
    first = next(iter(network.stages))
    swapped = remake(network, stages={**network.stages, first: stem})
    return with_source(swapped, network.origin.without("stages", first))


def map_convs(step: AnyStep, change: Callable[[Conv], AnyStep]) -> AnyStep:
    """``step`` with ``change`` applied to every convolution."""
    if isinstance(step, Conv):
        return change(step)
    return map_children(step, lambda part: map_convs(part, change))


def map_children(step: AnyStep, change: Callable[[AnyStep], AnyStep]) -> AnyStep:
    """``step`` with ``change`` applied to the steps directly inside it; tidied."""
    rule = MAP_CHILDREN.get(type(step))
    return rule(step, change) if rule else step


def map_dag(dag: Dag, change: Callable[[AnyStep], AnyStep]) -> Dag:
    """``dag`` with ``change`` applied to the steps on its edges and after its joins."""
    return remake(dag, nodes=tuple(_changed(node, change) for node in dag.nodes))


def _changed(node: DagNode, change: Callable[[AnyStep], AnyStep]) -> DagNode:
    inputs = tuple(remake(entry, step=change(entry.step)) for entry in node.inputs)
    return remake(node, inputs=inputs, then=change(node.then))


def _check_factor(what: str, factor: float) -> None:
    if isinstance(factor, bool) or not isinstance(factor, Real):
        raise SpecError(f"a {what} factor is a number", found=factor, hint=f"write {what}=0.5, say")
    if not 0 < factor <= MAX_FACTOR:
        raise SpecError(f"a {what} factor is positive and at most {MAX_FACTOR}", found=factor)


def remake(model: M, **changes: Any) -> M:
    """A validated copy of a frozen model with some fields changed; raises :class:`SpecError` if it is invalid."""
    fields = {name: getattr(model, name) for name in type(model).model_fields} | changes
    if "schema_" in fields:
        fields["schema"] = fields.pop("schema_")
    try:
        copy = type(model).model_validate(fields)
    except ValidationError as error:
        raise refusal(error) from None
    if isinstance(model, Network) and isinstance(copy, Network):
        with_source(copy, model.origin)
    return copy


MAP_CHILDREN: dict[type[SpecModel], Callable[[Any, Callable[[AnyStep], AnyStep]], AnyStep]] = {
    Chain: lambda step, change: chain(*map(change, step.steps)),
    Concat: lambda step, change: concat(*map(change, step.branches)),
    Block: lambda step, change: remake(step, body=change(step.body)),
    Repeat: lambda step, change: remake(step, body=change(step.body)),
    Dag: map_dag,
}
