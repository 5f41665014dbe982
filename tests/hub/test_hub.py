"""``ins.push_to_hub`` and ``hf://user/name``, against a Hub on loopback."""

from __future__ import annotations

import builtins
import errno
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

import inception_search as ins
import tests.torchvision_shim  # noqa: F401 - before timm
from inception_search.errors import ConfigError, InceptionSearchError, MissingRequirementError, WeightsError
from inception_search.hub.card import card_of, nearest
from inception_search.hub.repository import repository
from inception_search.items import record_of, trial_named
from tests.cli.conftest import Command
from tests.cli.conftest import command as command
from tests.example import EXAMPLE
from tests.hub.server import TOKEN, FakeHub
from tests.passes.checks import unsettled
from tests.study.spaces import TINY
from tests.weights.small_network import SMALL

X = torch.randn(2, 3, 16, 16, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHub]:
    package = pytest.importorskip("huggingface_hub")
    pytest.importorskip("huggingface_hub.constants")
    running = FakeHub()
    thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    monkeypatch.setenv("HF_ENDPOINT", running.url)
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    monkeypatch.setattr(package.constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(package.constants, "HF_HUB_DISABLE_XET", True)  # another protocol, in compiled code
    monkeypatch.setattr(package.constants, "HF_TOKEN_PATH", str(tmp_path / "no token"))
    yield running
    package.close_session()
    running.shutdown()
    running.server_close()
    thread.join()


def small_model(**options: Any) -> Any:
    model = unsettled(ins.compile(ins.load(SMALL), seed=0, **options)).eval()
    model.classes = [f"class <{index}>" for index in range(model.num_classes)]
    return model


def test_a_model_there_and_back(server: FakeHub) -> None:
    model = small_model(aux=True)
    url = ins.push_to_hub(model, "me/small", private=True, message="the first one", license="mit")
    assert url == f"{server.url}/me/small"
    assert server.private == {"me/small": True}
    assert server.commits == ["the first one"]
    files = server.repositories["me/small"]
    assert set(files) == {"model.safetensors", "network.yaml", "config.json", "network.svg", "README.md"}
    assert ins.load(files["network.yaml"].decode()) == model.network
    assert files["network.svg"].lstrip().startswith(b"<svg")
    again = ins.load_model("hf://me/small")
    with torch.inference_mode():
        assert torch.equal(again(X), model(X))
    assert again.classes == model.classes
    assert ins.load_model(f"hf://me/small@{server.commit('me/small')}").network == model.network


def test_wherever_a_name_is_taken(server: FakeHub) -> None:
    model = small_model()
    ins.push_to_hub(model, "me/small")
    assert ins.load("hf://me/small") == model.network
    assert ins.lower("hf://me/small").cost().params == ins.lower(model.network).cost().params
    with torch.inference_mode():
        assert torch.equal(ins.compile("hf://me/small").eval()(X), model(X))
        assert torch.equal(ins.compile(ins.load(SMALL), weights="hf://me/small").eval()(X), model(X))


def test_timm_reads_the_repository(server: FakeHub) -> None:
    timm = pytest.importorskip("timm")
    model = small_model()
    ins.push_to_hub(model, "me/small")
    architecture = json.loads(server.repositories["me/small"]["config.json"])["architecture"]
    assert f'create_model("{architecture}"' in server.repositories["me/small"]["README.md"].decode()
    assert ins.register_timm("hf://me/small") == [architecture]
    with torch.inference_mode():
        assert torch.equal(timm.create_model(architecture, pretrained=True).eval()(X), model(X))


def test_timm_reads_the_repository_itself_after_register_timm(server: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    """timm reads the address of the Hub once, when huggingface_hub is imported; a test has to replace it."""
    timm, constants = pytest.importorskip("timm"), pytest.importorskip("huggingface_hub.constants")
    monkeypatch.setattr(constants, "ENDPOINT", server.url)
    address = server.url + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", address)
    model = small_model()
    ins.push_to_hub(model, "me/small")
    ins.register_timm("hf://me/small")
    made = timm.create_model("hf-hub:me/small", pretrained=True).eval()
    with torch.inference_mode():
        assert torch.equal(made(X), model(X))
    assert made.classes == model.classes
    assert timm.create_model("hf-hub:me/small", num_classes=3).num_classes == 3


large_files = pytest.mark.filterwarnings("ignore:Use 'content=<...>':DeprecationWarning")
"""huggingface_hub sends large files with an option of httpx that is deprecated."""


@large_files
def test_large_weights_are_stored_apart(server: FakeHub) -> None:
    """The token is for the Hub, and does not reach the server of the storage."""
    server.large = 10_000
    model = small_model()
    for _ in range(2):  # the second time the weights are there
        ins.push_to_hub(model, "me/small")
    assert server.repositories["me/small"]["model.safetensors"] in server.stored.values()
    with torch.inference_mode():
        assert torch.equal(ins.load_model("hf://me/small")(X), model(X))
    assert server.stored_with
    assert set(server.stored_with) == {None}


@large_files
def test_a_storage_that_refuses_large_weights(server: FakeHub) -> None:
    server.large, server.storage_full = 10_000, True
    with pytest.raises(WeightsError, match=rf"{server.url}/me/small: .*uploaded.*the server answered 403"):
        ins.push_to_hub(small_model(), "me/small")
    assert server.repositories == {"me/small": {}}


COMMANDS: dict[str, tuple[list[str], str]] = {
    "show": (["show", "hf://me/small"], "parameters"),
    "diff": (["diff", "hf://me/small", "inception_v3"], "inception_v3"),
    "draw": (["draw", "hf://me/small", "-o", "m.svg"], "m.svg"),
    "draw a module": (["draw", "hf://me/small", "--module", "stem", "-o", "m.svg"], "m.svg"),
    "export": (["export", "hf://me/small", "--to", "safetensors", "-o", "m.safetensors"], "m.safetensors"),
    "convert": (["convert", "hf://me/small", "-o", "m.safetensors"], "m.safetensors"),
}


@pytest.mark.parametrize("verb", COMMANDS)
def test_on_the_command_line(server: FakeHub, command: Command, verb: str) -> None:
    ins.push_to_hub(small_model(), "me/small")
    words, expected = COMMANDS[verb]
    said = command(*words)
    assert (said.code, said.err) == (0, "")
    assert expected in said.out


def test_a_trial_of_a_search(server: FakeHub, tmp_path: Path) -> None:
    """The same weights by three names: in the run folder, on the Hub, and in timm."""
    timm = pytest.importorskip("timm")
    run = tmp_path / "run"
    quick = {"trials": 1, "epochs": 1, "train_images": 64, "image_size": 8, "workers": 1, "width": 0.5}
    ins.search(TINY, run=run, progress=False, baselines=False, **quick)
    model = ins.load_model(f"{run}:0")
    ins.push_to_hub(f"{run}:0", "me/found", license="mit")
    card = server.repositories["me/found"]["README.md"].decode()
    record = record_of(trial_named(f"{run}:0"))  # type: ignore[arg-type]
    for row in ("| trial | 0 |", f"| seed | {record.seed} |", f"| started | {record.started} |"):
        assert row in card
    assert "## Classes" in card
    [name] = ins.register_timm("hf://me/found")
    x = torch.randn(2, *model.network.input.shape)
    with torch.inference_mode():
        assert torch.equal(ins.load_model("hf://me/found")(x), model(x))
        assert torch.equal(timm.create_model(name, pretrained=True).eval()(x), model(x))


def test_a_second_push_replaces_the_files(server: FakeHub) -> None:
    ins.push_to_hub(small_model(), "me/small")
    server.repositories["me/small"]["mine.txt"] = b"mine"
    other = unsettled(ins.compile("nin_cifar10", width=0.1, seed=0)).eval()
    ins.push_to_hub(other, "me/small")
    assert ins.load_model("hf://me/small").network == other.network
    assert server.repositories["me/small"]["mine.txt"] == b"mine"


# The card ------------------------------------------------------------------------------------------------------


def test_the_card_of_a_trial() -> None:
    record, network = record_of(trial_named(EXAMPLE)), ins.load(EXAMPLE)  # type: ignore[arg-type]
    text = card_of("me/found", network, record=record, license="apache-2.0", architecture="ins_found")
    assert text.startswith("---\nlibrary_name: inception-search\n")
    assert 'license: "apache-2.0"' in text
    assert "![the network](network.svg)" in text
    cost = ins.lower(network).cost()
    assert f"| parameters | {cost.params:,} |" in text
    assert f"| {cost.macs:,} |" in text
    assert f"From `{nearest(network).a.name}`" in text
    assert "```diff" in text
    assert "| validation accuracy | 97.77 % |" in text
    assert "| learning rate | 0.1 |" in text
    assert "| data: name | digits |" in text
    assert 'ins.load_model("hf://me/found")' in text


def test_the_card_of_a_canonical_network() -> None:
    text = card_of("me/v1", ins.load("inception_v1"), classes=["a|b", "<script>"], architecture="ins_inception_v1")
    assert "None: it is `inception_v1` as shipped." in text
    assert not nearest(ins.load("inception_v1@slim"))
    assert "auxiliary classifiers" in text
    assert "## Training" not in text
    assert "license" not in text
    assert "a\\|b, &lt;script>" in text


@pytest.mark.slow
@pytest.mark.parametrize("name", ["inception_v3", "bn_inception@slim"])
def test_the_nearest_network_of_a_changed_one(name: str) -> None:
    assert nearest(ins.set_classes(ins.load(name), 10)).a.name == name
    assert nearest(ins.scale_width(ins.load(name), 0.25)).a.name == name


# Errors --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    [
        *("name", "a/b/c", "hf://", "hf://a b/c", "me/small@", "me/small@a b"),
        *("../..", "a/.b", "a/b.", "-a/b", "a--b/c", "a/b.git"),  # the Hub refuses these
        *("a/b@../../x", "a/b@/x", "a/b@x/../y"),  # a revision is part of a path in the cache
    ],
)
def test_names_that_are_none(words: str) -> None:
    with pytest.raises(ConfigError, match="user/name"):
        repository(words)


