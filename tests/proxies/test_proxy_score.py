"""Scoring as a whole: any network, no traces, and reasons for what there is not."""

from __future__ import annotations

import math
import subprocess
import sys

import pytest
import torch

from inception_search.errors import ConfigError, SpecError, UnknownNameError
from inception_search.proxies.batch import ProxyBatch
from inception_search.proxies.score import find, score, score_with_reasons
from inception_search.proxies.table import BASELINES, PROXIES, known
from inception_search.spec.transform import remake
from inception_search.testing import check_proxy
from tests.bounds import bounded
from tests.proxies.by_hand import SMALL, images, network
from tests.shipped import shipped_space

SIZE = "input: 2x6x6\n"
CELL = """stages:
  a: 3x3 4
  cell:
    dag:
    - inputs: [{node: 0, step: [relu, 3x3 4]}]
    - inputs: [0, {node: 1, step: max 3x3}]
    - {join: concat, inputs: [1, {node: 2, step: zero}, 0], then: {narrow: 5}}
head: {classes: 3}
"""
AUX = "aux: {side: {after: a, body: 1x1 3, pool: avg, weight: 0.3}}\n"
# What a network is like, its document, the proxies that have no value for it.
NETWORKS: dict[str, tuple[str, set[str]]] = {
    "plain": (SMALL, set()),
    "no norm": (SMALL.replace("stages", "conv_defaults: {norm: null, act: relu, bias: true}\nstages"), set()),
    "gamma off": (SMALL.replace("stages", "conv_defaults: {norm: {gamma: false}, act: relu}\nstages"), set()),
    "silu": (SMALL.replace("stages", "conv_defaults: {norm: {}, act: silu}\nstages"), set()),
    "no norm, silu": (SMALL.replace("stages", "conv_defaults: {norm: null, act: silu}\nstages"), set()),
    "gelu": (SMALL.replace("stages", "conv_defaults: {norm: {}, act: gelu}\nstages"), set()),
    "no activation": (SMALL.replace("stages", "conv_defaults: {norm: {}, act: none}\nstages"), {"naswot"}),
    "cell": (SIZE + CELL, set()),
    "l2 pool": (SIZE + "stages: {a: 3x3 4, p: l2 3x3, b: 1x1 4}\nhead: {classes: 3}\n", set()),
    "lrn": (SIZE + "stages: {a: 3x3 4, n: lrn, b: 1x1 4}\nhead: {classes: 3}\n", set()),
    "aux": (SMALL + AUX, set()),
    "hidden layers": (SMALL.replace("classes: 3", "classes: 3, hidden: [7, 6], pool: max"), set()),
    "maps": (SMALL.replace("classes: 3", "classes: 3, classifier: maps"), set()),
    "depthwise": (SIZE + "stages: {a: 3x3 4, b: {depthwise: {kernel: 3x3}}, c: 1x1 5}\nhead: {classes: 3}\n", set()),
    "nothing but zeros": (
        SIZE + "stages: {a: 3x3 4, z: zero}\nhead: {classes: 3}\n",
        {"jacob_cov", "zen", "zico"},
    ),
    "features only": (
        SMALL.replace("classes: 3", "classifier: none"),
        {"grad_norm", "snip", "grasp", "fisher", "zico"},
    ),
}


@pytest.mark.parametrize("what", NETWORKS)
def test_any_network_has_finite_scores_or_reasons(what: str) -> None:
    text, missing = NETWORKS[what]
    found = score_with_reasons(network(text), images())
    assert set(found.reasons) == missing, found.reasons
    assert set(found.values) == set(PROXIES) - missing
    assert all(type(value) is float and math.isfinite(value) for value in found.values.values())
    assert all(found.reasons.values())


@pytest.mark.parametrize("name", PROXIES)
def test_a_proxy_keeps_the_laws(name: str) -> None:
    check_proxy(find(name))


def test_auxiliary_heads_do_not_count() -> None:
    assert score(network(NETWORKS["aux"][0]), images()) == score(network(), images())


def test_each_proxy_starts_afresh() -> None:
    """All at once, one at a time and the other way round: the same numbers."""
    together = score(network(), images())
    backwards = score(network(), images(), reversed(list(PROXIES)))
    alone = {name: score(network(), images(), [name])[name] for name in PROXIES}
    assert together == backwards == alone
    assert list(together) == list(PROXIES)


def test_a_seed_is_a_draw_of_weights() -> None:
    first, second = (score(network(), images(), seed=seed) for seed in (0, 1))
    assert {name for name in PROXIES if first[name] == second[name]} == set(BASELINES)


