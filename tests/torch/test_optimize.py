"""``ins.compile(..., optimize=...)``: models that compute by rewritten graphs behave like any model."""

from __future__ import annotations

import pickle
from copy import deepcopy
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import inception_search as ins
from inception_search.backend.network_module import NetworkModule
from inception_search.errors import CompileError, ConfigError, UnknownNameError
from tests.passes.checks import LIMIT, distance, unsettled
from tests.weights.small_network import SMALL

MERGED = ["merge_siblings"]
FOLDED = ["merge_siblings", "fold_norm"]


def small(optimize: Any = "none", **options: Any) -> NetworkModule:
    return unsettled(ins.compile(ins.load(SMALL), seed=0, optimize=optimize, **options).double())


def images(seed: int = 0) -> Tensor:
    return torch.randn(4, 3, 16, 16, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def step(model: nn.Module, optimizer: torch.optim.Optimizer, x: Tensor) -> float:
    """A training step; the loss before it."""
    optimizer.zero_grad()
    with torch.random.fork_rng([]):
        torch.manual_seed(0)  # of dropout
        output = model(x)
    output = output if isinstance(output, tuple) else (output,)
    loss = sum(F.cross_entropy(each, torch.arange(4) % each.shape[1]) for each in output)
    loss.backward()
    optimizer.step()
    return loss.item()


def trained(model: nn.Module, steps: int = 3) -> tuple[list[float], torch.optim.Optimizer]:
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    return [step(model.train(), optimizer, images(seed)) for seed in range(steps)], optimizer


@pytest.mark.parametrize("aux", [False, True])
def test_training_has_the_same_losses_and_weights(aux: bool) -> None:
    plain, fast = small(aux=aux), small(MERGED, aux=aux)
    assert fast.rewrites["training"]
    assert trained(plain)[0] == pytest.approx(trained(fast)[0], rel=1e-12)
    assert list(plain.state_dict()) == list(fast.state_dict())
    assert distance([*fast.state_dict().values()], [*plain.state_dict().values()]) <= LIMIT
    assert all(int(v) == 3 for k, v in fast.state_dict().items() if "tracked" in k and ("aux" not in k or aux))


@pytest.mark.parametrize(("first", "second"), [("none", MERGED), (MERGED, "none")])
def test_a_checkpoint_goes_on_in_the_other_form(first: Any, second: Any) -> None:
    """Weights, statistics and the optimizer's state of one form load into the other; training goes on as in one run."""
    one = small(first)
    _, optimizer = trained(one)
    other = small(second)
    other.load_state_dict(one.state_dict())
    resumed = torch.optim.SGD(other.parameters(), lr=0.05, momentum=0.9)
    resumed.load_state_dict(deepcopy(optimizer.state_dict()))
    for seed in (7, 8):
        assert step(one, optimizer, images(seed)) == pytest.approx(step(other, resumed, images(seed)), rel=1e-12)


def test_inference_follows_the_weights() -> None:
    plain, fast = small().eval(), small(FOLDED).eval()
    x = images()
    first = deepcopy(small().state_dict())
    for change in (lambda m: None, trained, lambda m: unsettled(m, 3), lambda m: m.load_state_dict(first)):
        for model in (plain, fast):
            change(model)
        with torch.no_grad():
            assert distance([fast.eval()(x)], [plain.eval()(x)]) <= LIMIT


def test_statistics_alone_are_noticed() -> None:
    """Batches in training mode without an optimizer change only the running statistics, also of merged norms."""
    plain, fast = small().eval(), small(FOLDED).eval()
    with torch.no_grad():
        fast(images())
        for model in (plain, fast):
            model.train()(images(5))
            model.eval()
        assert distance([fast(images())], [plain(images())]) <= LIMIT


@pytest.mark.parametrize("copied", [deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_copies_are_independent(copied: Any) -> None:
    model = small("none")
    fast = small(FOLDED)
    copy = copied(fast)
    assert copy.rewrites == fast.rewrites
    trained(copy)
    with torch.no_grad():
        assert distance([fast.eval()(images())], [model.eval()(images())]) <= LIMIT
        assert distance([copy.eval()(images())], [model(images())]) > 1e-6


def test_moved_models_still_train() -> None:
    plain, fast = small().float().double(), small(MERGED).float().double()
    assert trained(plain)[0] == pytest.approx(trained(fast)[0], rel=1e-12)
    assert distance([*fast.parameters()], [*plain.parameters()]) <= LIMIT


def test_functional_calls_use_the_given_tensors() -> None:
    """torch.func has tensors of its own in place of the parameters."""
    plain, fast = small().eval(), small(MERGED).eval()
    other = {name: value * 1.1 for name, value in plain.named_parameters()}
    found, expected = (torch.func.functional_call(model, other, images()) for model in (fast, plain))
    assert distance([found.detach()], [expected.detach()]) <= LIMIT


def test_frozen_stages_stay_frozen() -> None:
    plain, fast = small(), small(MERGED)
    for model in (plain, fast):
        model.freeze(model.stages[1])
    assert trained(plain)[0] == pytest.approx(trained(fast)[0], rel=1e-12)
    assert distance([*fast.state_dict().values()], [*plain.state_dict().values()]) <= LIMIT


def test_hooks_are_called() -> None:
    """A rewritten model computes as its document is written while a layer has a hook; copies can have hooks, too."""
    plain, fast = small(), small([*MERGED, *FOLDED])
    seen: list[int] = []
    conv = next(layer for layer in fast.modules() if isinstance(layer, nn.Conv2d))
    hook = conv.register_forward_hook(lambda *_: seen.append(1))
    assert trained(plain)[0] == pytest.approx(trained(deepcopy(fast))[0], rel=1e-12)
    assert trained(fast)[0] == pytest.approx(trained(small())[0], rel=1e-12)
    assert len(seen) == 6
    hook.remove()
    step(fast, torch.optim.SGD(fast.parameters()), images())
    assert len(seen) == 6


def test_a_replaced_layer_is_used_or_an_error() -> None:
    """Without a change of the mode: a layer of the same kind is used at once, another kind is an error."""
    fast = small([*MERGED, *FOLDED]).eval()
    with torch.no_grad():
        before = fast(images())
        fast.head.classifier = deepcopy(fast.head.classifier)
        fast.head.classifier.weight.zero_()
        assert not torch.equal(fast(images()), before)
        fast.head.classifier = nn.Sequential(fast.head.classifier)
        with pytest.raises(CompileError, match="not those of its document"):
            fast(images())


def test_weights_at_a_recycled_address_are_noticed() -> None:
    fast, plain = small(["fold_norm"]), small().eval()
    with torch.no_grad():
        for seed in range(4):
            for model in (fast, plain):
                layer = model.get_classifier()
                layer.weight = None
                generator = torch.Generator().manual_seed(seed)
                shape = (layer.out_features, layer.in_features)
                layer.weight = nn.Parameter(torch.randn(shape, dtype=torch.float64, generator=generator))
            assert distance([fast(images())], [plain(images())]) <= LIMIT


def test_gradients_of_weights_in_evaluation_mode() -> None:
    plain, fast = small().eval(), small([*MERGED, *FOLDED]).eval()
    for model in (plain, fast):
        model(images()).square().sum().backward()
    assert distance([p.grad for p in fast.parameters()], [p.grad for p in plain.parameters()]) <= LIMIT


def test_a_weight_that_is_changed_before_its_gradient_is_an_error() -> None:
    for optimize in ("none", MERGED):
        model = small(optimize).train()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        loss = model(images()).square().sum()
        loss.backward(retain_graph=True)
        optimizer.step()
        with pytest.raises(RuntimeError, match="modified by an inplace operation"):
            loss.backward()


def test_loading_replaces_the_counted_batches() -> None:
    model = small(MERGED)
    state = {name: value.clone() for name, value in small().state_dict().items()}
    trained(model)
    model.load_state_dict(state)
    assert all(int(value) == 0 for name, value in model.state_dict().items() if "tracked" in name)


def test_no_passes_is_none() -> None:
    assert small([]).rewrites == {}
    assert small([]).training


def test_a_new_classifier_is_used() -> None:
    fast = small(FOLDED).eval()
    fast.reset_classifier(7)
    with torch.no_grad():
        assert fast.eval()(images()).shape == (4, 7)
        before = fast(images())
        fast.get_classifier().weight.zero_()
        assert not torch.equal(fast(images()), before)


def test_the_cost_model_chooses(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    model = small("auto")
    assert {"training", "inference"} == set(model.rewrites)
    assert any(name == "fold_norm" for name, _ in model.rewrites["inference"])
    assert (tmp_path / "inception-search" / "latency.json").is_file()
    assert small("auto").rewrites == model.rewrites, "the same cache gives the same choice"


def test_plain_models_have_no_rewrites() -> None:
    assert small().rewrites == {}


class TestErrors:
    def test_training_mode(self) -> None:
        model = small(["fold_norm"])
        assert not model.training
        with pytest.raises(CompileError, match="training mode") as error:
            model.train()(images())
        assert "auto" in str(error.value)

    def test_unknown_pass(self) -> None:
        with pytest.raises(UnknownNameError, match="merge_siblings"):
            small(["merge_sibling"])

    def test_unknown_word(self) -> None:
        with pytest.raises(ConfigError, match="inference"):
            small("fast")

    def test_replaced_layers(self) -> None:
        model = small(MERGED)
        path = next(name for name, layer in model.named_modules() if isinstance(layer, nn.Conv2d))
        parent, _, name = path.rpartition(".")
        setattr(model.get_submodule(parent), name, nn.Identity())
        with pytest.raises(CompileError, match="not those of its document"):
            model.train()


def test_steps_of_a_fused_optimizer_are_seen() -> None:
    """Torch counts no version of a tensor for them."""
    plain, fast = small().eval(), small(FOLDED).eval()
    with torch.no_grad():
        fast(images())  # folds the first weights
    for model in (plain, fast):
        step(model, torch.optim.AdamW(model.parameters(), lr=0.1, fused=True), images())
    with torch.no_grad():
        assert distance([fast(images())], [plain(images())]) <= 1e-9
