"""What the README and docs print is true."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import PIL.Image
import pytest
import torch

import inception_search as ins
from inception_search.cli.main import VERBS
from inception_search.figures.draw import draw
from inception_search.published.imagenet import class_names
from inception_search.spec.documents.parse import parse_step
from inception_search.strategies.table import check, names
from inception_search.study.config import StudyConfig

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
SEARCH = (ROOT / "docs" / "search.md").read_text(encoding="utf-8")
CLASSIFY = (ROOT / "docs" / "weights.md").read_text(encoding="utf-8").partition("## Classify an image")[2]
LANGUAGE = (ROOT / "docs" / "documents.md").read_text(encoding="utf-8")


def block(language: str, text: str = README, index: int = 0) -> str:
    return re.findall(rf"```{language}\n(.*?)```", text, flags=re.DOTALL)[index]


def test_the_python_example_runs(tmp_path: Path) -> None:
    code = block("python").replace("trials=40, epochs=4", "trials=2, epochs=1, train_images=64, image_size=8")
    assert "trials=2" in code
    code += block("python", CLASSIFY, 1)
    PIL.Image.new("RGB", (40, 50)).save(tmp_path / "seven.png")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr
    assert "Cost(params=42679816, macs=12253974624" in done.stdout
    assert "True a1-" in done.stdout
    assert re.fullmatch(r"[0-9] [0-9]+\.[0-9]%", done.stdout.splitlines()[-1])
    assert (tmp_path / "v4.svg").is_file()
    assert (tmp_path / "runs" / "first" / "report.html").is_file()


def test_the_example_of_weights_runs(tmp_path: Path) -> None:
    setting = """import torch, inception_search as ins
