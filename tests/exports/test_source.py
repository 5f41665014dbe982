"""``source_of``: files in plain torch that compute the same numbers without this package, and read well."""

from __future__ import annotations

import importlib
import pickle
import re
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import ClassVar

import pytest
import torch
from hypothesis import HealthCheck, given, settings

import inception_search as ins
from inception_search.backend.emit import emit
from inception_search.backend.network_module import NetworkModule
from inception_search.errors import CompileError, ShapeError
from inception_search.exports.source import check_source, source_of
from inception_search.graph.op import Op
from inception_search.graph.ops import Act, Flatten, Input, Linear
from inception_search.spec.network import Network
from inception_search.spec.step import Chain, Conv
from tests.exports.alone import outputs, ruff, written
from tests.generators import networks
from tests.passes.checks import unsettled
from tests.shipped import shipped_space
from tests.weights.small_network import SMALL

SIDES = (32, 75, 96, 128, 160, 224, 299)
SPACES = ("inception", "inception_modules", "inception_resnet", "nas_bench_101", "nas_bench_201", "nin")
SPACES = (*SPACES, "separable_modules")


def reduced(network: Network) -> Network:
    """``network`` with few filters, on the smallest of some image sizes that it works with."""
    for each, side in product((ins.scale_width(network, 0.04), network), SIDES):
        try:
            small = ins.set_input(each, height=side, width=side)
            ins.lower(small)
        except ShapeError:
            continue
        return small
    raise AssertionError(f"{network.name} works with none of {SIDES}")


def built(network: Network) -> NetworkModule:
    return ins.compile(network, aux=bool(network.aux), seed=0)


def run(text: str, **arguments: int) -> torch.nn.Module:
    """The network of a file."""
    names: dict[str, type[torch.nn.Module]] = {}
    exec(text, names)
    return names["Network"](**arguments)


def test_every_canonical_network_and_dialect(tmp_path: Path) -> None:
    models = {name: built(reduced(ins.load(name))) for name in ins.list_models()}
    results = written(models, tmp_path)
    assert {name: each.difference for name, each in results.items() if each.difference > 1e-6} == {}
    assert ruff(tmp_path) == ""
    assert not [name for name, each in results.items() if re.search("(from|import) inception", each.text)]
    assert set.union(*(api_of(each.text) for each in results.values())) <= TORCH_2_0


@pytest.mark.slow
@pytest.mark.parametrize("name", ins.list_models())
def test_canonical_networks_in_full(name: str, tmp_path: Path) -> None:
    (result,) = written({name: built(ins.load(name))}, tmp_path).values()
    assert result.difference <= 1e-6


def api_of(text: str) -> set[str]:
    """The names of torch that a file uses."""
    return set(re.findall(r"\b(?:nn\.init|nn|torch|F)\.\w+", text)) - {"torch.nn"}


TORCH_2_0 = {
    *("nn.Module", "nn.ModuleList", "nn.Sequential", "nn.Identity", "nn.Conv2d", "nn.Linear", "nn.Dropout"),
    *("nn.BatchNorm2d", "nn.BatchNorm1d", "nn.ReLU", "nn.MaxPool2d", "nn.AvgPool2d", "nn.LocalResponseNorm"),
    *("nn.AdaptiveAvgPool2d", "nn.AdaptiveMaxPool2d", "nn.init.kaiming_normal_", "nn.init.zeros_"),
    *("torch.cat", "torch.flatten", "torch.finfo", "torch.ones_like", "torch.zeros_like"),
    *("F.pad", "F.max_pool2d", "F.avg_pool2d", "F.normalize"),
}


@pytest.mark.parametrize("name", SPACES)
def test_points_of_spaces(name: str, tmp_path: Path) -> None:
    space = shipped_space(name)
    count = 1 if name == "inception" else 3  # its points are large
    models = {str(seed): built(reduced(space.decode(space.sample(seed)))) for seed in range(count)}
    results = written(models, tmp_path)
    assert max(each.difference for each in results.values()) <= 1e-6
    assert ruff(tmp_path) == ""


