"""The interactive page as a file: what is in it, how large it is, that no name is more than a name."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from pathlib import Path

import pytest
from figure_samples import MIXED_6B, record, small_network, study_records

import inception_search as ins
from inception_search.errors import ConfigError, UnknownNameError
from inception_search.figures.page.data import network_data
from inception_search.figures.page.html_page import Page, network_page, study_page
from inception_search.figures.page.study import differing, page_of_study
from tests.example import copy_example

HOSTILE = "</script><img src=x onerror=alert(1)>\u2028'\"&"


def data_of(page: Page) -> dict[str, object]:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page.html, flags=re.DOTALL)
    assert found is not None
    told = json.loads(found[1])
    pool: list[object] = []
    for value in told["pool"]:
        pool.append(whole(value, pool))
    loaded = whole(told["data"], pool)
    assert isinstance(loaded, dict)
    return loaded


def whole(value: object, pool: list[object]) -> object:
    """``value`` with what its references stand for."""
    if isinstance(value, list):
        return [whole(inner, pool) for inner in value]
    if not isinstance(value, dict):
        return value
    return pool[value["@"]] if "@" in value else {name: whole(inner, pool) for name, inner in value.items()}


@pytest.mark.parametrize("name", ins.list_models(dialects=False))
def test_a_network_is_one_small_file(name: str, tmp_path: Path) -> None:
    page = ins.view(name)
    path = page.save(tmp_path / "a.html")
    assert path.stat().st_size < 100_000
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", page.html)
    assert " src=" not in page.html
    assert "href=" not in page.html


def test_the_policy_allows_this_script_and_nothing_else() -> None:
    html = ins.view("inception_v4").html
    script = html.rsplit("<script>", 1)[1].split("</script>")[0]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = f"default-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline'; img-src data:"
    assert f'content="{policy}"' in html
    assert html.count("<script") == 3


def test_no_name_of_the_script_is_given_twice() -> None:
    """All files are one script: a second function of a name silently takes the place of the first."""
    names = re.findall(
        r"^(?:async )?(?:function|const|let) (\w+)", network_page(network_data(small_network())).html, re.M
    )
    assert len(names) > 50
    assert sorted(names) == sorted(set(names))


def test_facts_are_those_of_the_graph() -> None:
    net = ins.load("inception_v1")
    data = network_data(net)
    cost = ins.lower(net).cost()
    assert data["totals"][:3] == [cost.params, cost.macs, cost.activation_bytes]
    out, read, params, macs, size, micros = data["facts"]["inception_3a"]
    assert (read, out, params, macs, micros) == ("192×28×28", "256×28×28", 163_696, 128_049_152, 0.0)
    assert size > 28 * 28 * 256 * 4
    assert data["texts"][data["steps"]["inception_3a.branches.1.1"]] == "3x3 128"
    assert "aux.aux1" in data["facts"]


def test_a_block_is_told_with_its_name() -> None:
    data = network_data(ins.load("inception_v4"))
    assert data["texts"][data["steps"]["inception_b"]].startswith(
        "7 x inception_b\n\n# inception_b\nconcat:\n- 1x1 384\n"
    )


def test_measured_time_is_summed_up() -> None:
    data = network_data(
        small_network(), {"stem.conv": 0.001, "cells.0.branches.0.conv": 0.002, "cells.1.concat": 0.003}
    )
    assert data["timed"] is True
    assert data["facts"]["cells"][5] == 5000.0
    assert data["totals"][3] == pytest.approx(0.006)


def test_names_cannot_leave_their_place() -> None:
    page = network_page(network_data(small_network()) | {"name": HOSTILE})
    assert "<img" not in page.html
    assert page.html.count("</script>") == 3
    assert data_of(page)["trials"][0]["item"]["name"] == HOSTILE  # type: ignore[index]


def test_the_same_network_gives_the_same_bytes() -> None:
    assert ins.view("inception_resnet_v1").html == ins.view("inception_resnet_v1").html


def test_modules_and_notebooks() -> None:
    page = ins.view("inception_v4", module="inception_a")
    assert page.title == "inception_v4.inception_a"
    bundle = page._repr_mimebundle_()
    assert bundle["text/html"].startswith('<iframe srcdoc="&lt;!DOCTYPE html&gt;')
    assert re.fullmatch(r"Page\('inception_v4.inception_a', \d+ kB\)", bundle["text/plain"])
    told = json.dumps(data_of(ins.view(ins.load("inception_v3"), module="mixed_6b")), ensure_ascii=False)
    assert told.count("7×1 conv") >= 3
    assert ins.view("inception_v4.inception_a").title == page.title


def test_what_repeats_is_written_once() -> None:
    trials = [{"number": n, "item": network_data(small_network())} for n in range(20)]
    page = study_page("many", "", trials)
    assert data_of(page)["trials"] == trials
    assert len(page.html) < len(study_page("one", "", trials[:1]).html) + 2000


def test_every_name_of_a_document_stays_text() -> None:
    page = network_page(
        json.loads(json.dumps(network_data(small_network())).replace("cells", json.dumps(HOSTILE)[1:-1]))
    )
    assert "<img" not in page.html
    assert page.html.count("</script>") == 3
    assert HOSTILE in json.dumps(data_of(page), ensure_ascii=False).replace('\\"', '"')


@pytest.mark.parametrize("top", [0, -1, 2.5, True])
def test_a_study_shows_one_trial_at_least(top: object) -> None:
    with pytest.raises(ConfigError, match=f"top is the number of trials to show, got {top}; expected 1 or more"):
        page_of_study("runs/a", study_records(), top=top)  # type: ignore[arg-type]


def test_a_study_has_its_trials_the_best_first() -> None:
    trials = data_of(page_of_study("runs/a", study_records()))["trials"]
    assert [t["name"] for t in trials][:2] == ["inception_resnet_a", "trial 7"]  # type: ignore[index,union-attr]
    assert [t["state"] for t in trials if t["rank"] is None] == ["failed", "infeasible", "pruned"]  # type: ignore[union-attr]
    few = data_of(page_of_study("runs/a", study_records(), top=2))["trials"]
    assert [t["name"] for t in few] == ["inception_resnet_a", "trial 7", "trial 6", "inception_v1_3a"]  # type: ignore[union-attr]


@pytest.mark.parametrize("records", [[], [record(0, state="failed", value=None, reason="x", network=None)]])
def test_a_study_without_networks_is_one_sentence(records: list[object]) -> None:
    with pytest.raises(ConfigError, match="runs/a: no trial has a network to show"):
        page_of_study("runs/a", records)  # type: ignore[arg-type]


def test_a_study_is_called_by_its_folder_not_by_the_way_to_it(tmp_path: Path) -> None:
    page = ins.view(copy_example(tmp_path / "mine"))
    assert page.title == "mine"
    assert str(tmp_path) not in page.html


def test_what_cannot_be_viewed_or_saved(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="unknown module of inception_v4, got 'inception_q'"):
        ins.view("inception_v4", module="inception_q")
    with pytest.raises(ConfigError, match=r"item: .*of view\(\), got .*expected a network, a model"):
        ins.view(MIXED_6B)  # type: ignore[arg-type]
    page = ins.view("nin_cifar10")
    with pytest.raises(ConfigError, match=r"a page is an HTML file, got '.svg'; expected .html; write .*a\.html"):
        page.save(tmp_path / "a.svg")
    with pytest.raises(ConfigError, match="no such folder"):
        page.save(tmp_path / "none" / "a.html")


def test_only_what_differs_between_trials_is_opened() -> None:
    networks = [small_network(cell) for cell in ("3x3 8", "3x3 16", "[1x1 8, 3x3 8]")]
    trees = [network_data(network)["tree"] for network in networks]
    assert differing(trees) == ["cells"]  # not the other copy of the module, not the auxiliary classifier
    assert differing(trees[:1]) == differing([trees[0], trees[0]]) == []
