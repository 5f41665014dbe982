"""Fields that few documents use: dilation by axis, channels from the middle, a projected skip, a norm of its own.

Each is compared with the same thing written in torch, and its cost and receptive field with those of the graph.
"""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn

import inception_search as ins
from inception_search.errors import DocumentError, ShapeError
from inception_search.estimate import estimate
from inception_search.graph.receptive_field import receptive_field
from inception_search.lowering import lower
from inception_search.spec.documents.parse import parse_step
from inception_search.spec.documents.to_yaml import text
from inception_search.spec.identity.arch_id import arch_id
from inception_search.spec.network import Network

HEAD = "schema: inception-search/network\nversion: 1\nname: n\ninput: 4x12x10\nhead: {pool: none, classifier: none}\n"


def network(step: str, more: str = "") -> Network:
    return ins.load(f"{HEAD}{more}stages: {{a: {step}}}\n")


def outputs(net: Network) -> tuple[torch.Tensor, torch.Tensor, dict[str, torch.Tensor]]:
    """An input, what the network makes of it, and its weights."""
    model = ins.compile(net, seed=0).eval().double()
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.running_mean, -0.5, 0.5)
            nn.init.uniform_(module.running_var, 0.5, 2.0)
    x = torch.rand(2, *net.input.shape, dtype=torch.float64)
    return x, model(x), model.state_dict()


def plain(x: torch.Tensor, state: dict[str, torch.Tensor], path: str, **options: Any) -> torch.Tensor:
    """A convolution and its batch norm, written in torch."""
    eps = options.pop("eps", 1e-3)
    y = F.conv2d(x, state[f"{path}.conv.weight"], state.get(f"{path}.conv.bias"), **options)
    if f"{path}.norm.running_mean" not in state:
        return y
    norm = [state[f"{path}.norm.{name}"] for name in ("running_mean", "running_var", "weight", "bias")]
    return F.batch_norm(y, *norm, eps=eps)


def test_dilation_by_axis() -> None:
    net = network("{conv: {kernel: 3x3, width: 5, dilation: 1x2, stride: [2, 1]}}")
    x, y, state = outputs(net)
    expected = plain(x, state, "a", dilation=(1, 2), padding=(1, 2), stride=(2, 1)).relu()
    torch.testing.assert_close(y, expected)
    assert tuple(receptive_field(lower(net))) == (3, 5)
    assert network("{conv: {kernel: 3x3, width: 5, dilation: [2, 2]}}") == network(
        "{conv: {kernel: 3, width: 5, dilation: 2}}"
    )


@pytest.mark.parametrize("factor", ["row_col", "col_row"])
def test_dilation_by_axis_of_a_factorised_convolution(factor: str) -> None:
    """Each factor keeps the dilation of its own axis; a dilated convolution of rank one is reached exactly."""
    fields = f"kernel: 3x5, width: 4, factor: {factor}, dilation: [3, 2], groups: 4, norm: none, act: none"
    net = network(f"{{conv: {{{fields}}}}}")
    x, y, state = outputs(net)
    row, col = state["a.row.conv.weight"], state["a.col.conv.weight"]
    torch.testing.assert_close(y, F.conv2d(x, col * row, dilation=(3, 2), padding=(3, 4), groups=4))
    assert tuple(receptive_field(lower(net))) == (7, 9)


def test_channels_from_a_start() -> None:
    net = network("{narrow: {width: 2, start: 1}}")
    x, y, _ = outputs(net)
    torch.testing.assert_close(y, x[:, 1:3])
    assert text(parse_step("{narrow: {width: 2, start: 1}}")).strip() == "narrow: {width: 2, start: 1}"
    with pytest.raises(ShapeError, match="got channels 3 to 4 of 4; use a smaller width or start"):
        lower(network("{narrow: {width: 2, start: 3}}"))


