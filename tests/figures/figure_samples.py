"""Modules, networks, records and drawing trees for the tests of the figures."""

from __future__ import annotations

import math
from itertools import count

from hypothesis import strategies as st

from inception_search.figures.network.tree import (
    Box,
    Column,
    Fork,
    Group,
    Mesh,
    Note,
    Part,
    Residual,
    Tap,
    column,
    is_open,
)
from inception_search.spec.documents.parse import parse_step
from inception_search.spec.network import Network
from inception_search.spec.step import AnyStep
from inception_search.store.record import EpochRecord, TrialRecord

INCEPTION_3A = parse_step("{concat: [1x1 64, [1x1 96, 3x3 128], [1x1 16, 5x5 32], [max 3x3, 1x1 32]]}")
MIXED_6B = parse_step(
    "{concat: [1x1 192, [1x1 128, 7x7 128>192 row_col],"
    " [1x1 128, 7x7 128>128 col_row, 7x7 128>192 col_row], [avg 3x3, 1x1 192]]}"
)
MIXED_7B = parse_step(
    "{concat: [1x1 320, [1x1 384, {concat: [1x3 384, 3x1 384]}], [1x1 448, 3x3 384, 3x3 768 split],"
    " [avg 3x3, 1x1 192]]}"
)
RESNET_A = parse_step(
    "{block: {skip: add, scale: 0.17, project: linear, act: relu,"
    " body: {concat: [1x1 32, [1x1 32, 3x3 32], [1x1 32, 3x3 48, 3x3 64]]}}}"
)
V4_STEM = parse_step(
    "[3x3 32 s2 valid, 3x3 32 valid, 3x3 64, {concat: [max 3x3 s2 valid, 3x3 96 s2 valid]},"
    " {concat: [[1x1 64, 3x3 96 valid], [1x1 64, 7x7 64 row_col, 3x3 96 valid]]},"
    " {concat: [3x3 192 s2 valid, max 3x3 s2 valid]}]"
)


def small_network(module: str = "{concat: [1x1 8, [1x1 8, 3x3 8], [max 3x3, 1x1 8]]}", name: str = "small") -> Network:
    """A study's kind of network: a stem, two cells of the block ``module``, a pool, one more cell."""
    stages: dict[str, AnyStep] = {
        "stem": parse_step("3x3 16"),
        "cells": parse_step("{repeat: {times: 2, body: {use: module}}}"),
        "pool": parse_step("max 3x3 s2"),
        "last": parse_step("{use: module}"),
    }
    return Network.model_validate(
        {
            "name": name,
            "input": {"channels": 1, "height": 16, "width": 16},
            "blocks": {"module": parse_step(module)},
            "stages": stages,
            "head": {"classes": 10, "dropout": 0.2},
            "aux": {"side": {"after": "cells", "body": parse_step("1x1 8"), "pool": "avg"}},
        }
    )


def record(number: int, **fields: object) -> TrialRecord:
    """A complete sampled trial, unless ``fields`` say otherwise."""
    facts: dict[str, object] = {
        "number": number,
        "state": "complete",
        "origin": "sampled",
        "arch_id": f"a1-{number:016x}",
        "network": small_network().to_dict(),
        "cost": {"params": 1000 + 37 * number, "macs": 10**6 + 54321 * number, "activation_bytes": 8, "depth": 3},
        "value": 0.9 + 0.002 * number,
        "curve": tuple(epoch(e, 0.9 + 0.002 * number) for e in range(6)),
        "seed": 0,
        "seconds": 1.5,
        "started": "2025-01-31T12:00:00+00:00",
    }
    return TrialRecord.model_validate(facts | fields)


def epoch(number: int, accuracy: float) -> EpochRecord:
    """One epoch on the way to ``accuracy``."""
    return EpochRecord(
        epoch=number,
        train_loss=1.0,
        validation_loss=1.0,
        validation_accuracy=accuracy * (1 - math.exp(-1 - number)),
        learning_rate=0.1,
        seconds=0.5,
    )


def study_records() -> list[TrialRecord]:
    """Two baselines and ten sampled trials in every state."""
    baselines = [
        record(0, origin="baseline", label="inception_v1_3a"),
        record(1, origin="baseline", label="inception_resnet_a", value=0.915),
    ]
    sampled = [record(n) for n in range(2, 8)]
    ended = [
        record(8, state="failed", value=None, reason="the loss is not finite"),
        record(9, state="infeasible", value=None, reason="more MACs than the budget", curve=()),
        record(10, state="pruned", value=None, reason="below the median at epoch 2"),
        record(11, state="duplicate", value=None, duplicate_of=3, curve=()),
    ]
    return [*baselines, *sampled, *ended]


KINDS = ("pointwise", "spatial", "factor", "max", "avg", "norm", "act", "linear", "block")
WORDS = st.text("abcdefghijklmnopqrstuvwxyz ×0123456789_,", min_size=1, max_size=30)


@st.composite
def drawing_trees(draw: st.DrawFn) -> Part:
    """A column of random parts; every box has a path of its own."""
    numbers = count()

    def box(kinds: tuple[str, ...] = KINDS) -> Box:
        lines = tuple(draw(st.lists(WORDS, min_size=1, max_size=3)))
        kind = draw(st.sampled_from(kinds))
        return Box(lines, kind, path=f"b{next(numbers)}", slim=draw(st.booleans()))  # type: ignore[arg-type]

    def part(depth: int, may_open: bool) -> Part:
        composites = ("box", "box", "column", "fork", "residual", "group", "mesh")
        kind = draw(st.sampled_from(composites if depth else ("box", "wire")))
        if kind == "box":
            return box()
        if kind == "wire":
            return Column()
        if kind == "column":
            size = draw(st.integers(1, 3))
            inner = [part(depth - 1, may_open and i == size - 1) for i in range(size)]
            noted = [Note(draw(WORDS))] if draw(st.booleans()) and not is_open(inner[-1]) else []
            return column(*inner, *noted)
        if kind == "fork":
            branches = tuple(part(depth - 1, True) for _ in range(draw(st.integers(2, 4))))
            return Fork(branches, None if may_open and draw(st.booleans()) else box(("concat",)))
        if kind == "mesh":
            return mesh(depth)
        if kind == "residual":
            return Residual(part(depth - 1, False), path=f"b{next(numbers)}")
        return Group(part(depth - 1, False), draw(WORDS))

    def mesh(depth: int) -> Mesh:
        parts: list[Part] = []
        reads: list[tuple[int, ...]] = []
        for index in range(draw(st.integers(1, 6))):
            sources = draw(st.lists(st.integers(-1, index - 1), min_size=1, max_size=3))
            joins = len(sources) > 1
            parts.append(box(("concat", "add")) if joins else part(depth - 1, False))
            reads.append(tuple(sources))
        unread = set(range(-1, len(parts))) - {source for sources in reads for source in sources}
        return Mesh((*parts, box(("concat", "add"))), (*reads, tuple(sorted(unread or {-1}))))

    trunk: list[Part] = [box()]
    for _ in range(draw(st.integers(1, 4))):
        trunk.append(part(draw(st.integers(0, 3)), False))
        if draw(st.booleans()):
            trunk += [Note(draw(WORDS)), Tap(part(draw(st.integers(0, 2)), False))]
        trunk.append(box())
    return column(*trunk)
