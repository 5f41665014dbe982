"""The steps of a network: a closed union of small frozen values, discriminated by ``kind``.

The only composites are :class:`Chain` (in series) and :class:`Concat` (side by side, joined on channels);
:class:`Block` puts a residual toggle around a body, :class:`Repeat` writes a body several times with its own
weights each time, :class:`Use` names a block of the network. Trees are valid by construction: a chain in a
chain, an identity in a chain or a one-branch concat cannot exist. Use :func:`chain` and :func:`concat`, which
tidy; the raw constructors refuse.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Annotated, Literal, TypeAlias

from pydantic import Field, TypeAdapter, model_validator

from inception_search.spec.convolution import Conv as Conv
from inception_search.spec.convolution import Depthwise as Depthwise
from inception_search.spec.convolution import check_same
from inception_search.spec.limits import MAX_REPEAT
from inception_search.spec.model import Activation, Finite, Flag, Name, Padding, Probability, Size, SpecModel


class Pool(SpecModel):
    """Pooling over ``kernel`` (height, width); l2 is the root of the summed squares.

    ``count_pad``: an average divides by the whole window, its padding included; ``ceil``: the output size is
    rounded up. None of either means the network's ``pool_defaults``.
    """

    kind: Literal["pool"] = "pool"
    mode: Literal["max", "avg", "l2"]
    kernel: tuple[Size, Size] = (3, 3)
    stride: Size = 1
    padding: Padding = "same"
    count_pad: Flag | None = None
    ceil: Flag | None = None

    @model_validator(mode="after")
    def _check(self) -> Pool:
        check_same(self.kernel, self.padding)
        if isinstance(self.padding, tuple) and any(2 * p > k for p, k in zip(self.padding, self.kernel, strict=True)):
            raise ValueError(f"padding {list(self.padding)} is more than half the kernel {list(self.kernel)}")
        return self


class AdaptivePool(SpecModel):
    """Pooling to a map of ``size`` (height, width), whatever the input's (torchvision's GoogLeNet: 4×4)."""

    kind: Literal["adaptive_pool"] = "adaptive_pool"
    mode: Literal["max", "avg"] = "avg"
    size: tuple[Size, Size]


class Lrn(SpecModel):
    """Local response normalisation across ``size`` channels (GoogLeNet; Krizhevsky et al. 2012, section 3.3)."""

    kind: Literal["lrn"] = "lrn"
    size: Size = 5
    alpha: Finite = 1e-4
    beta: Finite = 0.75
    k: Finite = 1.0


class Dropout(SpecModel):
    """Zero each element with probability ``p`` in training."""

    kind: Literal["dropout"] = "dropout"
    p: Probability = 0.5


class Norm(SpecModel):
    """The network's normalisation, alone."""

    kind: Literal["norm"] = "norm"


class Act(SpecModel):
    """One activation, alone."""

    kind: Literal["act"] = "act"
    name: Activation = "relu"


class Identity(SpecModel):
    """Passes its input on: a shortcut branch of a concat."""

    kind: Literal["identity"] = "identity"


class Absent(SpecModel):
    """A branch that is not there; :func:`concat` drops it."""

    kind: Literal["absent"] = "absent"


class Chain(SpecModel):
    """Two steps or more in series."""

    kind: Literal["chain"] = "chain"
    steps: tuple[Step, ...]

    @model_validator(mode="after")
    def _check(self) -> Chain:
        if len(self.steps) < 2:
            raise ValueError("a chain has two steps or more; write the step alone")
        _refuse("chain", self.steps, Chain, Identity, Absent)
        return self


class Concat(SpecModel):
    """Two branches or more side by side, joined on the channel axis in this order."""

    kind: Literal["concat"] = "concat"
    branches: tuple[Step, ...]

    @model_validator(mode="after")
    def _check(self) -> Concat:
        if len(self.branches) < 2:
            raise ValueError("a concat has two branches or more; write the branch alone")
        _refuse("concat", self.branches, Absent)
        return self