@pytest.mark.parametrize(("stride", "pair"), [("2", (2, 2)), ("2x1", (2, 1))])
@pytest.mark.parametrize("scale", [1.0, 0.3])
def test_a_projected_skip(stride: str, pair: tuple[int, int], scale: float) -> None:
    """ResNet's downsampling block (1512.03385, Eq. 2)."""
    body = f"[{{conv: {{kernel: 3x3, width: 6, stride: {stride}}}}}, {{conv: {{kernel: 3x3, width: 6, act: none}}}}]"
    net = network(f"{{block: {{skip: project, stride: {stride}, scale: {scale}, act: relu, body: {body}}}}}")
    x, y, state = outputs(net)
    body_out = plain(plain(x, state, "a.body.0", padding=1, stride=pair).relu(), state, "a.body.1", padding=1)
    torch.testing.assert_close(y, (plain(x, state, "a.skip", stride=pair) + scale * body_out).relu())


def test_a_projected_skip_into_a_projected_body() -> None:
    net = network("{block: {skip: project, project: linear, body: 3x3 7}}")
    x, y, state = outputs(net)
    body = plain(plain(x, state, "a.body", padding=1).relu(), state, "a.project")
    torch.testing.assert_close(y, plain(x, state, "a.skip") + body)


def test_a_norm_of_its_own_beside_the_network_s() -> None:
    net = network("[{conv: {kernel: 1x1, width: 3, norm: {eps: 0.2, gamma: false}}}, 1x1 3]")
    model = ins.compile(net)
    assert [(m.eps, m.weight is not None) for m in model.modules() if isinstance(m, nn.BatchNorm2d)] == [
        (0.2, False),
        (1e-3, True),
    ]


# Spellings of one norm, of a convolution and of the whole network.
SPELLINGS = [("none", "false"), ("batch", "true"), ("{eps: 0.01}", "{kind: batch, eps: 0.01}")]


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("place", ["conv", "depthwise", "conv_defaults"])
def test_a_norm_is_written_alike_everywhere(place: str, spelling: tuple[str, str]) -> None:
    def made(norm: str) -> Network:
        if place == "conv_defaults":
            return network("3x3 4", f"conv_defaults: {{norm: {norm}}}\n")
        width = ", width: 4" if place == "conv" else ""
        return network(f"{{{place}: {{kernel: 3x3{width}, norm: {norm}}}}}")

    one, other = map(made, spelling)
    assert one == other
    assert ins.load(ins.to_yaml(one)) == one
    norms = [node.op for node in lower(one).nodes if node.op.name == "batch_norm"]
    assert [norm.attributes()["eps"] for norm in norms] == (
        [] if "none" in spelling else [0.01 if "{" in spelling[0] else 1e-3]
    )


@pytest.mark.parametrize("norm", ["group", "{kind: group}", "{kind: group, groups: 8}", "batchnorm", "layer"])
@pytest.mark.parametrize("place", ["conv", "conv_defaults"])
def test_other_norms_are_refused_by_name(place: str, norm: str) -> None:
    written = (f"{{conv: {{kernel: 3x3, width: 4, norm: {norm}}}}}",)
    written = written if place == "conv" else ("3x3 4", f"conv_defaults: {{norm: {norm}}}\n")
    with pytest.raises(DocumentError) as caught:
        network(*written)
    kind = norm.removeprefix("{kind: ").partition(",")[0].rstrip("}")
    assert f"norm: unknown norm, got '{kind}'; expected none or batch, or the fields of batch" in str(caught.value)


# Two spellings of one step.
PAIRS = [
    ("{conv: {kernel: 3, width: 4, padding: 2}}", "{conv: {kernel: 3x3, width: 4, padding: [2, 2]}}"),
    ("{conv: {kernel: 3, width: 4, padding: 0x1}}", "{conv: {kernel: [3, 3], width: 4, padding: [0, 1]}}"),
    ("{conv: {kernel: 3, width: 4, stride: 2x2}}", "3x3 4 s2"),
    (
        "{depthwise: {kernel: 3, stride: 2x1, dilation: [3, 3]}}",
        "{depthwise: {kernel: 3x3, stride: [2, 1], dilation: 3}}",
    ),
    ("{pool: {mode: max, stride: 2x1, padding: 1}}", "{pool: {mode: max, stride: [2, 1]}}"),
    ("{adaptive_pool: {size: 2}}", "{adaptive_pool: {size: 2x2}}"),
]


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_height_and_width_are_written_alike_everywhere(one: str, other: str) -> None:
    a, b = (network(step) for step in (one, other))
    assert lower(a).cost() == lower(b).cost() == estimate(a)
    assert arch_id(a) == arch_id(b)
    assert parse_step(text(parse_step(one))) == parse_step(one)


