"""Cells and networks of NAS-Bench-101: parameters of the benchmark, its channels, what is refused."""

from __future__ import annotations

import pytest

from inception_search.errors import SpecError
from inception_search.estimate import estimate
from inception_search.lowering import lower
from inception_search.spec.documents.parse import parse_step
from inception_search.spec.documents.to_yaml import text
from inception_search.spec.identity.arch_id import arch_id
from inception_search.spec.nas_bench_101 import nas_bench_101_cell, nas_bench_101_network, vertex_channels
from inception_search.spec.step import Conv

OPS = {"i": "input", "o": "output", "1": "conv1x1-bn-relu", "3": "conv3x3-bn-relu", "m": "maxpool3x3"}


def matrix(rows: str) -> list[list[int]]:
    """``"011 001 000"``."""
    return [[int(value) for value in row] for row in rows.split()]


def operations(letters: str) -> list[str]:
    return [OPS[letter] for letter in letters]


# The Inception-like cell of the benchmark's README, and the one its table has it as.
INCEPTION_LIKE = "0111010 0000001 0000001 0000100 0000001 0000001 0000000", "i1333mo"
AS_IN_THE_TABLE = "0111100 0000001 0000001 0000001 0000010 0000001 0000000", "i31m33o"

# Matrix, operations, trainable parameters.
CELLS: list[tuple[str, str, int]] = [
    # printed in the README of google-research/nasbench
    (*INCEPTION_LIKE, 2_694_282),
    (*AS_IN_THE_TABLE, 2_694_282),
    # counted in the modules of nasbench_pytorch 1.3.1, another implementation of the benchmark's rules
    ("01 00", "io", 882_570),
    ("011 001 000", "i1o", 2_793_866),
    ("000001 000110 000111 000001 000000 000000", "i1mmmo", 882_570),  # only the edge from the input is on a way
    ("0000110 0000000 0000111 0000100 0000011 0000001 0000000", "im1313o", 3_468_426),
    # channels that do not divide, so some are cut off
    ("0100110 0010000 0001001 0000011 0000001 0000000 0000000", "imm111o", 823_172),
    ("011000 001110 000101 000001 000001 000000", "i3m33o", 3_695_312),
    ("01101 00011 00011 00001 00000", "imm3o", 2_491_173),
    ("01100 00011 00001 00001 00000", "i11mo", 826_657),
    ("010001 001101 000000 000011 000001 000000", "i33m3o", 3_240_509),
]  # fmt: skip


@pytest.mark.parametrize(("rows", "letters", "params"), CELLS, ids=[f"{row[1]} {row[0]}" for row in CELLS])
def test_parameters_are_those_of_the_benchmark(rows: str, letters: str, params: int) -> None:
    network = nas_bench_101_network(matrix(rows), operations(letters))
    assert estimate(network).params == params
    assert estimate(network) == lower(network).cost()


def test_the_network_is_the_benchmarks() -> None:
    network = nas_bench_101_network(matrix("011 001 000"), operations("i3o"), classes=7)
    shapes = {node.path.partition(".")[0]: str(node.type) for node in lower(network).nodes}
    assert shapes == {
        "input": "3x32x32",
        "stem": "128x32x32",
        "stack_1": "128x32x32",
        "down_2": "128x16x16",
        "stack_2": "256x16x16",
        "down_3": "256x8x8",
        "stack_3": "512x8x8",
        "head": "7",
    }


def test_one_cell_written_in_two_orders_is_one_architecture() -> None:
    one, other = (
        nas_bench_101_network(matrix(rows), operations(letters)) for rows, letters in (INCEPTION_LIKE, AS_IN_THE_TABLE)
    )
    assert one != other
    assert arch_id(one) == arch_id(other)
    changed = nas_bench_101_network(matrix(INCEPTION_LIKE[0]), operations("i133m3o"))
    assert arch_id(changed) != arch_id(one)


# Matrix, width, channels of the vertices after the input: shared out at the output, the first get what is left over;
# others have those of the widest vertex they lead to.
CHANNELS = [
    ("01 00", 128, [128]),
    ("0110 0001 0001 0000", 128, [64, 64, 128]),
    ("0110 0001 0001 0000", 129, [65, 64, 129]),
    ("01110 00001 00001 00001 00000", 128, [43, 43, 42, 128]),
    ("01100 00110 00001 00001 00000", 7, [4, 4, 3, 7]),  # vertex 1 leads to both
    ("010000 001000 000100 000011 000001 000000", 10, [5, 5, 5, 5, 10]),
]


@pytest.mark.parametrize(("rows", "width", "channels"), CHANNELS, ids=[f"{row[0]} {row[1]}" for row in CHANNELS])
def test_channels(rows: str, width: int, channels: list[int]) -> None:
    assert vertex_channels(matrix(rows), width) == [0, *channels]


def test_a_cell_is_a_dag_with_projections_and_cut_channels() -> None:
    cell = nas_bench_101_cell(matrix("01101 00110 00001 00001 00000"), operations("i3m1o"), 7)
    assert cell == parse_step("""
dag:
- {inputs: [{node: 0, step: 1x1 4}], then: 3x3 4}
- {inputs: [1, {node: 0, step: 1x1 4}], then: max 3x3}
- {inputs: [{node: 1, step: {narrow: 3}}], then: 1x1 3}
- {join: concat, inputs: [2, 3]}
- {inputs: [4, {node: 0, step: 1x1 7}]}
""")
    assert parse_step(text(cell)) == cell
    assert nas_bench_101_cell(matrix("01 00"), operations("io"), 7) == Conv(kernel=(1, 1), width=7)


REFUSED = [
    ("0", "i", 8, "a square matrix of two rows or more"),
    ("011 001", "i3o", 8, "a square matrix of two rows or more"),
    ("021 001 000", "i3o", 8, "row 0, column 1, got 2; expected 0 or 1"),
    ("011 101 000", "i3o", 8, "row 1, column 0, got 1; expected 0 or 1, and 1 only right of the diagonal"),
    ("011 011 000", "i3o", 8, "row 1, column 1, got 1"),
    ("011 001 000", "io", 8, "one operation for each vertex.*expected 3 operations, the first 'input'"),
    ("011 001 000", "33o", 8, "the first 'input'"),
    ("011 001 000", "ioo", 8, "unknown operation, got 'output'; expected conv1x1-bn-relu, conv3x3-bn-relu, maxpool3x3"),
    ("010 000 000", "i3o", 8, "no path leads from the input of the cell to its output"),
    ("01110 00001 00001 00001 00000", "i333o", 2, "the output has fewer channels than vertices that lead to it, got 2"),
]


@pytest.mark.parametrize(("rows", "letters", "width", "words"), REFUSED, ids=[f"{row[1]} {row[0]}" for row in REFUSED])
def test_what_is_no_cell_is_refused(rows: str, letters: str, width: int, words: str) -> None:
    with pytest.raises(SpecError, match=words):
        nas_bench_101_cell(matrix(rows), operations(letters), width)
