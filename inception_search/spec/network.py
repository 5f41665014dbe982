"""The network document: named stages in series, a head, auxiliary classifiers tapped from stages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, TypeAlias, get_args

from pydantic import Field, PrivateAttr, model_validator

from inception_search.errors import did_you_mean
from inception_search.spec.limits import MAX_IMAGE_SIDE, MAX_STEP_DEPTH, MAX_UNROLLED_STEPS
from inception_search.spec.module_names import is_taken
from inception_search.spec.step import (
    COMPOSITES,
    KINDS,
    Absent,
    Activation,
    AnyStep,
    Block,
    Chain,
    Concat,
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
_LEAVES = frozenset(KINDS.values()) - {*COMPOSITES, Use}
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

    def without(self, *place: str | int) -> Source:
        """The same without the lines at and inside ``place``, which is no longer what was read there."""
        kept = {at: line for at, line in self.lines.items() if at[: len(place)] != place}
        return Source(self.file, kept)


class RuleError(ValueError):
    """A broken rule and the place in the network that breaks it."""

    def __init__(self, rule: str, *place: str | int) -> None:
        super().__init__(rule)
        self.place = place


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
        for taken in ("input", "head", "aux"):
            if taken in self.stages:
                rule = f"{taken!r} is taken by the network's {taken}; give the stage another name"
                raise RuleError(rule, "stages", taken)
        for section, name in (*(("stages", name) for name in self.stages), *(("aux", name) for name in self.aux)):
            if is_taken(name):
                rule = f"{name!r} is a word of Python or PyTorch, where it becomes a module; give it another name"
                raise RuleError(rule, section, name)
        for place, step in _sections(self):
            if isinstance(step, Absent):
                raise RuleError(f"{place[1]!r} is absent; leave it out", *place)
        for name, aux in self.aux.items():
            if aux.after not in self.stages:
                mend = did_you_mean(aux.after, self.stages) or f"stages: {', '.join(self.stages)}"
                raise RuleError(f"aux {name!r} is after unknown stage {aux.after!r}; {mend}", "aux", name, "after")
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


def check_step_size(step: AnyStep) -> None:
    """A :class:`RuleError` when ``step`` is too large or too deep written out; the blocks it uses count as one."""
    _within_limit(_written_out(step, (), None, {})[0])


def _sections(network: Network) -> Iterator[tuple[Place, AnyStep]]:
    """The outermost steps of ``network``, each with its place."""
    yield from ((("stages", name), step) for name, step in network.stages.items())
    yield from ((("blocks", name), step) for name, step in network.blocks.items())
    yield from ((("aux", name, "body"), aux.body) for name, aux in network.aux.items())


def _check_size(network: Network) -> None:
    """Every use names a block, no block contains itself, and the written-out network is not too large."""
    if _surely_fits(network):  # nearly always; the walk below says what is wrong, and where
        return
    known: dict[str, tuple[int, int]] = {}
    total = 0
    for place, step in _sections(network):
        count, _ = _written_out(step, place, network.blocks, known)
        _within_limit(count, *place)
        total += count if place[0] == "stages" else 0
    _within_limit(total)


def _surely_fits(network: Network) -> bool:
    """Whether a quick walk finds nothing wrong: what a search asks of every candidate."""
    known: dict[str, tuple[int, int]] = {}
    try:
        sizes = [_quick_size(step, network.blocks, known) for _, step in _sections(network)]
    except (KeyError, RecursionError):  # an unknown block, or one that contains itself
        return False
    total = sum(count for count, _ in sizes)
    return total <= MAX_UNROLLED_STEPS and max(levels for _, levels in sizes) <= MAX_STEP_DEPTH


def _quick_size(step: AnyStep, blocks: dict[str, Step], known: dict[str, tuple[int, int]]) -> tuple[int, int]:
    """The written-out steps and levels of ``step``; KeyError or RecursionError when there is no telling."""
    if isinstance(step, Chain | Concat):
        parts = step.steps if isinstance(step, Chain) else step.branches
        count, levels = 0, 1
        for part in parts:
            if type(part) in _LEAVES:
                count += 1
            else:
                more, deep = _quick_size(part, blocks, known)
                count, levels = count + more, max(levels, deep)
        return count, levels + 1
    if isinstance(step, Block | Repeat):
        count, levels = _quick_size(step.body, blocks, known)
        return count * (step.times if isinstance(step, Repeat) else 1), levels + 1
    if isinstance(step, Use):
        if step.name not in known:
            known[step.name] = _quick_size(blocks[step.name], blocks, known)
        count, levels = known[step.name]
        return count, levels + 1
    return 1, 1


def _within_limit(count: int, *place: str | int) -> None:
    if count > MAX_UNROLLED_STEPS:
        raise RuleError(f"{count} steps when written out, more than the limit of {MAX_UNROLLED_STEPS}", *place)


def _written_out(
    step: AnyStep,
    place: Place,
    blocks: dict[str, Step] | None,
    known: dict[str, tuple[int, int]],
    inside: tuple[str, ...] = (),
    depth: int = 1,
) -> tuple[int, int]:
    """How many primitive steps, and how many levels of steps, ``step`` is once repeats and uses are written out."""
    count, levels = 1, 0
    if depth > MAX_STEP_DEPTH:
        raise _too_deep(place)
    if isinstance(step, Use) and blocks is not None:
        if step.name not in known:
            block = _block(step.name, place, blocks, inside)
            names = (*inside, step.name)
            known[step.name] = _written_out(block, ("blocks", step.name), blocks, known, names, depth + 1)
        count, levels = known[step.name]
    elif parts := children(step):
        sizes = [_written_out(part, (*place, *at), blocks, known, inside, depth + 1) for at, part in parts]
        times = step.times if isinstance(step, Repeat) else 1
        count, levels = times * sum(size for size, _ in sizes), max(deep for _, deep in sizes)
    if depth + levels > MAX_STEP_DEPTH:
        raise _too_deep(place)
    return count, levels + 1


def _too_deep(place: Place) -> RuleError:
    return RuleError(f"steps are nested more than {MAX_STEP_DEPTH} deep once blocks are written out", *place)


def _block(name: str, place: Place, blocks: dict[str, Step], inside: tuple[str, ...]) -> AnyStep:
    """The block ``name``, used at ``place`` inside the blocks ``inside``."""
    if name in inside:
        raise RuleError(f"block {name!r} contains itself: {' -> '.join((*inside, name))}", *place)
    if name not in blocks:
        words = (*blocks, *KINDS, *(word for word in get_args(Activation) if word != "none"))
        mend = did_you_mean(name, words) or f"blocks: {', '.join(blocks) or 'none'}"
        raise RuleError(f"unknown block {name!r}; {mend}", *place)
    return blocks[name]
