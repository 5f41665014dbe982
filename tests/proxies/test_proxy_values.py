"""Every proxy against its formula, computed the plain way on a module written by hand."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from inception_search.lowering import lower
from inception_search.proxies.score import score
from tests.proxies.by_hand import ByHand, by_hand, images, network

BATCH = images()


def value(name: str, seed: int = 0) -> float:
    return score(network(), BATCH, [name], seed=seed)[name]


def loss_of(module: ByHand, x: Tensor = BATCH.images, labels: Tensor = BATCH.labels) -> Tensor:
    return F.cross_entropy(module(x), labels)


def slopes(module: ByHand, x: Tensor = BATCH.images, labels: Tensor = BATCH.labels) -> list[Tensor]:
    module.zero_grad()
    loss_of(module, x, labels).backward()
    return [weight.grad.clone() for weight in module.weights()]  # type: ignore[union-attr]


def test_the_module_by_hand_is_ours() -> None:
    from inception_search.proxies.probe import Probe

    ours = Probe(network()).module()
    torch.testing.assert_close(ours(BATCH.images), by_hand()(BATCH.images))


def test_params_and_macs_are_those_of_the_graph() -> None:
    cost = lower(network()).cost()
    assert (value("params"), value("macs")) == (cost.params, cost.macs)
    assert cost.params == sum(p.numel() for p in by_hand().parameters())


@pytest.mark.parametrize("seed", [0, 5])
def test_grad_norm(seed: int) -> None:
    assert value("grad_norm", seed) == pytest.approx(sum(float(g.norm()) for g in slopes(by_hand(seed))), rel=1e-5)


@pytest.mark.parametrize("seed", [0, 5])
def test_snip(seed: int) -> None:
    module = by_hand(seed)
    pairs = zip(module.weights(), slopes(module), strict=True)
    assert value("snip", seed) == pytest.approx(sum(float((w.detach() * g).abs().sum()) for w, g in pairs), rel=1e-5)


def test_grasp_is_a_finite_difference_of_gradients() -> None:
    module = by_hand().double()
    x, step = BATCH.images.double(), 1e-6
    here, g = [w.detach().clone() for w in module.weights()], slopes(module, x)
    sides = []
    for sign in (1, -1):
        with torch.no_grad():
            for weight, start, direction in zip(module.weights(), here, g, strict=True):
                weight.copy_(start + sign * step * direction)
        sides.append(slopes(module, x))
    h = [(after - before) / (2 * step) for after, before in zip(*sides, strict=True)]
    expected = -sum(float((w * hg).sum()) for w, hg in zip(here, h, strict=True))
    assert value("grasp") == pytest.approx(expected, rel=1e-3)


def test_fisher_is_the_slope_by_a_mask_on_every_channel_of_every_image() -> None:
    module = by_hand()
    loss_of(module)
    total = 0.0
    for index, output in enumerate(module.outputs):
        mask = torch.ones(output.shape[:2], requires_grad=True)  # what becomes of the loss when a channel is scaled

        def masked(_: object, __: object, out: Tensor, mask: Tensor = mask) -> Tensor:
            return out * mask.reshape(*mask.shape, *[1] * (out.ndim - 2))

        layer = [*module.convs, module.classifier][index]
        hook = layer.register_forward_hook(masked)
        (slope,) = torch.autograd.grad(loss_of(module), [mask])
        hook.remove()
        total += float((slope.double() ** 2).sum()) / (2 * len(BATCH))
    assert value("fisher") == pytest.approx(total, rel=1e-4)


def test_jacob_cov_as_its_authors_write_it() -> None:
    x = BATCH.images.clone().requires_grad_()
    y = by_hand()(x)
    y.backward(torch.ones_like(y))
    correlations = np.corrcoef(x.grad.reshape(len(x), -1).double().numpy())  # type: ignore[union-attr]
    v = np.linalg.eigvals(correlations).real
    expected = -np.sum(np.log(v + 1e-5) + 1 / (v + 1e-5))
    assert value("jacob_cov") == pytest.approx(expected, rel=1e-4)


def test_naswot_is_the_determinant_of_a_hamming_kernel() -> None:
    module = by_hand()
    module(BATCH.images)
    codes = np.concatenate([entered.flatten(1).detach().numpy() > 0 for entered in module.entered], 1)
    kernel = np.zeros((len(codes), len(codes)))
    for i, j in itertools.product(range(len(codes)), repeat=2):
        kernel[i, j] = codes.shape[1] - np.count_nonzero(codes[i] != codes[j])
    assert value("naswot") == pytest.approx(np.linalg.slogdet(kernel)[1], rel=1e-9)


@pytest.mark.parametrize("seed", [0, 5])
def test_zen_by_its_algorithm(seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    module = ByHand(residual=False).double().train()
    with torch.no_grad():
        for conv in module.convs:
            conv.weight.normal_(generator=generator)
        x, e = (torch.randn(16, 2, 6, 6, generator=generator, dtype=torch.float64) for _ in range(2))
        moved = (module.maps(x + 0.01 * e) - module.maps(x)).numpy()
        scales = [np.sqrt(out.numpy().var(axis=(0, 2, 3)).mean()) for out in module.outputs]
    lengths = np.sqrt((moved**2).sum((1, 2, 3)))
    assert value("zen", seed) == pytest.approx(np.log(lengths.mean()) + np.log(scales).sum(), rel=1e-9)


def test_zico_by_its_formula_over_four_batches() -> None:
    module = by_hand()
    parts = [slopes(module, BATCH.images[i : i + 3], BATCH.labels[i : i + 3]) for i in range(0, 12, 3)]
    expected = 0.0
    for layer in range(5):
        sizes = np.abs(np.stack([part[layer].double().numpy() for part in parts]))
        mean, deviation = sizes.mean(0), np.sqrt(sizes.var(0))
        expected += np.log((mean[deviation > 0] / deviation[deviation > 0]).sum())
    assert value("zico") == pytest.approx(expected, rel=1e-4)


CHAIN = """\
input: 2x1x1
conv_defaults: {norm: null, act: none}
stages: {a: 1x1 3, b: 1x1 5, c: 1x1 4}
head: {classes: 3}
"""


def test_synflow_of_a_chain_is_a_product_of_matrices() -> None:
    """Every layer contributes 1' |W_L| ... |W_1| 1: the sum of all paths, each with one weight of the layer."""
    from inception_search.proxies.probe import Probe, weights_of

    probe = Probe(network(CHAIN))
    matrices = [w.detach().double().flatten(1).abs().numpy() for w in weights_of(probe.module(), probe.graph)]
    paths = np.ones(2)
    for matrix in matrices:
        paths = matrix @ paths
    assert score(network(CHAIN), None, ["synflow"])["synflow"] == pytest.approx(len(matrices) * paths.sum(), rel=1e-6)


def test_synflow_by_hand_on_ones_without_norm() -> None:
    module = by_hand().double()
    module.norms = torch.nn.ModuleList(torch.nn.Identity() for _ in module.norms)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.abs_()
    module(torch.ones(1, 2, 6, 6, dtype=torch.float64)).sum().backward()
    expected = sum(float((w.detach() * w.grad).sum()) for w in module.weights())  # type: ignore[operator]
    assert value("synflow") == pytest.approx(expected, rel=1e-6)