@pytest.mark.slow
@pytest.mark.parametrize("name", SPACES)
def test_many_points_of_spaces(name: str, tmp_path: Path) -> None:
    space = shipped_space(name)
    models = {str(seed): built(reduced(space.decode(space.sample(seed)))) for seed in range(100, 200)}
    results = written(models, tmp_path)
    assert max(each.difference for each in results.values()) <= 1e-6
    assert ruff(tmp_path) == ""


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(network=networks())
def test_any_network(network: Network, tmp_path_factory: pytest.TempPathFactory) -> None:
    model = built(network)
    text = source_of(model)
    made = run(text)
    made.load_state_dict(model.state_dict())
    images = torch.randn(3, *network.input.shape)
    for ours, theirs in zip(outputs(model.eval(), images), outputs(made.eval(), images), strict=True):
        torch.testing.assert_close(theirs, ours, rtol=1e-5, atol=1e-6, equal_nan=True)
    path = tmp_path_factory.mktemp("source") / "network.py"
    path.write_text(text, encoding="utf-8")
    assert ruff(path) == ""


def test_long_names_are_formatted(tmp_path: Path) -> None:
    long = "stage_" + "x" * 58
    document = f"""
schema: inception-search/network
version: 1
name: long
input: 3x16x16
stages: {{{long}: {{concat: [1x1 4, [1x1 4, 3x3 8]]}}, {long[:-1]}: 3x3 4}}
head: {{classes: 5}}
aux: {{{"a" * 64}: {{after: {long}, pool: avg}}, {"b" * 64}: {{after: {long}, pool: avg}}}}
"""
    text = source_of(ins.load(document))
    (tmp_path / "network.py").write_text(text, encoding="utf-8")
    assert ruff(tmp_path) == ""
    assert len(run(text)(torch.zeros(2, 3, 16, 16))) == 3


def test_repeats_in_repeats_are_formatted(tmp_path: Path) -> None:
    inner = "{repeat: {times: 3, body: {lrn: {size: 5}}}}"
    text = source_of(document_with(f"stages: {{part: {{repeat: {{times: 4, body: {inner}}}}}}}"))
    (tmp_path / "network.py").write_text(text, encoding="utf-8")
    assert ruff(tmp_path) == ""
    assert "                for _ in range(4)" in text.splitlines()


# A part of a document's name -> lines of its file: classes are shared, and have the arguments that a person would give.
LINES = {
    "inception_v3@torchvision": (
        "        self.mixed_5b = Mixed5(192, width_pool=32)",
        "        self.mixed_6e = Mixed6(768, mid_channels=192)",
        "        self.mixed_7c = Mixed7(2048)",
        "        x = self.mixed_6a(x)  # 768 x 17 x 17",
        "        return logits, self.aux.aux(after_mixed_6e)",
        "                nn.Sequential(ConvNormAct(in_channels, 384, 1), Split3x3(384, 384)),",
    ),
    "inception_v1": ("        self.inception_4a = Inception(480, 192, 96, 208, 16, 48, 64)",),
    "inception_v4": (
        "        self.inception_b = nn.Sequential(*(InceptionB(1024) for _ in range(7)))",
        "            Concat(nn.MaxPool2d(3, stride=2), ConvNormAct(64, 96, 3, stride=2)),",
    ),
    "inception_resnet_v2": ("        return self.act(x + 0.17 * self.project(self.body(x)))",),
    "nin_cifar10": ("        self.mlpconv1 = Mlpconv(3, width=160, width_2=96)",),
    "inception_v1@slim": ("        self.pool1 = SameMaxPool2d(3, stride=2)",),
    "inception_resnet_v1@facenet": ("        return F.normalize(x)",),
}


@pytest.mark.parametrize("name", LINES)
def test_files_read_well(name: str) -> None:
    lines = source_of(ins.load(name)).splitlines()
    assert [line for line in LINES[name] if line not in lines] == []


def test_the_docstring_has_the_facts() -> None:
    text = source_of(ins.load("inception_v3@torchvision"))
    about = " ".join(text.split())
    assert f"Written by inception_search {ins.__version__}, which is not needed to run it." in about
    assert "inception_v3@torchvision: images (N, 3, 299, 299) to logits (N, num_classes)." in about
    assert "resize the shorter side to 342 (bilinear), crop the centre to 299x299" in about
    assert "subtract the mean (0.5, 0.5, 0.5), divide by the standard deviation (0.5, 0.5, 0.5)" in about


