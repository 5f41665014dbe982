# ruff: noqa: E501 (tables: one row a line)
"""What the documents of the shipped networks say of themselves is what their steps are.

Two kinds of evidence: the modules of the papers, typed here from the figures; and every phrase in a ``source:`` that
says something about the steps, with what must then be true. Counts cannot see most of it: exchanging the factors of
a convolution changes neither parameters nor multiply-adds.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest

import inception_search as ins
from inception_search.graph.cost_table import cost_table
from inception_search.graph.ops import Pool as PoolOp
from inception_search.lowering import lower
from inception_search.spec.identity.arch_id import code
from inception_search.spec.identity.normal_form import normal, normal_trunk
from inception_search.spec.network import Network
from inception_search.spec.step import AnyStep, Block, Chain, Concat, Conv, children

SHIPPED = [f"{name}@{dialect}" for name in ins.list_models(dialects=False) for dialect in ins.list_dialects(name)]

# 1602.07261. Kernel and filters of every box, from the bottom of the figure to its top; / separates branches.
FIG3 = """3x3 32 s2 V, 3x3 32 V, 3x3 64
max / 3x3 96 s2 V
1x1 64, 3x3 96 V / 1x1 64, 7x1 64, 1x7 64, 3x3 96 V
3x3 192 s2 V / max"""  # the figure leaves out the last "stride 2", without which the sizes it prints are impossible
FIGURES: dict[str, dict[str, str]] = {
    "inception_v4@paper": {
        "stem": FIG3,
        "inception_a": "1x1 96 / 1x1 64, 3x3 96 / 1x1 64, 3x3 96, 3x3 96 / avg, 1x1 96",
        "reduction_a": "3x3 384 s2 V / 1x1 192, 3x3 224, 3x3 256 s2 V / max",
        "inception_b": "1x1 384 / 1x1 192, 1x7 224, 1x7 256 / 1x1 192, 1x7 192, 7x1 224, 1x7 224, 7x1 256 / avg, 1x1 128",
        "reduction_b": "1x1 192, 3x3 192 s2 V / 1x1 256, 1x7 256, 7x1 320, 3x3 320 s2 V / max",
        "inception_c": "1x1 256 / 1x1 384, (1x3 256 / 3x1 256) / 1x1 384, 1x3 448, 3x1 512, (1x3 256 / 3x1 256) / avg, 1x1 256",
    },
    "inception_resnet_v1@paper": {
        "stem": "3x3 32 s2 V, 3x3 32 V, 3x3 64, max, 1x1 80, 3x3 192 V, 3x3 256 s2 V",
        "block35": "1x1 32 / 1x1 32, 3x3 32 / 1x1 32, 3x3 32, 3x3 32",
        "reduction_a": "3x3 384 s2 V / 1x1 192, 3x3 192, 3x3 256 s2 V / max",
        "block17": "1x1 128 / 1x1 128, 1x7 128, 7x1 128",
        "reduction_b": "1x1 256, 3x3 384 s2 V / 1x1 256, 3x3 256 s2 V / 1x1 256, 3x3 256, 3x3 256 s2 V / max",
        "block8": "1x1 192 / 1x1 192, 1x3 192, 3x1 192",
    },
    "inception_resnet_v2@paper": {
        "stem": FIG3,
        "block35": "1x1 32 / 1x1 32, 3x3 32 / 1x1 32, 3x3 48, 3x3 64",
        "mixed_6a": "3x3 384 s2 V / 1x1 256, 3x3 256, 3x3 384 s2 V / max",
        "block17": "1x1 192 / 1x1 128, 1x7 160, 7x1 192",
        "mixed_7a": "1x1 256, 3x3 384 s2 V / 1x1 256, 3x3 288 s2 V / 1x1 256, 3x3 288, 3x3 320 s2 V / max",
        "block8": "1x1 192 / 1x1 192, 1x3 224, 3x1 256",
    },
    # 1512.00567: Figs 5, 6 and 7 (kernels; the filters are those of the released v3, as the document says), Fig. 10.
    "inception_v2@paper": {
        "stem": "3x3 32 s2 V, 3x3 32 V, 3x3 64, max, 3x3 80 V, 3x3 192 s2 V, 3x3 288",  # Table 1
        "fig5": "1x1 64 / 1x1 48, 3x3 64 / 1x1 64, 3x3 96, 3x3 96 / avg, 1x1 64",
        "inception_b1": "1x1 192 / 1x1 128, 1x7 128, 7x1 192 / 1x1 128, 7x1 128, 1x7 128, 7x1 128, 1x7 192 / avg, 1x1 192",
        "fig7": "1x1 320 / 1x1 384, (1x3 384 / 3x1 384) / 1x1 448, 3x3 384, (1x3 384 / 3x1 384) / avg, 1x1 192",
    },
}


def boxes(step: AnyStep, network: Network) -> str:
    """A module in the words of ``FIGURES``; of a residual block its body, without the projection."""
    step = step.body if isinstance(step, Block) else step
    return _words(normal(step, network.blocks, network.pool_defaults, network.same_padding))


def _words(step: AnyStep) -> str:
    if isinstance(step, Chain):
        return "".join(_in_series(step))
    if isinstance(step, Concat):
        return " / ".join(_words(branch) for branch in step.branches)
    if isinstance(step, Conv):
        (height, width), valid = step.kernel, step.padding == (0, 0) and step.kernel != (1, 1)
        stride = f" s{step.stride}" if step.stride != 1 else ""
        return f"{height}x{width} {step.width}{stride}" + (" V" if valid else "")
    return step.mode if step.kind == "pool" else step.kind


def _in_series(step: Chain) -> Iterator[str]:
    """A concat alone on its line (the stem) or, at the end of a branch, in brackets."""
    stem = isinstance(step.steps[-1], Concat) and sum(isinstance(part, Concat) for part in step.steps) > 1
    before = ""
    for part in step.steps:
        if isinstance(part, Concat):
            yield f"\n{_words(part)}" if stem else f"{before}({_words(part)})"
        else:
            yield before + _words(part)
        before = ", "


@pytest.mark.parametrize(("name", "module"), [(name, module) for name, rows in FIGURES.items() for module in rows])
def test_modules_are_those_of_the_figures(name: str, module: str) -> None:
    network = ins.load(name)
    step = {**network.stages, **network.blocks}[module]
    assert boxes(step, network) == FIGURES[name][module]


def convs(network: Network) -> list[Conv]:
    """Every convolution of the trunk, factors written out."""
    stack, found = list(normal_trunk(network).values()), []
    while stack:
        step = stack.pop()
        found += [step] if isinstance(step, Conv) else []
        stack += [part for _, part in children(step)]
    return found


def kernels(network: Network) -> set[tuple[int, int]]:
    return {conv.kernel for conv in convs(network)}


def pools(network: Network, mode: str) -> list[PoolOp]:
    found = [node.op for node in lower(network).nodes if isinstance(node.op, PoolOp)]
    return [op for op in found if op.mode == mode]


def padded_averages(network: Network) -> list[PoolOp]:
    return [op for op in pools(network, "avg") if op.padding != (0, 0)]


def gamma(network: Network) -> bool | None:
    norm = network.conv_defaults.norm
    return norm.gamma if norm else None


def blocks_of(network: Network) -> list[list[Block]]:
    """The residual blocks of each map size, in order."""
    found: dict[str, list[Block]] = {}
    for name, step in normal_trunk(network).items():
        parts = step.steps if isinstance(step, Chain) else (step,)
        found.setdefault(re.sub(r"_last$", "", name), []).extend(p for p in parts if isinstance(p, Block))
    return [blocks for blocks in found.values() if blocks]


def counts(*expected: int) -> Callable[[Network], bool]:
    return lambda n: [len(blocks) for blocks in blocks_of(n)] == list(expected)


def channels(stage: str, count: int) -> Callable[[Network], bool]:
    return lambda n: next(row.type[0] for row in cost_table(lower(n)) if row.path == stage) == count


def has_lrn(network: Network) -> int:
    return sum(node.op.name == "lrn" for node in lower(network).nodes)


def depthwise_stem(network: Network) -> bool:
    step = network.stages["conv1"]
    first = step.steps[0] if isinstance(step, Chain) else step
    return first.kind == "depthwise" and first.multiplier == 8 and first.kernel == (7, 7)


def trunk(name: str) -> str:
    return "".join(code(step, False) for step in normal_trunk(ins.load(name)).values())


def last_unscaled(network: Network) -> bool:
    block = blocks_of(network)[-1][-1]
    return block.scale == 1.0 and block.act == "none"


def relu_blocks(network: Network) -> bool:
    return all(block.act == "relu" for blocks in blocks_of(network) for block in blocks)


# A phrase of a source (a regular expression), and what is then true of the network.
CLAIMS: list[tuple[str, Callable[[Network], bool]]] = [
    (r"(without|no) gamma", lambda n: gamma(n) is False),
    (r"with gamma|, gamma$", lambda n: gamma(n) is True),
    (r"batch norm instead of bias", lambda n: n.conv_defaults.norm is not None and not n.conv_defaults.bias),
    (r"batch norm instead of bias and LRN", lambda n: has_lrn(n) == 0),
    (r"two LRNs", lambda n: has_lrn(n) == 2),
    (r"without dropout|no dropout", lambda n: n.head.dropout == 0),
    (r"with dropout", lambda n: n.head.dropout > 0),
    (r"dropout of a half", lambda n: n.head.dropout == 0.5),
    (r"no auxiliary|without dropout and auxiliary", lambda n: not n.aux),
    (r"an auxiliary classifier on the last 17x17", lambda n: len(n.aux) == 1 and _taps_the_last_17(n)),
    (r"other auxiliary classifiers", lambda n: "adaptive_pool" in str([a.body for a in n.aux.values()])),
    (r"batch norm in the auxiliary classifier", lambda n: n.aux["aux"].body.steps[-1].norm is None),  # type: ignore[union-attr]
    (r"average pools include padding", lambda n: all(op.count_pad for op in padded_averages(n))),
    (r"average pools exclude padding", lambda n: not any(p.count_pad for p in padded_averages(n))),
    (r"pools round up", lambda n: all(op.ceil for op in pools(n, "max"))),
    (r"SAME padding", lambda n: n.same_padding == "tf"),
    (r"symmetric padding", lambda n: n.same_padding == "symmetric"),
    (r"3x3 in place of 5x5", lambda n: (5, 5) not in kernels(n)),
    (r"paper's 5x5", lambda n: (5, 5) in kernels(n)),
    (r"max 2x2 before 5a", lambda n: any(op.kernel == (2, 2) for op in pools(n, "max"))),
    (r"dense 7x7", lambda n: (7, 7) in kernels(n) and not depthwise_stem(n)),
    (r"separable (7x7|stem)", depthwise_stem),
    (r"stem with bias and without batch norm", lambda n: _stem_follows(n) == (False, True)),
    (r"a batch-normalised stem", lambda n: _stem_follows(n) == (None, None)),
    (r"printed filters", channels("inception_4c", 608)),
    (r"608 channels", channels("inception_4d", 608)),
    (r"576 channels", channels("inception_4d", 576)),
    (r"larger image", lambda n: n.input.height > 224),
    (r"204 filters in the 3x3 of 4a", lambda n: "3x3 204" in boxes(n.stages["inception_4a"], n)),
    (r"48 in the 5x5 reduction of 5a", lambda n: "1x1 48, 5x5 128" in boxes(n.stages["inception_5a"], n)),
    (r"LRN over 9 channels", lambda n: has_lrn(n) == 2 and "size=9" in str(n.stages["pool1"])),
    (r"1008 classes", lambda n: n.head.classes == 1008),
    (r"max pool in mixed_7c", lambda n: boxes(n.stages["mixed_7c"], n).endswith("max, 1x1 192")),
    (r"10/20/10 blocks", counts(10, 20, 10)),
    (r"5/10/5 blocks", counts(5, 10, 5)),
    (r"one more 8x8 block", counts(5, 10, 6)),
    (r"all with ReLU", relu_blocks),
    (r"(unscaled and without ReLU)", last_unscaled),
    (r"v4's stem with 7x1 first", lambda n: n.stages["stem"] == ins.load("inception_v4@paper").stages["stem"]),
    (r"1152 and 2144", channels("mixed_7a", 2144)),
    (r"7x1 first in the stem", lambda n: "7x1 64, 1x7 64" in boxes(n.stages["stem"], n)),
    (r"1x7 twice in B", lambda n: "1x7 224, 1x7 256" in boxes(n.blocks["inception_b"], n)),
    (r"1x3 first in C", lambda n: "1x3 448, 3x1 512" in boxes(n.blocks["inception_c"], n)),
    (r"a face embedding", lambda n: n.head.embedding is not None and n.head.classifier == "none"),
    (r"embedding of unit length", lambda n: bool(n.head.embedding and n.head.embedding.unit_length)),
    (r"before L2 normalisation", lambda n: bool(n.head.embedding and not n.head.embedding.unit_length)),
    (r"images of 160 pixels", lambda n: n.input.shape == (3, 160, 160)),
    (r"ImageNet classifier", lambda n: n.head.classes == 1000 and n.head.classifier == "linear"),
    (r"a 7x7 stem", lambda n: n.stages["stem"].steps[0].kernel == (7, 7)),  # type: ignore[union-attr]
    (r"three 3x3 in the stem", lambda n: boxes(n.stages["stem"], n).startswith("3x3 32 s2 V, 3x3 32 V, 3x3 64, max")),
    (r"smoothed labels", lambda n: n.recipe.label_smoothing == 0.1),
    (r"four 17x17 modules", lambda n: sum("7x1" in boxes(s, n) for s in n.stages.values()) == 5),  # and a reduction
    (r"second pool averages", lambda n: len(pools(n, "avg")) == 1 and "avg" in boxes(n.stages["pool2"], n)),
    (r"TF-slim's inception_v3", lambda n: trunk(n.name) == trunk("inception_v3@slim")),
    (r"timm's with dropout", lambda n: trunk(n.name) == trunk("inception_v3")),
]


def _taps_the_last_17(network: Network) -> bool:
    (aux,) = network.aux.values()
    sizes = {row.path: row.type[1] for row in cost_table(lower(network)) if len(row.type) == 3}
    return [name for name in network.stages if sizes[name] == 17][-1] == aux.after


def _stem_follows(network: Network) -> tuple[bool | None, bool | None]:
    last = network.stages["conv1"].steps[-1]  # type: ignore[union-attr]
    return last.norm, last.bias


@pytest.mark.parametrize("name", SHIPPED)
def test_sources_are_true(name: str) -> None:
    network = ins.load(name)
    source = " ".join(network.source.split())
    for phrase, holds in CLAIMS:
        if re.search(phrase, source):
            assert holds(network), f"{name} says {phrase!r}"


def test_every_claim_is_made_by_a_document() -> None:
    """A phrase that no source uses any more tests nothing."""
    sources = [" ".join(ins.load(name).source.split()) for name in SHIPPED]
    unused = [phrase for phrase, _ in CLAIMS if not any(re.search(phrase, source) for source in sources)]
    assert not unused


def test_dialects_of_one_name_that_differ_in_gamma_only_say_so() -> None:
    """Wherever batch norm has no gamma the source says it, and the other way round."""
    said = {name for name in SHIPPED if re.search(r"(without|no) gamma|TF-slim's without", ins.load(name).source)}
    assert said == {name for name in SHIPPED if gamma(ins.load(name)) is False}
