"""A compiled dag against a module written by hand: outputs and gradients in float64."""

from __future__ import annotations

import torch
from torch import Tensor, nn

import inception_search as ins

DOCUMENT = """
schema: inception-search/network
version: 1
name: cells
input: 3x9x11
conv_defaults: {norm: {eps: 0.00001}, act: none}
blocks:
  cell:
    dag:
      - inputs: [{node: 0, step: [relu, 3x3 8]}]
      - {inputs: [0, {node: 1, step: max 3x3}, 1], then: 1x1 6}
      - {join: concat, inputs: [1, {node: 2, step: zero}, 0, {node: 2, step: {narrow: 5}}], then: relu}
      - inputs: [{node: 2, step: {narrow: 4}}, {node: 3, step: 1x1 4}, {node: 1, step: 3x3 4}]
stages:
  stem: 3x3 8
  cell: [cell, 1x1 8, cell]
head: {pool: avg, classes: 5}
"""


class Unit(nn.Sequential):
    """Convolution without bias, then batch normalisation."""

    def __init__(self, inputs: int, outputs: int, kernel: int) -> None:
        conv = nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, bias=False)
        super().__init__(conv, nn.BatchNorm2d(outputs, eps=1e-5))


class Cell(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.one, self.two = Unit(8, 8, 3), Unit(8, 6, 1)
        self.from_three, self.from_one = Unit(8 + 6 + 8 + 5, 4, 1), Unit(8, 4, 3)

    def forward(self, x: Tensor) -> Tensor:
        one = self.one(torch.relu(x))
        two = self.two(x + nn.functional.max_pool2d(one, 3, 1, 1) + one)
        three = torch.relu(torch.cat([one, torch.zeros_like(two), x, two[:, :5]], 1))
        four: Tensor = two[:, :4] + self.from_three(three) + self.from_one(one)
        return four


class ByHand(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stem, self.first, self.between, self.second = Unit(3, 8, 3), Cell(), Unit(4, 8, 1), Cell()
        self.classifier = nn.Linear(4, 5)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.classifier(self.second(self.between(self.first(self.stem(x)))).mean((2, 3)))
        return out


UNITS = {
    "stem": "stem",
    "cell.1": "between",
    **{
        f"cell.{at}.nodes.{place}": f"{name}.{unit}"
        for at, name in ((0, "first"), (2, "second"))
        for place, unit in (
            ("0.inputs.0.step.1", "one"),
            ("1.then", "two"),
            ("3.inputs.1.step", "from_three"),
            ("3.inputs.2.step", "from_one"),
        )
    },
}


def theirs(key: str) -> str:
    """The name in the module written by hand of one of ours."""
    if key.startswith("head."):
        return key.removeprefix("head.")
    place, layer, tensor = key.rsplit(".", 2)
    return f"{UNITS[place]}.{'0' if layer == 'conv' else '1'}.{tensor}"


def test_outputs_and_gradients_are_those_of_a_module_written_by_hand() -> None:
    torch.manual_seed(0)
    ours = ins.compile(ins.load(DOCUMENT)).double()
    other = ByHand().double()
    other.load_state_dict({theirs(key): value for key, value in ours.state_dict().items()})
    image = torch.randn(3, 3, 9, 11, dtype=torch.float64)
    for mode in (True, False):
        ours.train(mode)
        other.train(mode)
        inputs = [image.clone().requires_grad_() for _ in range(2)]
        outputs = [model(x) for model, x in zip((ours, other), inputs, strict=True)]
        torch.testing.assert_close(*outputs, rtol=1e-12, atol=1e-12)
        for model, out in zip((ours, other), outputs, strict=True):
            model.zero_grad()
            out.square().sum().backward()
        torch.testing.assert_close(inputs[0].grad, inputs[1].grad, rtol=1e-11, atol=1e-12)
        expected = dict(other.named_parameters())
        for name, value in ours.named_parameters():
            torch.testing.assert_close(value.grad, expected[theirs(name)].grad, rtol=1e-10, atol=1e-12)


def test_a_network_with_a_dag_is_exported_and_traced_whole() -> None:
    model = ins.compile(ins.load(DOCUMENT)).eval()
    image = torch.randn(2, 3, 9, 11)
    exported = torch.export.export(model, (image,)).module()
    torch.testing.assert_close(exported(image), model(image))