def test_classes_with_many_numbers_are_kept_apart() -> None:
    """Two stages alike with more than eight different numbers: arguments would not be readable."""
    stage = "{{concat: [1x1 {0}, [1x1 {1}, 3x3 {2}], [1x1 {3}, 3x3 {4}, 3x3 {5}], [1x1 {6}, 5x5 {7}], 3x3 {8}]}}"
    first, second = stage.format(*range(1, 10)), stage.format(*range(11, 110, 11))
    head = "schema: inception-search/network\nversion: 1\nname: two\ninput: 3x16x16\n"
    text = source_of(ins.load(f"{head}stages: {{left: {first}, right: {second}}}\n"))
    assert "class Left(nn.Module)" in text
    assert "class Right(nn.Module)" in text


# The name of a block -> the name of its class: no name of Python or of the file, and no single letter.
CLASS_NAMES = {
    "mixed_5b": "Mixed5b",
    "class": "Class",
    "self": "Self",
    "nn": "Nn",
    "none": "NoneBlock",
    "exception": "ExceptionBlock",
    "module": "ModuleBlock",
    "network": "NetworkBlock",
    "head": "Head",
    "i": "BlockI",
    "a2": "BlockA2",
}


@pytest.mark.parametrize("name", CLASS_NAMES)
def test_names_of_classes(name: str) -> None:
    other = "concat_4" if name == "mixed_5b" else "mixed_5b"
    network = document_with(
        f"blocks: {{{name}: {{concat: [1x1 4, 3x3 4]}}, {other}: {{concat: [1x1 4, 5x5 4]}}}}",
        f"stages: {{first: {name}, second: {other}}}",
    )
    text = source_of(network)
    assert f"class {CLASS_NAMES[name]}(nn.Module):" in text.splitlines()
    assert list(run(text).state_dict()) == list(ins.compile(network).state_dict())


def test_names_that_are_one_class_name() -> None:
    """``block_a`` and ``a`` are both ``BlockA``."""
    text = source_of(
        document_with("stages: {block_a: {concat: [1x1 4, 3x3 4]}, a: {concat: [1x1 4, 5x5 4]}, end: 1x1 4}")
    )
    assert re.findall(r"class (\w+)", text)[1:3] == ["BlockA", "BlockABlock"]


def document_with(*lines: str) -> Network:
    """A network with these lines."""
    head = ("schema: inception-search/network", "version: 1", "name: made", "input: 3x16x16")
    return ins.load("\n".join((*head, *lines)) + "\n")


# A step -> its words in the docstring of the class that it is in.
WORDS = {
    "{concat: [1x1 4, 3x3 4]}": "Branches 1x1 | 3x3, concatenated",
    "{concat: [1x1 4, 7x7 4 row_col]}": "Branches 1x1 | 1x7, 7x1, concatenated",
    "{concat: [1x1 4, 7x7 4 col_row]}": "Branches 1x1 | 7x1, 1x7, concatenated",
    "{concat: [1x1 4, 5x5 4 stacked]}": "Branches 1x1 | 3x3, 3x3, concatenated",
    "{concat: [1x1 4, 3x3 4 split]}": "Branches 1x1 | (1x3 | 3x1), concatenated",
    "{concat: [1x1 4, {depthwise: {kernel: 3x3}}]}": "Branches 1x1 | 3x3 depthwise, concatenated",
}


LONG = "[1x1 4, 7x7 4 row_col, 7x7 4 col_row]"
MANY = "1x1, 1x7, 7x1, 7x1, 1x7"


def test_long_docstrings_have_a_short_first_line() -> None:
    text = source_of(
        document_with(f"stages: {{part: {{block: {{body: {{concat: [{LONG}, {LONG}, 1x1 4]}}, skip: project}}}}}}")
    )
    lines = text.splitlines()
    start = lines.index("class Part(nn.Module):")
    assert lines[start + 1 : start + 7] == [
        '    """Residual block of 3 branches, concatenated.',
        "",
        f"    Branches: {MANY} | {MANY} | 1x1.",
        "",
        "    Used in stage part.",
        '    """',
    ]