def test_no_such_repository(server: FakeHub) -> None:
    with pytest.raises(WeightsError, match=rf"{server.url}/me/none.*no such repository.*hf auth login"):
        ins.load_model("hf://me/none")


def test_no_such_revision_or_file(server: FakeHub) -> None:
    ins.push_to_hub(small_model(), "me/small")
    with pytest.raises(WeightsError, match="no revision 'other'"):
        ins.load_model("hf://me/small@other")
    del server.repositories["me/small"]["model.safetensors"]
    with pytest.raises(WeightsError, match=r"no file model\.safetensors"):
        ins.load_model("hf://me/small")


def test_a_file_without_a_document(server: FakeHub) -> None:
    from safetensors.torch import save

    server.repositories["me/other"] = {"model.safetensors": save({"weight": torch.zeros(2)})}
    with pytest.raises(WeightsError, match=r"me/other: .*no document of a network.*push_to_hub"):
        ins.load_model("hf://me/other")


def test_no_token(server: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_TOKEN")
    with pytest.raises(ConfigError, match=r"no token.*hf auth login"):
        ins.push_to_hub(small_model(), "me/small")
    assert server.repositories == {}


def test_a_wrong_token(server: FakeHub) -> None:
    with pytest.raises(WeightsError, match="token") as caught:
        ins.push_to_hub(small_model(), "me/small", token="hf_wrong")
    assert "hf_wrong" not in str(caught.value)
    assert server.repositories == {}


def test_offline(server: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub.constants

    ins.push_to_hub(small_model(), "me/small")
    ins.load_model("hf://me/small")
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    assert ins.load_model("hf://me/small").network.name == ins.load(SMALL).name  # from the cache
    with pytest.raises(WeightsError, match=rf"{server.url}/me/other.*cannot be reached.*HF_HUB_OFFLINE"):
        ins.load_model("hf://me/other")
    with pytest.raises(WeightsError, match=rf"{server.url}/me/small: .*uploaded.*forbids requests.*unset"):
        ins.push_to_hub(small_model(), "me/small")


def test_a_full_disk(server: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    ins.push_to_hub(small_model(), "me/small")

    def refuse(*_: Any, **__: Any) -> str:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("huggingface_hub.hf_hub_download", refuse)
    with pytest.raises(WeightsError, match=r"cannot be stored .*No space left on device.*HF_HOME"):
        ins.load_model("hf://me/small")


def test_no_server(server: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr("time.sleep", lambda seconds: None)  # between the attempts of huggingface_hub
    with pytest.raises(InceptionSearchError, match=r"http://127\.0\.0\.1:9/me/small.*connection"):
        ins.load_model("hf://me/small")
    with pytest.raises(InceptionSearchError, match=r"http://127\.0\.0\.1:9/me/small.*connection"):
        ins.push_to_hub(small_model(), "me/small")


def test_the_package_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *args: Any, **named: Any) -> Any:
        if name == "huggingface_hub":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return real(name, *args, **named)

    monkeypatch.setattr(builtins, "__import__", without)
    for call in (lambda: ins.load_model("hf://me/small"), lambda: ins.push_to_hub("runs/example", "me/small")):
        with pytest.raises(MissingRequirementError, match="needs huggingface_hub, which is not installed; pip install"):
            call()
