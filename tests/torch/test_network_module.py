"""What a compiled network offers beyond a module: its document, the maps of its stages, frozen stages."""

from __future__ import annotations

import copy
import io
import pickle
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
import torch
from torch import Tensor, fx, nn

import inception_search as ins
from inception_search.backend.build import build
from inception_search.backend.network_module import NetworkModule
from inception_search.errors import (
    ArgumentError,
    CompileError,
    ConfigError,
    DocumentError,
    ShapeError,
    UnknownNameError,
)
from inception_search.spec.transform import scale_network_width, set_classes, set_depth, set_input
from tests.conformance.references import REFERENCES
from tests.weights.small_network import SMALL, shaken
from tests.weights.their_weights import same_state, state_of

STAGES = ("stem", "module", "pool", "top")
# Every stage begins with an activation, which could be computed in place of what the stage before it made.
IN_PLACE = """
schema: inception-search/network
version: 1
name: eager
input: 3x12x12
conv_defaults: {act: none}
stages:
  one: 3x3 8
  two: [relu, 3x3 8]
  three: [relu, 3x3 8, relu]
  four: {concat: [relu, [relu, 1x1 4], identity]}
  five: [relu, max 3x3 s2]
head: {classes: 4}
aux:
  side: {after: two, body: [relu, 1x1 4], pool: avg}
"""


@pytest.fixture
def module() -> NetworkModule:
    return shaken(ins.compile(SMALL, aux=True))


def images(module: NetworkModule, batch: int = 2) -> Tensor:
    generator = torch.Generator().manual_seed(5)
    return torch.randn(batch, *module.network.input.shape, generator=generator)


@contextmanager
def called(module: nn.Module) -> Iterator[list[str]]:
    """The paths of the layers that are run meanwhile."""
    paths: list[str] = []

    def hook(path: str) -> Callable[..., None]:
        return lambda *_: paths.append(path)

    leaves = [(path, leaf) for path, leaf in module.named_modules() if not list(leaf.children())]
    handles = [leaf.register_forward_hook(hook(path)) for path, leaf in leaves]
    yield paths
    for handle in handles:
        handle.remove()


def run_by_hand(module: NetworkModule, x: Tensor) -> dict[str, Tensor]:
    """The maps of the stages by running node after node, each on copies, so that nothing is overwritten."""
    maps: dict[str, Tensor] = {}

    class Stages(fx.Interpreter):
        def run_node(self, node: fx.Node) -> object:
            result = super().run_node(node)
            path = str(node.target) if node.op == "call_module" else ""
            for name, last in module.recall("stages").items():
                if node.name == last:
                    maps[name] = result.clone()
            return result.clone() if isinstance(result, Tensor) and not path.startswith("aux") else result

        def call_module(self, target: str, args: tuple[object, ...], kwargs: dict[str, object]) -> object:
            copied = tuple(arg.clone() if isinstance(arg, Tensor) else arg for arg in args)
            return super().call_module(target, copied, kwargs)

    Stages(module).run(x)
    return maps


# The maps of stages ------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_features_are_those_that_hooks_catch_in_another_implementation() -> None:
    """timm's Inception-v4 is a chain of modules: its stages end at these places."""
    places = {"stem": 5, "inception_a": 9, "reduction_a": 10, "inception_b": 17, "reduction_b": 18, "inception_c": 21}
    theirs = REFERENCES["timm.inception_v4"].build().module.double()  # type: ignore[union-attr]
    ours = ins.compile("inception_v4").double().eval()
    ins.load_weights(ours, theirs.state_dict())
    seen: dict[str, Tensor] = {}
    for name, place in places.items():
        theirs.features[place].register_forward_hook(lambda _m, _i, out, name=name: seen.update({name: out}))
    x = torch.randn(1, 3, 171, 139, dtype=torch.float64)
    with torch.no_grad():
        found = ours.features(x, list(places))
        theirs(x)
    assert ours.stages == tuple(places) == tuple(found)
    for name, expected in seen.items():
        assert torch.allclose(found[name], expected, rtol=1e-9, atol=1e-9 * float(expected.abs().max())), name


