"""Hypothesis strategies: steps, networks that can be lowered, points of spaces."""

from __future__ import annotations

import random
from typing import Any

from hypothesis import strategies as st

from inception_search.space.space import Space
from inception_search.spec.network import (
    Aux,
    BatchNorm,
    ConvDefaults,
    Embedding,
    Head,
    Input,
    Network,
    PoolDefaults,
    Preprocess,
    Recipe,
    is_taken,
)
from inception_search.spec.step import (
    Absent,
    Act,
    AdaptivePool,
    AnyStep,
    Block,
    Conv,
    Dag,
    DagInput,
    DagNode,
    Depthwise,
    Dropout,
    Identity,
    Lrn,
    Narrow,
    Norm,
    Pool,
    Repeat,
    Use,
    Zero,
    chain,
    concat,
)

ACTS = ("relu", "relu6", "leaky_relu", "elu", "gelu", "silu", "tanh", "sigmoid")
# Names that YAML readers take for something else are names like any other here.
AWKWARD = ("null", "true", "false", "yes", "on", "inf", "nan", "infinity", "e5", "x", "s2", "none", "same", "conv")
names = st.one_of(st.sampled_from(AWKWARD), st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True))
finite = st.floats(allow_nan=False, allow_infinity=False)
probabilities = st.floats(0.0, 1.0, exclude_max=True)


@st.composite
def convs(draw: st.DrawFn) -> Conv:
    """Any convolution: plain, grouped, dilated, strided, padded, factored."""
    factor = draw(st.sampled_from(("none", "none", "row_col", "col_row", "stacked", "split")))
    groups = draw(st.sampled_from((1, 1, 2)))
    width = draw(st.integers(1, 64)) * groups * (2 if factor == "split" else 1)
    if factor == "none":
        kernel = (draw(st.integers(1, 9)), draw(st.integers(1, 9)))
    elif factor == "stacked":
        kernel = (draw(st.sampled_from((5, 7, 9))),) * 2
    else:
        kernel = (draw(st.sampled_from((3, 5, 7))), draw(st.sampled_from((3, 5))))
    odd = kernel[0] % 2 == 1 and kernel[1] % 2 == 1
    pads: list[Any] = ["same"] * (2 * odd) + ["valid"] * (factor != "split") + ["tf"]
    if factor not in ("split", "stacked"):
        pads.append((draw(st.integers(0, 3)), draw(st.integers(0, 3))))
    strides: list[Any] = [1, 1, 2, 3, (1, 2), (2, 1)]
    mid = draw(st.none() | st.integers(1, 64)) if factor not in ("none", "split") else None
    return Conv(
        kernel=kernel,
        width=width,
        stride=draw(st.sampled_from(strides)),
        padding=draw(st.sampled_from(pads)),
        groups=groups,
        dilation=draw(st.sampled_from((1, 1, 2, (1, 2), (3, 1)))),
        factor=factor,
        mid=mid * groups if mid else None,
        **draw(follows),
    )


# What follows a convolution: linear, or overrides of the network's defaults, which do not go together.
follows = st.one_of(
    st.fixed_dictionaries({"linear": st.booleans()}),
    st.fixed_dictionaries(
        {
            "norm": st.none()
            | st.booleans()
            | st.builds(BatchNorm, eps=st.sampled_from((1e-3, 1e-5)), gamma=st.booleans()),
            "act": st.sampled_from((None, "none", "silu")),
            "bias": st.none() | st.booleans(),
        }
    ),
)


@st.composite
def depthwises(draw: st.DrawFn) -> Depthwise:
    """Any depthwise convolution."""
    return Depthwise(
        kernel=(draw(st.integers(1, 7)), draw(st.integers(1, 7))),
        multiplier=draw(st.integers(1, 4)),
        stride=draw(st.sampled_from((1, 2, (1, 2)))),
        padding=draw(st.sampled_from(("valid", "tf", (1, 2)))),
        dilation=draw(st.sampled_from((1, 2, (2, 1)))),
        **draw(follows),
    )


