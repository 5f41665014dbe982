"""The steps of a network: a closed union of small frozen values, discriminated by ``kind``.

The composites are :class:`Chain` (in series) and :class:`Concat` (side by side, joined on channels);
:class:`Block` puts a residual toggle around a body, :class:`Repeat` puts copies of a body in series, each with its
own weights, :class:`Dag` wires steps freely, and :class:`Use` names a block of the network. Trees are valid by
construction: a chain in a chain, an identity in a chain or a one-branch concat cannot exist. The functions
:func:`chain` and :func:`concat` simplify these cases; the constructors raise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field, TypeAdapter, model_validator

from inception_search.spec.base_model import Activation, Finite, Name, SpecModel, Stride, trusted
from inception_search.spec.convolution import Conv as Conv
from inception_search.spec.convolution import Depthwise as Depthwise
from inception_search.spec.convolution import check_pair
from inception_search.spec.display import Pictured
from inception_search.spec.leaf_steps import Absent as Absent
from inception_search.spec.leaf_steps import Act as Act
from inception_search.spec.leaf_steps import AdaptivePool as AdaptivePool
from inception_search.spec.leaf_steps import Dropout as Dropout
from inception_search.spec.leaf_steps import Identity as Identity
from inception_search.spec.leaf_steps import Lrn as Lrn
from inception_search.spec.leaf_steps import Narrow as Narrow
from inception_search.spec.leaf_steps import Norm as Norm
from inception_search.spec.leaf_steps import Pool as Pool
from inception_search.spec.leaf_steps import Zero as Zero
from inception_search.spec.limits import MAX_DAG_INPUTS, MAX_DAG_NODES, MAX_REPEAT
from inception_search.spec.source_map import RuleError


class Chain(Pictured, SpecModel):
    """Two or more steps in series."""

    kind: Literal["chain"] = "chain"
    steps: tuple[Step, ...]

    @model_validator(mode="after")
    def _check(self) -> Chain:
        if len(self.steps) < 2:
            raise ValueError("a chain has two steps or more; write the step alone")
        _refuse("chain", self.steps, Chain, Identity, Absent)
        return self


class Concat(Pictured, SpecModel):
    """Two or more parallel branches, concatenated on the channel axis in this order."""

    kind: Literal["concat"] = "concat"
    branches: tuple[Step, ...]

    @model_validator(mode="after")
    def _check(self) -> Concat:
        if len(self.branches) < 2:
            raise ValueError("a concat has two branches or more; write the branch alone")
        _refuse("concat", self.branches, Absent)
        return self


class Block(Pictured, SpecModel):
    """A body with a residual toggle: ``act(x + scale * project(body(x)))``, without ``x +`` if ``skip`` is none.

    ``project`` is a 1×1 convolution to the block's input width: ``linear`` with a bias and neither norm nor
    activation (Inception-ResNet), ``conv`` with the network's norm and activation.
    ``skip: project`` replaces ``x`` in the sum by a 1×1 convolution of ``x`` to the width of the other summand, with
    ``stride`` and the network's norm, without activation (ResNet's projection shortcut: 1512.03385, Eq. 2).
    """

    kind: Literal["block"] = "block"
    body: Step
    skip: Literal["none", "add", "project"] = "none"
    project: Literal["none", "linear", "conv"] = "none"
    scale: Finite = 1.0
    act: Activation = "none"
    stride: Stride = 1

    @model_validator(mode="after")
    def _check(self) -> Block:
        _refuse("block", (self.body,), Absent)
        check_pair("stride", self.stride)
        if self.stride != 1 and self.skip != "project":
            raise ValueError("stride is that of the projected skip; write skip: project, or drop stride")
        return self

    @property
    def trivial(self) -> bool:
        """Whether the block computes exactly its body."""
        return self.skip == "none" and self.project == "none" and self.scale == 1.0 and self.act == "none"


class Repeat(Pictured, SpecModel):
    """``times`` copies of ``body`` in series, each with its own weights."""

    kind: Literal["repeat"] = "repeat"
    times: Annotated[int, Field(strict=True, ge=1, le=MAX_REPEAT)]
    body: Step

    @model_validator(mode="after")
    def _check(self) -> Repeat:
        _refuse("repeat", (self.body,), Absent, Identity)
        return self


class DagInput(SpecModel):
    """One edge of a :class:`Dag`: the output of ``step`` on the value of ``node`` (0 is the input of the dag)."""

    node: Annotated[int, Field(strict=True, ge=0)]
    step: Step = Identity()

    @model_validator(mode="after")
    def _check(self) -> DagInput:
        if isinstance(self.step, Absent):
            raise RuleError("a dag cannot hold 'absent'; leave the input out, or write zero", "step")
        return self


class DagNode(SpecModel):
    """One value of a :class:`Dag`: its inputs joined (summed, or concatenated on channels), then ``then``."""

    join: Literal["add", "concat"] = "add"
    inputs: tuple[DagInput, ...] = Field(min_length=1, max_length=MAX_DAG_INPUTS)
    then: Step = Identity()

    @model_validator(mode="after")
    def _check(self) -> DagNode:
        if isinstance(self.then, Absent):
            raise RuleError("a dag cannot hold 'absent'; write identity, or leave then out", "then")
        return self


class Dag(Pictured, SpecModel):
    """A small directed acyclic graph of steps, for cells that are not made of chains and branches.

    ``nodes`` are numbered from 1; node 0 is the input, the last node the output. Each node reads earlier ones, and all
    but the last are read (NAS-Bench-101: Ying et al. 2019, 1902.09635, section 2; NAS-Bench-201: 2001.00326).
    """

    kind: Literal["dag"] = "dag"
    nodes: tuple[DagNode, ...] = Field(min_length=1, max_length=MAX_DAG_NODES)

    @model_validator(mode="after")
    def _check(self) -> Dag:
        _check_wiring([[entry.node for entry in node.inputs] for node in self.nodes])
        return self


class Use(SpecModel):
    """A use of the block ``name`` of the network, with its own weights."""

    kind: Literal["use"] = "use"
    name: Name


AnyStep: TypeAlias = (
    Conv
    | Depthwise
    | Pool
    | AdaptivePool
    | Lrn
    | Dropout
    | Norm
    | Act
    | Zero
    | Narrow
    | Identity
    | Absent
    | Chain
    | Concat
    | Block
    | Repeat
    | Dag
    | Use
)
Step: TypeAlias = Annotated[AnyStep, Field(discriminator="kind")]
COMPOSITES = (Chain, Concat, Block, Repeat, Dag)
KINDS: dict[str, type[SpecModel]] = {
    "conv": Conv,
    "depthwise": Depthwise,
    "pool": Pool,
    "adaptive_pool": AdaptivePool,
    "lrn": Lrn,
    "dropout": Dropout,
    "norm": Norm,
    "act": Act,
    "zero": Zero,
    "narrow": Narrow,
    "identity": Identity,
    "absent": Absent,
    "chain": Chain,
    "concat": Concat,
    "block": Block,
    "repeat": Repeat,
    "dag": Dag,
    "use": Use,
}

for _model in (DagInput, DagNode, *COMPOSITES):
    _model.model_rebuild()
STEP: TypeAdapter[AnyStep] = TypeAdapter(Step)


_IN_CONCAT = frozenset(KINDS.values()) - {Absent}
_IN_CHAIN = _IN_CONCAT - {Chain, Identity}


def chain(*steps: AnyStep) -> AnyStep:
    """Steps in series, tidied: chains spliced in, identities dropped, one step returned alone."""
    flat = tuple(_spliced(steps))
    if len(flat) == 1:
        return flat[0]
    if flat and _IN_CHAIN.issuperset(map(type, flat)):
        return trusted(Chain, {"kind": "chain", "steps": flat})
    return Chain(steps=flat) if flat else Identity()


def concat(*branches: AnyStep) -> AnyStep:
    """Parallel branches, tidied: absent ones dropped, one branch returned alone, ``absent`` for none."""
    present = tuple(b for b in branches if not isinstance(b, Absent))
    if len(present) == 1:
        return present[0]
    if present and _IN_CONCAT.issuperset(map(type, present)):
        return trusted(Concat, {"kind": "concat", "branches": present})
    return Concat(branches=present) if present else Absent()


def children(step: AnyStep) -> tuple[tuple[tuple[str | int, ...], AnyStep], ...]:
    """The steps directly inside ``step``, each with the fields that lead to it: ``(("branches", 0), step)``."""
    rule = CHILDREN.get(type(step))
    return rule(step) if rule else ()


def _inside_dag(dag: Dag) -> Iterator[tuple[tuple[str | int, ...], AnyStep]]:
    for i, node in enumerate(dag.nodes):
        for j, entry in enumerate(node.inputs):
            yield ("nodes", i, "inputs", j, "step"), entry.step
        yield ("nodes", i, "then"), node.then


CHILDREN: dict[type[SpecModel], Callable[[Any], tuple[tuple[tuple[str | int, ...], AnyStep], ...]]] = {
    Chain: lambda step: tuple([(("steps", i), part) for i, part in enumerate(step.steps)]),
    Concat: lambda step: tuple([(("branches", i), part) for i, part in enumerate(step.branches)]),
    Block: lambda step: ((("body",), step.body),),
    Repeat: lambda step: ((("body",), step.body),),
    Dag: lambda step: tuple(_inside_dag(step)),
}


def _spliced(steps: Iterable[AnyStep]) -> Iterator[AnyStep]:
    for step in steps:
        if isinstance(step, Chain):
            yield from step.steps
        elif not isinstance(step, Identity):
            yield step


def _refuse(where: str, steps: Iterable[AnyStep], *kinds: type[SpecModel]) -> None:
    for index, step in enumerate(steps):
        if isinstance(step, kinds):
            hint = "only a concat drops absent branches" if step.kind == "absent" else "chain() tidies it away"
            raise ValueError(f"a {where} cannot hold {step.kind!r} (position {index}); {hint}")


def _check_wiring(reads: Sequence[Sequence[int]]) -> None:
    """Raise :class:`RuleError` unless every node reads earlier ones, and all but the last (the output) are read.

    ``reads[i]`` are the numbers of the nodes that node i + 1 reads; 0 is the input.
    """
    for index, sources in enumerate(reads):
        for position, source in enumerate(sources):
            if source > index:
                rule = f"node {index + 1} reads node {source}; a node reads earlier ones, 0 (the input) to {index}"
                raise RuleError(rule, "nodes", index, "inputs", position)
    read = {source for sources in reads for source in sources}
    for index in range(len(reads) - 1):
        if index + 1 not in read:
            rule = f"node {index + 1} does not reach the output, node {len(reads)}; read it, or leave it out"
            raise RuleError(rule, "nodes", index)
