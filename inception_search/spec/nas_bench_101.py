"""Cells and networks of NAS-Bench-101 (Ying et al. 2019, 1902.09635, section 2) as documents.

A cell is an upper triangular matrix of 0 and 1 (a 1 in row i, column j is an edge from vertex i to vertex j) and an
operation for each vertex. Edges from the cell's input are projected by a 1×1 convolution; a vertex adds its other
inputs unchanged. Vertices that lead to the output are concatenated and share its channels.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from inception_search.errors import SpecError, did_you_mean
from inception_search.spec.limits import MAX_WIDTH
from inception_search.spec.network import BatchNorm, ConvDefaults, Head, Input, Network
from inception_search.spec.step import AnyStep, Conv, Dag, DagInput, DagNode, Identity, Narrow, Pool, Repeat

Matrix: TypeAlias = Sequence[Sequence[int]]
KERNELS = {"conv1x1-bn-relu": (1, 1), "conv3x3-bn-relu": (3, 3)}
OPERATIONS = (*KERNELS, "maxpool3x3")


def nas_bench_101_network(matrix: Matrix, operations: Sequence[str], *, width: int = 128, classes: int = 10) -> Network:
    """The benchmark's network of one cell: a 3×3 convolution, then three stacks of three cells.

    Between stacks, feature maps are halved and channels doubled; ``width`` is the channels of the first stack.
    """
    _check_width(width)
    defaults = ConvDefaults(norm=BatchNorm(eps=1e-5, momentum=0.003))  # momentum 0.997 in TensorFlow's terms
    stages: dict[str, AnyStep] = {"stem": Conv(kernel=(3, 3), width=width)}
    for stack in range(3):
        if stack:
            stages[f"down_{stack + 1}"] = Pool(mode="max", kernel=(2, 2), stride=2, padding="tf")
        stages[f"stack_{stack + 1}"] = Repeat(times=3, body=nas_bench_101_cell(matrix, operations, width << stack))
    image = Input(channels=3, height=32, width=32)
    source = "NAS-Bench-101 (1902.09635), CIFAR-10"
    head = Head(classes=classes)
    return Network(name="nas_bench_101", source=source, input=image, conv_defaults=defaults, stages=stages, head=head)


def nas_bench_101_cell(matrix: Matrix, operations: Sequence[str], width: int) -> AnyStep:
    """The cell with ``width`` channels at its output; ``operations`` begin with "input" and end with "output".

    Vertices that are not on a path from the input to the output are removed first, as in the benchmark.
    """
    _check(matrix, operations)
    _check_width(width)
    kept = _on_a_way(matrix)
    matrix = [[matrix[i][j] for j in kept] for i in kept]
    channels = vertex_channels(matrix, width)
    last = len(kept) - 1
    if last == 1:
        return _projection(width)
    nodes = [_vertex(matrix, operations[kept[at]], channels, at) for at in range(1, last)]
    ends = tuple(DagInput(node=at) for at in range(1, last) if matrix[at][last])
    nodes.append(DagNode(join="concat" if len(ends) > 1 else "add", inputs=ends))
    if matrix[0][last]:
        projected = DagInput(node=0, step=_projection(width))
        nodes.append(DagNode(inputs=(DagInput(node=last), projected)))
    return Dag(nodes=tuple(nodes))


def vertex_channels(matrix: Matrix, width: int) -> list[int]:
    """The channels of every vertex; 0 for the input, whose channels depend on the network.

    The ``width`` of the output is divided among the vertices that lead to it; if it does not divide evenly, the first
    ones get one more. Any other vertex has the channels of the widest vertex that it leads to.
    """
    last = len(matrix) - 1
    channels = [0] * last + [width]
    ends = [at for at in range(1, last) if matrix[at][last]]
    if len(ends) > width:
        raise SpecError("the output has fewer channels than vertices that lead to it", found=width)
    for index, at in enumerate(ends):
        channels[at] = width // len(ends) + (index < width % len(ends))
    for at in reversed(range(1, last)):
        if at not in ends:
            channels[at] = max(channels[to] for to in range(at + 1, last) if matrix[at][to])
    return channels


def _vertex(matrix: Matrix, operation: str, channels: Sequence[int], at: int) -> DagNode:
    width = channels[at]
    inputs = [
        DagInput(node=source, step=Narrow(width=width) if channels[source] > width else Identity())
        for source in range(1, at)
        if matrix[source][at]
    ]
    if matrix[0][at]:
        inputs.append(DagInput(node=0, step=_projection(width)))
    kernel = KERNELS.get(operation)
    then = Conv(kernel=kernel, width=width) if kernel else Pool(mode="max")
    return DagNode(inputs=tuple(inputs), then=then)


def _projection(width: int) -> Conv:
    return Conv(kernel=(1, 1), width=width)


def _on_a_way(matrix: Matrix) -> list[int]:
    """The vertices that the input reaches and that reach the output."""
    size = len(matrix)
    forward, backward = {0}, {size - 1}
    for at in range(1, size):
        if any(matrix[source][at] for source in forward):
            forward.add(at)
    for at in reversed(range(size - 1)):
        if any(matrix[at][target] for target in backward):
            backward.add(at)
    kept = sorted(forward & backward)
    if kept[:1] != [0]:
        raise SpecError("no path leads from the input of the cell to its output", found=[list(row) for row in matrix])
    return kept


def _check_width(width: int) -> None:
    if type(width) is not int or not 1 <= width <= MAX_WIDTH:
        raise SpecError("not a usable number of channels", path="width", found=width, expected=f"1 to {MAX_WIDTH:,}")


def _check(matrix: Matrix, operations: Sequence[str]) -> None:
    size = len(matrix)
    if size < 2 or any(len(row) != size for row in matrix):
        raise SpecError("a cell is a square matrix of two rows or more", found=[list(row) for row in matrix])
    for i, row in enumerate(matrix):
        for j, value in enumerate(row):
            if value not in (0, 1) or (value and j <= i):
                expected = "0 or 1, and 1 only right of the diagonal"
                raise SpecError(f"not a usable entry in row {i}, column {j}", found=value, expected=expected)
    if len(operations) != size or operations[0] != "input" or operations[-1] != "output":
        expected = f"{size} operations, the first 'input', the last 'output'"
        raise SpecError("a cell has one operation for each vertex", found=list(operations), expected=expected)
    for name in operations[1:-1]:
        if name not in OPERATIONS:
            hint = did_you_mean(name, OPERATIONS)
            raise SpecError("unknown operation", found=name, expected=", ".join(OPERATIONS), hint=hint)
