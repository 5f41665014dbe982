"""``ins.optimize``: the fast model returns what the model does, whatever happens to sizes and weights."""

from __future__ import annotations

import copy
import gc
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import inception_search as ins
from inception_search.backend.network_module import NetworkModule
from inception_search.errors import CompileError, ConfigError, MapTooSmallError, ShapeError, WeightsError
from inception_search.execution import kernels
from tests.passes.checks import distance, unsettled
from tests.weights.small_network import SMALL

FLOAT, BFLOAT = 1e-5, 3e-2


def small(**options: Any) -> NetworkModule:
    return unsettled(ins.compile(ins.load(SMALL), seed=0, **options)).eval()


def images(batch_size: int = 2, channels: int = 3, side: int = 16) -> Tensor:
    return torch.randn(batch_size, channels, side, side, generator=torch.Generator().manual_seed(0))


def same(fast: nn.Module, model: nn.Module, x: Tensor, limit: float = FLOAT) -> None:
    with torch.inference_mode():
        assert distance([fast(x)], [model(x)]) <= limit


CANONICAL = {
    "inception_v1@torchvision": 64,
    "inception_v3": 75,
    "inception_v4": 75,
    "inception_resnet_v2": 75,
    "inception_next_tiny": 64,
    "xception": 71,
    "nin_cifar10": 32,
}


@pytest.mark.parametrize("name", [name for name in CANONICAL if name.partition("@")[0] in ins.list_models()])
def test_canonical_networks(name: str) -> None:
    side = CANONICAL[name]
    model = unsettled(ins.compile(name, width=0.25, input_size=side, num_classes=10, seed=0)).eval()
    same(ins.optimize(model, batch_size=2), model, images(side=side))


@pytest.mark.skipif(not kernels._has_bfloat16(), reason="this CPU cannot compute in bfloat16")
def test_bfloat16() -> None:
    model = small()
    fast = ins.optimize(model, dtype="bfloat16")
    same(fast, model, images(), BFLOAT)
    assert fast(images()).dtype == torch.float32


@pytest.mark.parametrize("batch_size", [0, 1, 3])
@pytest.mark.parametrize("side", [16, 21])
def test_other_batches_and_images(batch_size: int, side: int) -> None:
    model = small()
    fast = ins.optimize(model)
    x = images(batch_size, side=side)
    for layout in (x, x.contiguous(memory_format=torch.channels_last), x.double(), x.transpose(2, 3)):
        with torch.inference_mode():
            torch.testing.assert_close(fast(layout), model(layout.float()), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("options", [{"num_classes": 0}, {"num_classes": 0, "global_pool": "none"}, {"aux": True}])
def test_other_heads(options: dict[str, Any]) -> None:
    model = small(**options)
    same(ins.optimize(model), model, images())


def test_one_channel_stays_channels_last() -> None:
    """A tensor of one channel has both layouts at once, and convolutions would take the slow one."""
    model = small(in_channels=1, num_classes=0, global_pool="none")
    found = ins.optimize(model)(images(channels=1))
    assert found.is_contiguous(memory_format=torch.channels_last)
    same(ins.optimize(model), model, images(channels=1))


def test_a_rewritten_model_can_be_optimized() -> None:
    plain, rewritten = small(), small(optimize=["merge_siblings", "fold_norm"])
    same(ins.optimize(rewritten), plain, images())


def _step(model: NetworkModule) -> None:
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    model.train()(images()).sum().backward()
    optimizer.step()
    model.eval()


def _fused_step(model: NetworkModule) -> None:
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.1, fused=True)
    model(images()).sum().backward()
    optimizer.step()


def _images_in_training_mode(model: NetworkModule) -> None:
    model.train()(images())
    model.eval()


def _replace_parameter(model: NetworkModule) -> None:
    model.head.classifier.weight = nn.Parameter(torch.randn_like(model.head.classifier.weight))


def _replace_layer(model: NetworkModule) -> None:
    old = model.head.classifier
    model.head.classifier = nn.Linear(old.in_features, old.out_features)


def _statistics(model: NetworkModule) -> None:
    next(each for each in model.modules() if isinstance(each, nn.BatchNorm2d)).running_mean.add_(1)