@pytest.mark.slow
def test_features_are_those_of_torchvisions_modules() -> None:
    theirs = REFERENCES["torchvision.googlenet_noaux"].build().module  # type: ignore[union-attr]
    ours = ins.compile("inception_v1@torchvision").double().eval()
    ins.load_weights(ours, theirs.state_dict())
    seen: dict[str, Tensor] = {}
    for name in ("conv1", "inception3a", "inception4e", "inception5b"):
        theirs.get_submodule(name).register_forward_hook(lambda _m, _i, out, name=name: seen.update({name: out}))
    x = torch.randn(1, 3, 96, 64, dtype=torch.float64)
    with torch.no_grad():
        theirs(x)
        found = ours.features(x, [name.replace("inception", "inception_") for name in seen])
    for one, other in zip(found.values(), seen.values(), strict=True):
        assert torch.allclose(one, other, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("text", [SMALL, IN_PLACE], ids=["small", "in place"])
@pytest.mark.parametrize("training", [False, True])
def test_all_maps_at_once_are_those_of_running_on(text: str, training: bool) -> None:
    module = shaken(ins.compile(text, aux=True, seed=1)).train(training)
    module.get_submodule("head").eval()  # dropout would draw
    x = images(module)
    expected = run_by_hand(copy.deepcopy(module), x)
    found = copy.deepcopy(module).features(x, module.stages)
    assert list(found) == list(module.stages) == list(expected)
    for name in module.stages:
        assert torch.equal(found[name], expected[name]), name
        assert torch.equal(copy.deepcopy(module).features(x, name)[name], expected[name]), name


def test_activations_in_place_compute_what_others_do() -> None:
    module = shaken(ins.compile(IN_PLACE, aux=True, seed=1)).train()
    plain = copy.deepcopy(module)
    changed = [leaf for leaf in plain.modules() if getattr(leaf, "inplace", False)]
    assert changed
    for leaf in changed:
        leaf.inplace = False  # type: ignore[assignment]
    x = images(module)
    assert all(torch.equal(one, other) for one, other in zip(module(x), plain(x), strict=True))


def test_maps_come_in_the_order_they_are_asked_for(module: NetworkModule) -> None:
    x = images(module)
    assert list(module.features(x, ["top", "stem"])) == ["top", "stem"]
    assert list(module.features(x, iter(("module", "pool")))) == ["module", "pool"]
    assert module.features(x, "module")["module"].shape == (2, 12, 16, 16)
    assert module.stages == STAGES


@pytest.mark.parametrize(("stages", "last"), [(["stem"], "stem"), (["module", "stem"], "module"), (["pool"], "pool")])
def test_nothing_after_the_last_stage_is_run(module: NetworkModule, stages: list[str], last: str) -> None:
    until = STAGES[: STAGES.index(last) + 1]
    with called(module) as paths:
        module.features(images(module), stages)
    assert {path.partition(".")[0] for path in paths} == set(until)
    assert len(paths) == len(set(paths))


def test_gradients_flow_through_maps_and_not_where_they_are_off(module: NetworkModule) -> None:
    x = images(module)
    module.features(x, "module")["module"].square().sum().backward()
    with_gradient = {key.partition(".")[0] for key, p in module.named_parameters() if p.grad is not None}
    assert with_gradient == {"stem", "module"}
    with torch.no_grad():
        assert not module.features(x, "top")["top"].requires_grad


def test_maps_follow_the_weights_the_mode_and_the_dtype(module: NetworkModule) -> None:
    x = images(module)
    before = module.features(x, "top")["top"]
    with torch.no_grad():
        module.get_parameter("stem.conv.weight").mul_(2)
    after = module.features(x, "top")["top"]
    assert not torch.equal(after, before)
    assert not torch.equal(module.train().features(x, "top")["top"], after)
    assert torch.equal(module.eval().features(x, "stem")["stem"], run_by_hand(module, x)["stem"])
    doubled = module.to(torch.float64).features(x.double(), "top")["top"]
    assert doubled.dtype == torch.float64
    module.load_state_dict(shaken(ins.compile(SMALL, aux=True), seed=8).double().state_dict(), assign=True)
    assert torch.equal(module.features(x.double(), "top")["top"], run_by_hand(module, x.double())["top"])


def test_maps_follow_exchanged_layers(module: NetworkModule) -> None:
    x = images(module)
    module.features(x, "stem")
    module.set_submodule("stem.act", nn.Sigmoid())
    assert torch.equal(module.features(x, "stem")["stem"], run_by_hand(module, x)["stem"])


@pytest.mark.parametrize("stages", ["stme", ["stem", "stme"]])
def test_unknown_stages_are_suggested(module: NetworkModule, stages: str | list[str]) -> None:
    with pytest.raises(UnknownNameError, match=r"unknown stage, got 'stme'.*did you mean 'stem'"):
        module.features(images(module), stages)
    with pytest.raises(ConfigError, match="no stages; expected some of stem, module, pool, top"):
        module.features(images(module), [])


# Copies ------------------------------------------------------------------------------------------------------


def saved_and_loaded(module: NetworkModule) -> NetworkModule:
    buffer = io.BytesIO()
    torch.save(module, buffer)
    buffer.seek(0)
    loaded: NetworkModule = torch.load(buffer, weights_only=False)
    return loaded


COPIES = {"deepcopy": copy.deepcopy, "pickle": lambda m: pickle.loads(pickle.dumps(m)), "torch.save": saved_and_loaded}


@pytest.mark.parametrize("how", COPIES)
@pytest.mark.parametrize("text", [SMALL, IN_PLACE], ids=["small", "in place"])
def test_copies_keep_document_stages_maps_and_what_is_frozen(text: str, how: str) -> None:
    module = shaken(ins.compile(text, aux=True, seed=1))
    first = module.stages[0]
    x = images(module)
    expected = module.features(x, module.stages)
    module.freeze([first]).train()
    twin = COPIES[how](module)
    assert isinstance(twin, NetworkModule)
    assert (twin.network, twin.stages, twin.loaded) == (module.network, module.stages, None)
    assert [m.training for m in twin.modules()] == [m.training for m in module.modules()]
    assert [p.requires_grad for p in twin.parameters()] == [p.requires_grad for p in module.parameters()]
    found = twin.eval().features(x, module.stages)
    assert all(torch.equal(found[name], expected[name]) for name in module.stages)
    twin.unfreeze()
    twin.train()
    twin.features(x, module.stages)
    assert all(p.requires_grad for p in twin.parameters())
    assert module.recall("frozen") == [first]
    assert not module.get_submodule(f"{first}.norm").training


def test_a_copy_keeps_the_report() -> None:
    module = ins.compile(SMALL, weights=ins.compile(SMALL).state_dict())
    assert module.loaded is not None
    assert copy.deepcopy(module).loaded == module.loaded == pickle.loads(pickle.dumps(module)).loaded


# Frozen stages -----------------------------------------------------------------------------------------------


def steps(module: NetworkModule, count: int = 3) -> None:
    """A few steps of training that would move everything that can move."""
    optimizer = torch.optim.SGD(module.parameters(), lr=0.1, momentum=0.9, weight_decay=0.1)
    for _ in range(count):
        optimizer.zero_grad()
        sum(output.square().mean() for output in module(images(module, 4))).backward()  # type: ignore[union-attr]
        optimizer.step()


@pytest.mark.parametrize(
    ("how", "frozen"),
    [
        (lambda m: m.freeze(["stem"]), {"stem"}),
        (lambda m: m.freeze("top"), {"top"}),
        (lambda m: m.freeze(until="module"), {"stem", "module"}),
        (lambda m: m.freeze(["top"], until="stem"), {"stem", "top"}),
        (lambda m: m.freeze("stem").freeze("module"), {"stem", "module"}),
        (lambda m: m.freeze(until="pool"), {"stem", "module"}),
        (lambda m: m.freeze([]), set()),
    ],
)
def test_frozen_stages_stay_bit_for_bit_and_the_rest_trains(
    module: NetworkModule, how: Callable[[NetworkModule], NetworkModule], frozen: set[str]
) -> None:
    assert how(module) is module
    before = state_of(module)
    module.train()
    module.features(images(module), STAGES)  # neither does this wake them
    steps(module)
    after = module.state_dict()
    still = {key for key in before if torch.equal(before[key], after[key])}
    assert still == {key for key in before if key.partition(".")[0] in frozen}
    assert all(p.grad is None for key, p in module.named_parameters() if key.partition(".")[0] in frozen)


def test_unfrozen_everything_trains_again(module: NetworkModule) -> None:
    module.freeze(until="top").train()
    assert module.unfreeze() is module
    before = state_of(module)
    steps(module)
    assert not [key for key, value in module.state_dict().items() if torch.equal(before[key], value)]


def test_auxiliary_heads_compute_above_frozen_stages(module: NetworkModule) -> None:
    module.freeze(until="top").train()
    main, aux = module(images(module))
    (main.sum() + aux.sum()).backward()
    trained = {key.partition(".")[0] for key, p in module.named_parameters() if p.grad is not None}
    assert trained == {"head", "aux"}


def test_evaluation_mode_stays_when_stages_are_frozen(module: NetworkModule) -> None:
    module.eval().freeze("stem")
    assert not any(m.training for m in module.modules())
    module.unfreeze()
    assert not any(m.training for m in module.modules())


@pytest.mark.parametrize("options", [{"stages": ["stem", "tpo"]}, {"stages": "tpo"}, {"until": "tpo"}])
def test_unknown_stages_freeze_nothing(module: NetworkModule, options: dict[str, str]) -> None:
    with pytest.raises(UnknownNameError, match=r"unknown stage, got 'tpo'.*did you mean 'top'"):
        module.freeze(**options)
    assert all(p.requires_grad for p in module.parameters())


def test_freezing_nothing_in_particular_is_asked_about(module: NetworkModule) -> None:
    with pytest.raises(ConfigError, match="nothing to freeze; expected some of stem, module, pool, top, or until="):
        module.freeze()


# The document ------------------------------------------------------------------------------------------------


def test_the_document_is_that_of_what_was_built() -> None:
    net = ins.load(SMALL)
    options = {"num_classes": 3, "in_channels": 1, "input_size": (20, 24), "width": 2.0, "depth": 2.0}
    module = ins.compile(net, aux=True, **options)  # type: ignore[arg-type]
    sized = set_input(set_classes(net, 3), channels=1, height=20, width=24)
    assert module.network == set_depth(scale_network_width(sized, 2.0), 2.0)
    assert module.network.aux
    assert not ins.compile(net).network.aux
    again = ins.compile(module.network, aux=True, weights=module.state_dict())
    assert same_state(again.state_dict(), module.state_dict())
    assert module.network.input.shape == (1, 20, 24)


@pytest.mark.parametrize("name", ["features", "freeze", "stages", "network", "forward", "train", "loaded"])
def test_stages_cannot_hide_what_the_module_offers(name: str) -> None:
    with pytest.raises(DocumentError, match=name) as caught:
        ins.compile(SMALL.replace("  top: 3x3 16", f"  {name}: 3x3 16"))
    assert caught.value.hint or caught.value.expected or "name" in str(caught.value)


def test_a_module_that_compile_did_not_make_says_so() -> None:
    with pytest.raises(CompileError, match="has no document; create it with compile"):
        build(ins.lower(ins.load(SMALL)), name="x").network  # noqa: B018
    plain = fx.symbolic_trace(nn.Sequential(nn.Conv2d(3, 4, 3)))
    for call in (
        lambda: ins.load_weights(plain, {}),  # type: ignore[arg-type]
        lambda: ins.export_weights(plain, "timm"),  # type: ignore[arg-type]
        lambda: ins.save_model(plain, "x"),  # type: ignore[arg-type]
    ):
        with pytest.raises(ArgumentError, match=r"expected a model.*; give the module that"):
            call()


def test_images_too_small_for_maps_say_the_least_size() -> None:
    model = ins.compile("inception_v3")
    with pytest.raises(ShapeError, match=r"mixed_7a.*3x3 is larger than its 2x2 map; use images of at least 75x75"):
        model.features(torch.zeros(1, 3, 64, 64))
    assert model.features(torch.zeros(1, 3, 64, 64), ["mixed_5d"])["mixed_5d"].shape == (1, 288, 5, 5)
    assert set(model.eval().features(torch.zeros(1, 3, 75, 75))) <= set(model.stages)


def test_a_notebook_shows_one_line(module: NetworkModule) -> None:
    shown: list[str] = []
    printer = types.SimpleNamespace(text=shown.append)
    module.freeze("stem")._repr_pretty_(printer, False)
    (line,) = shown
    assert "frozen: stem" in line
    assert len(line) < 200
    assert "\n" not in line
