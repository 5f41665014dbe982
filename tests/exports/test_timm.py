"""``ins.register_timm`` and ``export --to timm``: what a user of timm calls, and the folders that timm reads."""

from __future__ import annotations

import builtins
import json
from pathlib import Path
from typing import Any

import pytest
import torch

import inception_search as ins
import tests.torchvision_shim  # noqa: F401 - before timm
from inception_search.errors import ConfigError, InceptionSearchError, MissingRequirementError
from tests.example import EXAMPLE
from tests.passes.checks import unsettled
from tests.weights.small_network import SMALL

timm = pytest.importorskip("timm")
X = torch.randn(2, 3, 16, 16, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def small() -> str:
    [name] = ins.register_timm({"ins_small": ins.load(SMALL)})
    return name


def test_every_canonical_network_is_listed() -> None:
    names = ins.register_timm()
    assert len(names) == len(ins.list_models())
    assert {*names} <= {*timm.list_models("ins_*")}
    assert timm.list_models("ins_inception_v3_t*") == ["ins_inception_v3_timm", "ins_inception_v3_torchvision"]
    assert timm.is_model("ins_inception_v3_keras")
    assert ins.register_timm("inception_v3@keras") == ["ins_inception_v3_keras"]


@pytest.mark.parametrize("name", ["inception_v1", "bn_inception", "nin_cifar10", "inception_resnet_v1"])
def test_a_canonical_network_computes_the_same(name: str) -> None:
    [registered] = ins.register_timm(name)
    made = timm.create_model(registered, num_classes=7, in_chans=1).eval()
    ours = ins.compile(name, num_classes=7, in_channels=1, weights=made.state_dict()).eval()
    x = torch.randn(1, *ours.network.input.shape)
    with torch.inference_mode():
        assert torch.equal(made(x), ours(x))
    assert (made.num_classes, made.in_chans) == (7, 1)
    facts = timm.get_pretrained_cfg(registered)
    assert facts.input_size == tuple(ins.load(name).input.shape)
    assert made.get_submodule(facts.classifier).weight.shape[0] == 7


def test_options_of_timms_users(small: str) -> None:
    assert timm.create_model(small, num_classes=0)(X).shape == (2, 16)
    assert timm.create_model(small, num_classes=0, global_pool="")(X).shape == (2, 16, 8, 8)
    assert timm.create_model(small, global_pool="max").network.head.pool == "max"
    assert timm.create_model(small, drop_rate=0.25).network.head.dropout == 0.25
    assert timm.create_model(small, img_size=32).network.input.height == 32
    assert timm.create_model(small, pretrained_cfg_overlay={"mean": (0.1, 0.2, 0.3)}).pretrained_cfg["mean"][0] == 0.1
    assert timm.create_model(small, pretrained_cfg_overlay={"num_classes": 9}).num_classes == 9


def test_features(small: str) -> None:
    whole = timm.create_model(small).eval()
    every = timm.create_model(small, features_only=True).eval()
    every.load_state_dict(whole.state_dict(), strict=False)
    with torch.inference_mode():
        maps, expected = every(X), whole.features(X)
    assert all(torch.equal(one, other) for one, other in zip(maps, expected.values(), strict=True))
    assert every.feature_info.channels() == [info["num_chs"] for info in whole.feature_info]
    assert every.feature_info.reduction() == [info["reduction"] for info in whole.feature_info]
    last = timm.create_model(small, features_only=True, out_indices=(-1,))
    assert [each.shape[1] for each in last(X)] == last.feature_info.channels()
    assert {*last.state_dict()} < {*whole.state_dict()}
    with pytest.raises(ConfigError, match="no such feature maps"):
        timm.create_model(small, features_only=True, out_indices=(9,))


def test_the_parts_of_timms_training_script_train_it(small: str) -> None:
    from timm.data import create_transform, resolve_data_config
    from timm.optim import create_optimizer_v2
    from timm.utils import ModelEmaV3

    model = timm.create_model(small, num_classes=3, drop_rate=0.1)
    config = resolve_data_config({}, model=model)
    assert config["input_size"] == (3, 16, 16)
    assert create_transform(**config) is not None
    optimizer = create_optimizer_v2(model, opt="sgd", lr=0.1, weight_decay=1e-4, momentum=0.9)
    average = ModelEmaV3(model, decay=0.5)
    labels, losses = torch.tensor([0, 2]), []
    for _ in range(8):
        loss = torch.nn.functional.cross_entropy(model.train()(X), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        average.update(model)
        losses.append(loss.item())
    assert losses[-1] < losses[0]
    assert average.module.eval()(X).shape == (2, 3)


def test_saved_models_load_with_pretrained(tmp_path: Path) -> None:
    model = unsettled(ins.compile(ins.load(SMALL), aux=True, seed=0)).eval()
    model.classes = [f"class {index}" for index in range(model.num_classes)]
    path = ins.save_model(model, tmp_path / "m.safetensors")
    [name] = ins.register_timm({"ins_saved": path})
    assert name in timm.list_models(pretrained=True)
    made = timm.create_model(name, pretrained=True).eval()
    with torch.inference_mode():
        assert torch.equal(made(X), model(X))
    assert made.classes == model.classes
    other = timm.create_model(name, pretrained=True, num_classes=2, in_chans=1)
    stem = next(key for key in other.state_dict() if key.endswith("conv.weight"))
    assert other.state_dict()[stem].shape[1] == 1
    assert torch.allclose(other.state_dict()[stem].sum(1), model.state_dict()[stem].sum(1))
    assert timm.create_model(name, checkpoint_path=str(plain(model, tmp_path))).eval()(X).equal(made(X))


def plain(model: Any, folder: Path) -> Path:
    """A checkpoint as timm's training script writes it."""
    state = {key: value for key, value in model.state_dict().items() if not key.startswith("aux.")}
    torch.save({"state_dict": state}, folder / "checkpoint.pth")
    return folder / "checkpoint.pth"


def test_a_trial_of_a_study() -> None:
    [name] = ins.register_timm(EXAMPLE)
    assert timm.create_model(name).network.stages == ins.load(EXAMPLE).stages


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "a name of timm": ({"networks": {"inception_v3": "inception_v3"}}, "timm has a model of this name"),
    "a name with a dot": ({"networks": {"a.b": "inception_v3"}}, "not a name for timm"),
    "no prefix": ({"networks": "inception_v4", "prefix": ""}, "timm has a model of this name"),
    "taken": ({"networks": {"ins_small": "inception_v3"}}, "use force=True"),
    "unknown": ({"networks": "inception_v9"}, "unknown network"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_refusals(what: str, small: str) -> None:
    before = timm.list_models()
    arguments, words = REFUSED[what]
    with pytest.raises(InceptionSearchError, match=words):
        ins.register_timm(**arguments)
    assert timm.list_models() == before


def test_refusals_of_create_model(small: str) -> None:
    with pytest.raises(ConfigError, match="no trained weights"):
        timm.create_model(small, pretrained=True)
    with pytest.raises(ConfigError, match="does not have this option"):
        timm.create_model(small, drop_path_rate=0.1)
    with pytest.raises(ConfigError, match="no such pooling"):
        timm.create_model(small, global_pool="catavgmax")


def test_force_replaces_an_earlier_network() -> None:
    ins.register_timm({"ins_changing": "nin_cifar10"})
    ins.register_timm({"ins_changing": ins.load(SMALL)}, force=True)
    assert timm.create_model("ins_changing").network.name == ins.load(SMALL).name


def test_timm_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *args: Any, **named: Any) -> Any:
        if name == "timm":
            raise ModuleNotFoundError("No module named 'timm'", name="timm")
        return real(name, *args, **named)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingRequirementError, match="need timm, which is not installed; pip install timm"):
        ins.register_timm("inception_v3")


# The folder ----------------------------------------------------------------------------------------------------


def small_model() -> Any:
    return unsettled(ins.compile(ins.load(SMALL), seed=0)).eval()


def test_a_folder_of_a_network_that_timm_does_not_have(tmp_path: Path) -> None:
    model = small_model()
    result = ins.export(model, "timm", tmp_path / "m")
    assert result.runtime == f"timm {timm.__version__}"
    config = json.loads((tmp_path / "m" / "config.json").read_text())
    assert config["inception_search"]["check"].startswith("timm")
    assert "register_timm" in config["inception_search"]["use"]
    assert ins.register_timm(tmp_path / "m") == [config["architecture"]]
    made = timm.create_model(f"local-dir:{tmp_path / 'm'}", pretrained=True).eval()
    with torch.inference_mode():
        assert torch.equal(made(X), model(X))
        assert torch.equal(timm.create_model(config["architecture"], pretrained=True).eval()(X), model(X))
    assert ins.load_model(tmp_path / "m" / "model.safetensors").network == model.network


def test_a_folder_in_timms_own_layout(tmp_path: Path) -> None:
    model = ins.compile("inception_v3@torchvision", num_classes=5, seed=0).eval()
    ins.export(model, "timm", tmp_path / "v3")
    config = json.loads((tmp_path / "v3" / "config.json").read_text())
    assert config["architecture"] == "inception_v3"
    made = timm.create_model(f"local-dir:{tmp_path / 'v3'}", pretrained=True).eval()
    assert type(made).__module__.startswith("timm.")
    x = torch.randn(1, 3, 299, 299)
    with torch.inference_mode():
        assert torch.allclose(made(x), model(x), atol=1e-4)
    with pytest.raises(ConfigError, match="without register_timm"):
        ins.register_timm(tmp_path / "v3")


def test_a_shipped_network_is_not_taken_from_a_folder_of_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "inception_v3").mkdir()
    (tmp_path / "inception_v3" / "config.json").write_text('{"architecture": "other"}')
    monkeypatch.chdir(tmp_path)
    assert ins.register_timm("inception_v3") == ["ins_inception_v3"]


