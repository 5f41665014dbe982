"""A package that cannot be used is one error with its name, and only when what it adds is used."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import inception_search as ins
from inception_search.errors import PluginError
from inception_search.graph.ops import find_op
from inception_search.plugins import GROUPS, added, all_names
from inception_search.proxies.score import score
from inception_search.strategies.table import STRATEGIES, make_strategy
from inception_search.testing.playground import World
from tests.plugins.packages import install, with_path, write
from tests.shipped import shipped_space
from tests.study.spaces import THREE_POINTS


def propose(name: str) -> Any:
    return make_strategy(name, World(ins.load_space(THREE_POINTS)).problem).ask(0)


def computed(name: str) -> Any:
    return score(shipped_space("nas_bench_201").draw(0)[0], None, [name])


USES: dict[str, Callable[[str], Any]] = {
    "op": find_op,
    "space": ins.load_space,
    "strategy": propose,
    "dataset": ins.load_data,
    "proxy": computed,
}
OURS = {"op": "conv", "space": "inception_modules", "strategy": "random", "dataset": "digits", "proxy": "params"}
STRATEGY = "from inception_search.options import Options\nclass thing:\n    settings = Options\n"
MAKE = "    def __init__(self, problem, options): pass\n"

# What it adds, the text of its module, words of the error.
BROKEN = [
    *((kind, "import no_such_module\n", "ModuleNotFoundError: No module named 'no_such_module'") for kind in USES),
    *((kind, "other = 1\n", "AttributeError: module 'broken_nets' has no attribute 'thing'") for kind in USES),
    *((kind, "1 / 0\n", "ZeroDivisionError: division by zero") for kind in USES),
    *((kind, "thing = 3\n", "got 3; expected") for kind in USES),
    *((kind, "thing = None\n", "got None at broken_nets:thing") for kind in USES),
    ("op", "class thing: name = 'thing'\n", "a class derived from Op whose name is 'thing'"),
    ("space", "thing = 'no line break'\n", "YAML text, or the pathlib.Path of a YAML file"),
    ("space", "thing = 'name: x\\nstages: {}\\n'\n", "schema"),
    ("space", f"thing = '''{THREE_POINTS}'''\n", "a document of the name 'three'; expected name: thing"),
    ("space", "from pathlib import Path\nthing = Path('no/such.yaml')\n", "no/such.yaml"),
    ("strategy", "class thing:\n    def ask(self, number): pass\n", "ask, tell, and settings"),
    ("strategy", STRATEGY + MAKE + "    def ask(self, number): return self.x\n", "AttributeError"),
    ("strategy", STRATEGY + MAKE + "    def ask(self, number): return {}\n", "{} of ask; expected a Proposal, or None"),
    ("strategy", STRATEGY + "    def ask(self, number): pass\n", "TypeError"),
    ("dataset", "def thing(**options): return 3\n", "got 3; expected a Dataset"),
    ("dataset", "def thing(): pass\n", "TypeError: thing() got an unexpected keyword argument"),
    ("proxy", "def thing(probe): return probe.no_such_thing\n", "AttributeError"),
    ("proxy", "def thing(probe): return 'high'\n", "could not convert string to float: 'high'"),
]


@pytest.mark.parametrize(("kind", "text", "words"), BROKEN)
def test_what_is_broken_is_one_error_with_the_name_of_its_package(site: Path, kind: Any, text: str, words: str) -> None:
    write(site / "broken_nets.py", text)
    install(site, "broken-nets", {GROUPS[kind]: {"thing": "broken_nets:thing"}})
    assert all_names(kind, ["a"]) == ("a", "thing")
    assert "broken_nets" not in sys.modules
    USES[kind](OURS[kind])  # what does not name it is not disturbed
    with pytest.raises(PluginError) as caught:
        USES[kind]("thing")
    assert str(caught.value).startswith(f"package broken-nets adds the {kind} 'thing', which cannot be used, got ")
    assert words in str(caught.value)
    assert "update or uninstall broken-nets" in str(caught.value)


@pytest.mark.parametrize("kind", USES)
def test_a_name_of_ours_is_refused_with_both_packages(site: Path, kind: Any) -> None:
    install(site, "greedy-nets", {GROUPS[kind]: {OURS[kind]: "greedy_nets:thing"}})
    assert all_names(kind, [OURS[kind]]) == (OURS[kind],)
    with pytest.raises(PluginError) as caught:
        USES[kind](OURS[kind])
    words = f"two packages have a {kind} of one name, got '{OURS[kind]}' of inception-search and of greedy-nets"
    assert str(caught.value).startswith(words)


@pytest.mark.parametrize("kind", USES)
def test_a_name_of_two_packages_is_refused_with_both(site: Path, kind: Any) -> None:
    for package in ("one-nets", "two-nets"):
        install(site, package, {GROUPS[kind]: {"thing": "no_such:thing"}})
    with pytest.raises(PluginError, match="'thing' of one-nets and of two-nets; uninstall two-nets, or rename"):
        USES[kind]("thing")
    assert list(added(kind)) == ["thing"]


def test_other_names_are_used_as_ever_beside_one_that_is_taken(site: Path) -> None:
    install(site, "greedy-nets", {GROUPS["strategy"]: {"random": "greedy_nets:thing"}})
    for name in set(STRATEGIES) - {"random", "cmaes", "gp"}:
        assert propose(name) is not None


def test_a_command_line_ends_in_one_line(site: Path) -> None:
    write(site / "broken_nets.py", "1 / 0\n")
    install(site, "broken-nets", {GROUPS["dataset"]: {"thing": "broken_nets:thing"}})
    command = [sys.executable, "-m", "inception_search", "search", "--data", "thing", "--trials", "1"]
    done = subprocess.run(command, capture_output=True, text=True, env=with_path(site), cwd=site, check=False)
    line = "error: package broken-nets adds the dataset 'thing', which cannot be used, got ZeroDivisionError: division "
    assert (done.returncode, done.stderr.count("\n")) == (1, 1), done.stderr
    assert done.stderr.startswith(line)


def test_the_import_of_the_package_reads_no_metadata() -> None:
    code = "import sys, inception_search; assert 'importlib.metadata' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
