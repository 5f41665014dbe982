"""Networks and steps as elements: blocks resolved, nested chains spliced, defaults filled in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, TypeAlias

from inception_search.compare.element import Element, Field, Value
from inception_search.numbers import class_count
from inception_search.spec.base_model import BatchNorm, Dilation, Padding, SpecModel
from inception_search.spec.documents.to_yaml import node_words, text
from inception_search.spec.factorisation import PARALLEL, factors, padding_of, stride_of
from inception_search.spec.network import Aux, ConvDefaults, Head, Network, PoolDefaults
from inception_search.spec.step import (
    AnyStep,
    Block,
    Chain,
    Concat,
    Conv,
    Dag,
    Depthwise,
    Identity,
    Pool,
    Repeat,
    Use,
)
from inception_search.spec.transform import map_children, map_dag

Keys: TypeAlias = dict[Any, int]
Layer: TypeAlias = tuple[str, str, str, dict[str, Value]]


class Reader:
    """Turns the steps of one network into elements; ``keys`` is shared by the two compared networks."""

    def __init__(self, network: Network | None, keys: Keys) -> None:
        self.blocks: Mapping[str, AnyStep] = network.blocks if network else {}
        self.conv_defaults = network.conv_defaults if network else ConvDefaults()
        self.pool_defaults = network.pool_defaults if network else PoolDefaults()
        self.keys = keys

    def trunk(self, network: Network) -> tuple[Element, ...]:
        """The stages of ``network`` in series; each element has the name of its stage."""
        found = ((name, self.series(step, name)) for name, step in network.stages.items())
        return tuple(replace(element, stage=name) for name, elements in found for element in elements)

    def series(self, step: AnyStep, path: str, name: str = "") -> tuple[Element, ...]:
        """``step`` as elements in series; none for an identity."""
        rule = SERIES.get(type(step), Reader._alone)
        return rule(self, step, path, name)

    def _alone(self, step: AnyStep, path: str, name: str) -> tuple[Element, ...]:
        return (self.element(step, path, name),)

    def _opened_use(self, step: Use, path: str, name: str) -> tuple[Element, ...]:
        return self.series(self.blocks[step.name], path, step.name)

    def _opened_chain(self, step: Chain, path: str, name: str) -> tuple[Element, ...]:
        return tuple(element for i, part in enumerate(step.steps) for element in self.series(part, f"{path}.{i}"))

    def _opened_block(self, step: Block, path: str, name: str) -> tuple[Element, ...]:
        return self.series(step.body, f"{path}.body", name) if step.trivial else self._alone(step, path, name)

    def _opened_repeat(self, step: Repeat, path: str, name: str) -> tuple[Element, ...]:
        return self.series(step.body, f"{path}.0", name) if step.times == 1 else self._alone(step, path, name)

    def _nothing(self, step: AnyStep, path: str, name: str) -> tuple[Element, ...]:
        return ()

    def element(self, step: AnyStep, path: str, name: str = "") -> Element:
        """One step, not a chain, as an element."""
        rule = ELEMENTS.get(type(step), Reader._leaf)
        return rule(self, step, path, name)

    def _leaf(self, step: AnyStep, path: str, name: str, fields: Iterable[Field] | None = None) -> Element:
        found = _all_fields(step) if fields is None else fields
        return self._made(step.kind, _words(step), path, tuple(found), step=step, name=name)

    def _conv(self, step: Conv, path: str, name: str) -> Element:
        return replace(self._depthwise(step, path, name), factors=self._factors(step, path))

    def _depthwise(self, step: Conv | Depthwise, path: str, name: str) -> Element:
        return self._leaf(step, path, name, self._conv_fields(step))

    def _pool(self, step: Pool, path: str, name: str) -> Element:
        return self._leaf(step, path, name, self._pool_fields(step))

    def _dag(self, step: Dag, path: str, name: str) -> Element:
        nodes = map_dag(step, self._resolved).nodes
        fields = [_same(f"node {i}", node_words(node)) for i, node in enumerate(nodes, start=1)]
        return self._leaf(step, path, name, fields)

    def _concat(self, step: Concat, path: str, name: str) -> Element:
        parts = [self.series(branch, f"{path}.branches.{i}") for i, branch in enumerate(step.branches)]
        branches = [self._branch(part, path, i) for i, part in enumerate(parts)]
        return self._made("concat", f"{len(branches)} branches", path, (), branches, step=step, name=name)

    def _block(self, step: Block, path: str, name: str) -> Element:
        inside = self.series(step.body, f"{path}.body")
        return self._made("block", _block_words(step), path, _block_fields(step), inside, step=step, name=name)

    def _repeat(self, step: Repeat, path: str, name: str) -> Element:
        body = step.body
        called = body.name if isinstance(body, Use) else ""
        inside, times = self.series(body, f"{path}.0"), (Field("times", step.times, step.times),)
        words = f"{step.times} x {called}" if called else f"{step.times} x"
        return self._made("repeat", words, path, times, inside, step=step, name=name)

    def classifier(self, head: Head | Aux, path: str, classes: int) -> tuple[Element, ...]:
        """The layers of a head, in order."""
        return tuple(
            self._made(kind, words, f"{path}.{place}", tuple(_same(n, v) for n, v in fields.items()))
            for kind, words, place, fields in _layers(head, classes)
        )

    def aux(self, name: str, aux: Aux, classes: int, after: Field) -> Element:
        """An auxiliary classifier, attached where ``after`` names: its body, then its layers."""
        path = f"aux.{name}"
        inside = (*self.series(aux.body, f"{path}.body"), *self.classifier(aux, path, classes))
        fields = (after, _same("weight", aux.weight))
        return self._made("aux", f"auxiliary classifier {name}", path, fields, inside, name=name)

    def model(self, kind: str, model: SpecModel | None) -> Element:
        """Settings of a network, such as its ``conv_defaults``, as one element."""
        given = (_same("given", model is not None),)
        return self._made(kind, kind, kind, (*given, *(_same(name, value) for name, value in _flat(model))))

    def setting(self, name: str, value: Value) -> Element:
        """One setting that is not a model."""
        return self._made(name, name, name, (_same(name, value),))

    def _branch(self, inside: tuple[Element, ...], path: str, index: int) -> Element:
        return self._made("branch", f"branch {index}", f"{path}.branches.{index}", (), inside)

    def _factors(self, conv: Conv, path: str) -> tuple[Element, ...]:
        parts = tuple(self.element(part, f"{path}.{name}") for name, part in factors(conv))
        if conv.factor not in PARALLEL:
            return parts
        branches = [self._branch((part,), path, index) for index, part in enumerate(parts)]
        return (self._made("concat", f"{len(parts)} branches", path, (), branches),)

    def _made(
        self,
        kind: str,
        words: str,
        path: str,
        fields: tuple[Field, ...] = (),
        inside: Iterable[Element] = (),
        *,
        step: AnyStep | None = None,
        name: str = "",
    ) -> Element:
        parts = tuple(inside)
        # The reprs distinguish 1, True and 1.0, which are equal as keys of a dict.
        content = (kind, repr(fields), tuple(part.key for part in parts))
        key = self.keys.setdefault(content, len(self.keys))
        return Element(kind, words, path, key, fields, parts, step=step, name=name)

    def _resolved(self, step: AnyStep) -> AnyStep:
        """``step`` with the blocks it uses inserted in their place."""
        if isinstance(step, Use):
            return self._resolved(self.blocks[step.name])
        return map_children(step, self._resolved)

    def _conv_fields(self, conv: Conv | Depthwise) -> Iterator[Field]:
        yield _same("kernel", _size(conv.kernel))
        if isinstance(conv, Conv):
            yield _same("width", conv.width)
            yield Field("mid", conv.mid, conv.mid or conv.width)
            yield _same("factor", conv.factor)
            yield _same("groups", conv.groups)
        else:
            yield _same("multiplier", conv.multiplier)
        yield _same("stride", _stride(stride_of(conv.stride)))
        yield Field("padding", _plain(conv.padding), _padding(conv.kernel, conv.padding, conv.dilation))
        yield _same("dilation", _stride(stride_of(conv.dilation)))
        yield self._follow(conv)

    def _follow(self, conv: Conv | Depthwise) -> Field:
        """The operations after a convolution: norm, activation and bias form one field."""
        defaults = self.conv_defaults
        norm, act, bias = (False, "none", True) if conv.linear else (conv.norm, conv.act, conv.bias)
        written = None if (norm, act, bias) == (None, None, None) else f"{norm} {act} {bias}"
        has_norm = bool(norm) or (defaults.norm is not None and norm is not False)
        own = f" of eps {norm.eps:g}, momentum {norm.momentum:g}" if isinstance(norm, BatchNorm) else ""
        own += " without gamma" if isinstance(norm, BatchNorm) and not norm.gamma else ""
        has_bias = defaults.bias if bias is None else bias
        acts = defaults.act if act is None else act
        words = [f"norm{own}"] * has_norm + ["bias"] * has_bias + [acts] * (acts != "none")
        linear = not has_norm and has_bias and acts == "none"
        return Field("then", written, "linear" if linear else " ".join(words) or "nothing")

    def _pool_fields(self, pool: Pool) -> Iterator[Field]:
        defaults, padding = self.pool_defaults, _padding(pool.kernel, pool.padding)
        yield _same("mode", pool.mode)
        yield _same("kernel", _size(pool.kernel))
        yield _same("stride", _stride(stride_of(pool.stride)))
        yield Field("padding", _plain(pool.padding), padding)
        counts = defaults.count_pad if pool.count_pad is None else pool.count_pad
        yield Field("count_pad", pool.count_pad, counts and pool.mode == "avg" and padding != "valid")
        ceil = defaults.ceil if pool.ceil is None else pool.ceil
        yield Field("ceil", pool.ceil, ceil and pool.stride != 1)


def _same(name: str, value: Value) -> Field:
    return Field(name, value, value)


def _size(size: tuple[int, int]) -> str:
    return f"{size[0]}x{size[1]}"


def _stride(stride: tuple[int, int]) -> Value:
    return stride[0] if stride[0] == stride[1] else _size(stride)


def _padding(kernel: tuple[int, int], padding: Padding, dilation: Dilation = 1) -> str:
    """``same``, ``valid``, ``tf`` or the zeros: one word for each effective padding."""
    zeros = padding_of(kernel, padding, dilation)
    if zeros == "tf":
        return "tf"
    odd = kernel[0] % 2 == 1 and kernel[1] % 2 == 1
    if odd and zeros == padding_of(kernel, "same", dilation):
        return "same"
    return "valid" if zeros == (0, 0) else _size(zeros)


# Steps that are not exactly one element.
SERIES: dict[type[SpecModel], Callable[[Reader, Any, str, str], tuple[Element, ...]]] = {
    Identity: Reader._nothing,
    Chain: Reader._opened_chain,
    Block: Reader._opened_block,
    Repeat: Reader._opened_repeat,
    Use: Reader._opened_use,
}
# Other kinds keep their fields unchanged. A chain and a use have been resolved before.
ELEMENTS: dict[type[SpecModel], Callable[[Reader, Any, str, str], Element]] = {
    Conv: Reader._conv,
    Depthwise: Reader._depthwise,
    Pool: Reader._pool,
    Concat: Reader._concat,
    Block: Reader._block,
    Repeat: Reader._repeat,
    Dag: Reader._dag,
}


def _all_fields(step: AnyStep) -> Iterator[Field]:
    return (Field(name, _plain(value), _plain(value)) for name, value in step if name != "kind")


def _words(step: AnyStep) -> str:
    """The step as in a document, on one line and without the outermost braces."""
    words = " ".join(text(step).split())
    return words[1:-1] if words.startswith("{") and words.endswith("}") else words


def _block_words(block: Block) -> str:
    words = [{"add": "residual", "none": "block"}.get(block.skip, "residual with a projected skip")]
    words += [f"stride {_stride(stride_of(block.stride))}"] if block.stride != 1 else []
    words += [f"scale {block.scale:g}"] if block.scale != 1.0 else []
    words += [f"project {block.project}"] if block.project != "none" else []
    return ", ".join(words + ([block.act] if block.act != "none" else []))


def _block_fields(block: Block) -> tuple[Field, ...]:
    fields = (_same(name, getattr(block, name)) for name in ("skip", "project", "scale", "act"))
    return (*fields, _same("stride", _stride(stride_of(block.stride))))


def _layers(head: Head | Aux, classes: int) -> Iterator[Layer]:
    """Kind, words, path and fields of the layers of a head."""
    own = head if isinstance(head, Head) else Head()
    last: Layer = ("classifier", class_count(classes), "classifier", {"form": own.classifier, "classes": classes})
    if own.classifier == "maps":
        yield last
    if head.pool != "none":
        yield "global_pool", f"global {head.pool} pool", "pool", {"mode": head.pool}
    for index, width in enumerate(head.hidden):
        yield "linear", f"linear {width}", f"hidden.{index}", {"width": width}
    if head.dropout:
        yield "dropout", f"dropout {head.dropout:g}", "dropout", {"p": head.dropout}
    if own.embedding:
        yield "embedding", f"embedding {own.embedding.width}", "embedding", {"width": own.embedding.width}
        if own.embedding.unit_length:
            yield "unit_length", "unit length", "normalize", {}
    if own.classifier == "linear":
        yield last


def _flat(model: SpecModel | None, before: str = "") -> Iterator[tuple[str, Value]]:
    """The fields of a model by dotted name, including those of nested models."""
    if model is None:
        return
    for name in type(model).model_fields:
        value = getattr(model, name)
        if isinstance(value, SpecModel):
            yield f"{before}{name}", getattr(value, "kind", "yes")
            yield from _flat(value, f"{before}{name}.")
        elif name != "kind":
            yield f"{before}{name}", _plain(value)


def _plain(value: Any) -> Value:
    """A field's value in a form that can be compared and written as JSON."""
    if isinstance(value, tuple):
        return "x".join(map(str, value)) if len(value) == 2 else value
    if value is None or isinstance(value, str | int | float | bool):
        return value
    return str(value)
