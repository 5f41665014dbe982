"""A compiled network: an ``fx.GraphModule`` with its document, its stages and the set of frozen stages."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal

import torch
from torch import fx, nn

from inception_search.arguments import checked
from inception_search.backend.parts import name_parts
from inception_search.errors import CompileError, ConfigError, ShapeError, unknown_name
from inception_search.numbers import class_count
from inception_search.spec.network import Network
from inception_search.spec.transform import set_head

_META = "inception_search"


class NetworkModule(fx.GraphModule):
    """(N, C, H, W) images to logits (N, classes); in training with auxiliary classifiers (logits, aux, ...)."""

    # torch.jit.script compiles every property that is not listed here.
    __jit_unused_properties__ = [
        *fx.GraphModule.__jit_unused_properties__,
        *("network", "loaded", "stages", "classes", "num_classes", "num_features", "pretrained_cfg", "default_cfg"),
        *("feature_info", "rewrites"),
    ]

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        name_parts(self)

    def remember(self, **facts: Any) -> None:
        """Store ``facts`` where copies and pickles of a graph module keep them."""
        self.meta.setdefault(_META, {}).update(facts)
        if "network" in facts:
            name_parts(self, self.network)

    def recall(self, fact: str) -> Any:
        """A fact stored by :meth:`remember`; None if there is none."""
        return self.meta.get(_META, {}).get(fact)

    @property
    def network(self) -> Network:
        """The document of this module, as it was built (classes, input, auxiliary classifiers)."""
        network = self.recall("network")
        if not isinstance(network, Network):
            raise CompileError("this module has no document", hint="create it with compile")
        return network

    @property
    def loaded(self) -> Any:
        """The report of the weights last loaded (a ``WeightsReport``); None if none were loaded."""
        return self.recall("loaded")

    @property
    def stages(self) -> tuple[str, ...]:
        """The names of the stages, in order."""
        return tuple(self.recall("stages") or ())

    @property
    def classes(self) -> tuple[str, ...] | None:
        """The names of the classes in the order of the logits; None if they are unknown.

        Set them with ``model.classes = ["cat", "dog"]``; ``ins.save_model`` writes and ``ins.load_model`` reads them.
        Setting them raises :class:`ConfigError` unless there is a name for each logit.
        """
        names: tuple[str, ...] | None = self.recall("classes")
        return names

    @classes.setter
    def classes(self, names: Iterable[str] | None) -> None:
        found = None if names is None else (names,) if isinstance(names, str) else tuple(names)
        if found is not None and not (len(found) == self.num_classes and all(isinstance(name, str) for name in found)):
            expected = f"{self.num_classes} names, in the order of the logits"
            raise ConfigError("not the names of the classes", found=found, expected=expected)
        self.remember(classes=found)

    @property
    def num_classes(self) -> int:
        """The number of logits; 0 without a classifier."""
        head = self.network.head
        return 0 if head.classifier == "none" else head.classes

    @property
    def num_features(self) -> int:
        """The number of features that the classifier reads; without a classifier, the channels of the output."""
        from inception_search.backend.timm_interface import features_read

        return features_read(self.network)

    @property
    def pretrained_cfg(self) -> dict[str, Any]:
        """The preprocessing that the weights expect and the place of the classifier, under timm's names.

        ``timm.data.resolve_model_data_config(model)`` reads it; :func:`prepare_images` does the same without timm. See
        :func:`inception_search.backend.timm_interface.pretrained_cfg` for the names.
        """
        from inception_search.backend.timm_interface import pretrained_cfg

        found: dict[str, Any] | None = self.recall("pretrained_cfg")
        return pretrained_cfg(self.network) if found is None else found

    @pretrained_cfg.setter
    def pretrained_cfg(self, facts: Mapping[str, Any]) -> None:
        self.remember(pretrained_cfg=dict(facts))

    @property
    def default_cfg(self) -> dict[str, Any]:
        """The older name of :attr:`pretrained_cfg`."""
        return self.pretrained_cfg

    def get_classifier(self) -> nn.Module:
        """The last layer: ``Linear`` (or a 1x1 convolution with its activation); ``Identity`` without a classifier."""
        from inception_search.backend.timm_interface import CLASSIFIER

        return self.get_submodule(CLASSIFIER) if self.num_classes else nn.Identity()

    @checked
    def reset_classifier(
        self, num_classes: int, global_pool: Literal["avg", "max", "none", ""] | None = None
    ) -> NetworkModule:
        """Replace the classifier by a new, randomly initialised one of ``num_classes``; returns the model itself.

        ``num_classes=0`` removes it: the output is then the pooled features (N, num_features), or with
        ``global_pool="none"`` (or ``""``) the feature maps (N, C, H, W) of the last stage. Auxiliary classifiers get
        the same number of classes, and are removed with 0. All other layers stay the same objects; give an optimizer
        the new parameters. The class names are forgotten.

        Raises ConfigError for a classifier on maps that are not pooled, SpecError for an invalid number.

        >>> model.reset_classifier(10).get_classifier()  # doctest: +SKIP
        Linear(in_features=2048, out_features=10, bias=True)
        """
        from inception_search.backend.build import replace_head

        pool = "none" if global_pool == "" else global_pool
        replace_head(self, set_head(self.network, num_classes, pool))
        self._forget_caches()
        self._rewrite_again()
        return self.train(self.training)

    @checked
    def features(self, x: torch.Tensor, stages: str | Iterable[str] | None = None) -> dict[str, torch.Tensor]:
        """The output (N, C, H, W) of ``stages`` for images ``x``, by name; later stages are not run.

        The default is the last stage of each size (height and width): a pyramid, the largest first.

        Raises :class:`~inception_search.errors.UnknownNameError` for a stage that the network does not have, and
        :class:`~inception_search.errors.ShapeError` for images with other channels or too small for these stages; the
        error gives the smallest size.
        """
        channels, height, width = self.network.input.shape
        if x.ndim != 4 or x.shape[1] != channels:
            expected = f"(N, {channels}, H, W), such as (1, {channels}, {height}, {width})"
            raise ShapeError("not the images of this network", found=tuple(x.shape), expected=expected)
        wanted = self._last_of_each_size() if stages is None else _names(stages)
        self._check_size(wanted, x.shape[2], x.shape[3])
        found: dict[str, torch.Tensor] = self.feature_extractor(wanted)(x)
        return found

    @property
    def feature_info(self) -> list[dict[str, Any]]:
        """``num_chs``, ``reduction`` (the stride) and ``module`` (the stage) of each output of :meth:`features`."""
        from inception_search.backend.timm_interface import feature_info

        return feature_info(self.network, dict(self.recall("shapes") or {}), self._last_of_each_size())

    @checked
    def forward_features(self, x: torch.Tensor) -> torch.Tensor:
        """The feature maps (N, C, H, W) of the last stage for images ``x``, the input of :meth:`forward_head`.

        Raises :class:`~inception_search.errors.ShapeError` as :meth:`features` does.
        """
        last = self.stages[-1]
        return self.features(x, last)[last]

    @checked
    def forward_head(self, x: torch.Tensor, pre_logits: bool = False) -> torch.Tensor:
        """The logits (N, classes) of feature maps ``x`` of the last stage; ``pre_logits``: features (N, num_features).

        Auxiliary classifiers are not run, not even in training. Raises
        :class:`~inception_search.errors.ShapeError` if the shape of ``x`` is not that of the last stage.

        >>> model.forward_head(model.forward_features(x))  # in evaluation mode the same as model(x)  # doctest: +SKIP
        """
        from inception_search.backend.timm_interface import head_module

        channels = (self.recall("shapes") or {})[self.stages[-1]][0]
        if x.ndim != 4 or x.shape[1] != channels:
            expected = f"(N, {channels}, H, W), what forward_features gives"
            raise ShapeError("not the maps of the last stage", found=tuple(x.shape), expected=expected)
        made: dict[tuple[str, ...], fx.GraphModule] = self.__dict__.setdefault("_extractors", {})
        key = ("", "features" if pre_logits else "logits")  # no stage has the name ""
        if key not in made or not self._has_layers_of(made[key]):
            last = self.recall("stages")[self.stages[-1]]
            made[key] = head_module(self, last, pre_logits=pre_logits)
        made[key].training = self.training  # not train(): that would set the layers, frozen ones too
        logits: torch.Tensor = made[key](x)
        return logits

    @checked
    def feature_extractor(self, stages: str | Iterable[str] | None = None) -> fx.GraphModule:
        """A module with the same weights that returns ``{stage: feature map}``; cached for each choice of stages.

        ``stages`` are as for :meth:`features`. The layers are shared with this module, and so are their modes.
        """
        made: dict[tuple[str, ...], fx.GraphModule] = self.__dict__.setdefault("_extractors", {})
        key = self._last_of_each_size() if stages is None else _names(stages)
        if key not in made or not self._has_layers_of(made[key]):
            made[key] = self._extractor(key)
        made[key].training = self.training  # not train(): that would set the layers, frozen ones too
        return made[key]

    def _check_size(self, stages: tuple[str, ...], height: int, width: int) -> None:
        """Raise for images that are too small for ``stages``; sizes below the document's are checked once each."""
        from inception_search.backend.timm_interface import check_size

        own, fitting = self.network.input, self.__dict__.setdefault("_fitting", set())
        size = (stages, height, width)
        if (height < own.height or width < own.width) and size not in fitting and {*stages} <= {*self.stages}:
            check_size(self.network, *size)
            fitting.add(size)

    def _last_of_each_size(self) -> tuple[str, ...]:
        """The last stage of each output size, for the document's input, in the order of the stages."""
        shapes: Mapping[str, tuple[int, ...]] = self.recall("shapes") or {}
        last = {shape[1:]: stage for stage, shape in shapes.items()}
        return tuple(stage for stage in self.stages if stage in last.values())

    def _has_layers_of(self, extractor: fx.GraphModule) -> bool:
        """Whether ``extractor`` still has the current layers, which users can replace by path."""
        paths = [str(node.target) for node in extractor.graph.nodes if node.op == "call_module"]
        return all(self.get_submodule(path) is extractor.get_submodule(path) for path in paths)

    def _extractor(self, stages: tuple[str, ...]) -> fx.GraphModule:
        known: Mapping[str, str] = self.recall("stages") or {}
        if not stages:
            raise ConfigError("no stages", expected=f"some of {', '.join(known)}")
        for name in stages:
            if name not in known:
                raise unknown_name("stage", str(name), known)
        nodes = {node.name: node for node in self.graph.nodes}
        wanted = {name: nodes[known[name]] for name in stages}
        needed = _ancestors(wanted.values())
        graph, copies = fx.Graph(), dict[fx.Node, fx.Node]()
        for node in self.graph.nodes:
            if node in needed:
                copies[node] = graph.node_copy(node, lambda old: copies[old])
        graph.output({name: copies[node] for name, node in wanted.items()})
        extractor = fx.GraphModule(self, graph, class_name="Features")
        name_parts(extractor, self.recall("network"))
        return extractor

    def _repr_pretty_(self, printer: Any, _cycle: bool) -> None:
        """One line, for notebooks that show the last value of a cell, such as ``model.freeze(...)``."""
        sizes, parameters = self.network.input.shape, sum(value.numel() for value in self.parameters())
        frozen = ", ".join(self.recall("frozen") or ())
        printer.text(
            f"<{self.network.name}: {parameters:,} parameters, input {'x'.join(map(str, sizes))}, "
            f"{class_count(self.num_classes)}{f', frozen: {frozen}' if frozen else ''}; print(model) lists the layers>"
        )

    @checked
    def freeze(self, stages: str | Iterable[str] | None = None, *, until: str | None = None) -> NetworkModule:
        """Stop training ``stages``, or all up to and including ``until``: no gradients, fixed running statistics.

        ``train()`` does not change frozen stages; :meth:`unfreeze` does. Returns the module itself.
        """
        if stages is None and until is None:
            raise ConfigError("nothing to freeze", expected=f"some of {', '.join(self.stages)}, or until=")
        chosen = [] if stages is None else list(_names(stages))
        for name in (*chosen, *([until] if until is not None else [])):
            if name not in self.stages:
                raise unknown_name("stage", str(name), self.stages)
        if until is not None:
            chosen += self.stages[: self.stages.index(until) + 1]
        frozen = [name for name in self.stages if name in {*chosen, *(self.recall("frozen") or ())}]
        self.remember(frozen=frozen)
        for part in self._parts(frozen):
            part.requires_grad_(False)
        return self.train(self.training)

    def unfreeze(self) -> NetworkModule:
        """Train every stage again. Returns the module itself."""
        for part in self._parts(self.recall("frozen") or ()):
            part.requires_grad_(True)
        self.remember(frozen=[])
        return self.train(self.training)

    def train(self, mode: bool = True) -> NetworkModule:
        """Set training or evaluation mode, except for frozen stages, which stay in evaluation mode."""
        super().train(mode)
        for part in self._parts(self.recall("frozen") or ()):
            part.eval()
        execution = self.__dict__.get("_execution")
        if execution is not None and execution.layers != list(self.modules()):
            self._rewrite_again()
        return self

    def state_dict(self, *args: Any, **options: Any) -> Any:
        """The tensors of all layers; their keys are paths in the document, however the model computes."""
        execution = self.__dict__.get("_execution")
        if execution is not None:
            execution.count_batches()
        return super().state_dict(*args, **options)

    def load_state_dict(self, *args: Any, **options: Any) -> Any:
        """Load tensors by their paths in the document, as every PyTorch module does."""
        execution = self.__dict__.get("_execution")
        if execution is not None:
            execution.count_batches()  # batches so far belong to the counters that are replaced
        return super().load_state_dict(*args, **options)

    @property
    def rewrites(self) -> dict[str, tuple[tuple[str, str], ...]]:
        """Which passes are applied where, for ``"training"`` and ``"inference"``: pairs (pass, path).

        Empty for a model that computes layer by layer as its document is written, as with ``optimize="none"``.
        """
        return dict(self.recall("rewrites") or {})

    def _rewrite_again(self) -> None:
        """Make the rewritten forms of the model for its current layers, if it has any."""
        if self.rewrites:
            from inception_search.backend.execution import execute_by

            self._forget_caches()
            wanted = self.recall("rewrites")
            self.remember(rewrites={})  # if the layers are not those of the document, the model has no rewrites
            execute_by(self, wanted)

    def _forget_caches(self) -> None:
        """Remove what refers to this very object and must not be copied with it."""
        execution = self.__dict__.get("_execution")
        if execution is not None:
            execution.count_batches()
        for name in ("_extractors", "_execution", "forward"):
            self.__dict__.pop(name, None)

    def _apply(self, *args: Any, **options: Any) -> NetworkModule:
        super()._apply(*args, **options)  # type: ignore[no-untyped-call]
        execution = self.__dict__.get("_execution")
        if execution is not None:
            execution.share_storage()
        return self

    def _parts(self, stages: Iterable[str]) -> list[nn.Module]:
        """The modules of ``stages``; a stage that only calls functions has none."""
        return [part for name in stages if (part := self._modules.get(name)) is not None]

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        self._forget_caches()
        copied: Any = super().__deepcopy__(memo)
        type(copied).__name__ = type(self).__name__  # each graph module has a class of its own
        name_parts(copied, copied.recall("network"))
        for model in (self, copied):
            model._rewrite_again()
        return copied

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        self._forget_caches()
        restore, arguments = super().__reduce__()
        self._rewrite_again()
        return _restored, (restore, arguments, type(self).__name__, self.meta)


def _restored(
    restore: Callable[..., fx.GraphModule], arguments: tuple[Any, ...], name: str, meta: dict[str, Any]
) -> NetworkModule:
    """Restore a pickled network; torch restores only plain graph modules, without ``meta``."""
    plain = restore(*arguments)
    module = NetworkModule(plain, plain.graph, class_name=name)
    module.meta.update(meta)
    name_parts(module, module.recall("network"))
    module._rewrite_again()
    return module.train(plain.training)


def _names(stages: str | Iterable[str]) -> tuple[str, ...]:
    """``stages``, one name or several, as a tuple."""
    return (stages,) if isinstance(stages, str) else tuple(stages)


def _ancestors(nodes: Iterable[fx.Node]) -> set[fx.Node]:
    """``nodes`` and all nodes that they depend on."""
    found: set[fx.Node] = set()
    stack = list(nodes)
    while stack:
        node = stack.pop()
        if node not in found:
            found.add(node)
            stack.extend(node.all_input_nodes)
    return found
