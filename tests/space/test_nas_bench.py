# ruff: noqa: E501 (tables: one row a line)
"""The spaces of NAS-Bench-201 and NAS-Bench-101: parameters, multiply-adds and outputs of the benchmarks' networks."""

from __future__ import annotations

import csv
import gzip
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

import inception_search as ins
from inception_search.estimate import estimate
from inception_search.lowering import lower
from inception_search.space.holes import Params
from inception_search.space.space import Space
from inception_search.spec.identity.arch_id import arch_id
from tests.shipped import shipped_space

TABLE = "INCEPTION_SEARCH_NASBENCH201"  # a csv(.gz) with the columns arch_str, params_c10, macs_c10
SPACE_201 = shipped_space("nas_bench_201")


def operations(arch: str) -> Iterator[tuple[str, int, int]]:
    """(operation, from, to) of every edge of ``|op~0|+|op~0|op~1|+...``."""
    for target, node in enumerate(arch.split("+"), start=1):
        for edge in node.strip("|").split("|"):
            operation, _, source = edge.partition("~")
            yield operation, int(source), target


def point(arch: str) -> Params:
    return {f"cell.edge_{source}_{target}": operation for operation, source, target in operations(arch)}


# Cells of NAS-Bench-201 with the parameters and FLOPs its API gives for CIFAR-10 (in units, not in millions). What the
# API calls FLOPs are multiply-adds of convolutions and of the linear layer; norms, pools and sums count nothing.
COUNTS_201 = [
    ("|none~0|+|none~0|none~1|+|none~0|none~1|none~2|", 73_306, 7_783_040),
    ("|skip_connect~0|+|skip_connect~0|skip_connect~1|+|skip_connect~0|skip_connect~1|skip_connect~2|", 73_306, 7_783_040),
    ("|avg_pool_3x3~0|+|avg_pool_3x3~0|avg_pool_3x3~1|+|avg_pool_3x3~0|avg_pool_3x3~1|avg_pool_3x3~2|", 73_306, 7_783_040),
    ("|nor_conv_1x1~0|+|nor_conv_1x1~0|nor_conv_1x1~1|+|nor_conv_1x1~0|nor_conv_1x1~1|nor_conv_1x1~2|", 241_306, 31_376_000),
    ("|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|nor_conv_3x3~0|nor_conv_3x3~1|nor_conv_3x3~2|", 1_531_546, 220_119_680),
    ("|avg_pool_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|nor_conv_1x1~0|skip_connect~1|skip_connect~2|", 129_306, 15_647_360),
    ("|nor_conv_3x3~0|+|nor_conv_3x3~0|avg_pool_3x3~1|+|skip_connect~0|nor_conv_3x3~1|skip_connect~2|", 802_426, 113_951_360),
    ("|avg_pool_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|avg_pool_3x3~0|avg_pool_3x3~1|avg_pool_3x3~2|", 559_386, 78_561_920),
    ("|avg_pool_3x3~0|+|skip_connect~0|none~1|+|none~0|none~1|skip_connect~2|", 73_306, 7_783_040),
    ("|skip_connect~0|+|skip_connect~0|skip_connect~1|+|nor_conv_3x3~0|avg_pool_3x3~1|avg_pool_3x3~2|", 316_346, 43_172_480),
    ("|nor_conv_1x1~0|+|none~0|nor_conv_1x1~1|+|none~0|nor_conv_1x1~1|nor_conv_1x1~2|", 185_306, 23_511_680),
    # the best on CIFAR-10 after 200 epochs
    ("|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_3x3~1|nor_conv_1x1~2|", 1_073_466, 153_272_960),
]  # fmt: skip


@pytest.mark.parametrize(("arch", "params", "macs"), COUNTS_201, ids=[row[0] for row in COUNTS_201])
def test_counts_are_those_of_nas_bench_201(arch: str, params: int, macs: int) -> None:
    network = SPACE_201.decode(point(arch))
    cost = lower(network).cost()
    assert (cost.params, cost.macs) == (params, macs)
    assert estimate(network) == cost
    assert SPACE_201.encode(network) == point(arch)


@pytest.mark.slow
@pytest.mark.skipif(TABLE not in os.environ, reason=f"{TABLE} is not set to the path of the table")
def test_counts_of_all_cells_of_nas_bench_201() -> None:
    path = Path(os.environ[TABLE])
    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as table:
        rows = list(csv.DictReader(table))
    assert len({row["arch_str"] for row in rows}) == SPACE_201.size == 15_625
    for row in rows:
        cost = estimate(SPACE_201.decode(point(row["arch_str"])))
        assert (cost.params, cost.macs) == (int(row["params_c10"]), int(row["macs_c10"])), row["arch_str"]