@pytest.mark.parametrize("step", WORDS)
def test_steps_in_words(step: str) -> None:
    text = source_of(document_with(f"stages: {{part: {step}}}"))
    assert f'    """{WORDS[step]} (stage part)."""' in text.splitlines()


def test_the_number_of_classes_is_an_argument() -> None:
    made = run(source_of(ins.load("nin_cifar10")), num_classes=7)
    assert made(torch.zeros(1, 3, 32, 32)).shape == (1, 7)


def test_the_network_of_a_file_is_an_ordinary_module(
    model: NetworkModule, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It can be pickled, exported with torch.export, and run in channels_last."""
    (tmp_path / "written_network.py").write_text(source_of(model), encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    made = importlib.import_module("written_network").Network()
    made.load_state_dict(model.state_dict())
    made.eval()
    images = torch.randn(2, *model.network.input.shape)
    (expected,) = outputs(model.eval(), images)
    ways = {
        "pickle": pickle.loads(pickle.dumps(made)),
        "torch.export": torch.export.export(made, (images,)).module(),
        "channels_last": made.to(memory_format=torch.channels_last),
    }
    for way, module in ways.items():
        (found,) = outputs(module, images.contiguous(memory_format=torch.channels_last))
        torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-6, msg=way)


def test_new_networks_are_initialised_as_compiled_ones() -> None:
    """Convolutions with an activation and no norm keep the scale of their input: see backend.build."""
    ours, theirs = ins.compile("nin_cifar10"), run(source_of(ins.load("nin_cifar10")))
    for (name, one), other in zip(ours.state_dict().items(), theirs.state_dict().values(), strict=True):
        assert torch.allclose(one.std(), other.std(), rtol=0.1), name


@dataclass(frozen=True, slots=True)
class Shuffle(Op):
    name: ClassVar[str] = "acme_shuffle"


def graph_with(op: Op) -> NetworkModule:
    builder = ins.GraphBuilder()
    image = builder.add(Input((3, 4, 4)), (), "input")
    value = builder.add(op, (image,), "stage")
    flat = builder.add(Flatten(), (value,), "head.flatten")
    return emit(builder.build(builder.add(Linear(2), (flat,), "head.classifier")))


def test_ops_of_other_packages_are_refused() -> None:
    class Kept(Shuffle):
        def build(self, inputs: object) -> torch.nn.Module:
            return torch.nn.Identity()

    with pytest.raises(CompileError, match=r"stage: an op of another package .*'acme_shuffle'.*\.pt2"):
        source_of(graph_with(Kept()))


def test_modules_without_a_document_are_refused() -> None:
    with pytest.raises(CompileError, match="no document"):
        source_of(graph_with(Act("relu")))


@pytest.fixture
def model() -> NetworkModule:
    return unsettled(ins.compile(ins.load(SMALL), aux=True, seed=0)).train()


def test_the_check_compares_outputs(model: NetworkModule) -> None:
    text, images = source_of(model), torch.randn(2, 3, 16, 16)
    assert check_source(text, model, images) <= 1e-6
    assert check_source(text.replace("0.5 * self", "0.6 * self"), model, images) > 1e-4
    assert model.training


def test_the_check_refuses_other_weights(model: NetworkModule) -> None:
    text = source_of(model).replace("self.stem =", "self.first_stage =").replace("self.stem(", "self.first_stage(")
    with pytest.raises(CompileError, match=r"does not take the model's weights.*Missing key.*first_stage"):
        check_source(text, model, torch.randn(2, 3, 16, 16))


def test_rewritten_models_have_the_same_source() -> None:
    network = ins.load(SMALL)
    plain, fast = ins.compile(network), ins.compile(network, optimize=["merge_siblings"])
    assert source_of(plain) == source_of(fast) == source_of(plain.network)


def test_steps_of_one_structure_share_a_class() -> None:
    network = Network(
        name="twins",
        stages={
            f"part_{i}": Chain(steps=(Conv(kernel=(3, 3), width=8 * i), Conv(kernel=(1, 1), width=4))) for i in (1, 2)
        },
    )
    assert "        self.part_2 = Part(4, width=16)" in source_of(network).splitlines()
