"""The generated code: one line for each call of a plan, with the document's path at its end."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

from inception_search.execution.branches import Fork
from inception_search.execution.fuse import Plan, Step
from inception_search.execution.kernels import fused_arguments
from inception_search.graph.op import Op
from inception_search.graph.ops import (
    Act,
    Add,
    BatchNorm,
    Concat,
    Conv,
    Dropout,
    Flatten,
    GlobalPool,
    Input,
    Linear,
    Narrow,
    Normalize,
    Pool,
    Scale,
    Zero,
)
from inception_search.graph.torch_modules import tf_zeros
from inception_search.graph.types import FeatureMap
from inception_search.passes.rewrite import common_path

_COMMENT_AT = 100  # column of the comments, where lines are short enough
# Kind of an activation -> its call on a value, and the one that overwrites the value
_ACTS = {
    "relu": ("torch.relu({})", "torch.relu_({})"),
    "relu6": ("F.relu6({})", "F.relu6({}, inplace=True)"),
    "leaky_relu": ("F.leaky_relu({})", "F.leaky_relu({}, inplace=True)"),
    "elu": ("F.elu({})", "F.elu({}, inplace=True)"),
    "gelu": ("F.gelu({})", "F.gelu({})"),
    "silu": ("F.silu({})", "F.silu({}, inplace=True)"),
    "tanh": ("torch.tanh({})", "torch.tanh_({})"),
    "sigmoid": ("torch.sigmoid({})", "torch.sigmoid_({})"),
}
SIMPLE_POOLS = ("max", "avg")


class Source:
    """Writes the code of a plan.

    Args:
        plan: the plan.
        dtype: "float32" or "bfloat16".
        batch_size: the number of images.
        fused: the values of convolutions that are one fused call; the others are plain ATen.
        overwrites: use calls that write their result over a value that nothing reads any more.
    """

    def __init__(
        self, plan: Plan, dtype: str, batch_size: int, fused: Collection[int], *, overwrites: bool = True
    ) -> None:
        self.plan, self.dtype, self.batch_size, self.fused = plan, dtype, batch_size, fused
        self.overwrites = overwrites
        self.graph = plan.graph
        self.names = {step.value: f"v{number}" for number, step in enumerate(plan.steps)}

    def text(self, forks: Sequence[Fork] = ()) -> str:
        """The code of a function ``run(images)``.

        Args:
            forks: concatenations whose branches are launched on streams of their own. What a branch reads from outside
                is kept until the streams are joined, because another stream could reuse its memory.
        """
        lines = ["def run(images):"]
        begins, joins = {fork.begin for fork in forks}, {fork.join for fork in forks}
        branch_of = {position: number for fork in forks for position, number in fork.branch_of.items()}
        at = {step.value: position for position, step in enumerate(self.plan.steps)}
        kept: list[int] = []
        for position, step in enumerate(self.plan.steps):
            lines += ["    streams.fork()"] if position in begins else []
            lines += ["    streams.join()"] if position in joins else []
            branch = branch_of.get(position, 0)
            beside = f"with streams.branch({branch}): " if branch else ""
            call = f"    {beside}{self.names[step.value]} = {self.call(position, step)}"
            lines.append(f"{call:<{_COMMENT_AT}}  # {self.comment(step)}")
            dead, kept = [*kept, *self.plan.dead_after[position]], []
            if any(fork.begin <= position < fork.join for fork in forks):
                alone = position in branch_of  # a value of this branch that only this branch reads
                kept = [value for value in dead if not alone or branch_of.get(at[value]) != branch]
            gone = [self.names[value] for value in dead if value not in kept]
            lines += [f"    del {', '.join(gone)}"] if gone else []
        lines.append(f"    return {self.names[self.plan.output]}")
        return "\n".join(lines) + "\n"

    def comment(self, step: Step) -> str:
        """The path in the document and the shape of the value."""
        return f"{common_path(step.paths)}: {self.batch_size}x{self.graph.nodes[step.value].type}"

    def call(self, position: int, step: Step) -> str:
        """The expression that computes a step."""
        op = step.node.op
        names = [self.names[value] for value in step.reads]
        if type(op) is Conv:
            return self.conv(position, step, op, names[0])
        if type(op) is Act:
            plain, over = _ACTS[op.kind]
            return (over if self.over(position, step.reads[0]) else plain).format(names[0])
        if type(op) is Add:
            return self.add(position, step, op, names)
        write = _WRITERS.get(type(op))
        found = None if write is None else write(self, step, op, *names)
        return found or self.module(step, names)

    def conv(self, position: int, step: Step, op: Conv, x: str) -> str:
        """A convolution with its sum and activation."""
        zeros = self.uneven_zeros(step, op)
        if zeros is not None:
            x = f"F.pad({x}, {zeros})"
        padding, stride, dilation, groups = self.place(step, op)
        weight = f"w[{step.node.path!r}], b[{step.node.path!r}]"
        if step.value not in self.fused:
            value = f"torch.conv2d({x}, {weight}, {stride}, {padding}, {dilation}, {groups})"
            value = value if step.addend is None else f"torch.add({self.names[step.addend]}, {value})"
            return value if step.act is None else _ACTS[step.act][self.overwrites].format(value)
        rest = f"{weight}, {padding}, {stride}, {dilation}, {groups}, "
        rest += ", ".join(map(repr, fused_arguments(step.act, step.addend is not None)))
        if step.addend is None:
            return f"conv({x}, {rest})"
        other = self.names[step.addend]
        over = self.over(position, step.addend)
        return f"conv_add_({other}, {x}, {rest})" if over else f"conv_add({x}, {other}, {rest})"

    def over(self, position: int, value: int) -> bool:
        """Whether a call writes its result over ``value``."""
        return self.overwrites and self.plan.overwritable(position, value)

    def place(self, step: Step, op: Conv) -> tuple[list[int], list[int], list[int], int]:
        """Padding, stride, dilation and groups of a convolution."""
        padding = [0, 0]
        if op.padding != "tf":
            padding = list(op.padding)
        elif self.uneven_zeros(step, op) is None:
            left, _, top, _ = self.zeros(step, op)
            padding = [top, left]
        return padding, list(op.stride), list(op.dilation), op.groups

    def zeros(self, step: Step, op: Conv) -> tuple[int, int, int, int]:
        """(left, right, top, bottom) zeros of TensorFlow's padding."""
        read = self.graph.nodes[step.reads[0]].type
        assert isinstance(read, FeatureMap)
        return tf_zeros((read.height, read.width), op.kernel, op.stride, op.dilation)

    def uneven_zeros(self, step: Step, op: Conv) -> tuple[int, int, int, int] | None:
        """As :meth:`zeros`, if a convolution cannot add them itself."""
        if op.padding != "tf":
            return None
        left, right, top, bottom = found = self.zeros(step, op)
        return None if (left, top) == (right, bottom) else found

    def add(self, position: int, step: Step, op: Add, names: list[str]) -> str:
        """A sum; it overwrites the first value where that is allowed."""
        alpha = "" if op.scale == 1.0 else f", alpha={op.scale!r}"
        over = self.over(position, step.reads[0])
        value = f"{names[0]}.add_({names[1]}{alpha})" if over else f"torch.add({names[0]}, {names[1]}{alpha})"
        for name in names[2:]:
            value = f"{value}.add{'_' if self.overwrites else ''}({name}{alpha})"
        return value

    def module(self, step: Step, names: list[str]) -> str:
        """A call of a module; those that keep no weights of the network, and plug-ins, compute in float32."""
        call = f"module[{step.node.path!r}]({', '.join(self.as_float(name) for name in names)})"
        return call if self.dtype == "float32" else f"{call}.to(dtype)"

    def as_float(self, name: str) -> str:
        """``name`` in float32."""
        return name if self.dtype == "float32" else f"{name}.float()"


