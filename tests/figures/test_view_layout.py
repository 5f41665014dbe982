"""The page stacks a drawing as the figures lay it out: the same place for every box and wire, computed by node."""

from __future__ import annotations

import json
import shutil
import subprocess
from importlib import resources
from typing import Any

import pytest
from viewer_samples import decided

import inception_search as ins
from inception_search.figures.annotations import facts_of_network
from inception_search.figures.network.place import lay_out
from inception_search.figures.page.html_page import script_table
from inception_search.figures.page.stacked import prepared, stacked
from inception_search.figures.page.tree import FoldableNetwork
from inception_search.spec.network import Network
from tests.shipped import shipped_space

NODE = shutil.which("node")
pytestmark = pytest.mark.skipif(NODE is None, reason="node is not installed")
NETWORKS = [*ins.list_models(dialects=False), "nas_bench_101"]


def network(name: str) -> Network:
    return shipped_space(name).draw(3)[0] if name not in ins.list_models(dialects=False) else ins.load(name)


# Which groups are open, by their paths: none, all, those with a short path, and others of no meaning.
STATES = {
    "folded": lambda path: False,
    "open": lambda path: True,
    "outer": lambda path: "." not in path,
    "odd": lambda path: len(path) % 2 == 1,
}


@pytest.fixture(scope="module")
def places() -> dict[str, Any]:
    """What the page's script makes of every network, folded and open: one run of node for all."""
    trees = {name: stacked(FoldableNetwork(net, facts_of_network(net)).part()) for name, net in loaded().items()}
    script = resources.files("inception_search.figures.page").joinpath("layout.js").read_text(encoding="utf-8")
    states = '[() => false, () => true, (path) => !path.includes("."), (path) => path.length % 2 === 1]'
    call = (
        f"{script}\nconst scene = makeLayout({json.dumps(script_table())}), found = {{}};\n"
        f"for (const [name, tree] of Object.entries({json.dumps(trees)}))\n"
        f"  found[name] = {states}.map((isOpen) => scene.layOut(tree, isOpen));\n"
        "console.log(JSON.stringify(found));"
    )
    done = subprocess.run([str(NODE), "-"], input=call, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def loaded() -> dict[str, Network]:
    return {name: network(name) for name in NETWORKS}


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("name", NETWORKS)
def test_every_box_and_wire_has_the_same_place(places: dict[str, Any], name: str, state: str) -> None:
    net = network(name)
    part, lines = prepared(FoldableNetwork(net, facts_of_network(net)).part())
    ours = lay_out(decided(part, STATES[state]), lines)
    page = places[name][list(STATES).index(state)]
    assert (page["width"], page["height"]) == (ours.width, ours.height)
    assert [(b["x"], b["y"], b["width"], b["height"]) for b in page["boxes"]] == [
        (b.x, b.y, b.width, b.height) for b in ours.boxes
    ]
    assert [[tuple(p) for p in w["points"]] for w in page["wires"]] == [list(w.points) for w in ours.wires]
    assert [(p["x"], p["y"]) for p in page["pluses"]] == [(p.x, p.y) for p in ours.pluses]
    assert [(f["x"], f["y"], f["width"], f["height"]) for f in page["frames"]] == [
        (f.x, f.y, f.width, f.height) for f in ours.frames
    ]
    assert [(n["text"], n["x"], n["y"]) for n in page["notes"]] == [(t.text, t.x, t.y) for t in ours.texts]