photos = [torch.randint(0, 256, (310 + i, 330, 3), dtype=torch.uint8).numpy() for i in range(2)]
torch.save(ins.export_weights(ins.compile("inception_v3@torchvision", aux=True), "torchvision"), "inception_v3.pth")
"""
    code = (
        setting + block("python", index=1) + "print({name: tuple(map.shape) for name, map in maps.items()}, len(state))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr
    assert "torchvision's or timm's weights of inception_v3" in done.stdout
    assert "{'mixed_5d': (2, 288, 35, 35), 'mixed_7c': (2, 2048, 8, 8)}" in done.stdout
    assert ins.load(tmp_path / "model.safetensors").head.classes == 10


def test_a_picture_is_classified_as_the_docs_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr("torch.hub._hub_dir", None)
    row = replace(ins.published_weights("inception_v3@torchvision")[0], sha256=None)
    monkeypatch.setattr("inception_search.published.catalogue._rows", lambda: (row,))
    row.location.parent.mkdir(parents=True)
    PIL.Image.new("RGB", (340, 360), "orange").save("cat.jpg")
    model = ins.compile("inception_v3@torchvision", seed=0)
    torch.save(ins.export_weights(model, "torchvision"), row.location)
    exec(block("python", CLASSIFY), {})
    names = class_names()
    shown = re.findall(r"^(.+) (\d+\.\d)%$", capsys.readouterr().out, flags=re.MULTILINE)
    logits = model.eval()(ins.prepare_images("cat.jpg", model))
    assert [name for name, _ in shown] == [names[k] for k in logits.topk(5).indices[0]]


def test_a_table_of_labels_becomes_class_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("pictures").mkdir()
    lines = ["file,label"]
    for number in range(40):
        PIL.Image.new("RGB", (8, 8)).save(f"pictures/{number}.png")
        lines.append(f"{number}.png,{'cat' if number % 2 else 'dog'}")
    Path("labels.csv").write_text("\n".join(lines), encoding="utf-8")
    exec(block("python", (ROOT / "docs" / "data.md").read_text(encoding="utf-8")), {})
    assert ins.load_data("image_folder", root="classes", image_size=8).classes == ("cat", "dog")


@pytest.mark.parametrize("text", [block("yaml", README, 2), block("yaml", SEARCH)], ids=["README", "search.md"])
def test_the_configurations_can_be_searched_with(text: str, tmp_path: Path) -> None:
    (tmp_path / "my_search.yaml").write_text(text, encoding="utf-8")
    config = StudyConfig.read(tmp_path / "my_search.yaml")
    assert config.objectives == ("accuracy", "macs")
    check(config.strategy, ins.load_space(config.space), len(config.objectives))


@pytest.mark.parametrize("name", names())
def test_every_strategy_is_described(name: str) -> None:
    assert f"| `{name}`" in SEARCH


def test_the_first_screen_shows_a_module_and_its_picture(tmp_path: Path) -> None:
    assert block("yaml") == ins.to_yaml("inception_v1.inception_3a")
    shown = re.search(r"^Right: `inception-search (draw .*) -o (docs/images/\S+)`$", README, flags=re.MULTILINE)
    assert shown is not None
    assert f'<img src="{shown[2]}"' in README
    command = [sys.executable, "-m", "inception_search", *shlex.split(shown[1]), "-o", str(tmp_path / "module.svg")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "module.svg").read_bytes() == (ROOT / shown[2]).read_bytes()
    document = (ROOT / "search_spaces" / "canonical" / "inception_v1.yaml").read_text(encoding="utf-8")
    assert len(document.partition("dialects:")[0].splitlines()) in range(28, 33)  # "takes 30 lines"


def test_the_module_of_the_readme_is_inception_v3s() -> None:
    assert parse_step(block("yaml", index=1)) == ins.load_module("inception_v3.mixed_6b")


@pytest.mark.parametrize("name", ins.list_models(dialects=False))
def test_the_table_of_networks(name: str) -> None:
    cost = ins.lower(ins.load(name)).cost()
    row = next(line for line in README.splitlines() if line.startswith(f"| `{name}`"))
    assert f"{cost.params:,}" in row
    assert f"{cost.macs:,}" in row
    assert not cost.aux_params or f"+ {cost.aux_params:,}" in row


def test_the_error_of_the_readme(tmp_path: Path) -> None:
    lines = ["schema: inception-search/network", "version: 1", "name: my_net", "stages:", "  stem: 3x3 32", ""]
    lines += ["  inception_a:", "    concat: [3x3 8,"]
    lines += ["      [{conv: {kernel: 3x3, width: 64, widht: 64}}, 1x1 8]]"]
    (tmp_path / "my_net.yaml").write_text("\n".join(lines), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "inception_search", "show", "my_net.yaml"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    shown = next(line for line in README.splitlines() if line.startswith("error: "))
    assert (done.returncode, done.stderr.strip()) == (1, shown)


@pytest.mark.parametrize("name", ins.list_models(dialects=False))
def test_the_dialects_of_the_readme(name: str) -> None:
    row = next(line for line in README.splitlines() if line.startswith(f"| `{name}`"))
    assert row.split("|")[-2].strip() == ", ".join(ins.list_dialects(name))


def test_every_verb_is_in_the_readme() -> None:
    for verb in VERBS:
        assert f"inception-search {verb}" in README


def test_the_pictures_are_what_the_commands_draw() -> None:
    picture = (ROOT / "docs" / "images" / "inception_v4.svg").read_text(encoding="utf-8")
    assert draw(ins.load("inception_v4"), blocks=True).svg == picture
    block17 = (ROOT / "docs" / "images" / "block17.svg").read_text(encoding="utf-8")
    assert ins.draw("inception_resnet_v2.block17", title="Inception-ResNet-v2, 17×17 block").svg == block17


def test_the_document_of_the_docs_is_a_network() -> None:
    text = block("yaml", LANGUAGE).replace("input: 3x299x299", "input: 3x64x64")
    assert ins.lower(ins.load(text)).cost().params > 0


def test_every_short_form_of_the_docs_is_one() -> None:
    table = LANGUAGE.partition("## Steps on one line")[2].partition("##")[0]
    forms = [form for line in table.splitlines() if line.startswith("| `") for form in re.findall("`([^`]+)`", line)]
    assert len(forms) >= 18
    for form in forms:
        parse_step(form)
    for form in re.findall(r"`(\{(?:conv|pool|lrn): .*?\}\})`", LANGUAGE):
        parse_step(form)


def test_the_generated_parts_of_the_docs_have_not_drifted() -> None:
    check = [sys.executable, str(ROOT / "docs" / "refresh.py"), "--check"]
    done = subprocess.run(check, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


SPACES = (ROOT / "docs" / "spaces.md").read_text(encoding="utf-8")


def test_the_examples_of_spaces_run(tmp_path: Path) -> None:
    """Those of the README and of the document on spaces; what they print is what is said there."""
    begin = 'import inception_search as ins\nnet = ins.load("inception_v4")\n'
    code = begin + block("python", index=2) + block("python", SPACES, 1) + block("python", SPACES, 2)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "True about 10^399"
    assert lines[1].startswith("stem") or "->" in lines[1]
    ways = [line for line in lines if "parameters" in line]
    assert (ways[0].partition(" ")[0], len(ways)) == ("inception_v1", 24)  # and the 23 edits of the table in the docs
    assert ways[-1].endswith("(42,679,816 parameters, 12,253,974,624 MACs)")
    assert "stem.0.kernel: 9x9 is not the template's" in done.stdout or "9x9" in done.stdout
    assert {"inception", "points"} <= {line.partition(" ")[0] for line in lines}  # the decoded name, the sampling


def test_the_template_of_the_docs_is_a_space() -> None:
    space = ins.load_space(block("yaml", SPACES))
    for seed in range(20):
        point = space.sample(seed)
        assert space.encode(space.decode(point)) == point
    assert space.sampling == "holes"  # one choice has weights


def test_the_space_with_a_canonical_module_can_be_searched(tmp_path: Path) -> None:
    (tmp_path / "my_space.yaml").write_text(block("yaml", SPACES, 1), encoding="utf-8")
    code = block("python", SPACES)
    small = code.replace(
        "trials=12, epochs=2", "trials=2, epochs=1, train_images=64, validation_images=64, image_size=8"
    )
    assert small != code
    done = subprocess.run([sys.executable, "-c", small], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert (lines[0], lines[-1]) == ("5x5", "['v3_5b']")


def test_the_error_of_the_docs_on_spaces(tmp_path: Path) -> None:
    shown = next(line for line in SPACES.splitlines() if line.startswith("error: "))
    text = "schema: inception-search/space\nversion: 1\nname: s\nnetwork:\n  name: n\n  stages:\n"
    (tmp_path / "my_space.yaml").write_text(text + "    stem: {$choice: {a: 3x3 8, b: 3x3 8}}\n", encoding="utf-8")
    command = [sys.executable, "-m", "inception_search", "search", "--space", "my_space.yaml"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert (done.returncode, done.stderr.strip()) == (1, shown)


def test_the_code_of_the_docs_on_comparing(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "compare.md").read_text(encoding="utf-8")
    code = block("python", text) + "\nprint(difference.to_dict()['counts'])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] in text
    assert (tmp_path / "diff.svg").is_file()


@pytest.mark.parametrize(
    ("options", "picture"), [((), "inception_v1_to_v4.svg"), (("--diff",), "inception_v1_to_v4_diff.svg")]
)
def test_the_pictures_of_the_path(tmp_path: Path, options: tuple[str, ...], picture: str) -> None:
    command = [sys.executable, "-m", "inception_search", "path", "inception_v1", "inception_v4", "-o", "p.svg"]
    done = subprocess.run([*command, *options], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr
    drawn = (tmp_path / "p.svg").read_bytes()
    assert drawn == (ROOT / "docs" / "images" / picture).read_bytes()
