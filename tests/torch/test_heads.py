"""What a network ends in; and whole networks against modules written by hand from their papers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import inception_search as ins
from inception_search.errors import InceptionSearchError, SpecError
from inception_search.spec.documents.parse import parse_network
from tests.conformance.compare import largest_difference, probe_loss, relative_difference

HEAD = "schema: inception-search/network\nversion: 1\nname: n\ninput: 3x8x8\nstages: {a: 3x3 6}\n"
MAPS = (6, 8, 8)

# The head (indented below `head: {`), the shape of what comes out for one image, the layers of the head with weights.
HEADS: list[tuple[str, tuple[int, ...], list[str]]] = [
    ("classes: 5", (5,), ["classifier"]),
    ("classes: 5, pool: max", (5,), ["classifier"]),
    ("classes: 5, pool: none", (5,), ["classifier"]),
    ("classes: 5, hidden: [4, 3]", (5,), ["hidden.0.linear", "hidden.1.linear", "classifier"]),
    ("classes: 5, embedding: {width: 7}", (5,), ["embedding.linear", "embedding.norm", "classifier"]),
    ("classes: 5, classifier: maps", (5,), ["classifier.conv", "classifier.norm"]),
    ("classes: 5, classifier: maps, pool: max, dropout: 0.5", (5,), ["classifier.conv", "classifier.norm"]),
    ("classifier: none", (6,), []),
    ("classifier: none, pool: max", (6,), []),
    ("classifier: none, pool: none", MAPS, []),
    ("classifier: none, pool: none, dropout: 0.5", MAPS, []),
    ("classifier: none, hidden: [4]", (4,), ["hidden.0.linear"]),
    ("classifier: none, pool: none, hidden: [4]", (4,), ["hidden.0.linear"]),
    ("classifier: none, embedding: {width: 7}", (7,), ["embedding.linear", "embedding.norm"]),
    ("classifier: none, embedding: {width: 7, unit_length: true}", (7,), ["embedding.linear", "embedding.norm"]),
    ("classifier: none, pool: none, embedding: {width: 7}", (7,), ["embedding.linear", "embedding.norm"]),
]  # fmt: skip


def head_layers(module: nn.Module) -> list[str]:
    names = dict.fromkeys(key.rpartition(".")[0] for key in module.state_dict())
    return [name.removeprefix("head.") for name in names if name.startswith("head.")]


def images(size: int = 8, batch: int = 2) -> Tensor:
    return torch.randn(batch, 3, size, size, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize(("head", "shape", "layers"), HEADS, ids=[row[0] for row in HEADS])
def test_a_network_ends_in(head: str, shape: tuple[int, ...], layers: list[str]) -> None:
    network = parse_network(f"{HEAD}head: {{{head}}}")
    module = ins.compile(network, seed=0).double().eval()
    out = module(images())
    assert tuple(out.shape) == (2, *shape)
    assert tuple(ins.lower(network).nodes[-1].type) == shape
    assert head_layers(module) == layers
    if "unit_length" in head:
        torch.testing.assert_close(out.norm(dim=1), torch.ones(2, dtype=torch.float64))
    assert parse_network(ins.to_yaml(network)) == network


def test_unit_length_is_the_embedding_by_its_length() -> None:
    plain, unit = (
        ins.compile(f"{HEAD}head: {{classifier: none, embedding: {{width: 7, unit_length: {flag}}}}}", seed=0).eval()
        for flag in ("false", "true")
    )
    x = images().float()
    torch.testing.assert_close(unit(x), plain(x) / plain(x).square().sum(1, keepdim=True).sqrt())


def test_maps_are_followed_by_the_networks_norm_and_activation_before_they_are_pooled() -> None:
    module = ins.compile(f"{HEAD}head: {{classes: 5, classifier: maps}}", seed=0).double().eval()
    maps = module.get_submodule("head.classifier.conv")(module.features(images(), ["a"])["a"])
    norm: Any = module.get_submodule("head.classifier.norm")
    torch.testing.assert_close(module(images()), norm(maps).relu().mean((2, 3)))


# What a head cannot be, and the words that say so.
ILLEGAL = [
    ("classifier: maps, hidden: [3]", "ends in pooled maps: it takes a pool, and neither hidden nor embedding"),
    ("classifier: maps, embedding: {width: 3}", "neither hidden nor embedding"),
    ("classifier: maps, pool: none", "it takes a pool"),
    ("embedding: {unit_length: true}", "unit_length is the output; write classifier: none, or drop unit_length"),
    ("classifier: maps, embedding: {unit_length: true}", "neither hidden nor embedding"),
    ("classifier: conv", "got 'conv'; expected 'linear', 'maps' or 'none'"),
    ("classifier: null", "expected 'linear', 'maps' or 'none'"),
    ("pool: l2", "got 'l2'; expected 'avg', 'max' or 'none'"),
    ("classes: 0", "got 0"),
    ("embedding: {width: 0}", "got 0"),
    ("embedding: 512", "got 512; expected fields"),
    ("embedding: {size: 3}", "unknown field, got 'size'; expected one of width, unit_length"),
    ("dropout: 1.0", r"got 1\.0"),
]


@pytest.mark.parametrize(("head", "words"), ILLEGAL, ids=[row[0] for row in ILLEGAL])
def test_what_cannot_be_a_head_is_refused_at_its_line(head: str, words: str) -> None:
    with pytest.raises(SpecError, match=words) as caught:
        parse_network(f"{HEAD}head: {{{head}}}", "f.yaml")
    assert (caught.value.place.file, caught.value.place.line) == ("f.yaml", 6)
    assert str(caught.value.path).startswith("head")


AUX = "aux: {x: {after: a, pool: avg}}\n"
EMBEDDED = "head: {classifier: none, embedding: {width: 7, unit_length: true}}\n"

# Of HEAD with these sections, compile with these options: the shape for one image, the layers of the head.
OPTIONS: list[tuple[str, dict[str, Any], tuple[int, ...], list[str]]] = [
    ("", {"num_classes": 4}, (4,), ["classifier"]),
    ("", {"num_classes": 0}, (6,), []),
    ("", {"num_classes": 0, "global_pool": "max"}, (6,), []),
    ("", {"num_classes": 0, "global_pool": "none"}, MAPS, []),
    ("head: {pool: none}\n", {"num_classes": 4, "global_pool": "none"}, (4,), ["classifier"]),
    (AUX, {"num_classes": 0, "aux": True}, (6,), []),  # auxiliary heads go with the head
    (EMBEDDED, {"num_classes": 0}, (7,), ["embedding.linear", "embedding.norm"]),  # an embedding stays
    (EMBEDDED, {"num_classes": 4}, (4,), ["embedding.linear", "embedding.norm", "classifier"]),
    ("head: {classifier: none}\n", {"num_classes": 4}, (4,), ["classifier"]),
    ("head: {classifier: maps}\n", {"num_classes": 4}, (4,), ["classifier.conv", "classifier.norm"]),
    ("head: {classifier: maps}\n", {"num_classes": 0}, (6,), []),
    ("head: {classifier: maps}\n", {"num_classes": 0, "global_pool": "none"}, MAPS, []),
    ("head: {hidden: [5]}\n", {"num_classes": 0}, (5,), ["hidden.0.linear"]),
]  # fmt: skip


@pytest.mark.parametrize(("more", "options", "shape", "layers"), OPTIONS, ids=[f"{r[0]}{r[1]}" for r in OPTIONS])
def test_compile_changes_the_head(
    more: str, options: dict[str, Any], shape: tuple[int, ...], layers: list[str]
) -> None:
    module = ins.compile(parse_network(HEAD + more), seed=0, **options).double().train()
    out = module(images())
    assert isinstance(out, Tensor)
    assert tuple(out.shape) == (2, *shape)
    assert head_layers(module) == layers
    assert not [key for key in module.state_dict() if key.startswith("aux")]


@pytest.mark.parametrize(
    ("more", "options", "words"),
    [
        ("head: {classifier: maps}\n", {"global_pool": "none"}, "it takes a pool"),
        ("", {"global_pool": "l2"}, "one of avg, max, none or None"),
        ("", {"global_pool": "none"}, "given without a classifier, got global_pool='none' with 1000 classes; give num"),
        ("", {"global_pool": "none", "num_classes": 4}, "got global_pool='none' with 4 classes; give num_classes=0"),
        ("", {"num_classes": -1}, "greater than or equal to 1"),
    ],
)
def test_compile_refuses_heads_that_cannot_be(more: str, options: dict[str, Any], words: str) -> None:
    with pytest.raises(InceptionSearchError, match=words):
        ins.compile(parse_network(HEAD + more), **options)


def test_dropping_the_head_leaves_the_trunk_and_its_numbers() -> None:
    network = parse_network(HEAD + AUX)
    whole, maps = ins.compile(network, seed=0).eval(), ins.compile(ins.drop_head(network, pool="none"), seed=0).eval()
    maps.load_state_dict({key: value for key, value in whole.state_dict().items() if key.startswith("a.")})
    x = images().float()
    torch.testing.assert_close(maps(x), whole.features(x, ["a"])["a"])
    assert ins.drop_head(network).aux == {}
    assert ins.set_classes(network, 0) == ins.drop_head(network)
    assert ins.set_classes(network, 3).aux == network.aux


def test_facenet_takes_a_classifier_and_loses_it_again() -> None:
    facenet = ins.load("inception_resnet_v1@facenet")
    classified = ins.set_classes(facenet, 10)
    assert (classified.head.classifier, classified.head.classes) == ("linear", 10)
    assert classified.head.embedding is not None
    assert not classified.head.embedding.unit_length
    assert ins.lower(classified).cost().params == ins.lower(facenet).cost().params + 512 * 10 + 10
    module = ins.compile(classified, num_classes=0, width=0.25, input_size=96)
    assert module.eval()(torch.zeros(1, 3, 96, 96)).shape == (1, 512)


@pytest.mark.parametrize("name", ["nin_cifar10", "nin_imagenet"])
def test_nin_takes_other_classes(name: str) -> None:
    network = ins.set_classes(ins.load(name), 7)
    assert ins.lower(network).nodes[-1].type == (7,)
    assert network.head.classifier == "maps"
    assert [node.type.channels for node in ins.lower(network).nodes if node.path == "head.classifier.conv"] == [7]


# --- Network in Network, by hand ---------------------------------------------------------------------------------


def mlpconv(channels: int, widths: tuple[int, ...], kernel: int, stride: int = 1, pad: int = 0) -> list[nn.Module]:
    """A convolution and 1x1 convolutions after it, each with ReLU (1312.4400, section 3.1)."""
    layers: list[nn.Module] = []
    for index, (before, width) in enumerate(zip((channels, *widths), widths, strict=False)):
        first = index == 0
        layers += [
            nn.Conv2d(before, width, kernel if first else 1, stride if first else 1, pad if first else 0),
            nn.ReLU(),
        ]
    return layers


def pooled(kind: type[nn.Module], drop: bool = True) -> list[nn.Module]:
    """3x3 pooling with stride 2, its size rounded up, and dropout."""
    return [kind(3, 2, ceil_mode=True), *([nn.Dropout(0.5)] if drop else [])]  # type: ignore[call-arg]


def nin_cifar10(second: type[nn.Module]) -> nn.Module:
    return nn.Sequential(
        *mlpconv(3, (192, 160, 96), 5, pad=2), *pooled(nn.MaxPool2d),
        *mlpconv(96, (192, 192, 192), 5, pad=2), *pooled(second),
        *mlpconv(192, (192, 192, 10), 3, pad=1), nn.AvgPool2d(8), nn.Flatten(),
    )  # fmt: skip


def nin_imagenet() -> nn.Module:
    return nn.Sequential(
        *mlpconv(3, (96, 96, 96), 11, stride=4), *pooled(nn.MaxPool2d, drop=False),
        *mlpconv(96, (256, 256, 256), 5, pad=2), *pooled(nn.MaxPool2d, drop=False),
        *mlpconv(256, (384, 384, 384), 3, pad=1), *pooled(nn.MaxPool2d),
        *mlpconv(384, (1024, 1024, 1000), 3, pad=1), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "make", "size"),
    [
        ("nin_cifar10", lambda: nin_cifar10(nn.MaxPool2d), 32),
        ("nin_cifar10@caffe", lambda: nin_cifar10(nn.AvgPool2d), 32),
        ("nin_imagenet", nin_imagenet, 99),
        pytest.param("nin_imagenet", nin_imagenet, 224, marks=pytest.mark.slow),
        pytest.param("nin_imagenet", nin_imagenet, 227, marks=pytest.mark.slow),
    ],
)
def test_nin_is_the_network_written_by_hand(name: str, make: Callable[[], nn.Module], size: int) -> None:
    theirs = he_initialised(make())
    ours = ins.compile(name).double().eval()
    assert [p.shape for p in theirs.parameters()] == [p.shape for p in ours.parameters()]
    ours.load_state_dict(dict(zip(ours.state_dict(), theirs.state_dict().values(), strict=True)))
    compare(ours, theirs, images(size), dict(zip(ours.state_dict(), theirs.state_dict(), strict=True)))


def he_initialised(module: nn.Module) -> nn.Module:
    """In double precision and evaluation form, with random weights that keep maps in range."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for name, tensor in module.double().eval().state_dict().items():
            if tensor.ndim > 1:
                fan_in = tensor[0].numel()
                tensor.copy_(torch.randn(tensor.shape, dtype=torch.float64, generator=generator) * (2 / fan_in) ** 0.5)
            elif tensor.ndim == 1:
                random = torch.rand(tensor.shape, dtype=torch.float64, generator=generator)
                tensor.copy_(random + 0.5 if "bias" not in name and "mean" not in name else random * 0.2 - 0.1)
    return module


