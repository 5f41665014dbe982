"""The steps of a document as modules: those that become classes, and the calls between them.

Attributes and indices of the modules are the paths of the document, so the keys of the ``state_dict`` are the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import Any

from inception_search.exports.source_layers import act_call, layer, short
from inception_search.exports.source_tree import Call, Copies, Items, Leaf, Module, Num, Scope, Unit, number
from inception_search.exports.source_words import branch_labels, in_words, roles_in_branch, singular
from inception_search.graph import ops
from inception_search.graph.op import Op
from inception_search.graph.types import FeatureMap, Type
from inception_search.lowering import PROJECTIONS, Lowering
from inception_search.spec import step as spec
from inception_search.spec.factorisation import PARALLEL, factor_widths, padding_of, plain_dilation, shortcut, stride_of
from inception_search.spec.network import Network


@dataclass(frozen=True)
class Value:
    """The output of a module: its shape and its number of channels."""

    module: Module
    type: Type
    channels: Num

    def then(self, module: Module) -> Value:
        """The same shape from another module."""
        return Value(module, self.type, self.channels)


Parts = list[tuple[str, Module]]
Content = tuple[Parts, list[str], Value]
IDENTITY = Call("nn.Identity")


class StepLowering(Lowering[Value]):
    """Steps as modules: every value has the module that computes it."""

    def __init__(self, network: Network) -> None:
        super().__init__(network)
        self.roles: dict[str, str] = {}  # path of a convolution -> a name for its width

    def type(self, x: Value) -> Type:
        return x.type

    def add(self, op: Op, inputs: tuple[Value, ...], path: str) -> Value:
        (x,) = inputs
        return Value(layer(op, x.channels), op.infer((x.type,)), x.channels)

    def step(self, step: spec.AnyStep, x: Value, path: str) -> Value:
        rule = COMPOSITES.get(type(step))
        return rule(self, step, x, path) if rule else super().step(step, x, path)

    def identity(self, step: spec.Identity, x: Value, path: str) -> Value:
        return x.then(IDENTITY)

    def act_alone(self, step: spec.Act, x: Value, path: str) -> Value:
        return x.then(IDENTITY) if step.name == "none" else super().act_alone(step, x, path)

    def narrow(self, step: spec.Narrow, x: Value, path: str) -> Value:
        width = number(step.width)
        return Value(Call("Narrow", (step.start, width)), ops.Narrow(step.width, step.start).infer((x.type,)), width)

    # Convolutions

    def conv(self, step: spec.Conv, x: Value, path: str) -> Value:
        if step.factor == "none":
            return self.unit(step, x, self.width(step.width, path), step.groups)
        if step.factor == "stacked":
            return self.stacked(step, x, path)
        hint = f"{step.factor}_{step.kernel[0]}x{step.kernel[1]}"
        return self.scope(hint, x, path, lambda inner: self.factors(step, inner, path), _factor_doc(step), generic=True)

    def factors(self, step: spec.Conv, x: Value, path: str) -> Content:
        """The factors of a convolution by name, in series or side by side."""
        parts: Parts = []
        if step.factor in PARALLEL:
            half = Leaf(step.width // 2, self.role(path))
            values = [self.unit(part, x, Num(((half, 1),)), step.groups) for _, part, _ in factor_widths(step)]
            names = [name for name, _, _ in factor_widths(step)]
            parts = [(name, value.module) for name, value in zip(names, values, strict=True)]
            joined = Value(IDENTITY, _joined(values), reduce(add, (value.channels for value in values)))
            return parts, [f"return torch.cat([{', '.join(f'self.{name}(x)' for name in names)}], 1)"], joined
        call, role = "x", self.role(path)
        for (name, part, width), kind in zip(factor_widths(step), ("mid", "width"), strict=True):
            x = self.unit(part, x, number(width, role.replace("width", kind)), step.groups)
            parts.append((name, x.module))
            call = f"self.{name}({call})"
        return parts, [f"return {call}"], x

    def stacked(self, step: spec.Conv, x: Value, path: str) -> Value:
        modules = []
        width, mid = (
            self.width(step.width, path),
            number(step.mid or step.width, self.role(path).replace("width", "mid")),
        )
        for index, (_, part, _) in enumerate(parts := factor_widths(step)):
            x = self.unit(part, x, width if index == len(parts) - 1 or step.mid is None else mid, step.groups)
            modules.append(x.module)
        return x.then(Call("nn.Sequential", tuple(modules)))

    def depthwise(self, step: spec.Depthwise, x: Value, path: str) -> Value:
        return self.unit(step, x, x.channels.times(step.multiplier), x.channels)

    def unit(self, step: spec.Conv | spec.Depthwise, x: Value, width: Num, groups: int | Num) -> Value:
        """The convolution, its norm and its activation: see ``Lowering.followed``."""
        padding = padding_of(step.kernel, step.padding, step.dilation, step.stride, self.net.same_padding)
        bias = step.linear or (self.net.conv_defaults.bias if step.bias is None else step.bias)
        stride, dilation = stride_of(step.stride), stride_of(plain_dilation(step))
        plain = groups.value if isinstance(groups, Num) else groups
        conv = ops.Conv(width.value, step.kernel, stride, padding, dilation, plain, bias)
        norm = None if step.linear else self.norm_after(step)
        act = None if step.linear else (self.act.kind if self.act else None) if step.act is None else step.act
        unit = Unit("conv", norm, None if act == "none" else act, bias, same=padding == "tf")
        options: list[tuple[str, Any]] = [("stride", short(stride))] if stride != (1, 1) else []
        if padding != "tf" and padding != (0, 0):
            options.append(("padding", short(padding)))
        if plain != 1:
            options.append(("groups", groups))
        if dilation != (1, 1):
            options.append(("dilation", short(dilation)))
        module = Call(unit, (x.channels, width, short(step.kernel)), tuple(options))
        return Value(module, conv.infer((x.type,)), width)

    def width(self, value: int, path: str) -> Num:
        return number(value, self.role(path))

    def role(self, path: str) -> str:
        """The name of a width as an argument."""
        return self.roles.get(path, "width")

    # Composites

    def chain(self, step: spec.Chain, x: Value, path: str) -> Value:
        modules = []
        for index, part in enumerate(step.steps):
            x = self.step(part, x, f"{path}.{index}")
            modules.append(x.module)
        return x.then(Call("nn.Sequential", tuple(modules)))

    def branches(self, step: spec.Concat, x: Value, path: str) -> Value:
        """The branches as a list of modules."""
        labels = branch_labels(step.branches)
        values = []
        for index, (branch, label) in enumerate(zip(step.branches, labels, strict=True)):
            place = f"{path}.branches.{index}"
            self.roles |= roles_in_branch(branch, label, place)
            values.append(self.step(branch, x, place))
        channels = reduce(add, (value.channels for value in values))
        return Value(Call("Concat", tuple(value.module for value in values)), _joined(values), channels)

    def nested(self, step: spec.AnyStep, x: Value, path: str) -> Value:
        """A step inside another one that is named as a stage is: by its path."""
        return self.named(step, x, path, path)

    def named(self, step: spec.AnyStep, x: Value, path: str, hint: str, *, optional: bool = True) -> Value:
        """A stage, a block of the document or a copy: a class of its own, unless it is a single layer."""
        if isinstance(step, spec.Use):
            return self.named(self.net.blocks[step.name], x, path, step.name, optional=False)
        if isinstance(step, spec.Repeat):
            return self.copies(step, x, path, hint)
        if type(step) not in CLASSES:
            return self.step(step, x, path)
        content, doc = CLASSES[type(step)]
        options = {"base": "nn.Sequential", "optional": optional} if isinstance(step, spec.Chain) else {}
        return self.scope(hint, x, path, lambda inner: content(self, step, inner, path), doc(step), **options)

    def scope(
        self, hint: str, x: Value, path: str, content: Callable[[Value], Content], doc: str, **options: Any
    ) -> Value:
        """A class with ``content``, which is built on an input of its own."""
        inner = Leaf(x.channels.value, "in_channels")
        parts, forward, y = content(Value(IDENTITY, x.type, Num(((inner, 1),))))
        stage = path.split(".")[0]
        made = Scope(hint, stage, x.channels, inner, tuple(parts), tuple(forward), doc, **options)
        return Value(made, y.type, y.channels.bound(inner, x.channels))

    def copies(self, step: spec.Repeat, x: Value, path: str, hint: str) -> Value:
        modules = []
        for index in range(step.times):
            x = self.named(step.body, x, f"{path}.{index}", singular(hint), optional=False)
            modules.append(x.module)
        return x.then(Call("nn.Sequential", (Copies(tuple(modules)),)))

    def chain_content(self, step: spec.Chain, x: Value, path: str) -> Content:
        y = self.chain(step, x, path)
        assert isinstance(y.module, Call)
        return [("", module) for module in y.module.args], [], y

    def concat_content(self, step: spec.Concat, x: Value, path: str) -> Content:
        y = self.branches(step, x, path)
        assert isinstance(y.module, Call)
        listed: Module = Call("nn.ModuleList", (Items(y.module.args),))
        return [("branches", listed)], ["return torch.cat([branch(x) for branch in self.branches], 1)"], y

    def block_content(self, step: spec.Block, x: Value, path: str) -> Content:
        y = self.step(step.body, x, f"{path}.body")
        parts: Parts = [("body", y.module)] if y.module != IDENTITY else []
        call = "self.body(x)" if parts else "x"
        if step.project != "none":
            y = self.unit(PROJECTIONS[step.project], y, x.channels, 1)
            parts, call = [*parts, ("project", y.module)], f"self.project({call})"
        if step.scale != 1.0:
            call = f"{step.scale!r} * {call}"
        if step.skip == "project":
            parts.append(("skip", self.unit(shortcut(step), x, y.channels, 1).module))
        if step.skip != "none":
            call = f"{'self.skip(x)' if step.skip == 'project' else 'x'} + {call}"
        if step.act != "none":
            fresh = step.skip != "none" or step.scale != 1.0  # nothing else reads the sum, so it may be overwritten
            parts.append(("act", act_call(step.act, inplace=fresh)))
            call = f"self.act({call})"
        return parts, [f"return {call}"], y

    def dag_content(self, step: spec.Dag, x: Value, path: str) -> Content:
        values, nodes = [x], []
        for index, node in enumerate(step.nodes):
            y = self.node(node, values, f"{path}.nodes.{index}")
            values.append(y)
            nodes.append(y.module)
        forward = ["values = [x]", "for node in self.nodes:", "    values.append(node(values))", "return values[-1]"]
        return [("nodes", Call("nn.ModuleList", (Items(tuple(nodes)),)))], forward, values[-1]

    def node(self, node: spec.DagNode, values: Sequence[Value], path: str) -> Value:
        """One node of a dag: its inputs, joined, then its last step."""
        edges, read = [], []
        for index, entry in enumerate(node.inputs):
            read.append(self.step(entry.step, values[entry.node], f"{path}.inputs.{index}.step"))
            edges.append(Call("Edge", (entry.node, read[-1].module)))
        y = read[0]
        joins = node.join == "concat" and len(read) > 1
        if joins:
            y = Value(y.module, _joined(read), reduce(add, (value.channels for value in read)))
        y = self.step(node.then, y, f"{path}.then")
        last = (("then", y.module),) if y.module != IDENTITY else ()
        return y.then(Call("ConcatNode" if joins else "SumNode", tuple(edges), last))


COMPOSITES: dict[type, Callable[..., Value]] = {
    spec.Identity: StepLowering.identity,
    spec.Act: StepLowering.act_alone,
    spec.Narrow: StepLowering.narrow,
    spec.Conv: StepLowering.conv,
    spec.Depthwise: StepLowering.depthwise,
    spec.Chain: StepLowering.chain,
    spec.Concat: StepLowering.branches,
    spec.Block: StepLowering.nested,
    spec.Dag: StepLowering.nested,
    spec.Repeat: StepLowering.nested,
    spec.Use: StepLowering.nested,
}


def _joined(values: Sequence[Value]) -> FeatureMap:
    return ops.Concat().infer(tuple(value.type for value in values)) if len(values) > 1 else values[0].type  # type: ignore[return-value]


def _factor_doc(step: spec.Conv) -> str:
    h, w = step.kernel
    row, col = f"1x{w}", f"{h}x1"
    if step.factor in PARALLEL:
        return f"A {row} convolution beside a {col} convolution, concatenated"
    first, second = (row, col) if step.factor == "row_col" else (col, row)
    return f"A {h}x{w} convolution as {first} and {second}"


def _block_doc(step: spec.Block) -> str:
    kind = "Block" if step.skip == "none" else "Residual block"
    return in_words(step.body, kind)


def _dag_doc(step: spec.Dag) -> str:
    if len(step.nodes) == 1:
        return "Steps on one input, joined"
    return f"Cell of {len(step.nodes)} nodes, each computed from earlier ones; the last one is the output"


# The steps that become classes: what is in the class, and its docstring.
CLASSES: dict[type, tuple[Callable[..., Content], Callable[[Any], str]]] = {
    spec.Concat: (StepLowering.concat_content, in_words),
    spec.Block: (StepLowering.block_content, _block_doc),
    spec.Dag: (StepLowering.dag_content, _dag_doc),
    spec.Chain: (StepLowering.chain_content, in_words),
}
