"""A compiled network: an ``fx.GraphModule`` that knows its document, its stages and which of them are frozen."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import fx, nn

from inception_search.errors import CompileError, ConfigError, unknown_name
from inception_search.spec.network import Network

_META = "inception_search"


class NetworkModule(fx.GraphModule):
    """(N, C, H, W) images to logits (N, classes); in training with auxiliary heads a tuple (logits, aux, ...)."""

    def remember(self, **facts: Any) -> None:
        """Keep ``facts`` where copies and pickles of a graph module take them along."""
        self.meta.setdefault(_META, {}).update(facts)

    def recall(self, fact: str) -> Any:
        """What :meth:`remember` kept; None when there is nothing."""
        return self.meta.get(_META, {}).get(fact)

    @property
    def network(self) -> Network:
        """The document of this module, as it was built (classes, input, auxiliary heads)."""
        network = self.recall("network")
        if not isinstance(network, Network):
            raise CompileError("this module does not know its document", mend="make it with compile")
        return network

    @property
    def loaded(self) -> Any:
        """The report of the weights last loaded (a ``WeightsReport``); None when there are none."""
        return self.recall("loaded")

    @property
    def stages(self) -> tuple[str, ...]:
        """The names of the stages, in order."""
        return tuple(self.recall("stages") or ())

    def features(self, x: torch.Tensor, stages: str | Iterable[str]) -> dict[str, torch.Tensor]:
        """The maps (N, C, H, W) that ``stages`` make of images ``x``, by name; what comes after them is not run.

        Raises :class:`~inception_search.errors.UnknownNameError` for a stage the network does not have.
        """
        found: dict[str, torch.Tensor] = self.feature_extractor(stages)(x)
        return found

    def feature_extractor(self, stages: str | Iterable[str]) -> fx.GraphModule:
        """A module of the same weights that returns ``{stage: map}``; made once for each choice of stages.

        Its layers are this module's own, so they train, or are frozen, as they are here.
        """
        made: dict[tuple[str, ...], fx.GraphModule] = self.__dict__.setdefault("_extractors", {})
        key = _names(stages)
        if key not in made or not self._has_layers_of(made[key]):
            made[key] = self._extractor(key)
        made[key].training = self.training  # not train(): that would set the layers, frozen ones too
        return made[key]

    def _has_layers_of(self, extractor: fx.GraphModule) -> bool:
        """Whether the layers are still those ``extractor`` was made of (they can be exchanged by path)."""
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
        return fx.GraphModule(self, graph, class_name="Features")

    def freeze(self, stages: str | Iterable[str] | None = None, *, until: str | None = None) -> NetworkModule:
        """Stop training ``stages``, or all up to and with stage ``until``: no gradients, batch statistics kept.

        ``train()`` leaves them so; :meth:`unfreeze` ends it. Returns the module itself.
        """
        if stages is None and until is None:
            raise ConfigError("nothing to freeze", expected=f"some of {', '.join(self.stages)}, or until=")
        chosen = list(_names(stages or ()))
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
        """Training or evaluation mode for all but the frozen stages, which stay in evaluation."""
        super().train(mode)
        for part in self._parts(self.recall("frozen") or ()):
            part.eval()
        return self

    def _parts(self, stages: Iterable[str]) -> list[nn.Module]:
        """The modules of ``stages``; a stage of functions only has none."""
        return [part for name in stages if (part := self._modules.get(name)) is not None]

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        self.__dict__.pop("_extractors", None)
        return super().__deepcopy__(memo)

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        self.__dict__.pop("_extractors", None)
        restore, arguments = super().__reduce__()
        return _restored, (restore, arguments, type(self).__name__, self.meta)


def _restored(
    restore: Callable[..., fx.GraphModule], arguments: tuple[Any, ...], name: str, meta: dict[str, Any]
) -> NetworkModule:
    """A pickled network; torch restores graph modules of its own class only, and forgets their ``meta``."""
    plain = restore(*arguments)
    module = NetworkModule(plain, plain.graph, class_name=name)
    module.meta.update(meta)
    return module.train(plain.training)


def _names(stages: str | Iterable[str]) -> tuple[str, ...]:
    """``stages`` as a tuple; one alone may be given as it is."""
    return (stages,) if isinstance(stages, str) else tuple(stages)


def _ancestors(nodes: Iterable[fx.Node]) -> set[fx.Node]:
    """``nodes`` and all they depend on."""
    found: set[fx.Node] = set()
    stack = list(nodes)
    while stack:
        node = stack.pop()
        if node not in found:
            found.add(node)
            stack.extend(node.all_input_nodes)
    return found
