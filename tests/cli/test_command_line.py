"""Help, completion and exit codes of every verb."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import get_args

import pytest

from inception_search.canonical.catalogue import list_dialects, names
from inception_search.canonical.weight_names import implementations
from inception_search.cli import naming
from inception_search.cli.list import KINDS
from inception_search.cli.main import VERBS
from inception_search.data.catalogue import DATASETS
from inception_search.figures.draw import Style
from inception_search.figures.figure import Flow
from inception_search.figures.printing.palettes import PALETTES
from inception_search.space.load_space import names as spaces
from inception_search.store.objectives import OBJECTIVES
from inception_search.strategies.table import STRATEGIES
from tests.cli.conftest import Command
from tests.example import EXAMPLE, copy_example

HEAVY = ("torch", "optuna", "pydantic", "yaml", "numpy", "matplotlib")


@pytest.mark.parametrize("verb", ["", *VERBS])
def test_help_loads_nothing_heavy(verb: str) -> None:
    """What keeps help under 0.3 s."""
    assert loaded(f"{verb} --help".split(), HEAVY) == []


@pytest.mark.parametrize("words", ["show inception_v3@timm.mi", "search --strategy ", "re"])
def test_completion_loads_nothing_heavy(words: str) -> None:
    told = {"COMP_WORDS": f"inception-search {words}".replace(" ", "\n"), "COMP_CWORD": str(len(words.split(" ")))}
    assert loaded([], set(HEAVY) - {"yaml"}, _INCEPTION_SEARCH_COMPLETE="complete_bash", **told) == []


def loaded(arguments: list[str], modules: Iterable[str], **told: str) -> list[str]:
    """Which of the modules ``inception-search`` loads for these arguments."""
    script = f"""
import sys
from inception_search.cli.main import run
sys.argv = ["inception-search", *{arguments}]
try:
    run()
except SystemExit as ended:
    assert not ended.code
