"""NAS-Bench-101: cells that the benchmark counts as one class have one ``arch_id``, those of others another."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator
from itertools import combinations, product

import pytest

from inception_search.spec.identity.arch_id import arch_id
from inception_search.spec.nas_bench_101 import OPERATIONS, nas_bench_101_cell
from inception_search.spec.network import Head, Input, Network
from inception_search.spec.step import Conv, chain

Cell = tuple[list[list[int]], tuple[str, ...]]
MAX_EDGES = 9
WIDTH = 12  # divisible by 1 to 4 branches; where it is not, the order of vertices decides which gets one channel more
CLASSES = {2: 1, 3: 6, 4: 84, 5: 2_441}  # by vertices; 62,010 of 6
BY_NAME = {name: index for index, name in enumerate(("output", "input", *OPERATIONS), start=-2)}


def cells(vertices: int) -> Iterator[Cell]:
    """Every cell in which each vertex is on a way from the input to the output, in every order of its vertices."""
    pairs = list(combinations(range(vertices), 2))
    for bits in product((0, 1), repeat=len(pairs)):
        if sum(bits) > MAX_EDGES:
            continue
        matrix = [[0] * vertices for _ in range(vertices)]
        for (i, j), bit in zip(pairs, bits, strict=True):
            matrix[i][j] = bit
        if all(any(row) for row in matrix[:-1]) and all(any(column) for column in list(zip(*matrix, strict=True))[1:]):
            for operations in product(OPERATIONS, repeat=vertices - 2):
                yield matrix, ("input", *operations, "output")


def benchmark_hash(cell: Cell) -> str:
    """The benchmark's own hash of a cell (``hash_module`` of google-research/nasbench), the same in every order."""
    matrix, operations = cell
    vertices = range(len(matrix))
    before = [[w for w in vertices if matrix[w][v]] for v in vertices]
    after = [[w for w in vertices if matrix[v][w]] for v in vertices]
    hashes = [_md5(str((len(before[v]), len(after[v]), BY_NAME[operations[v]]))) for v in vertices]
    for _ in vertices:
        around = (("".join(sorted(hashes[w] for w in side[v])) for side in (before, after)) for v in vertices)
        hashes = [_md5("|".join((*sides, hashes[v]))) for v, sides in enumerate(around)]
    return _md5(str(sorted(hashes)))


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def network(cell: Cell) -> Network:
    """Two such cells in series."""
    step = nas_bench_101_cell(*cell, WIDTH)
    stages = {"stem": Conv(kernel=(3, 3), width=WIDTH), "cells": chain(step, step)}
    return Network(name="n", input=Input(height=8, width=8), stages=stages, head=Head(classes=10))


def check(vertices: int, classes: str = "") -> int:
    """How many classes whose hash begins with ``classes`` there are; fails where ids do not tell them apart."""
    members: dict[str, list[Cell]] = defaultdict(list)
    for cell in cells(vertices):
        if (known := benchmark_hash(cell)).startswith(classes):
            members[known].append(cell)
    ids = {known: {arch_id(network(cell)) for cell in alike} for known, alike in members.items()}
    split = {known: len(found) for known, found in ids.items() if len(found) > 1}
    assert not split, f"{len(split)} of {len(ids)} classes have more than one id"
    assert len(set().union(*ids.values())) == len(ids), "two classes have one id"
    return len(ids)


def test_cells_of_up_to_four_vertices() -> None:
    for vertices in (2, 3, 4):
        assert check(vertices) == CLASSES[vertices]


def test_a_sixteenth_of_the_classes_of_five_vertices() -> None:
    assert 120 < check(5, classes="0") < 190


@pytest.mark.slow
def test_all_classes_of_five_vertices_and_some_of_six() -> None:
    assert check(5) == CLASSES[5]
    assert 180 < check(6, classes="00") < 300


def test_the_example_that_had_two_ids() -> None:
    matrix = [[0, 1, 1, 1], [0, 0, 0, 1], [0, 0, 0, 1], [0, 0, 0, 0]]
    one, other = ((matrix, ("input", *pair, "output")) for pair in (OPERATIONS[:2], OPERATIONS[1::-1]))
    assert network(one) != network(other)
    assert arch_id(network(one)) == arch_id(network(other))
    assert benchmark_hash(one) == benchmark_hash(other)
