"""Whether a model, and the images for its check, can be exported."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from inception_search.backend.as_documented import difference_from_document
from inception_search.backend.network_module import NetworkModule
from inception_search.errors import CompileError, ConfigError, ShapeError, raw


def checked_model(model: nn.Module) -> NetworkModule:
    """The model; an error unless it is a network in evaluation mode that computes what its document says."""
    if not isinstance(model, NetworkModule):
        hint = "make it with ins.compile or ins.load_model; after ins.optimize, export the model that it was given"
        raise ConfigError("not a network of this package", path="model", found=type(model).__name__, hint=hint)
    if any(layer.training for layer in model.modules()):
        rule, hint = "the model is in training mode", "call model.eval() first"
        raise ConfigError(rule, path="model", hint=hint)
    if found := difference_from_document(model):
        rule = "the model is not the one of its document any more"
        raise CompileError(rule, found=raw(found), hint="undo the change")
    for name, value in model.state_dict().items():
        _check_tensor(name, value)
    return model


def _check_tensor(name: str, value: Tensor) -> None:
    path = f"model.{name}"
    if value.device.type != "cpu":
        expected = "the CPU, where files are written and checked"
        hint = "compile the model on the CPU and load weights" if value.is_meta else "call model.cpu() first"
        raise ConfigError("on another device", path=path, found=raw(str(value.device)), expected=expected, hint=hint)
    if value.is_floating_point() and value.dtype != torch.float32:
        hint = "call model.float() first; dtype= sets the numbers of the file"
        rule, found = "weights in another dtype", raw(str(value.dtype).removeprefix("torch."))
        raise ConfigError(rule, path=path, found=found, expected="float32", hint=hint)
    if not value.isfinite().all():
        hint = "load other weights; the training may have diverged"
        raise ConfigError("weights that are not finite (nan or inf)", path=path, hint=hint)


def check_images(model: NetworkModule, images: Tensor | None) -> None:
    """Raise ShapeError or ConfigError unless the images are of the network's size and finite."""
    shape = tuple(model.recall("graph").nodes[0].type)
    if images is None:
        return
    if images.ndim != 4 or tuple(images.shape[1:]) != shape or not len(images):
        expected = f"(N, {', '.join(map(str, shape))})"
        raise ShapeError("not images of this network", path="images", found=tuple(images.shape), expected=expected)
    if not images.isfinite().all():
        raise ConfigError("values that are not finite (nan or inf)", path="images", hint="check the preprocessing")
