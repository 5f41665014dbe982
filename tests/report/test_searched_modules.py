"""The pictures of a report show what a space varies: under any name, in blocks and in stages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from figure_samples import record

import inception_search as ins
from inception_search.cli.leaderboard import print_leaderboard
from inception_search.figures.thumbnail import network_thumbnail, thumbnail
from inception_search.report import draw_searched, write_report
from inception_search.report.material import SpaceFacts
from inception_search.space.holes import varying_parts
from inception_search.spec.documents.parse import parse_step
from inception_search.store.record import TrialRecord

WIDTH = "{conv: {kernel: 1x1, width: {$int: [4, 16, 4]}}}"
MODULE = f"{{concat: [{WIDTH}, 3x3 8]}}"
CELL = "{dag: [{inputs: [{node: 0, step: {$choice: [relu, zero]}}]}, {inputs: [0, {node: 1, step: 3x3 8}]}]}"
MANY = f"{{$many: [2, 2], of: {MODULE}}}"

# The blocks and stages of a space, the parts of it that vary, and what heads the panels of the picture.
SPACES = [
    (f"stages: {{stem: 3x3 8, body: {MODULE}}}", ("body",), []),
    (f"blocks: {{cell: {MODULE}}}, stages: {{stem: 3x3 8, a: cell, b: 2 x cell}}", ("cell",), []),
    (f"stages: {{stem: 3x3 8, a: {{repeat: {{times: 2, body: {MODULE}}}}}}}", ("a",), []),
    (f"stages: {{stem: {WIDTH}, body: {MODULE}}}", ("stem", "body"), []),
    (f"stages: {{stem: [{WIDTH}, 1x1 4, 1x1 8, 3x3 8], body: {MODULE}}}", ("stem", "body"), []),
    (f"stages: {{a: {MODULE}, b: max 3x3 s2, c: {MODULE}}}", ("a", "c"), ["a", "c"]),
    (f"stages: {{a: {MANY}}}", ("a1", "a2"), ["a1", "a2"]),
    (f"stages: {{a: [{WIDTH}, 1x1 4, 1x1 8, 3x3 8]}}", ("a",), []),
    (f"stages: {{stem: 3x3 8, cell: {CELL}}}", ("cell",), []),
]
# Spaces of which the whole network is drawn.
WHOLE = [
    f"stages: {{a: {MODULE}, b: {MODULE}, c: {MODULE}, d: {MODULE}}}",
    f"stages: {{a: {WIDTH}, b: {WIDTH}}}",
    "stages: {a: 3x3 8}, head: {dropout: {$float: [0, 0.5]}, classes: 10}",
]


def space_of(parts: str) -> ins.Space:
    head = "" if "head" in parts else ", head: {classes: 10}"
    text = f"schema: inception-search/space\nversion: 1\nname: s\nnetwork: {{name: n, input: 1x16x16, {parts}{head}}}\n"
    return ins.load_space(text)


def record_of(space: ins.Space, seed: int) -> TrialRecord:
    return record(seed, network=space.draw(seed)[0].to_dict())


@pytest.mark.parametrize(("parts", "varying", "headings"), SPACES, ids=[row[0][:60] for row in SPACES])
def test_what_varies_is_drawn_under_any_name(parts: str, varying: tuple[str, ...], headings: list[str]) -> None:
    space = space_of(parts)
    assert varying_parts(space.template.root) == varying
    outlines = [draw_searched(record_of(space, seed), varying=varying).outline for seed in range(4)]
    for outline in outlines:
        assert "10 classes" not in outline  # no picture of a whole network
    if headings:
        assert any(all(name in outline for name in headings) for outline in outlines)


@pytest.mark.parametrize("parts", WHOLE)
def test_a_network_that_varies_all_over_is_drawn_whole(parts: str) -> None:
    space = space_of(parts)
    outlines = [
        draw_searched(record_of(space, s), varying=varying_parts(space.template.root)).outline for s in range(9)
    ]
    assert all("10 classes" in outline for outline in outlines)


@pytest.mark.parametrize("parts", [*(row[0] for row in SPACES), *WHOLE])
def test_every_point_of_the_front_has_its_picture(parts: str, tmp_path: Path) -> None:
    space = space_of(parts)
    facts = SpaceFacts("s", "", "", (), varying=varying_parts(space.template.root))
    write_report(tmp_path, [record_of(space, seed) for seed in range(4)], study={}, title="t", space=facts)
    front = (tmp_path / "report.html").read_text(encoding="utf-8").split("Pareto front</h2>")[1].split("</section>")[0]
    assert "not drawn" not in front
    assert re.search(r"<rect class=\"(pointwise|spatial|block)\"", front)


def test_the_spaces_of_the_package_have_their_cells_drawn() -> None:
    for name, parts in (("inception_modules", ("module",)), ("nas_bench_201", ("cells_16",))):
        assert varying_parts(ins.load_space(name).template.root) == parts


@pytest.mark.parametrize("step", ["identity", "{dag: [{inputs: [0]}]}"])
def test_a_module_without_operations_has_a_picture(step: str) -> None:
    small = thumbnail(parse_step(step), ins.load("inception_v1"))
    assert small.width > 0
    assert "identity" in small.svg


def test_a_whole_network_has_a_small_picture() -> None:
    assert ">linear<" in network_thumbnail(ins.load("inception_v1")).svg


def test_a_study_without_canonical_networks_is_not_compared_with_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    study = {"trials": 30, "baselines": True}
    sampled, canonical = [record(1), record(2)], record(0, origin="baseline", label="v1_3a")
    for records, there in ((sampled, False), ([canonical, *sampled], True)):
        write_report(tmp_path, records, study=study, title="t")
        page = (tmp_path / "report.html").read_text(encoding="utf-8")
        print_leaderboard(records)
        assert ("canonical baselines first" in page) is there
        assert ("Compared with best baseline" in page) is there
        assert ("vs baseline" in capsys.readouterr().out) is there