CHANGES: dict[str, Callable[[NetworkModule], object]] = {
    "a step of training": _step,
    "a step of a fused optimizer": _fused_step,
    "images in training mode": _images_in_training_mode,
    "loaded weights": lambda model: model.load_state_dict(unsettled(small(), 3).state_dict()),
    "statistics": _statistics,
    "a new parameter": _replace_parameter,
    "a new layer": _replace_layer,
    "a new classifier": lambda model: model.reset_classifier(7),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_changed_weights_are_seen(change: Callable[[NetworkModule], object]) -> None:
    model = small()
    fast = ins.optimize(model)
    before = fast(images())
    change(model)
    same(fast, model, images())
    assert not torch.equal(fast(images()), before)


def test_images_in_training_mode_are_seen_in_a_rewritten_model() -> None:
    model = small(optimize=["merge_siblings"])
    fast = ins.optimize(model)
    _images_in_training_mode(model)
    same(fast, model, images())


def test_refresh_after_a_write_through_data() -> None:
    model = small()
    fast = ins.optimize(model)
    model.head.classifier.weight.data.mul_(2)
    fast.refresh()
    same(fast, model, images())


def test_the_model_stays_as_it_is() -> None:
    model = small()
    before = copy.deepcopy(model.state_dict())
    fast = ins.optimize(model)
    fast(images())
    assert not list(fast.parameters())
    assert all(torch.equal(before[key], value) for key, value in model.state_dict().items())
    assert all(parameter.requires_grad for parameter in model.parameters())


def test_code_is_kept_for_each_size() -> None:
    fast = ins.optimize(small())
    first = fast._prepare(1, 16, 16)
    fast(images(3))
    assert "3x3x16x16" in fast.code
    fast(images(1))
    assert fast._prepare(1, 16, 16) is first
    assert "1x3x16x16" in fast.code


def test_packed_weights_are_shared_between_sizes() -> None:
    fast = ins.optimize(small(), record=False)
    one, two = fast._prepare(1, 16, 16), fast._prepare(2, 16, 16)
    shared = [path for path in one.weights if one.weights[path] is two.weights[path]]
    assert shared or not one.fused


def _hooked(model: NetworkModule) -> NetworkModule:
    model.head.classifier.register_forward_hook(lambda *_: None)
    return model


def _other_layer(model: NetworkModule) -> NetworkModule:
    model.head.classifier = nn.Identity()
    return model


def _of_inference_mode() -> NetworkModule:
    with torch.inference_mode():
        return small()


def _valid() -> NetworkModule:
    """A network for images of at least 5x5 pixels."""
    return ins.compile(ins.load(SMALL.replace("top: 3x3 16", "top: 3x3 16 valid")), seed=0).eval()


ERRORS: dict[str, tuple[Callable[[], Any], type[Exception], str]] = {
    "training mode": (lambda: ins.optimize(small().train()), CompileError, "model.eval"),
    "any module": (lambda: ins.optimize(nn.Linear(2, 2)), ConfigError, "got 'Linear'.*ins.compile"),
    "a layer of features": (lambda: ins.optimize(small().feature_extractor()), ConfigError, "not a network"),
    "dtype": (lambda: ins.optimize(small(), dtype="float16"), ConfigError, "float32.*bfloat16"),  # type: ignore[arg-type]
    "batch size": (lambda: ins.optimize(small(), batch_size=0), ConfigError, "1 or more"),
    "hook": (lambda: ins.optimize(_hooked(small())), CompileError, "hook"),
    "another layer": (lambda: ins.optimize(_other_layer(small())), CompileError, "another layer at"),
    "weights of inference mode": (lambda: ins.optimize(_of_inference_mode()), ConfigError, "outside"),
    "channels": (lambda: ins.optimize(small())(images(channels=1)), ShapeError, r"expected \(N, 3, H, W\)"),
    "no batch": (lambda: ins.optimize(small())(images()[0]), ShapeError, r"expected \(N, 3, H, W\)"),
    "too small": (lambda: ins.optimize(_valid())(images(side=4)), MapTooSmallError, "use images of at least 5x5"),
    "whole numbers": (lambda: ins.optimize(small())(images().to(torch.uint8)), ConfigError, "prepare_images"),
    "device": (lambda: ins.optimize(small())(images().to("meta")), ConfigError, "another device"),
    "no tensor": (lambda: ins.optimize(small())([1]), ConfigError, "expected a tensor"),  # type: ignore[arg-type]
}


@pytest.mark.parametrize(("call", "error", "text"), ERRORS.values(), ids=ERRORS.keys())
def test_bad_input(call: Callable[[], Any], error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        call()


def test_bfloat16_on_a_cpu_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernels, "_has_bfloat16", lambda: False)
    with pytest.raises(ConfigError, match=r"cannot compute in bfloat16.*float32"):
        ins.optimize(small(), dtype="bfloat16")


def test_a_model_set_to_training_mode_afterwards() -> None:
    model = small()
    fast = ins.optimize(model)
    model.train()
    with pytest.raises(CompileError, match=r"model\.eval"):
        fast(images())
    model.eval()
    same(fast, model, images())


def test_layers_replaced_afterwards() -> None:
    model = small()
    fast = ins.optimize(model)
    _other_layer(model)
    for _ in range(2):
        with pytest.raises(CompileError, match="another layer at"):
            fast(images())


def test_images_that_do_not_fit_a_classifier_of_maps() -> None:
    model = unsettled(
        ins.compile(ins.load(SMALL.replace("head: {classes", "head: {pool: none, classes")), seed=0)
    ).eval()
    fast = ins.optimize(model)
    same(fast, model, images())
    with pytest.raises(ShapeError, match="do not fit"):
        fast(images(side=32))


def test_the_output_can_be_used_in_a_loss() -> None:
    """As a teacher: an inference tensor could not be saved for a gradient."""
    model = ins.compile("nin_cifar10", width=0.1, seed=0).eval()
    fast = ins.optimize(model, record=False)
    images = torch.randn(1, 3, 32, 32)
    student = torch.zeros(1, 10, requires_grad=True)
    (student * fast(images)).sum().backward()
    torch.testing.assert_close(student.grad, model(images).detach(), rtol=1e-4, atol=1e-5)


def test_a_hook_that_is_added_later_is_an_error() -> None:
    model = ins.compile("nin_cifar10", width=0.1, seed=0).eval()
    fast = ins.optimize(model, record=False)
    hook = model.get_classifier().register_forward_hook(lambda *_: None)
    with pytest.raises(CompileError, match="document"):
        fast(torch.zeros(1, 3, 32, 32))
    hook.remove()
    fast(torch.zeros(1, 3, 32, 32))


def test_released_weights_are_freed() -> None:
    model = small()
    fast = ins.optimize(model, batch_size=2)
    expected = fast(images())
    weights = [weakref.ref(p) for p in model.parameters()]
    fast.release_model()
    fast.release_model()
    gc.collect()
    assert not any(weight() is not None for weight in weights)
    assert torch.equal(fast(images()), expected)


def test_what_needs_released_weights() -> None:
    model = small()
    fast = ins.optimize(model, batch_size=2)
    fast.predict(images(8), batch_size=4, workers=2)
    fast.release_model()
    assert len(fast.predict(images(8), batch_size=4, workers=2)) == 8
    with pytest.raises(CompileError, match="weights of the model were released") as error:
        fast(images(3))
    assert error.value.found.startswith("3 images of 16x16 with ")
    assert "2 images of 16x16" in str(error.value)
    for use in (fast.refresh, lambda: model(images()), lambda: copy.deepcopy(fast)):
        with pytest.raises(CompileError, match="weights of the model were released"):
            use()


def test_a_released_model_cannot_be_optimized_or_saved(tmp_path: Path) -> None:
    model = small()
    ins.optimize(model, record=False).release_model()
    with pytest.raises(CompileError, match="the model has no weights"):
        ins.optimize(model)
    with pytest.raises(WeightsError, match="the model has no weights"):
        ins.save_model(model, tmp_path / "model.safetensors")


def test_a_hook_on_the_whole_model_is_an_error() -> None:
    model = small()
    fast = ins.optimize(model, record=False)
    model.register_forward_hook(lambda *_: None)
    with pytest.raises(CompileError, match="undo the change"):
        fast(images())
