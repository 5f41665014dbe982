"""Every verb with the standard streams that a daemon, a full disk or an old terminal gives it."""

import io
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

import inception_search as ins
from inception_search.cli.main import VERBS, run
from inception_search.study.final.finalize import finalize
from inception_search.study.search import search
from tests.example import copy_example
from tests.study.spaces import TINY

MODULE = "inception_v1.inception_3a"
FINALS = ["--top", "1", "--baselines", "0", "--seeds", "1"]
# A verb that would train, or serve for ever, prints its help here; what searches print, resume prints.
ARGUMENTS: dict[str, list[str]] = {
    "list": [],
    "show": [MODULE.split(".")[0]],
    "draw": [MODULE, "-o", "-"],
    "view": [MODULE, "-o", "page.html"],
    "diff": [MODULE, "inception_v1.inception_3b", "--no-draw"],
    "resume": ["run"],
    "worker": ["run", "--idle", "0"],
    "report": ["run"],
    "schema": ["study"],
    "path": ["nin_cifar10", "nin_cifar10", "--space", "nin", "--no-draw"],
    "convert": ["model.safetensors"],
    "proxies": ["example", "--names", "params"],
    "finalize": ["run", *FINALS],
}
STREAMS = ["closed", "no stderr", "full", "ascii", "latin-1", "cp1252", "dumb"]
# These verbs take long; each of the other streams is less strict than one of the quick ones.
LONG, QUICK = ("list", "resume", "report"), ("closed", "full", "ascii")
CALLS = [
    pytest.param(verb, kind, marks=pytest.mark.slow if verb in LONG and kind not in QUICK else ())
    for verb in VERBS
    for kind in STREAMS
]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("streams")
    search(TINY, run=folder / "run", trials=1, epochs=1, train_images=64, image_size=8, baselines=False, device="cpu")
    finalize(folder / "run", top=1, baselines=0, seeds=1)
    ins.save_model(ins.compile("nin_cifar10"), folder / "model.safetensors")
    copy_example(folder / "example")
    return folder


def stream(kind: str, name: str) -> Any:
    if kind == "closed" or (kind == "no stderr" and name == "stderr"):
        return None
    if kind == "full" and name == "stdout":
        return Path("/dev/full").open("w", encoding="utf-8")
    encoding = kind if kind in ("ascii", "latin-1", "cp1252") else "utf-8"
    return io.TextIOWrapper(io.BytesIO(), encoding=encoding, errors="strict", write_through=True)


@pytest.mark.parametrize(("verb", "kind"), CALLS)
def test_every_verb_works_with_whatever_streams_it_is_given(verb, kind, finished, monkeypatch):
    if kind == "full" and not Path("/dev/full").exists():
        pytest.skip("needs /dev/full")
    monkeypatch.chdir(finished)
    monkeypatch.setenv("COLUMNS", "20" if kind == "dumb" else "100")
    monkeypatch.setenv("TERM", "dumb" if kind == "dumb" else "xterm")
    monkeypatch.setattr(sys, "argv", ["inception-search", verb, *ARGUMENTS.get(verb, ["--help"])])
    for name in ("stdin", "stdout", "stderr"):
        monkeypatch.setattr(sys, name, stream(kind, name))
    out, err = sys.stdout, sys.stderr
    try:
        run()
        code: Any = 0
    except SystemExit as ended:
        code = ended.code or 0
    used = {sys.stdin, sys.stdout, sys.stderr}
    said = err.buffer.getvalue().decode("ascii", "replace") if err is not None else ""
    silent = verb == "worker"  # it speaks on stderr only
    written = out.buffer.getvalue() if isinstance(out, io.TextIOWrapper) and kind != "full" else b""
    for each in used:
        with suppress(OSError):  # the full one
            each.close()
    assert code == (1 if kind == "full" and not silent else 0), said
    assert "Traceback" not in said
    if kind == "full" and not silent:
        assert said.splitlines()[-1] == "error: standard output cannot be written: No space left on device"
    elif out is not None and not silent:
        assert written