class Block(SpecModel):
    """A body with a residual toggle: ``act(x + scale * project(body(x)))``, without ``x +`` when skip is none.

    ``project`` is a 1×1 convolution to the block's input width: ``linear`` with a bias and neither norm nor
    activation (Inception-ResNet), ``conv`` with the network's norm and activation.
    """

    kind: Literal["block"] = "block"
    body: Step
    skip: Literal["none", "add"] = "none"
    project: Literal["none", "linear", "conv"] = "none"
    scale: Finite = 1.0
    act: Activation = "none"

    @model_validator(mode="after")
    def _check(self) -> Block:
        _refuse("block", (self.body,), Absent)
        return self

    @property
    def trivial(self) -> bool:
        """Whether the block computes exactly its body."""
        return self.skip == "none" and self.project == "none" and self.scale == 1.0 and self.act == "none"


class Repeat(SpecModel):
    """``body`` written ``times`` times in series, each with its own weights."""

    kind: Literal["repeat"] = "repeat"
    times: Annotated[int, Field(strict=True, ge=1, le=MAX_REPEAT)]
    body: Step

    @model_validator(mode="after")
    def _check(self) -> Repeat:
        _refuse("repeat", (self.body,), Absent, Identity)
        return self


class Use(SpecModel):
    """The block of that name, with weights of its own at this place."""

    kind: Literal["use"] = "use"
    name: Name


Step: TypeAlias = Annotated[
    Conv
    | Depthwise
    | Pool
    | AdaptivePool
    | Lrn
    | Dropout
    | Norm
    | Act
    | Identity
    | Absent
    | Chain
    | Concat
    | Block
    | Repeat
    | Use,
    Field(discriminator="kind"),
]
AnyStep: TypeAlias = (
    Conv
    | Depthwise
    | Pool
    | AdaptivePool
    | Lrn
    | Dropout
    | Norm
    | Act
    | Identity
    | Absent
    | Chain
    | Concat
    | Block
    | Repeat
    | Use
)
COMPOSITES = (Chain, Concat, Block, Repeat)
KINDS: dict[str, type[SpecModel]] = {
    "conv": Conv,
    "depthwise": Depthwise,
    "pool": Pool,
    "adaptive_pool": AdaptivePool,
    "lrn": Lrn,
    "dropout": Dropout,
    "norm": Norm,
    "act": Act,
    "identity": Identity,
    "absent": Absent,
    "chain": Chain,
    "concat": Concat,
    "block": Block,
    "repeat": Repeat,
    "use": Use,
}

for _model in COMPOSITES:
    _model.model_rebuild()
STEP: TypeAdapter[AnyStep] = TypeAdapter(Step)


def chain(*steps: AnyStep) -> AnyStep:
    """Steps in series, tidied: chains spliced in, identities dropped, one step returned alone."""
    flat = tuple(_spliced(steps))
    if len(flat) == 1:
        return flat[0]
    return Chain(steps=flat) if flat else Identity()


def concat(*branches: AnyStep) -> AnyStep:
    """Branches side by side, tidied: absent ones dropped, one branch returned alone, none is ``absent``."""
    present = tuple(b for b in branches if not isinstance(b, Absent))
    if len(present) == 1:
        return present[0]
    return Concat(branches=present) if present else Absent()


def children(step: AnyStep) -> tuple[tuple[tuple[str | int, ...], AnyStep], ...]:
    """The steps directly inside ``step``, each with the fields that lead to it: ``(("branches", 0), step)``."""
    if isinstance(step, Chain):
        return tuple((("steps", i), s) for i, s in enumerate(step.steps))
    if isinstance(step, Concat):
        return tuple((("branches", i), s) for i, s in enumerate(step.branches))
    if isinstance(step, Block | Repeat):
        return ((("body",), step.body),)
    return ()


def _spliced(steps: Iterable[AnyStep]) -> Iterator[AnyStep]:
    for step in steps:
        if isinstance(step, Chain):
            yield from step.steps
        elif not isinstance(step, Identity):
            yield step


def _refuse(where: str, steps: Iterable[AnyStep], *kinds: type[SpecModel]) -> None:
    for index, step in enumerate(steps):
        if isinstance(step, kinds):
            mend = "only a concat drops absent branches" if step.kind == "absent" else "chain() tidies it away"
            raise ValueError(f"a {where} cannot hold {step.kind!r} (position {index}); {mend}")