def needs_module(op: Op) -> bool:
    """Whether generated code calls a module for ``op``."""
    return (type(op) not in _WRITERS and type(op) not in (Conv, Act, Add)) or (type(op) is Pool and not _is_simple(op))


def _is_simple(op: Pool) -> bool:
    return op.padding != "tf" and op.mode in SIMPLE_POOLS


def _input(source: Source, step: Step, op: Input) -> str:
    return "images.to(dtype=dtype, memory_format=torch.channels_last)"


def _pool(source: Source, step: Step, op: Pool, x: str) -> str | None:
    if not _is_simple(op):
        return None
    place = f"{op.kernel}, {op.stride}, {op.padding}"
    if op.mode == "max":
        return f"torch.max_pool2d({x}, {place}, 1, {op.ceil})"
    return f"F.avg_pool2d({x}, {place}, {op.ceil}, {op.count_pad})"


def _global_pool(source: Source, step: Step, op: GlobalPool, x: str) -> str:
    return f"{x}.mean((2, 3), keepdim=True)" if op.mode == "avg" else f"{x}.amax((2, 3), keepdim=True)"


def _batch_norm(source: Source, step: Step, op: BatchNorm, x: str) -> str:
    path = repr(step.node.path)
    return f"torch.addcmul(shift[{path}], {x}, scale[{path}])"


def _linear(source: Source, step: Step, op: Linear, x: str) -> str:
    path = repr(step.node.path)
    value = f"F.linear({x}, w[{path}], b[{path}])"
    return value if step.act is None else _ACTS[step.act][source.overwrites].format(value)


_WRITERS: dict[type[Op], Callable[..., Any]] = {
    BatchNorm: _batch_norm,
    Concat: lambda source, step, op, *names: f"torch.cat(({', '.join(names)}), 1)",
    Dropout: lambda source, step, op, x: x,
    Flatten: lambda source, step, op, x: f"{x}.flatten(1)",
    GlobalPool: _global_pool,
    Input: _input,
    Linear: _linear,
    Narrow: lambda source, step, op, x: f"{x}.narrow(1, {op.start}, {op.width})",
    Normalize: lambda source, step, op, x: f"F.normalize({x})",
    Pool: _pool,
    Scale: lambda source, step, op, x: f"{x} * {op.factor!r}",
    Zero: lambda source, step, op, x: f"torch.zeros_like({x})",
}