@st.composite
def pools(draw: st.DrawFn) -> Pool:
    """Any pooling."""
    kernel = (draw(st.integers(1, 5)), draw(st.integers(1, 5)))
    odd = kernel[0] % 2 == 1 and kernel[1] % 2 == 1
    pads: list[Any] = ["valid", "tf", (kernel[0] // 2, kernel[1] // 2)] + ["same"] * odd
    return Pool(
        mode=draw(st.sampled_from(("max", "avg", "l2"))),
        kernel=kernel,
        stride=draw(st.integers(1, 3) | st.just((2, 1))),
        padding=draw(st.sampled_from(pads)),
        count_pad=draw(st.none() | st.booleans()),
        ceil=draw(st.none() | st.booleans()),
    )


singles = st.one_of(
    convs(),
    depthwises(),
    pools(),
    st.builds(AdaptivePool, mode=st.sampled_from(("avg", "max")), size=st.tuples(st.integers(1, 4), st.integers(1, 4))),
    st.builds(Lrn, size=st.integers(1, 9), alpha=finite, beta=finite, k=finite),
    st.builds(Dropout, p=probabilities),
    st.builds(Norm),
    st.builds(Zero),
    st.builds(Narrow, width=st.integers(1, 64), start=st.sampled_from((0, 0, 3))),
    st.builds(Act, name=st.sampled_from((*ACTS, "none"))),
)


@st.composite
def wirings(draw: st.DrawFn, most: int = 4) -> list[list[int]]:
    """Which nodes each node of a dag reads: earlier ones, some of them twice; all are read."""
    count = draw(st.integers(1, most))
    reads = [draw(st.lists(st.integers(0, index), min_size=1, max_size=3)) for index in range(count)]
    for index in range(count - 1):
        if all(index + 1 not in sources for sources in reads):
            reads[draw(st.integers(index + 1, count - 1))].append(index + 1)
    return reads


@st.composite
def dags(draw: st.DrawFn, inner: st.SearchStrategy[AnyStep], joins: tuple[str, ...] = ("add", "concat")) -> Dag:
    """A dag of ``inner`` steps."""
    nodes = [
        DagNode(
            join=draw(st.sampled_from(joins)),
            inputs=tuple(DagInput(node=source, step=draw(inner | st.just(Identity()))) for source in sources),
            then=draw(inner | st.just(Identity())),
        )
        for sources in draw(wirings())
    ]
    return Dag(nodes=tuple(nodes))


def _composites(inner: st.SearchStrategy[AnyStep]) -> st.SearchStrategy[AnyStep]:
    solid = inner.filter(lambda step: not isinstance(step, Identity))
    skips = [{"skip": "none"}, {"skip": "add"}, {"skip": "project"}, {"skip": "project", "stride": 2}]
    skips.append({"skip": "project", "stride": (1, 2)})
    blocks = st.builds(
        lambda skip, **fields: Block(**skip, **fields),
        body=inner,
        skip=st.sampled_from(skips),
        project=st.sampled_from(("none", "linear", "conv")),
        scale=st.sampled_from((1.0, 0.1, -0.5)) | finite,
        act=st.sampled_from(("none", "relu", "silu")),
    )
    return st.one_of(
        st.lists(inner, min_size=2, max_size=4).map(lambda steps: chain(*steps)),
        st.lists(inner, min_size=2, max_size=4).map(lambda steps: concat(*steps)),
        blocks,
        st.builds(Repeat, times=st.integers(1, 4), body=solid),
        dags(inner),
    )


# Any step, whether or not its shapes would fit anywhere.
steps = st.recursive(singles | st.builds(Identity), _composites, max_leaves=12)
steps_with_uses = st.recursive(singles | st.builds(Identity) | st.builds(Use, name=names), _composites, max_leaves=12)
branches_with_absent = st.lists(steps | st.just(Absent()), min_size=0, max_size=4)


@st.composite
def sums(draw: st.DrawFn) -> Dag:
    """A dag of sums, so that all that is added has one width."""
    conv = Conv(kernel=(3, 3), width=draw(st.integers(1, 6)))
    steps = st.sampled_from((conv, chain(Pool(mode="max"), conv), chain(conv, Zero())))
    found = [[DagInput(node=source, step=draw(steps)) for source in sources] for sources in draw(wirings())]
    return Dag(nodes=tuple(DagNode(inputs=tuple(inputs), then=draw(steps)) for inputs in found))


@st.composite
def same_size(draw: st.DrawFn, depth: int = 2) -> AnyStep:
    """A step that keeps the map's size, so that any such steps fit together."""
    kinds = (
        "conv",
        "conv",
        "depthwise",
        "strided",
        "factored",
        "pool",
        "act",
        "norm",
        "lrn",
        "dropout",
        "zero",
        "narrow",
    )
    if depth:
        kinds += ("chain", "concat", "concat", "block", "repeat", "dag")
    kind = draw(st.sampled_from(kinds))
    if kind == "conv":
        kernel = draw(st.sampled_from(((1, 1), (3, 3), (1, 3), (5, 5))))
        dilation = draw(st.sampled_from((1, 1, (1, 2))))
        return Conv(kernel=kernel, width=draw(st.integers(1, 8)), dilation=dilation, **draw(follows))
    if kind == "depthwise":
        return Depthwise(kernel=(3, 5), multiplier=draw(st.integers(1, 2)), **draw(follows))
    if kind == "strided":
        return Pool(mode="avg", kernel=(2, 2), padding="tf")  # even: one more zero at the bottom and right
    if kind == "factored":
        factor = draw(st.sampled_from(("row_col", "col_row", "stacked", "split")))
        mid = draw(st.none() | st.integers(1, 6)) if factor != "split" else None
        return Conv(kernel=(5, 5), width=2 * draw(st.integers(1, 4)), factor=factor, mid=mid)
    if kind == "pool":
        return Pool(mode=draw(st.sampled_from(("max", "avg", "l2"))), count_pad=draw(st.none() | st.booleans()))
    simple: dict[str, AnyStep] = {
        "zero": Zero(),
        "narrow": Narrow(width=1),
        "act": Act(name="tanh"),
        "norm": Norm(),
        "lrn": Lrn(),
        "dropout": Dropout(p=0.1),
    }
    if kind in simple:
        return simple[kind]
    inner = same_size(depth - 1)
    if kind == "chain":
        return chain(*draw(st.lists(inner, min_size=2, max_size=3)))
    if kind == "concat":
        return concat(*draw(st.lists(inner | st.just(Identity()), min_size=2, max_size=3)))
    if kind == "repeat":
        return Repeat(times=draw(st.integers(1, 3)), body=draw(inner))
    if kind == "dag":
        return draw(sums() | dags(inner, joins=("concat",)))
    skip = draw(st.sampled_from(("none", "add", "project")))
    project = draw(st.sampled_from(("linear", "conv", "none") if skip == "project" else ("linear", "conv")))
    return Block(body=draw(inner), skip=skip, project=project, scale=draw(st.sampled_from((1.0, 0.5))), act="relu")


@st.composite
def networks(draw: st.DrawFn) -> Network:
    """A small network that can be lowered, with blocks, auxiliary classifiers and every kind of default."""
    blocks = draw(st.dictionaries(st.sampled_from(("m", "inf", "true")), same_size(), max_size=2))
    step: st.SearchStrategy[Any] = same_size()
    if blocks:
        step = step | st.sampled_from([Use(name=name) for name in blocks])
    free = names.filter(lambda name: name not in ("input", "head", "aux") and not is_taken(name))
    stages = draw(st.dictionaries(free, step, min_size=1, max_size=3))
    features = st.builds(
        Head,
        classifier=st.just("none"),
        pool=st.sampled_from(("avg", "none")),
        embedding=st.none() | st.builds(Embedding, width=st.integers(1, 8), unit_length=st.booleans()),
    )
    maps = st.builds(Head, classifier=st.just("maps"), pool=st.sampled_from(("avg", "max")), classes=st.integers(1, 9))
    logits = st.builds(
        Head,
        pool=st.sampled_from(("avg", "max", "none")),
        hidden=st.lists(st.integers(1, 8), max_size=2).map(tuple),
        dropout=st.sampled_from((0.0, 0.5)),
        classes=st.integers(1, 12),
    )
    aux = st.builds(Aux, after=st.sampled_from(sorted(stages)), body=same_size(1), weight=finite)
    norm = st.none() | st.builds(BatchNorm, eps=st.sampled_from((1e-3, 1e-5)), gamma=st.booleans())
    return Network(
        name=draw(st.sampled_from(("n", "1e5", "09", "NaN", "0x1f", "net.v2@x"))),
        source=draw(st.text(max_size=40)),
        input=Input(channels=draw(st.integers(1, 4)), height=draw(st.integers(5, 9)), width=draw(st.integers(5, 9))),
        conv_defaults=ConvDefaults(
            norm=draw(norm), act=draw(st.sampled_from(("relu", "none"))), bias=draw(st.booleans())
        ),
        pool_defaults=PoolDefaults(count_pad=draw(st.booleans()), ceil=draw(st.booleans())),
        same_padding=draw(st.sampled_from(("symmetric", "tf"))),
        dialect=draw(st.sampled_from(("", "keras"))),
        preprocess=draw(st.none() | st.builds(Preprocess, resize=st.none() | st.integers(1, 400))),
        recipe=draw(st.builds(Recipe, label_smoothing=st.sampled_from((0.0, 0.1)))),
        blocks=blocks,
        stages=stages,
        head=draw(st.one_of(logits, logits, features, maps)),
        aux=draw(st.dictionaries(st.sampled_from(("aux1", "aux2")), aux, max_size=2)),
    )


def points(space: Space) -> st.SearchStrategy[dict[str, Any]]:
    """Points of ``space``."""
    return st.integers(0, 2**32).map(lambda seed: space.sample(random.Random(seed)))
