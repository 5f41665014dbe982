"""A network as one Python file in plain torch, which runs without this package."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from inception_search.errors import CompileError, raw
from inception_search.exports.source_file import CLASS, lines_of
from inception_search.exports.source_layers import no_source
from inception_search.graph import ops
from inception_search.lowering import lower
from inception_search.spec.network import Network

if TYPE_CHECKING:
    import torch

    from inception_search.backend.network_module import NetworkModule


def source_of(model: NetworkModule | Network) -> str:
    """The network as the text of a Python file in plain torch.

    The file has one class for each block, and a class ``Network`` whose ``load_state_dict`` takes the weights of the
    compiled network: the keys are the same. It needs torch only, and is formatted as ``ruff format`` does by default.

    Args:
        model: a network, or a compiled one.

    Returns:
        The text.

    Raises:
        CompileError: the graph has an op of another package, or the module has no document.
        ShapeError: a step does not fit its input.

    >>> from inception_search.exports.source import source_of
    >>> text = source_of(ins.load("nin_cifar10"))
    >>> [line.split("(")[0] for line in text.splitlines() if line.startswith("class ")]
    ['class ConvAct', 'class Mlpconv', 'class Pool', 'class Head', 'class Network']
    """
    network = model if isinstance(model, Network) else _document(model)
    lower(network)  # raises for a network that is not valid, with the place in the document
    return "\n".join(lines_of(network)) + "\n"


def check_source(text: str, model: NetworkModule, images: torch.Tensor) -> float:
    """Compare the outputs of a written file with those of the model in evaluation mode.

    Args:
        text: the text of the file; it is executed.
        model: the compiled network.
        images: images (N, C, H, W).

    Returns:
        The largest difference of an output value, divided by the largest output value.

    Raises:
        CompileError: the file cannot be executed, or does not take the weights of the model.
    """
    import torch

    training = [part for part in model.modules() if part.training]
    like = next(model.parameters(), images)
    made = module_of(text, model.state_dict()).to(like.device, like.dtype)
    try:
        model.eval()
        with torch.no_grad():
            ours, theirs = model(images), made(images)
    finally:
        for part in training:
            part.training = True
    scale = float(ours.abs().max()) or 1.0
    return float((ours - theirs).abs().max()) / scale


def module_of(text: str, state: Mapping[str, torch.Tensor]) -> torch.nn.Module:
    """The network of a written file with these weights, in evaluation mode.

    Args:
        text: the text of the file; it is executed.
        state: the ``state_dict`` of the compiled network.

    Raises:
        CompileError: the file cannot be executed, or does not take the weights.
    """
    names: dict[str, Any] = {"__name__": "exported_network"}
    try:
        exec(compile(text, "<exported network>", "exec"), names)
        made: torch.nn.Module = names[CLASS]()
        made.load_state_dict(state)
    except Exception as error:
        raise CompileError(
            "the written source does not take the model's weights", found=raw(" ".join(str(error).split()))
        ) from error
    return made.eval()


def _document(model: NetworkModule) -> Network:
    graph = model.recall("graph")
    for node in graph.nodes if graph is not None else ():
        if type(node.op) not in ops.OPS.values():
            raise no_source(node.op, node.path)
    return model.network