def test_another_dialect_is_not_given_timms_name(tmp_path: Path) -> None:
    model = ins.compile("inception_v3@keras", width=0.25, seed=0).eval()
    ins.export(model, "timm", tmp_path / "v3")
    config = json.loads((tmp_path / "v3" / "config.json").read_text())
    assert config["architecture"].startswith("ins_inception_v3_keras_")


def test_an_existing_folder(tmp_path: Path) -> None:
    model, target = small_model(), tmp_path / "m"
    target.mkdir()
    (target / "config.json").write_text("old")
    with pytest.raises(ConfigError, match="the folder exists"):
        ins.export(model, "timm", target)
    assert ins.export(model, "timm", target, force=True).path == target
    assert json.loads((target / "config.json").read_text())["num_classes"] == model.num_classes
    (target / "mine.txt").write_text("mine")
    with pytest.raises(ConfigError, match=r"other files, which would be lost, got 'mine\.txt'"):
        ins.export(model, "timm", target, force=True)
    (tmp_path / "file").write_text("mine")
    with pytest.raises(ConfigError, match="this is a file"):
        ins.export(model, "timm", tmp_path / "file", force=True)
    assert {path.name for path in tmp_path.iterdir()} == {"m", "file"}


def test_a_failing_rename_keeps_the_former_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model, target = small_model(), tmp_path / "m"
    target.mkdir()
    (target / "config.json").write_text("old")
    real = Path.rename

    def rename(path: Path, new: Path) -> Path:
        if path.name == "m" and path != target:
            raise OSError(28, "No space left on device")
        return real(path, new)

    monkeypatch.setattr(Path, "rename", rename)
    with pytest.raises(ConfigError, match="free some space"):
        ins.export(model, "timm", target, force=True)
    assert (target / "config.json").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["m"]


def test_other_weights_of_the_same_network_replace_the_former(tmp_path: Path) -> None:
    for seed in (1, 2, 3):
        model = ins.compile(ins.load(SMALL), seed=seed).eval()
        model.classes = [f"class {index + seed}" for index in range(model.num_classes)]
        ins.register_timm({"ins_retrained": ins.save_model(model, tmp_path / f"{seed // 2}.safetensors")})
        made = timm.create_model("ins_retrained", pretrained=True).eval()
        with torch.inference_mode():
            assert torch.equal(made(X), model(X))
        assert made.classes == model.classes  # also of a file of the same name
