"""The network document: named stages in series, a head, and auxiliary classifiers on the output of stages."""

from __future__ import annotations

import keyword
from collections.abc import Iterator
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field, PrivateAttr, model_validator

from inception_search.arguments import checked
from inception_search.errors import did_you_mean
from inception_search.numbers import class_count, counted
from inception_search.spec.base_model import Activation, Finite, Flag, Name, Probability, SpecModel, SpokenType, Width
from inception_search.spec.base_model import BatchNorm as BatchNorm
from inception_search.spec.display import Pictured
from inception_search.spec.limits import MAX_IMAGE_SIDE
from inception_search.spec.source_map import KeyPath, RuleError, Source
from inception_search.spec.step import Absent, AnyStep, Identity, Step, Use
from inception_search.spec.unrolled_size import check_size

SCHEMA = "inception-search/network"
VERSION = 1
Side: TypeAlias = Annotated[int, Field(strict=True, ge=1, le=MAX_IMAGE_SIDE)]


class Input(SpecModel):
    """The input image, (channels, height, width)."""

    channels: Width = 3
    height: Side = 224
    width: Side = 224

    @property
    def shape(self) -> tuple[int, int, int]:
        """(C, H, W)."""
        return (self.channels, self.height, self.width)


class ConvDefaults(SpecModel):
    """The norm and activation after every convolution that is not ``linear``, and whether it has a ``bias``."""

    norm: BatchNorm | None = BatchNorm()
    act: Activation = "relu"
    bias: Flag = False


class PoolDefaults(SpecModel):
    """The defaults of pools (see :class:`~inception_search.spec.step.Pool`)."""

    count_pad: Flag = False
    ceil: Flag = False


class Embedding(SpecModel):
    """A linear layer without bias, then the network's norm: the face embedding of FaceNet's networks."""

    width: Width = 512
    unit_length: Flag = False


class Head(SpecModel):
    """Classifier: global pooling (``none``: flatten), hidden layers with activation, dropout, embedding, logits.

    ``classifier: linear`` ends in a linear layer. ``maps`` makes one feature map per class *before* pooling, by a 1×1
    convolution with the network's norm and activation (Network in Network, 1312.4400 section 3.2). ``none`` returns
    the features: a vector (an embedding with ``unit_length`` is divided by its Euclidean length), or the last feature
    maps if ``pool`` is none, too.
    """

    pool: Literal["avg", "max", "none"] = "avg"
    hidden: tuple[Width, ...] = Field(default=(), max_length=16)
    dropout: Probability = 0.0
    embedding: Embedding | None = None
    classifier: Literal["linear", "maps", "none"] = "linear"
    classes: Width = 1000

    @model_validator(mode="after")
    def _check(self) -> Head:
        if self.classifier == "maps" and (self.hidden or self.embedding or self.pool == "none"):
            raise ValueError("classifier maps ends in pooled maps: it takes a pool, and neither hidden nor embedding")
        if self.embedding and self.embedding.unit_length and self.classifier != "none":
            raise ValueError("an embedding of unit_length is the output; write classifier: none, or drop unit_length")
        return self


class Aux(SpecModel):
    """An auxiliary classifier on the output of stage ``after``; ``weight`` multiplies its loss.

    It has the classes of the head, and is dropped at inference (GoogLeNet, section 5).
    """

    after: Name
    body: Step = Identity()
    pool: Literal["avg", "max", "none"] = "none"
    hidden: tuple[Width, ...] = Field(default=(), max_length=16)
    dropout: Probability = 0.0
    weight: Finite = 0.3


class Preprocess(SpecModel):
    """The preprocessing of images that the weights of a network expect.

    For evaluation, the shorter side is resized to ``resize`` pixels, and the centre cropped to the network's input.
    Pixels are then scaled to 0..``scale`` in channel ``order``, reduced by ``mean`` and divided by ``std``, which
    have a number for each channel.
    """

    scale: Literal[1, 255] = 1
    order: Literal["rgb", "bgr"] = "rgb"
    mean: tuple[Finite, ...] = (0.5, 0.5, 0.5)
    std: tuple[Annotated[float, Field(strict=True, gt=0.0, allow_inf_nan=False)], ...] = (0.5, 0.5, 0.5)
    resize: Side | None = None
    interpolation: Literal["bilinear", "bicubic"] = "bilinear"


class Recipe(SpecModel):
    """The part of a published training recipe that belongs to the network's definition (1512.00567, section 7)."""

    label_smoothing: Probability = 0.0


