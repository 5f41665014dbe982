"""Checks that every pass must satisfy: the text before and after, and equal numbers in float64."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from textwrap import dedent
from typing import TypeVar

import torch
from torch import Tensor, nn

from inception_search.backend.build import build
from inception_search.backend.network_module import NetworkModule
from inception_search.backend.rewritten import Rewritten
from inception_search.graph.graph import Graph
from inception_search.passes.rewrite import Choose, Pass, PassResult, Phase, everywhere, plain_state
from tests.graph_checks import parse_graph, verify

Model = TypeVar("Model", bound=nn.Module)
LIMIT = 1e-12  # relative, in float64
_TIMES = 100  # what the roundings in a network may do, compared with one rounding of its images


def run(passes: Sequence[Pass], graph: Graph, choose: Choose = everywhere) -> PassResult:
    """The graph after some passes, checked after each of them."""
    result = PassResult(graph, plain_state(graph))
    for each in passes:
        after = each.run(result.graph, result.state, choose)
        assert after.modified == (after.graph is not result.graph)
        verify(after.graph)
        keys = {f"{node.path}.{name}" for node in after.graph.nodes for name in node.op.tensors()}
        assert keys == set(after.state), "the state is not that of the graph"
        result = PassResult(after.graph, after.state, result.changes + after.changes)
    return result


def check(each: Pass, before: str, after: str, state: str = "") -> None:
    """Check the rewriting of a graph in text form, the new expressions in ``state``, and the numbers in every phase."""
    graph = parse_graph(dedent(before))
    result = run([each], graph)
    assert str(result.graph) == "\n".join(line.strip() for line in dedent(after).strip().splitlines())
    plain = plain_state(graph)
    found = {key: str(value) for key, value in result.state.items() if plain.get(key) != value}
    if state:
        assert found == dict(line.strip().split(" = ") for line in dedent(state).strip().splitlines())
    model = unsettled(build(graph, name="x", seed=0).double())
    for phase in sorted(each.phases):
        same(model, result, phase)


def untouched(each: Pass, text: str) -> None:
    """Check that a pass leaves a graph in text form alone."""
    graph = parse_graph(dedent(text))
    assert run([each], graph).graph is graph


def unsettled(model: Model, seed: int = 0) -> Model:
    """The model with norms that are not what they are made with: statistics and affine maps of their own."""
    with torch.random.fork_rng([]), torch.no_grad():
        torch.manual_seed(seed)
        for module in model.modules():
            if isinstance(module, nn.BatchNorm2d | nn.BatchNorm1d):
                module.running_mean.normal_(std=0.3)
                module.running_var.uniform_(0.5, 2.0)
                module.bias.normal_(std=0.3)
                if module.weight is not None:
                    module.weight.uniform_(0.5, 1.5)
    return model


def same(
    model: NetworkModule, result: PassResult, phase: Phase, images: int = 2, seed: int = 0, steps: int = 2
) -> None:
    """Check outputs of the rewritten model; in training, also gradients, statistics and the ``state_dict``.

    Differences are at most 1e-12. Some random networks amplify rounding, such as those with a norm over few values that
    hardly differ: there, differences are at most a hundred times what one rounding of the images changes.
    """
    graph = model.recall("graph")
    x = torch.randn(images, *graph.nodes[0].type, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    if phase == "inference":
        model.eval()
        fast = Rewritten(model, result.graph, result.state, phase)
        with torch.no_grad():
            assert distance([fast(x)], [model(x)]) <= LIMIT
        return
    model.train()
    before, other = deepcopy(model), deepcopy(model)
    fast = Rewritten(other, result.graph, result.state, phase)
    fast.share_storage()
    differences = list[float]()
    for step in range(steps):
        found, expected = _outputs(fast, x, step), _outputs(model, x, step)
        differences.append(distance(found, expected))
    theirs, ours = (_gradients(each) for each in (model, other))
    assert len(theirs) == len(ours)
    differences += [distance(ours, theirs)] if theirs else []
    fast.count_batches()
    assert list(model.state_dict()) == list(other.state_dict())
    differences += [distance([*other.state_dict().values()], [*model.state_dict().values()])] if theirs else []
    assert max(differences) <= LIMIT or max(differences) <= _TIMES * _of_one_rounding(before, x)


def _of_one_rounding(model: NetworkModule, x: Tensor) -> float:
    """What the outputs and gradients of a model change by if every number of the images is rounded once."""
    other = deepcopy(model)
    signs = torch.randn(x.shape, generator=torch.Generator().manual_seed(1)).sign()
    found, expected = _outputs(other, x + x * signs * torch.finfo(x.dtype).eps, 0), _outputs(model, x, 0)
    return max(distance(found, expected), distance(_gradients(other), _gradients(model)))


def _gradients(model: nn.Module) -> list[Tensor]:
    return [p.grad for p in model.parameters() if p.grad is not None]


def _outputs(model: nn.Module, x: Tensor, seed: int) -> list[Tensor]:
    """The outputs of a training step and the gradient of the images; dropout is the same for the same seed.

    It adds to the gradients of the model.
    """
    x = x.clone().requires_grad_()
    with torch.random.fork_rng([]):
        torch.manual_seed(seed)
        output = model(x)
        outputs = list(output) if isinstance(output, tuple) else [output]
        sum((each * torch.randn_like(each)).sum() for each in outputs).backward()
    read = [] if x.grad is None else [x.grad]  # a network of zeros does not read its image
    return [*(each.detach() for each in outputs), *read]


def distance(found: Sequence[Tensor], expected: Sequence[Tensor]) -> float:
    """The largest difference, relative to the largest expected value: small gradients are sums of large numbers."""
    scale = max(float(each.detach().double().abs().max()) for each in expected)
    differences = [
        float((a.detach().double() - b.detach().double()).abs().max()) for a, b in zip(found, expected, strict=True)
    ]
    return max(differences) / max(scale, 1e-300)