def compare(ours: nn.Module, theirs: nn.Module, x: Tensor, names: dict[str, str]) -> None:
    """Equal outputs and gradients, of the image and of every parameter (``names``: ours to theirs)."""
    one, other = x.clone().requires_grad_(), x.clone().requires_grad_()
    found, expected = (as_tuple(module(image)) for module, image in ((ours, one), (theirs, other)))
    assert max(relative_difference(a, b) for a, b in zip(found, expected, strict=True)) <= 1e-10
    assert min(float(y.detach().std()) for y in expected) > 1e-3  # not all the same
    probe_loss(found).backward()
    probe_loss(expected).backward()
    assert one.grad is not None
    assert other.grad is not None
    assert relative_difference(one.grad, other.grad) <= 1e-8
    gradients = {names[name]: p.grad for name, p in ours.named_parameters() if p.grad is not None}
    references = {name: p.grad for name, p in theirs.named_parameters() if p.grad is not None}
    assert len(references) == len(list(theirs.parameters()))
    assert largest_difference(gradients, references)[0] <= 1e-8


def as_tuple(outputs: Any) -> tuple[Tensor, ...]:
    return outputs if isinstance(outputs, tuple) else (outputs,)


# --- GoogLeNet, by hand ------------------------------------------------------------------------------------------

