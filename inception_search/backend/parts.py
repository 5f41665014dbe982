"""The containers between a network and its layers, with telling names in ``print`` (``Branches``, ``ConvNormAct``)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import torch
from torch import fx, nn

from inception_search.errors import CompileError
from inception_search.spec.network import Network
from inception_search.spec.step import AnyStep, Chain, Repeat, Use


class AuxHeads(nn.Module):
    """The auxiliary classifiers of a network by name, in the order of their taps."""

    def __init__(self, heads: Mapping[str, nn.Module]) -> None:
        super().__init__()
        for name, head in heads.items():
            self.add_module(name, head)

    def forward(self, logits: torch.Tensor, *taps: torch.Tensor) -> torch.Tensor | tuple[torch.Tensor, ...]:
        """``logits`` (N, classes) in evaluation; in training (logits, aux, ...) from feature maps (N, C, H, W)."""
        if not self.training:
            return logits
        return (logits, *(head(tap) for head, tap in zip(self.children(), taps, strict=True)))

    def __prepare_scriptable__(self) -> AuxHeads:
        """Called by ``torch.jit.script``, which cannot compile an output that depends on the mode."""
        raise CompileError(
            "auxiliary classifiers, which compute in training only, cannot be scripted",
            path="aux",
            hint="save the model with ins.save_model and compile it without aux, with weights= from that file",
        )


_IN_LISTS = {"branches": "Branch", "nodes": "Node", "inputs": "Input"}
_BY_CHILD = {"branches": "Concat", "body": "Block", "nodes": "Dag"}


class Part(nn.Module):
    """Layers of one place of the document, printed as ``kind``; the network's graph calls the layers."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind

    def _get_name(self) -> str:
        return self.kind


def name_parts(module: nn.Module, network: Network | None = None) -> None:
    """Name the containers of ``module``; blocks of ``network`` keep their names (``inception_a``: InceptionA).

    Graph modules create plain ``nn.Module`` containers. Layers, parameters and paths do not change.
    """
    blocks = _blocks(network) if network is not None else {}
    for path, parent in list(module.named_modules()):
        for name, child in parent.named_children():
            place = f"{path}.{name}" if path else name
            if type(child) in (nn.Module, Part):
                part = Part(blocks.get(place) or _kind(place, child))
                part._modules = child._modules
                part.training = child.training
                parent._modules[name] = part
            elif isinstance(child, fx.GraphModule) and isinstance(parent, AuxHeads):
                type(child).__name__ = "AuxHead"  # each graph module has its own class; copies lose the name


def camel_case(name: str) -> str:
    """``inception_a`` as the name of a class: ``InceptionA``; other signs are dropped."""
    words = "".join(c if c.isalnum() else " " for c in name).split()
    return "".join(word[:1].upper() + word[1:] for word in words)


def _kind(path: str, part: nn.Module) -> str:
    """The kind of a container, by its place and its children."""
    *outer, name = path.split(".")
    children = list(part._modules)
    if {"conv", "linear"} & set(children) and name != "head":  # a step of the document: conv, norm and act
        return camel_case(" ".join(children))
    if outer and outer[-1] in _IN_LISTS:
        return _IN_LISTS[outer[-1]]
    for child, kind in _BY_CHILD.items():
        if child in children:
            return kind
    if all(child.isdecimal() for child in children):
        return "Chain" if name.isdecimal() else camel_case(name) if outer else "Stage"
    of_children = name.isdecimal() or (not outer and name != "head")  # the factors of a kernel are a RowCol
    return camel_case(" ".join(children) if of_children else name)


def _blocks(network: Network) -> Mapping[str, str]:
    """The paths of stages, steps and copies that use a block of the document, with the block's name."""
    found = (place for name, step in network.stages.items() for place in _uses(step, name))
    return {path: camel_case(name) for path, name in found if camel_case(name)}


def _uses(step: AnyStep, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(step, Use):
        yield path, step.name
    elif isinstance(step, Repeat):
        for copy in range(step.times):
            yield from _uses(step.body, f"{path}.{copy}")
    elif isinstance(step, Chain):
        for index, part in enumerate(step.steps):
            yield from _uses(part, f"{path}.{index}")