def test_nothing_in_torch_has_changed() -> None:
    before = torch.random.get_rng_state()
    threads = torch.get_num_threads()
    batch = images()
    kept = batch.images.clone()
    torch.set_num_threads(2)
    try:
        with torch.no_grad():
            first = score(network(), batch)
            assert not torch.is_grad_enabled()
        with torch.inference_mode():
            assert score(network(), batch) == first
            assert torch.is_inference_mode_enabled()
        assert torch.get_num_threads() == 2
        assert score(network(), batch) == first
    finally:
        torch.set_num_threads(threads)
    assert torch.equal(torch.random.get_rng_state(), before)
    assert torch.equal(batch.images, kept)
    assert not batch.images.requires_grad


def test_residuals_and_their_scale_do_not_count_for_zen() -> None:
    texts = (SMALL, SMALL.replace("scale: 0.5", "scale: 0.1"), SMALL.replace("skip: add, scale: 0.5, ", ""))
    assert len({score(network(text), None, ["zen"])["zen"] for text in texts}) == 1


def test_activations_and_norms_do_not_count_for_synflow() -> None:
    texts = (NETWORKS["plain"][0], NETWORKS["silu"][0], NETWORKS["gelu"][0], NETWORKS["no activation"][0])
    assert len({score(network(text), None, ["synflow"])["synflow"] for text in texts}) == 1


def test_deep_networks_do_not_overflow_where_float32_does() -> None:
    stages = "stages: {stem: 3x3 64, body: {repeat: {times: 40, body: 3x3 64}}}\n"
    deep = network(f"{SIZE}conv_defaults: {{norm: null, act: relu}}\n{stages}head: {{classes: 3}}\n")
    found = score(deep, None, ["synflow", "zen"])
    assert found["synflow"] > torch.finfo(torch.float32).max
    assert found["zen"] > math.log(torch.finfo(torch.float32).max)


def twins() -> ProxyBatch:
    batch = images()
    return ProxyBatch(batch.images[:1].expand(8, -1, -1, -1).contiguous(), batch.labels[:8])


# The batch, the proxy, words of the reason.
REASONS = [
    (None, "snip", "needs images"),
    (images(shape=(2, 5, 5)), "naswot", "images of (2, 5, 5)"),
    (images(shape=(1, 6, 6)), "jacob_cov", "images of (1, 6, 6)"),
    (images(classes=4), "grasp", "a classifier of 4 classes"),
    (images(size=7), "zico", "8 images or more"),
    (twins(), "naswot", "singular"),
]


@pytest.mark.parametrize(("batch", "name", "words"), REASONS)
def test_reasons(batch: ProxyBatch | None, name: str, words: str) -> None:
    found = score_with_reasons(network(), batch, [name])
    assert not found.values
    assert words in found.reasons[name]
    assert score(network(), batch, [name]) == {}


def test_a_network_that_does_not_fit_its_images_has_no_scores() -> None:
    bad = network(SIZE + "stages: {a: 9x9 4 valid}\nhead: {classes: 3}\n")
    found = score_with_reasons(bad, images())
    assert set(found.reasons) == set(PROXIES)
    assert "kernel 9x9" in found.reasons["zen"]


def test_what_is_asked_wrongly_is_refused() -> None:
    with pytest.raises(UnknownNameError, match=r"did you mean 'snip'"):
        score(network(), images(), ["snp"])
    with pytest.raises(ConfigError, match="no proxies"):
        score(network(), images(), [])
    with pytest.raises(SpecError, match="only a network"):
        score("inception_v1", images())  # type: ignore[arg-type]


def test_the_table() -> None:
    assert known() == tuple(PROXIES)
    assert known(["zen", "snip", "zen"]) == ("zen", "snip")
    assert set(BASELINES) < set(PROXIES)
    free = {name for name, proxy in PROXIES.items() if proxy.needs == "nothing"}
    assert set(score(network(), None)) == free == {"params", "macs", "synflow", "zen"}
    assert all(proxy.better == "higher" and proxy.about for proxy in PROXIES.values())
    assert all(proxy.paper for name, proxy in PROXIES.items() if name not in BASELINES)


def test_naming_the_proxies_loads_no_torch() -> None:
    code = "import sys, inception_search.proxies.table as t; assert 'torch' not in sys.modules and t.PROXIES"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.slow
@pytest.mark.parametrize("point", ["v1_3a", "v3_6b", "resnet_b"])
def test_full_size_modules_are_scored_soon(point: str) -> None:
    net = shipped_space("inception_modules").fixed_points[point]
    net = remake(net, head=remake(net.head, classes=10))
    batch = images(64, net.input.shape, 10)
    for name in PROXIES:
        with bounded():  # half a second each
            assert score(net, batch, [name])