# Table 1 of 1409.4842: #1x1, #3x3 reduce, #3x3, #5x5 reduce, #5x5, pool proj
TABLE_1 = {
    "3a": (64, 96, 128, 16, 32, 32),
    "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 32, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}


class GoogLeNet(nn.Module):
    """Table 1 and Figure 3 of 1409.4842, with the normalisation layers and rounding of the authors' Caffe model.

    ``norm``: batch norm (eps 0.001) in place of biases and of the local response normalisation.
    """

    def __init__(self, norm: bool = False) -> None:
        super().__init__()
        self.norm = norm
        self.stem = nn.ModuleList([self.conv(3, 64, 7), self.conv(64, 64, 1), self.conv(64, 192, 3)])
        self.modules_ = nn.ModuleDict()
        channels = 192
        for name, (one, three_in, three, five_in, five, pool) in TABLE_1.items():
            shapes = [(channels, one, 1), (channels, three_in, 1), (three_in, three, 3)]
            shapes += [(channels, five_in, 1), (five_in, five, 5), (channels, pool, 1)]
            self.modules_[name] = nn.ModuleList([self.conv(*shape) for shape in shapes])
            channels = one + three + five + pool
        self.classifier = nn.Linear(1024, 1000)
        self.heads = nn.ModuleDict({name: self.head(c) for name, c in (("4a", 512), ("4d", 528))})

    def conv(self, channels: int, width: int, kernel: int) -> nn.Module:
        conv = nn.Conv2d(channels, width, kernel, 2 if kernel == 7 else 1, kernel // 2, bias=not self.norm)
        return nn.Sequential(conv, *([nn.BatchNorm2d(width, eps=0.001)] if self.norm else []), nn.ReLU())

    def head(self, channels: int) -> nn.Module:
        """Section 5: 5x5 average pooling of stride 3, 128 1x1 filters, 1024 units, 70% dropout, softmax's input."""
        fc = (nn.Flatten(), nn.Linear(4 * 4 * 128, 1024), nn.ReLU(), nn.Dropout(0.7), nn.Linear(1024, 1000))
        return nn.Sequential(nn.AvgPool2d(5, 3, ceil_mode=True), self.conv(channels, 128, 1), *fc)

    def lrn(self, x: Tensor) -> Tensor:
        """Krizhevsky et al. 2012, section 3.3, as in Caffe: x / (1 + 1e-4/5 * sum of 5 squares)^0.75."""
        if self.norm:
            return x
        squares = F.pad(x.square(), (0, 0, 0, 0, 2, 2)).unfold(1, 5, 1).sum(-1)
        return x / (1 + 1e-4 / 5 * squares) ** 0.75

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        x = self.lrn(shrunk(self.stem[0](x)))
        x = shrunk(self.lrn(self.stem[2](self.stem[1](x))))
        seen = []
        for name, convs in self.modules_.items():
            one, three_in, three, five_in, five, pool = convs  # type: ignore[misc]
            maxima = F.max_pool2d(x, 3, 1, 1)
            x = torch.cat((one(x), three(three_in(x)), five(five_in(x)), pool(maxima)), 1)
            if name in self.heads:
                seen.append(self.heads[name](x))
            if name in ("3b", "4e"):
                x = shrunk(x)
        return (self.classifier(x.mean((2, 3))), *seen)


def shrunk(x: Tensor) -> Tensor:
    return F.max_pool2d(x, 3, 2, ceil_mode=True)


@pytest.mark.parametrize("name", ["inception_v1", pytest.param("inception_v1@batch_norm", marks=pytest.mark.slow)])
def test_googlenet_is_the_network_written_by_hand(name: str) -> None:
    theirs = he_initialised(GoogLeNet(norm="batch_norm" in name))
    ours = ins.compile(name, aux=True).double().eval()
    # both are in the order of the document; ours has its stages, head, then auxiliary heads
    names = dict(zip(ours.state_dict(), theirs.state_dict(), strict=True))
    ours.load_state_dict({mine: theirs.state_dict()[other] for mine, other in names.items()})
    ours.training = True  # the heads compute; dropout (and batch norm) are in evaluation form
    ours.get_submodule("aux").training = True
    x = images(224, batch=1)
    outputs = as_tuple(ours(x))
    assert [tuple(y.shape) for y in outputs] == [(1, 1000)] * 3
    compare(ours, theirs, x, names)
