"""The package of docs/plugins.md, installed: its own tests pass, and everything it adds is used."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import networkx
import pytest
import torch

import inception_search as ins
from inception_search.backend.build import build
from inception_search.cli import naming
from inception_search.graph.ops import find_op, names
from inception_search.graph.ops.input import Input
from inception_search.proxies.batch import proxy_batch
from inception_search.proxies.score import score
from inception_search.strategies.table import make_strategy
from inception_search.testing.playground import World
from tests.graph_checks import parse_graph, verify
from tests.plugins.packages import files_of_page, with_path, write

pytestmark = pytest.mark.usefixtures("example")


def test_its_own_tests_pass(example: Path) -> None:
    write(example / "test_acme.py", files_of_page()["tests/test_acme.py"])
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_acme.py"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=example, env=with_path(example), check=False)
    assert (done.returncode, "5 passed" in done.stdout) == (0, True), done.stdout


def test_listing_and_completing_name_it_and_do_not_import_it(example: Path) -> None:
    code = (
        "import sys, inception_search.cli.main as m, inception_search.cli.naming as n\n"
        "print(n.complete_strategy('acme'), n.complete_space('acme'), n.complete_data('acme'), file=sys.stderr)\n"
        "try: m.app(['list', '--json'])\n"
        "except SystemExit: pass\n"
        "assert 'acme_nets' not in sys.modules\n"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, env=with_path(example), check=True)
    listed = json.loads(done.stdout)
    of_acme = {kind: row for kind in listed for row in listed[kind] if row.get("about") == "of the package acme-nets"}
    assert {kind: row["name"] for kind, row in of_acme.items()} == {
        "spaces": "acme_cells",
        "datasets": "acme_shapes",
        "ops": "channel_shuffle",
    }
    assert done.stderr.split() == ["['acme_best_of']", "['acme_cells']", "['acme_shapes']"]


def test_the_op_is_one_of_graphs() -> None:
    shuffle = find_op("channel_shuffle")
    assert shuffle is not None
    assert names()[-1] == "channel_shuffle"
    builder = ins.GraphBuilder()
    image = builder.add(Input((4, 5, 5)), (), "input")
    graph = builder.build(builder.add(shuffle(groups=2), (image,), "a.shuffle"))
    assert verify(parse_graph(str(graph))) == graph
    assert ins.to_networkx(graph).nodes["a.shuffle"]["attributes"] == {"groups": 2}
    assert networkx.is_isomorphic(ins.to_networkx(graph), ins.to_networkx(graph))
    image = torch.arange(4.0).view(1, 4, 1, 1).expand(1, 4, 5, 5)
    assert build(graph, name="n")(image)[0, :, 0, 0].tolist() == [0.0, 2.0, 1.0, 3.0]
    with pytest.raises(ins.InceptionSearchError, match=r"b\.shuffle: channels are not a multiple of the groups, got 4"):
        builder.add(shuffle(groups=3), (0,), "b.shuffle")


def test_the_space_the_strategy_and_the_data_make_a_search(tmp_path: Path) -> None:
    assert "acme_cells" in ins.load_space("acme_cells").text
    assert ins.load_data("acme_shapes", limit=10).classes == ("square", "cross")
    small = {"trials": 2, "epochs": 1, "train_images": 20, "workers": 1, "progress": False, "run": tmp_path / "run"}
    options = {"strategy": "acme_best_of", "strategy_options": {"draws": 2}}
    study = ins.search("acme_cells", data="acme_shapes", baselines=False, **options, **small)
    assert study.best.network is not None
    assert ins.load_space("acme_cells").contains(study.best.network)
    assert ins.open_run(tmp_path / "run").best.value == study.best.value


def test_the_options_of_the_strategy_are_checked() -> None:
    problem = World(ins.load_space("acme_cells")).problem
    assert make_strategy("acme_best_of", problem, draws=2).ask(0) is not None
    with pytest.raises(ins.InceptionSearchError, match=r"drows.*did you mean 'draws'"):
        make_strategy("acme_best_of", problem, drows=2)


def test_the_proxy_is_computed_where_it_is_named() -> None:
    network = ins.load_space("acme_cells").draw(0)[0]
    found = score(network, proxy_batch(ins.load_data("acme_shapes"), 4), ["acme_depth", "params"])
    assert found["acme_depth"] == ins.lower(network).cost().depth
    assert "acme_depth" not in score(network, None)


def test_names_of_other_packages_are_suggested() -> None:
    with pytest.raises(ins.InceptionSearchError, match="did you mean 'acme_cells'"):
        ins.load_space("acme_cell")
    with pytest.raises(ins.InceptionSearchError, match="did you mean 'acme_shapes'"):
        ins.load_data("acme_shape")
    with pytest.raises(ins.InceptionSearchError, match="'acme_best_of'"):
        ins.search("acme_cells", strategy="acme_best")
    assert naming.complete_strategy("acme") == ["acme_best_of"]