def test_a_pool_strides_by_axis() -> None:
    net = network("{pool: {mode: avg, kernel: 2x3, stride: 2x1, padding: [0, 1], count_pad: true}}")
    x, y, _ = outputs(net)
    torch.testing.assert_close(y, F.avg_pool2d(x, (2, 3), (2, 1), (0, 1)))


@pytest.mark.parametrize(
    "step",
    [
        "{conv: {kernel: 3x3, width: 6, dilation: [1, 2]}}",
        "{depthwise: {kernel: 3x3, dilation: [2, 1]}}",
        "[3x3 6, {narrow: {width: 3, start: 2}}]",
        "{block: {skip: project, stride: 2, act: relu, body: [3x3 6 s2, 3x3 6]}}",
        "{block: {skip: project, project: linear, scale: 0.5, body: 3x3 7}}",
        "{conv: {kernel: 3x3, width: 6, norm: {eps: 0.01, gamma: false}}}",
    ],
)
def test_everything_else_knows_them(step: str) -> None:
    """Text, cost, pictures, comparison, mutation, width, size: whatever takes a network takes these."""
    net = network(f"[{step}, 1x1 4]")
    assert ins.load(ins.to_yaml(net)) == net == ins.load(ins.to_yaml(ins.load(ins.to_yaml(net))))
    assert estimate(net) == lower(net).cost()
    assert "<svg" in ins.draw(net.stages["a"], network=net).svg
    assert "<svg" in ins.draw(net.stages["a"], network=net, style="paper").svg
    other = network("[3x3 6, 1x1 4]")
    assert ins.diff(net, other).text
    assert ins.diff(net, other).draw().svg
    assert estimate(ins.mutate(net, 0).network).params
    assert lower(ins.compile(net, width=2.0).network).cost().params > estimate(net).params
    assert arch_id(net) != arch_id(other)


def test_a_projected_skip_is_its_own_architecture() -> None:
    ids = {
        arch_id(network(f"[{{block: {{skip: {skip}, body: 3x3 4}}}}, 1x1 4]"))
        for skip in ("none", "add", "project", "project, project: conv", "project, act: relu")
    }
    assert len(ids) == 5
    strides = [f"[{{block: {{skip: project, stride: {s}, body: [3x3 4 s{s}]}}}}, 1x1 4]" for s in (1, 2)]
    assert len({arch_id(network(step)) for step in strides}) == 2


def test_what_follows_a_projected_skip_is_free_to_follow_its_order() -> None:
    """Both summands can permute their filters, so the order of the body's branches is free."""
    one = "[{block: {skip: project, act: relu, body: {concat: [1x1 2, 3x3 4]}}}, 1x1 4]"
    other = "[{block: {skip: project, act: relu, body: {concat: [3x3 4, 1x1 2]}}}, 1x1 4]"
    assert arch_id(network(one)) == arch_id(network(other))
    net = network(one)
    model, swapped = ins.compile(net, seed=1).eval(), ins.compile(network(other), seed=2).eval()
    order = [*range(2, 6), 0, 1]
    state = {}
    for name, value in model.state_dict().items():
        new = (
            name.replace("branches.0", "branches.9")
            .replace("branches.1", "branches.0")
            .replace("branches.9", "branches.1")
        )
        if ".skip." in name and value.dim():
            value = value[order]
        state[new] = value[:, order] if name == "a.1.conv.weight" else value
    swapped.load_state_dict(state)
    x = torch.rand(1, 4, 12, 10)
    torch.testing.assert_close(model(x), swapped(x))