print("LOADED", *[name for name in {tuple(modules)} if sys.modules.get(name)])
"""
    environment = {**os.environ, **told}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, env=environment)
    said, _, names = done.stdout.rpartition("LOADED")
    assert said
    return names.split()


@pytest.mark.parametrize("verb", VERBS)
def test_help_shows_every_default(verb: str, command: Command) -> None:
    said = " ".join(command(verb, "--help").out.split())
    source = Path(sys.modules[f"inception_search.cli.{verb}"].__file__ or "").read_text(encoding="utf-8")
    for default in re.findall(r"help=[^\n]*?(\[[^\]\n]+\])", source):
        assert default in said, default
    assert VERBS[verb].help.endswith(".")


def test_the_list_of_verbs_is_whole(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    said = command("--help").out
    assert all(verb.help in said for verb in VERBS.values())


def complete(parts: list[str], where: Path, shell: str = "bash") -> list[str]:
    """What a shell is offered after ``inception-search`` and ``parts``, the words as bash takes them apart."""
    words = ["inception-search", *parts]
    told = {"COMP_WORDS": "\n".join(words), "COMP_CWORD": str(len(parts))}
    if shell != "bash":
        told = {"_TYPER_COMPLETE_ARGS": " ".join(words), "_TYPER_COMPLETE_FISH_ACTION": "get-args"}
    environment = {**os.environ, **told, "_INCEPTION_SEARCH_COMPLETE": f"complete_{shell}"}
    code = "import sys; sys.argv[0] = 'inception-search'; from inception_search.cli.main import run; run()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=where, env=environment)
    assert done.stderr == ""
    return [line for line in done.stdout.splitlines() if line]


COMPLETED: dict[str, tuple[str, ...]] = {
    "fin": ("finalize",),
    "show inception_v": ("inception_v1", "inception_v2", "inception_v3", "inception_v4"),
    "search --data f": ("fashion_mnist",),
    "search --data = f": ("fashion_mnist",),
    "search --strategy e": ("evolution",),
    "search --optimizer a": ("adamw",),
    "search --pruner h": ("halving", "hyperband"),
    "search --schedule =c": (),
    "search --schedule c": ("cosine", "constant"),
    "finalize runs/first --device c": ("cpu", "cuda"),
    "search --space inception_m": ("inception_modules",),
    "report ": ("runs/a:bc", "runs/first"),
    "resume runs/f": ("runs/first",),
    "draw inception_v4.inc": ("inception_v4.inception_a", "inception_v4.inception_b", "inception_v4.inception_c"),
    "draw inception_v4 @": ("@timm", "@cadene", "@caffe", "@slim_gamma", "@slim", "@paper"),
    "show inception_v3 @ ti": ("@timm",),
    "show inception_v3 @ fid.mixed_7": ("@fid.mixed_7a", "@fid.mixed_7b", "@fid.mixed_7c"),
    "diff inception_v3 @ timm inception_v3 @ ke": ("@keras",),
    "show inception_v3 @ none.mi": (),
    "report runs/a : b": ("bc",),
    "draw inception_v4 --style p": ("plain", "paper"),
    "draw inception_v4 --palette c": ("colour", "colour-blind"),
    "draw inception_v3 @ timm --module mixed_7": ("mixed_7a", "mixed_7b", "mixed_7c"),
    "diff inception_v3 inception_v4 --module inception_": ("inception_a", "inception_b", "inception_c"),
    "draw my.yaml --module i": (),
    "search --objectives accuracy,ma": ("accuracy,macro_f1", "accuracy,macs"),
    "convert w.pth --to f": ("facenet", "facenet_tf", "fid"),
}


@pytest.mark.parametrize("words", COMPLETED)
def test_tab_completes(words: str, tmp_path: Path) -> None:
    for run in ("first", "a:bc"):
        (tmp_path / "runs" / run).mkdir(parents=True)
        (tmp_path / "runs" / run / "study.yaml").touch()
    assert tuple(complete(words.split(" "), tmp_path)) == COMPLETED[words]


@pytest.mark.parametrize(
    ("shell", "offered"), [("zsh", """_arguments '*: :(("inception_v3@timm"))'"""), ("fish", "inception_v3@timm")]
)
def test_other_shells_replace_whole_words(shell: str, offered: str, tmp_path: Path) -> None:
    assert complete(["show", "inception_v3@ti"], tmp_path, shell) == [offered]


@pytest.mark.parametrize("network", names())
def test_every_dialect_and_module_is_offered(network: str) -> None:
    from inception_search.canonical.catalogue import load

    assert naming.complete_item(f"{network}@") == [f"{network}@{dialect}" for dialect in list_dialects(network)]
    for name in (network, *(f"{network}@{dialect}" for dialect in list_dialects(network))):
        parts = {**load(name).stages, **load(name).blocks}
        assert naming.complete_item(f"{name}.") == [f"{name}.{part}" for part in parts]


def test_what_is_offered_is_what_there_is() -> None:
    assert set(naming.complete_item("")) >= set(names())
    assert set(naming.complete_space("")) == set(spaces())
    assert set(naming.complete_data("")) == set(DATASETS)
    assert set(naming.complete_kind("")) == set(KINDS)
    assert set(naming.STRATEGIES) == set(STRATEGIES)
    assert tuple(OBJECTIVES) == naming.OBJECTIVES
    assert (get_args(Style), get_args(Flow)) == (naming.STYLES, naming.FLOWS)
    assert tuple(PALETTES) == naming.PALETTES
    assert set(naming.IMPLEMENTATIONS) == {name for network in names() for name in implementations(network)}


DONE, FAILED, REFUSED = 0, 1, 2
CODES: dict[str, int] = {
    "list ops": DONE,
    "list ops --json": DONE,
    "show inception_v1": DONE,
    "shwo inception_v1": REFUSED,
    "show --dept 3 inception_v1": REFUSED,
    "list planets": REFUSED,
    "show inception_v9": REFUSED,
    "show inception_v3@keres": REFUSED,
    "show inception_v4.inception_x": REFUSED,
    "show none.yaml": REFUSED,
    "show runs/none": REFUSED,
    "show runs/none:3": REFUSED,
    "show run:99": REFUSED,
    "show inception_v1..inception_v4:99": REFUSED,
    "show inception_v1 --depth -1": REFUSED,
    "show inception_v1 --depth many": REFUSED,
    "show inception_v1 --input-size 4": FAILED,
    "show broken.yaml": FAILED,
    "draw inception_v1 --style cubist": REFUSED,
    "draw inception_v1 --format doc -o -": REFUSED,
    "draw inception_v1 --module attic": REFUSED,
    "draw inception_v1 -o none/a.svg": REFUSED,
    "diff inception_v1 inception_v9": REFUSED,
    "diff inception_v1 inception_v1.inception_3a": REFUSED,
    "diff inception_v1 inception_v1 --json": DONE,
    "view none.yaml": REFUSED,
    "convert none.pth": REFUSED,
    "convert broken.pth": FAILED,
    "convert run:99": REFUSED,
    "path inception_v1 inception_v9": REFUSED,
    "path inception_v1 inception_v4 --space none": REFUSED,
    "search --strategy tpee": REFUSED,
    "search --data digitz": REFUSED,
    "search --space none": REFUSED,
    "search --trials -1": REFUSED,
    "search --trials many": REFUSED,
    "search --strategy evolution --strategy-option popultion=3": REFUSED,
    "search --pruner asha --pruner-option eta=1": REFUSED,
    "search --strategy optuna:NSGA2Sampler": REFUSED,
    "search --strategy optuna:GPSampler": REFUSED,
    "search --strategy python:mine.Sampler": REFUSED,
    "search --optimizer sgdd": REFUSED,
    "search --learning-rate -1": REFUSED,
    "search --data image_folder --data-root none": REFUSED,
    "search none.yaml": REFUSED,
    "search wrong.yaml": FAILED,
    "search --device tpu": REFUSED,
    "resume none": REFUSED,
    "report none": REFUSED,
    "report empty": FAILED,
    "worker none": REFUSED,
    "dashboard none": REFUSED,
    "dashboard run --port 0": REFUSED,
    "proxies none": REFUSED,
    "proxies run --names nope": REFUSED,
    "finalize none": REFUSED,
    "finalize run --seeds 0": REFUSED,
}
LACKING = {
    "dashboard run": "optuna_dashboard",
    "draw nin_cifar10 -o nin.png": "resvg_py",
    "search --strategy optunahub:samplers/whale_optimization": "optunahub",
    "search --data image_folder --data-root empty": "PIL",
}


@pytest.mark.parametrize("line", CODES)
def test_exit_codes(line: str, command: Command, tmp_path: Path) -> None:
    (tmp_path / "broken.yaml").write_text("name: [", encoding="utf-8")
    (tmp_path / "broken.pth").write_bytes(b"nothing")
    (tmp_path / "wrong.yaml").write_text("strategy: tpee\n", encoding="utf-8")
    (tmp_path / "empty").mkdir()
    if "run" in re.split("[ :]", line):
        copy_example(tmp_path / "run", records=3)
    said = command(*line.split())
    assert said.code == CODES[line], said.err
    assert "Traceback" not in said.err
    assert EXAMPLE.is_dir()


@pytest.mark.parametrize("line", LACKING)
def test_a_package_that_is_missing_is_a_failure(
    line: str, command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy_example(tmp_path / "run", records=3)
    (tmp_path / "empty").mkdir()
    find = importlib.util.find_spec
    monkeypatch.setitem(sys.modules, LACKING[line], None)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == LACKING[line] else find(name))
    said = command(*line.split())
    assert (said.code, "pip install" in said.err) == (FAILED, True), said.err


def test_a_reader_that_is_gone_is_a_failure_without_a_word() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    code = "import sys; sys.argv[1:] = ['list', 'datasets']; from inception_search.cli.main import run; run()"
    done = subprocess.run([sys.executable, "-c", code], stdout=writer, stderr=subprocess.PIPE, check=False)
    os.close(writer)
    assert (done.returncode, done.stderr) == (FAILED, b"")
