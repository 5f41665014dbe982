"""What works where Python lacks the modules of POSIX (as on Windows), and what says that it needs them."""

import subprocess
import sys
from pathlib import Path

import pytest

# Windows has none of these modules, and no process that is forked.
WITHOUT_POSIX = """\
import multiprocessing, os, sys
import torch, optuna  # whose own imports are not in question
for name in ("fcntl", "resource", "termios", "pwd", "grp", "pty"):
    sys.modules[name] = None
multiprocessing.get_all_start_methods = lambda: ["spawn"]
del os.fork
from inception_search.store import atomic
atomic.REPLACES_OPEN_FILES = False
"""
VERB = "from inception_search.cli.main import run; sys.argv = ['inception-search', *sys.argv[1:]]; run()"


def without_posix(folder: Path, code: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", WITHOUT_POSIX + code, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ("list",),
        ("show", "inception_v4"),
        ("draw", "inception_v4.inception_c", "-o", "c.svg"),
        ("view", "inception_v4", "-o", "v4.html"),
        ("diff", "inception_v3.mixed_5b", "inception_v4.inception_a"),
    ],
    ids=lambda arguments: arguments[0],
)
def test_looking_at_networks_works(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    done = without_posix(tmp_path, VERB, *arguments)
    assert done.returncode == 0, done.stderr
    assert all((tmp_path / file).is_file() for file in arguments if file.endswith((".svg", ".html")))


def test_compiling_saving_and_loading_work(tmp_path: Path) -> None:
    code = """
import inception_search as ins
model = ins.compile("nin_cifar10", seed=0).eval()
ins.save_model(model, "model.safetensors")
x = torch.zeros(1, 3, 32, 32)
assert torch.equal(ins.load_model("model.safetensors")(x), model(x))
"""
    done = without_posix(tmp_path, code)
    assert done.returncode == 0, done.stderr


def test_searching_says_what_it_needs_and_writes_nothing(tmp_path: Path) -> None:
    done = without_posix(tmp_path, VERB, "search", "--trials", "1", "--run", "run")
    assert done.returncode == 1
    assert "this operating system does not have" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "run").exists()
