"""The picture of a difference: every part marked, in colour and without, level rows, safe names, the same bytes."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
from figure_samples import small_network
from hypothesis import HealthCheck, given, settings

from inception_search.canonical.catalogue import load
from inception_search.compare.diff_entry import walk
from inception_search.errors import ConfigError
from inception_search.figures.colours import DARK_MARKS, DARK_PAGE, LIGHT_PAGE, MARKS
from inception_search.figures.diff.changed_words import merged
from inception_search.figures.diff.diff import Diff, diff_of, drawer_of
from inception_search.figures.diff.edit_strip import Edited, draw_diffs
from inception_search.figures.diff.panels import pairs_of
from inception_search.figures.network.place import PlacedBox, Placement
from inception_search.spec.documents.parse import parse_step
from inception_search.spec.network import Network
from inception_search.spec.step import AnyStep
from inception_search.spec.transform import remake, set_depth
from tests.generators import networks

SVG = "{http://www.w3.org/2000/svg}"
checked = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
Marked = tuple[str, tuple[str, ...]]


def of_steps(before: str, after: str) -> Diff:
    return diff_of(parse_step(before), parse_step(after), input_shape=(16, 14, 14))


def drawn(diff: Diff) -> Placement:
    return drawer_of(diff).pair(pairs_of(diff)[0])


def marked(drawing: Placement, *, right: bool) -> list[Marked]:
    """Mark and words of the boxes of one side."""
    middle = drawing.width // 2
    return [(b.box.mark, b.box.lines) for b in drawing.boxes if (b.x + b.width // 2 > middle) == right and b.box.path]


BEFORE = "{concat: [1x1 8, [1x1 8, 3x3 16], [max 3x3, 1x1 8]]}"
TABLE: list[tuple[str, Marked, Marked]] = [
    # after, a marked box on the left, one on the right
    (BEFORE.replace("3x3 16", "3x3 32"), ("changed", ("3×3 conv", "16")), ("changed", ("3×3 conv", "16 → 32"))),
    (BEFORE.replace("3x3 16", "5x5 16"), ("changed", ("3×3 conv", "16")), ("changed", ("3×3 → 5×5 conv", "16"))),
    (BEFORE.replace("max", "avg"), ("changed", ("3×3 max pool",)), ("changed", ("3×3 max → avg pool",))),
    (BEFORE.replace("[1x1 8, 3x3 16]", "3x3 16"), ("removed", ("1×1 conv", "8")), ("same", ("3×3 conv", "16"))),
    (
        BEFORE.replace("3x3 16", "3x3 16 row_col"),
        ("changed", ("3×3 conv", "16")),
        ("changed", ("1×3 conv", "16", "was 3×3 16")),
    ),
    (BEFORE.replace("]]}", "], 5x5 8]}"), ("same", ("Filter concat",)), ("added", ("5×5 conv", "8"))),
    (
        "{concat: [[1x1 8, 3x3 16], 1x1 8, [max 3x3, 1x1 8]]}",
        ("changed", ("Filter concat",)),
        ("changed", ("Filter concat", "branches 1 0 2")),
    ),
    (
        "{block: {skip: add, project: linear, body: " + BEFORE + "}}",
        ("same", ("Filter concat",)),
        ("added", ("1×1 conv", "16, linear")),
    ),
]


@pytest.mark.parametrize(("after", "left", "right"), TABLE, ids=[row[0] for row in TABLE])
def test_boxes_are_marked_and_say_what_changed(after: str, left: Marked, right: Marked) -> None:
    drawing = drawn(of_steps(BEFORE, after))
    assert left in marked(drawing, right=False)
    assert right in marked(drawing, right=True)


def test_only_changed_factors_are_marked() -> None:
    drawing = drawn(of_steps("7x7 8>16 row_col", "7x7 8>32 row_col"))
    assert [mark for mark, _ in marked(drawing, right=True)] == ["same", "changed"]
    assert ("changed", ("7×1 conv", "16 → 32")) in marked(drawing, right=True)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (("3×3 conv", "8"), ("3×3 conv", "8, stride 2, V"), ("3×3 conv", "8, stride 1 → 2, same → V")),
        (("3×3 conv", "8, stride 2"), ("3×3 conv", "8"), ("3×3 conv", "8, stride 2 → 1")),
        (("3×3 conv", "8, linear"), ("3×3 conv", "8"), ("3×3 conv", "8, linear → as elsewhere")),
        (("dropout", "p = 0.5"), ("dropout", "p = 0.2"), ("dropout", "p = 0.5 → p = 0.2")),
        (("ReLU",), ("leaky ReLU",), ("ReLU → leaky ReLU",)),
    ],
)
def test_words_before_and_after(old: tuple[str, ...], new: tuple[str, ...], said: tuple[str, ...]) -> None:
    assert merged(old, new) == said


def test_a_changed_scale_stands_at_the_sum() -> None:
    block = "{{block: {{skip: add, scale: {}, project: linear, body: 3x3 8}}}}"
    drawing = drawn(of_steps(block.format(0.17), block.format(0.1)))
    assert [note.text for note in drawing.texts if note.mark == "changed"] == ["×0.17", "×0.17 → ×0.1"]


def test_another_number_of_times_stands_on_the_frame() -> None:
    drawing = drawn(
        of_steps(
            "[1x1 4, {repeat: {times: 4, body: [3x3 8, 1x1 8]}}]", "[1x1 4, {repeat: {times: 7, body: [3x3 8, 1x1 8]}}]"
        )
    )
    assert [(frame.label, frame.mark) for frame in drawing.frames] == [("4 ×", "changed"), ("4 → 7 ×", "changed")]


def test_what_was_put_around_is_marked_and_what_it_is_around_is_not() -> None:
    drawing = drawn(of_steps("3x3 16", "{block: {skip: add, act: relu, body: 3x3 16}}"))
    assert [plus.mark for plus in drawing.pluses] == ["added"]
    assert marked(drawing, right=True) == [("same", ("3×3 conv", "16")), ("added", ("ReLU",))]


def by_path(drawing: Placement) -> dict[str, PlacedBox]:
    return {placed.box.path: placed for placed in drawing.boxes}


def test_rows_that_stand_for_each_other_are_level() -> None:
    diff = diff_of(load("inception_v3"), load("inception_v4"))
    drawing = drawer_of(diff).overview()
    places = by_path(drawing)
    for old, new in (
        ("mixed_5b", "inception_a"),
        ("mixed_6a", "reduction_a"),
        ("mixed_6b", "inception_b"),
        ("mixed_7a", "reduction_b"),
        ("mixed_7b", "inception_c"),
    ):
        assert places[old].y == places[new].y
        assert places[old].height == places[new].height
    bars = [b.y for b in drawer_of(diff).pair(pairs_of(diff)[-1]).boxes if b.box.kind == "concat"]
    assert len(bars) == 2
    assert len(set(bars)) == 1


def test_folded_stages_say_how_much_changed() -> None:
    diff = diff_of(load("inception_v3"), load("inception_v4"))
    places = by_path(drawer_of(diff).overview())
    assert places["inception_a"].box.lines == ("3 → 4 × inception_a", "~4")
    assert places["stem"].box.lines[-1] == "+8  ~2"
    assert places["aux.aux"].box.mark == "removed"
    assert places["head.dropout"].box.mark == "added"
    assert places["head.pool"].box.mark == "same"
    assert "192×35×35 → 384×35×35" in [note.text for note in drawer_of(diff).overview().texts]


def test_a_panel_for_each_pair_of_modules_once() -> None:
    titles = [pair.title() for pair in pairs_of(diff_of(load("inception_v3"), load("inception_v4")))]
    assert titles == [
        "stem",
        "mixed_5b → inception_a",
        "mixed_5c, mixed_5d → inception_a",
        "mixed_6a → reduction_a",
        "mixed_6b → inception_b",
        "mixed_6c, mixed_6d → inception_b",
        "mixed_6e → inception_b",
        "mixed_7a → reduction_b",
        "mixed_7b, mixed_7c → inception_c",
    ]


def test_a_searched_module_has_one_panel_for_all_its_places() -> None:
    after = small_network("{concat: [1x1 8, [1x1 8, 5x5 8], [max 3x3, 1x1 8]]}")
    diff = diff_of(small_network(), after)
    assert len(pairs_of(diff)) == 1
    assert len(pairs_of(diff)[0].counted) == 2
    assert "+4.10 k parameters" not in diff.draw().svg  # 128 · 16 · 3, as many as all three places have more
    assert "+3.07 k parameters" in diff.draw().svg


def test_marks_are_told_apart_without_colour() -> None:
    svg = of_steps("[1x1 8, 3x3 8]", "[3x3 16, max 3x3]").draw().svg
    signs = dict(re.findall(r'class="(\w+)-fill" cx.*?class="sign" d="([A-Za-z0-9 ]+)"', svg))
    assert set(signs) == {"added", "removed", "changed"}
    assert len({re.sub(r"\d+", "", path) for path in signs.values()}) == 3
    lines = {mark: re.search(rf'class="{mark}-line"[^>]*?(stroke-width[^/]*)/>', svg) for mark in signs}
    assert len({found[1] for found in lines.values() if found}) == 3
    assert "stroke-dasharray" in (lines["removed"] or [""])[0]
    grey = re.sub(r"#[0-9a-f]{6}", "#777777", svg)
    assert all(word in grey for word in (">added<", ">removed<", ">changed<", ">unchanged<"))


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_marks_are_readable_on_both_pages() -> None:
    for marks, page in ((MARKS, LIGHT_PAGE), (DARK_MARKS, DARK_PAGE)):
        for mark, colour in marks.items():
            high, low = sorted((luminance(colour), luminance(page.paper)), reverse=True)
            assert (high + 0.05) / (low + 0.05) >= 4.5, mark


def test_no_rule_for_marks_where_there_are_none() -> None:
    from inception_search.figures.draw import draw

    assert "-fill" not in draw(load("inception_v3"), blocks=True).svg


@checked
@given(networks(), networks())
def test_any_two_networks_can_be_drawn(a: Network, b: Network) -> None:
    diff = diff_of(a, b)
    figure = diff.draw()
    root = ElementTree.fromstring(figure.svg)
    assert (root.get("width"), root.get("height")) == (str(figure.width), str(figure.height))
    differs = any(entry.kind != "branch" and entry.status != "same" for entry in walk(diff.entries))
    assert ('class="sign"' in figure.svg) or not differs


@checked
@given(networks(), networks())
def test_nothing_lies_over_anything_in_either_drawing(a: Network, b: Network) -> None:
    drawing = drawer_of(diff_of(a, b)).overview()
    for i, one in enumerate(drawing.boxes):
        assert one.x >= 0
        assert one.x + one.width <= drawing.width
        assert one.y + one.height <= drawing.height
        for other in drawing.boxes[i + 1 :]:
            apart = one.x + one.width <= other.x or other.x + other.width <= one.x
            assert apart or one.y + one.height <= other.y or other.y + other.height <= one.y


def test_names_cannot_inject_markup() -> None:
    hostile = '<script>alert("x")</script>\x1b[31m\u202e&'
    diff = diff_of(parse_step("3x3 8"), parse_step("5x5 8"), names=(hostile, "b"), input_shape=(3, 8, 8))
    svg = diff.draw().svg
    ElementTree.fromstring(svg)
    assert "<script" not in svg
    assert "\x1b" not in diff.text
    assert "\u202e" not in diff.text + svg


def test_equal_modules_are_drawn_without_signs() -> None:
    figure = of_steps(BEFORE, BEFORE).draw()
    assert "no difference" in figure.svg
    assert "no difference" in figure.outline
    boxes = [b.box.mark for b in drawn(of_steps(BEFORE, BEFORE)).boxes if b.box.path]
    assert set(boxes) == {"same"}


def test_steps_without_shapes_are_drawn() -> None:
    figure = diff_of(parse_step(BEFORE), parse_step("3x3 8")).draw()
    assert "parameters" not in figure.svg
    assert "Filter concat" in figure.svg


@pytest.mark.parametrize(
    ("a", "b", "said"),
    [
        (
            parse_step("3x3 8"),
            small_network(),
            "small is a whole network and the other a module; name one of its modules, such as",
        ),
        (3, parse_step("3x3 8"), "only networks and steps can be compared, got 'int'"),
        (small_network(), "inception", "only networks and steps can be compared, got 'str'"),
        (parse_step("{use: cell}"), parse_step("3x3 8"), "the step uses the block 'cell'"),
    ],
)
def test_what_cannot_be_compared(a: AnyStep | Network, b: AnyStep | Network, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        diff_of(a, b)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_notebooks_show_the_picture_and_terminals_the_words() -> None:
    diff = of_steps(BEFORE, "3x3 8")
    bundle = diff._repr_mimebundle_()
    assert bundle["image/svg+xml"] == diff.draw().svg
    assert bundle["text/plain"] == diff.text


def test_a_strip_shows_each_edit_before_and_after(tmp_path: Path) -> None:
    first = small_network()
    wider = small_network(BEFORE.replace("3x3 16", "3x3 32"))
    head = remake(wider, head=remake(wider.head, dropout=0.5))
    deeper = set_depth(head, 2.0)
    steps = [
        Edited(*step) for step in (("start", first), ("1. wider", wider), ("2. drop", head), ("3. deeper", deeper))
    ]
    figure = draw_diffs("A strip", steps)
    for words in ("1. wider: +", "8 → 32", "~ head.dropout: dropout 0.2 → dropout 0.5", "2 → 4 × module", ">added<"):
        assert words in figure.svg
    assert "~" in figure.outline
    figure.save(tmp_path / "strip.html")


SCRIPT = """
import sys
from inception_search.canonical.catalogue import load
from inception_search.figures.diff.diff import diff_of
sys.stdout.write(diff_of(load("inception_v3"), load("inception_resnet_v2")).draw().svg)
"""


def test_the_same_bytes_in_every_process() -> None:
    outputs = set()
    for seed in ("0", "12345"):
        env = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)}
        outputs.add(subprocess.run([sys.executable, "-c", SCRIPT], env=env, capture_output=True, check=True).stdout)
    assert len(outputs) == 1


def test_comparing_imports_nothing_heavy() -> None:
    code = (
        "import sys, inception_search as ins; ins.diff('inception_v3', 'inception_v4').draw();"
        "print(sorted({'torch', 'optuna', 'matplotlib', 'networkx', 'numpy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert done.stdout.strip() == "[]"