class Network(Pictured, SpecModel, metaclass=SpokenType):
    """A validated network document. Equality ignores the file that it was read from.

    :func:`load` reads networks, docs/documents.md describes every field; a notebook displays a network as a figure.

    Args:
        name: the name of the network.
        source: where the network comes from: a paper, a URL.
        dialect: the name of the dialect: the variant of one implementation.
        input: channels, height and width of the images; ``input.shape`` is (C, H, W) in pixels.
        preprocess: the resizing and normalisation of images that the weights expect.
        recipe: the published settings of training.
        same_padding: the meaning of padding ``same``: ``"symmetric"`` pads k//2 on every side, ``"tf"`` as TensorFlow
            does (see :class:`~inception_search.spec.step.Conv`).
        conv_defaults: batch norm, activation and bias of the convolutions.
        pool_defaults: the defaults of the pools.
        blocks: named modules that stages refer to.
        stages: the stages by name, in their order; each is a step.
        head: the classifier.
        aux: the auxiliary classifiers by name.

    >>> net = ins.Network(name="small", stages={"stem": ins.parse_step("3x3 16 s2")})
    >>> net
    Network('small', 3x224x224, 1 stage, 1000 classes)
    """

    schema_: Literal["inception-search/network"] = Field(default="inception-search/network", alias="schema")
    version: Literal[1] = 1
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.@-]{0,79}$")]
    source: Annotated[str, Field(max_length=2000)] = ""
    dialect: Name | Literal[""] = ""
    input: Input = Input()
    preprocess: Preprocess | None = None
    recipe: Recipe = Recipe()
    same_padding: Literal["symmetric", "tf"] = "symmetric"
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
                hint = did_you_mean(aux.after, self.stages) or f"stages: {', '.join(self.stages)}"
                raise RuleError(f"aux {name!r} is after unknown stage {aux.after!r}; {hint}", "aux", name, "after")
        check_size(tuple(_sections(self)), self.blocks)
        return self

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Network) or self.__dict__ != other.__dict__:
            return False
        # Order matters, but == of dicts ignores it.
        return list(self.stages) == list(other.stages) and list(self.aux) == list(other.aux)

    def __hash__(self) -> int:
        return hash((self.name, tuple(self.stages.items()), self.head))

    def __repr__(self) -> str:
        size = "x".join(map(str, self.input.shape))
        return f"Network({self.name!r}, {size}, {counted(len(self.stages), 'stage')}, {class_count(self.head.classes)})"

    __str__ = __repr__

    @property
    def origin(self) -> Source:
        """The file and the lines that the network was read from."""
        return self._source

    @checked
    def resolve(self, step: AnyStep) -> AnyStep:
        """The block that a :class:`~inception_search.spec.step.Use` refers to; any other step unchanged."""
        return self.blocks[step.name] if isinstance(step, Use) else step

    def to_dict(self) -> dict[str, Any]:
        """The network as JSON data in its long form, without fields that have their default."""
        data = super().to_dict()
        data.pop("schema_", None)
        return {"schema": SCHEMA, "version": VERSION, **data}


def with_source(network: Network, source: Source) -> Network:
    """Store where ``network`` was read from in it, and return the same object."""
    network._source = source
    return network


def _sections(network: Network) -> Iterator[tuple[KeyPath, AnyStep]]:
    """The outermost steps of ``network``, each with its place."""
    yield from ((("stages", name), step) for name, step in network.stages.items())
    yield from ((("blocks", name), step) for name, step in network.blocks.items())
    yield from ((("aux", name, "body"), aux.body) for name, aux in network.aux.items())


# The attributes of torch.nn.Module, torch.fx.GraphModule and our NetworkModule; a test compares the list with them.
MODULE_ATTRIBUTES = frozenset(
    """
    add_module add_submodule apply bfloat16 buffers call_super_init children classes code compile cpu cuda default_cfg
    delete_all_unused_submodules delete_submodule double dump_patches eval extra_repr feature_extractor feature_info
    features float forward forward_features forward_head freeze get_buffer get_classifier
    get_extra_state get_parameter get_submodule graph half ipu load_state_dict loaded meta modules mtia named_buffers
    named_children named_modules named_parameters network num_classes num_features parameters
    pretrained_cfg print_readable recall recompile
    register_backward_hook
    register_buffer register_forward_hook register_forward_pre_hook register_full_backward_hook
    register_full_backward_pre_hook register_load_state_dict_post_hook register_load_state_dict_pre_hook
    register_module register_parameter register_state_dict_post_hook register_state_dict_pre_hook remember
    requires_grad_ reset_classifier rewrites
    set_extra_state set_submodule shape_env share_memory stages state_dict
    to to_empty to_folder train training type unfreeze
    xpu
    zero_grad
    """.split()  # noqa: SIM905
)


def is_taken(name: str) -> bool:
    """Whether Python or PyTorch already has a meaning for a module called ``name``."""
    return name in MODULE_ATTRIBUTES or keyword.iskeyword(name)
