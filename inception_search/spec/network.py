"""The network document: named stages in series, a head, auxiliary classifiers tapped from stages."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field, PrivateAttr, model_validator

from inception_search.spec.limits import MAX_IMAGE_SIDE, MAX_UNROLLED_STEPS
from inception_search.spec.step import (
    Absent,
    Activation,
    AnyStep,
    Finite,
    Flag,
    Identity,
    Name,
    Probability,
    Repeat,
    SpecModel,
    Step,
    Use,
    Width,
    children,
)

SCHEMA = "inception-search/network"
VERSION = 1
Side: TypeAlias = Annotated[int, Field(strict=True, ge=1, le=MAX_IMAGE_SIDE)]
Place: TypeAlias = tuple[str | int, ...]


@dataclass(frozen=True)
class Source:
    """Where a network was read from: its file and the line of every place of the document."""

    file: str | None = None
    lines: dict[Place, int] = field(default_factory=dict)

    def line(self, place: Place) -> int | None:
        """The line of ``place`` or of the nearest place around it."""
        while place and place not in self.lines:
            place = place[:-1]
        return self.lines.get(place)


class Input(SpecModel):
    """The input image, (channels, height, width)."""

    channels: Width = 3
    height: Side = 224
    width: Side = 224

    @property
    def shape(self) -> tuple[int, int, int]:
        """(C, H, W)."""
        return (self.channels, self.height, self.width)


class BatchNorm(SpecModel):
    """Batch normalisation; ``momentum`` is the weight of the new batch (PyTorch's convention)."""

    kind: Literal["batch"] = "batch"
    eps: Annotated[float, Field(strict=True, gt=0.0, lt=1.0)] = 1e-3
    momentum: Annotated[float, Field(strict=True, gt=0.0, le=1.0)] = 0.1
    gamma: Flag = True


class ConvDefaults(SpecModel):
    """What follows every convolution that is not ``linear``; ``bias`` says whether it has one of its own."""

    norm: BatchNorm | None = BatchNorm()
    act: Activation = "relu"
    bias: Flag = False


class PoolDefaults(SpecModel):
    """What a pool that does not say otherwise does (see :class:`~inception_search.spec.step.Pool`)."""

    count_pad: Flag = False
    ceil: Flag = False


class Head(SpecModel):
    """Classifier: global pooling (``none``: flatten), hidden layers with activation, dropout, linear."""

    pool: Literal["avg", "max", "none"] = "avg"
    hidden: tuple[Width, ...] = Field(default=(), max_length=16)
    dropout: Probability = 0.0
    classes: Width = 1000


class Aux(SpecModel):
    """An auxiliary classifier on the output of stage ``after``; ``weight`` is that of its loss.

    Its number of classes is the head's. Dropped at inference (GoogLeNet, section 5).
    """

    after: Name
    body: Step = Identity()
    pool: Literal["avg", "max", "none"] = "none"
    hidden: tuple[Width, ...] = Field(default=(), max_length=16)
    dropout: Probability = 0.0
    weight: Finite = 0.3


class Network(SpecModel):
    """A whole network. Equality ignores where it was read from."""

    schema_: Literal["inception-search/network"] = Field(default="inception-search/network", alias="schema")
    version: Literal[1] = 1
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.@-]{0,79}$")]
    source: Annotated[str, Field(max_length=2000)] = ""
    input: Input = Input()
    conv_defaults: ConvDefaults = ConvDefaults()
    pool_defaults: PoolDefaults = PoolDefaults()
    blocks: dict[Name, Step] = {}
    stages: dict[Name, Step]
    head: Head = Head()
    aux: dict[Name, Aux] = {}

    _source: Source = PrivateAttr(default_factory=Source)

    @model_validator(mode="after")
    def _check(self) -> Network:
        if not self.stages:
            raise ValueError("a network has one stage or more")
        for reserved in ("head", "aux"):
            if reserved in self.stages:
                raise ValueError(f"{reserved!r} is taken by the network's {reserved}; give the stage another name")
        for name, step in (*self.blocks.items(), *self.stages.items()):
            if isinstance(step, Absent):
                raise ValueError(f"{name!r} is absent; leave it out")
        for name, aux in self.aux.items():
            if aux.after not in self.stages:
                raise ValueError(f"aux {name!r} is after unknown stage {aux.after!r}; stages: {', '.join(self.stages)}")
        _check_size(self)
        return self

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Network) or self.__dict__ != other.__dict__:
            return False
        return list(self.stages) == list(other.stages) and list(self.aux) == list(other.aux)  # order has a meaning

    def __hash__(self) -> int:
        return hash((self.name, tuple(self.stages.items()), self.head))

    @property
    def origin(self) -> Source:
        """The file and lines this network was read from."""
        return self._source

    def resolve(self, step: AnyStep) -> AnyStep:
        """The block a :class:`~inception_search.spec.step.Use` names; any other step as it is."""
        return self.blocks[step.name] if isinstance(step, Use) else step

    def to_dict(self) -> dict[str, Any]:
        """The stored (long) form: plain JSON data, defaults left out."""
        data = super().to_dict()
        data.pop("schema_", None)
        return {"schema": SCHEMA, "version": VERSION, **data}


def with_source(network: Network, source: Source) -> Network:
    """``network`` remembering where it was read from (the same object)."""
    network._source = source
    return network


def _check_size(network: Network) -> None:
    """Every use names a block, no block contains itself, and the written-out network is not too large."""
    sizes: dict[str, int] = {}
    total = sum(_unrolled(step, network.blocks, sizes, ()) for step in network.stages.values())
    for step in (*network.blocks.values(), *(aux.body for aux in network.aux.values())):
        total = max(total, _unrolled(step, network.blocks, sizes, ()))
    if total > MAX_UNROLLED_STEPS:
        raise ValueError(f"the network has {total} steps written out; the limit is {MAX_UNROLLED_STEPS}")


def _unrolled(step: AnyStep, blocks: dict[str, Step], sizes: dict[str, int], inside: tuple[str, ...]) -> int:
    if isinstance(step, Use):
        if step.name in inside:
            raise ValueError(f"block {step.name!r} contains itself: {' -> '.join((*inside, step.name))}")
        if step.name not in blocks:
            raise ValueError(f"unknown block {step.name!r}; blocks: {', '.join(blocks) or 'none'}")
        if step.name not in sizes:
            sizes[step.name] = _unrolled(blocks[step.name], blocks, sizes, (*inside, step.name))
        return sizes[step.name]
    parts = children(step)
    if not parts:
        return 1
    times = step.times if isinstance(step, Repeat) else 1
    return times * sum(_unrolled(part, blocks, sizes, inside) for _, part in parts)