@pytest.mark.slow
def test_cells_with_one_id_are_those_with_interchangeable_edges() -> None:
    """Where edge 0-1 is a skip, nodes 0 and 1 are one, so nodes 2 and 3 read 15 pairs of operations, not 25."""
    labels = SPACE_201.holes["cell.edge_0_1"].domain
    assert labels is not None
    ids = {arch_id(SPACE_201.decode(params)) for params in all_points(SPACE_201)}
    assert len(ids) == len(labels) ** 6 - 5 * (25 * 25 - 15 * 15)


def all_points(space: Space) -> Iterator[Params]:
    points: list[Params] = [{}]
    for name, hole in space.holes.items():
        points = [{**answers, name: label} for answers in points for label in hole.domain or ()]
    yield from points


class ConvUnit(nn.Sequential):
    """ReLU, convolution without bias, batch normalisation."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1) -> None:
        conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False)
        super().__init__(nn.ReLU(), conv, nn.BatchNorm2d(outputs))


class Zeros(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x * 0.0


class CellByHand(nn.Module):
    def __init__(self, arch: str, width: int) -> None:
        super().__init__()
        made = {
            "none": Zeros,
            "skip_connect": nn.Identity,
            "nor_conv_1x1": lambda: ConvUnit(width, width, 1),
            "nor_conv_3x3": lambda: ConvUnit(width, width, 3),
            "avg_pool_3x3": lambda: nn.AvgPool2d(3, 1, 1, count_include_pad=False),
        }
        self.edges = [(source, target) for _, source, target in operations(arch)]
        self.operations = nn.ModuleList([made[operation]() for operation, _, _ in operations(arch)])

    def forward(self, x: Tensor) -> Tensor:
        values = [x, *[torch.zeros_like(x)] * 3]
        for (source, target), operation in zip(self.edges, self.operations, strict=True):
            values[target] = values[target] + operation(values[source])
        return values[3]


class DownByHand(nn.Module):
    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.convs = nn.Sequential(ConvUnit(inputs, outputs, 3, 2), ConvUnit(outputs, outputs, 3))
        self.shortcut = nn.Sequential(nn.AvgPool2d(2), nn.Conv2d(inputs, outputs, 1, bias=False))

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.shortcut(x) + self.convs(x)
        return out


def nas_bench_201_by_hand(arch: str) -> nn.Module:
    stages: list[nn.Module] = [nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16)]
    for width in (16, 32, 64):
        stages += [DownByHand(width // 2, width)] if width > 16 else []
        stages += [CellByHand(arch, width) for _ in range(5)]
    head = [nn.BatchNorm2d(64), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10)]
    return nn.Sequential(*stages, *head)


@pytest.mark.parametrize(
    "arch",
    [
        "|nor_conv_3x3~0|+|skip_connect~0|avg_pool_3x3~1|+|none~0|nor_conv_1x1~1|nor_conv_3x3~2|",
        "|avg_pool_3x3~0|+|none~0|nor_conv_1x1~1|+|nor_conv_3x3~0|skip_connect~1|skip_connect~2|",
    ],
)
def test_outputs_and_gradients_are_those_of_the_network_written_by_hand(arch: str) -> None:
    torch.manual_seed(0)
    ours, other = ins.compile(SPACE_201.decode(point(arch))).double(), nas_bench_201_by_hand(arch).double()
    tensors = [*ours.parameters(), *ours.buffers()]
    for mine, value in zip(tensors, [*other.parameters(), *other.buffers()], strict=True):
        mine.data.copy_(value)
    image = torch.randn(2, 3, 32, 32, dtype=torch.float64)
    outputs = [model(image) for model in (ours, other)]
    torch.testing.assert_close(*outputs, rtol=1e-10, atol=1e-10)
    for model, out in zip((ours, other), outputs, strict=True):
        model.zero_grad()
        out.square().sum().backward()
    for mine, expected in zip(ours.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(mine.grad, expected.grad, rtol=1e-8, atol=1e-10)


def test_points_of_nas_bench_101_correspond_to_networks() -> None:
    space = shipped_space("nas_bench_101")
    for seed in range(12):
        params = space.sample(seed)
        network = space.decode(params)
        assert space.encode(network) == params
        assert estimate(network) == lower(network).cost()


def test_a_cell_of_nas_bench_101_without_vertices_is_its_projection() -> None:
    """All edges off but the one past the vertices: what is left is a 1x1 convolution in each of nine cells."""
    space = shipped_space("nas_bench_101")
    params: Params = {name: "off" if ".edge" in name else "maxpool3x3" for name in space.holes}
    network = space.decode({**params, "cell.edge_0_6": "on"})

    def conv(inputs: int, outputs: int, kernel: int = 1) -> int:
        return inputs * outputs * kernel**2 + 2 * outputs

    stacks = sum(3 * conv(width, width) for width in (120, 240, 480))
    assert lower(network).cost().params == conv(3, 120, 3) + conv(120, 240) + conv(240, 480) + stacks + 480 * 10 + 10
