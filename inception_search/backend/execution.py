"""The rewritten forms in which a compiled network computes, instead of layer by layer as its document is written."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.dropout import _DropoutNd

from inception_search.backend.as_documented import Layers, difference_from_document, is_as_documented
from inception_search.backend.network_module import NetworkModule
from inception_search.backend.rewritten import Rewritten
from inception_search.errors import CompileError, raw
from inception_search.graph.graph import Graph
from inception_search.passes.pipeline import Applied, Rewrites, applied, repeat, run_passes
from inception_search.passes.rewrite import PassResult, Phase


class Execution:
    """A model computed by its rewritten graphs: one in training mode, one in evaluation mode.

    While a layer has a hook, the model computes as its document is written.

    Args:
        model: the model; its layers are those of its document.
        rewrites: which pass is applied where, for each phase. With ``"training"`` alone, that form computes in
            evaluation mode as well; with ``"inference"`` alone, a call in training mode is an error.
    """

    def __init__(self, model: NetworkModule, rewrites: Rewrites) -> None:
        self.model, self.rewrites = model, rewrites
        self.layers = list(model.modules())
        self.watched = Layers(model)
        self.moded = [layer for layer in self.layers if isinstance(layer, _BatchNorm | _DropoutNd)]
        self.forms = {
            phase: rewritten(model, repeat(_graph(model), phase, sites), phase) for phase, sites in rewrites.items()
        }

    def __call__(self, x: Tensor) -> Tensor | tuple[Tensor, ...]:
        """Images (N, C, H, W) to what the model returns."""
        if self.watched.replaced():
            self.model._rewrite_again()
            again: Tensor | tuple[Tensor, ...] = self.model.forward(x)
            return again
        form = self._form()
        if form is not None and form.phase == "inference":
            form.refresh_if_changed()
        result: Tensor | tuple[Tensor, ...] = self._plain(x) if form is None else form(x)
        return result

    def _form(self) -> Rewritten | None:
        """The form that computes the next output; None for the layers of the document."""
        if self.watched.hooked():  # only the document has the layers whose hooks are to be called
            return None
        if self.model.training:
            if "training" not in self.forms:
                hint = 'call model.eval(), or compile with optimize="auto" or "training"'
                raise CompileError("a model rewritten for inference is in training mode", hint=hint)
            return self.forms["training"]
        if "inference" in self.forms and not self._needs_weights():
            return self.forms["inference"]
        return self.forms.get("training")

    def _needs_weights(self) -> bool:
        """Whether an output in evaluation mode depends on more than fixed weights.

        That is so if gradients of the weights are recorded, if a layer alone is in training mode, or in torch.func.
        """
        if torch.is_grad_enabled() and any(p.requires_grad for p in self.model.parameters()):
            return True
        return any(layer.training for layer in self.moded) or torch._C._functorch.peek_interpreter_stack() is not None

    def _plain(self, x: Tensor) -> Tensor | tuple[Tensor, ...]:
        """The output of the layers of the document."""
        result: Tensor | tuple[Tensor, ...] = type(self.model).forward(self.model, x)
        return result

    def share_storage(self) -> None:
        """See :meth:`Rewritten.share_storage`."""
        for form in self.forms.values():
            form.share_storage()

    def count_batches(self) -> None:
        """See :meth:`Rewritten.count_batches`."""
        for form in self.forms.values():
            form.count_batches()


def rewritten(model: NetworkModule, result: PassResult, phase: Phase) -> Rewritten:
    """The module that computes ``result``, the rewritten graph of ``model``."""
    form = Rewritten(model, result.graph, result.state, phase, applied(result))
    form.share_storage()
    return form


def execute_by(model: NetworkModule, rewrites: Rewrites) -> NetworkModule:
    """Let ``model`` compute by its rewritten graphs; returns the model.

    Raises :class:`CompileError` if its layers are not those of its document.
    """
    if found := difference_from_document(model, hooks=True):
        hint = "rewrite the model as ins.compile makes it, before layers are changed"
        raise CompileError("the layers of the model are not those of its document", found=raw(found), hint=hint)
    model.remember(rewrites=dict(rewrites))
    model.__dict__["_execution"] = model.__dict__["forward"] = Execution(model, rewrites)
    return model


def training_form(model: nn.Module, rewrites: Applied | None) -> Rewritten | None:
    """The rewritten form in which ``model`` takes training steps; None if it is trained as it is.

    That is so without ``rewrites``, for other modules than compiled networks, and for a compiled network that is no
    longer as its document says.
    """
    if rewrites is None or not (isinstance(model, NetworkModule) and is_as_documented(model)):
        return None
    result = repeat(_graph(model), "training", rewrites)
    return rewritten(model, result, "training")


class Evaluated:
    """The computation of a model in evaluation mode.

    A compiled network is computed by its rewritten graph. Every other module is run as it is; so is a compiled network
    that is no longer what its document says: another layer at a path, another call, a hook, layers of several dtypes.

    Args:
        model: the module; it is only read.
    """

    def __init__(self, model: nn.Module) -> None:
        self.model = model
        self.fast: Rewritten | None = None
        self.layers: list[nn.Module] = []

    def current(self) -> nn.Module:
        """The module for the current weights and statistics: (N, C, H, W) to the output in evaluation mode.

        Call it again after weights or statistics have changed. Layers that are not rewritten are those of the model,
        with their modes.
        """
        model = self.model
        if not (isinstance(model, NetworkModule) and is_as_documented(model)):
            return model
        layers = list(model.modules())
        if self.fast is None or self.layers != layers:
            result = run_passes(_graph(model), "inference")  # those that need no measurement
            self.fast, self.layers = Rewritten(model, result.graph, result.state, "inference"), layers
        self.fast.refresh()
        return self.fast


def _graph(model: NetworkModule) -> Graph:
    graph = model.recall("graph")
    assert isinstance(graph, Graph)
    return graph
