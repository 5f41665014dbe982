"""A small network as a document and as a module written by hand, and images for it."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from inception_search.proxies.batch import ProxyBatch
from inception_search.proxies.probe import Probe
from inception_search.spec.documents.parse import parse_network
from inception_search.spec.network import Network

HEAD = "schema: inception-search/network\nversion: 1\nname: n\n"
SMALL = """\
input: 2x6x6
stages:
  a: 3x3 4
  b: {concat: [1x1 3, 3x3 2]}
  c: {block: {skip: add, scale: 0.5, body: 3x3 5}}
head: {classes: 3, dropout: 0.5}
"""


def network(text: str = SMALL) -> Network:
    return parse_network(HEAD + text)


def images(size: int = 12, shape: tuple[int, int, int] = (2, 6, 6), classes: int = 3) -> ProxyBatch:
    """Random images, and labels that go round."""
    pictures = torch.randn(size, *shape, generator=torch.Generator().manual_seed(1))
    return ProxyBatch(pictures, torch.arange(size) % classes)


class ByHand(nn.Module):
    """:data:`SMALL`; keeps what convolutions give and what activations take."""

    def __init__(self, residual: bool = True, kind: type[nn.Module] = nn.ReLU) -> None:
        super().__init__()
        sizes = ((2, 4, 3), (4, 3, 1), (4, 2, 3), (5, 5, 3))
        self.convs = nn.ModuleList(nn.Conv2d(i, o, k, padding=k // 2, bias=False) for i, o, k in sizes)
        self.norms = nn.ModuleList(nn.BatchNorm2d(o, eps=1e-3) for _, o, _ in sizes)
        self.classifier = nn.Linear(5, 3)
        self.residual, self.act = residual, kind()
        self.outputs: list[Tensor] = []
        self.entered: list[Tensor] = []

    def unit(self, index: int, x: Tensor) -> Tensor:
        self.outputs.append(self.convs[index](x))
        self.entered.append(self.norms[index](self.outputs[-1]))
        return self.act(self.entered[-1])

    def maps(self, x: Tensor) -> Tensor:
        self.outputs, self.entered = [], []
        x = self.unit(0, x)
        x = torch.cat([self.unit(1, x), self.unit(2, x)], 1)
        y = self.unit(3, x)
        return x + 0.5 * y if self.residual else y

    def forward(self, x: Tensor) -> Tensor:
        features = self.maps(x).mean((2, 3))
        self.outputs.append(self.classifier(features))
        return self.outputs[-1]

    def weights(self) -> list[Tensor]:
        return [*(conv.weight for conv in self.convs), self.classifier.weight]


def by_hand(seed: int = 0) -> ByHand:
    """With the weights that the proxies see at ``seed``, in training mode."""
    module = ByHand()
    ours = Probe(network(), None, seed).module()
    theirs = {id(p) for conv in module.convs for p in conv.parameters()}
    convs = [p for name, p in ours.named_parameters() if ".conv." in name]
    assert len(convs) == len(theirs) == 4
    with torch.no_grad():
        for mine, p in zip(module.convs, convs, strict=True):
            mine.weight.copy_(p)
        module.classifier.load_state_dict(ours.head.classifier.state_dict())
    return module.train()
