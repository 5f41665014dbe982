"""The leaderboard and the report of a study."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest
from figure_samples import record, small_network, study_records

from inception_search.analysis.leaderboard import best_baseline, leaderboard_rows, points
from inception_search.errors import InceptionSearchError
from inception_search.report import draw_searched, summary, write_report
from inception_search.store.record import percent

STUDY = {"name": "first", "seed": 0, "data": {"name": "digits", "subset": None}, "proxies": ["a", "b"], "empty": []}


def test_rows_rank_all_and_keep_every_baseline() -> None:
    rows = leaderboard_rows(study_records(), top=2)
    assert [(r.rank, r.name, r.baseline) for r in rows] == [
        (1, "inception_resnet_a", True),
        (2, "trial 7", False),
        (8, "inception_v1_3a", True),
    ]
    assert rows[1].versus_baseline == pytest.approx(0.914 - 0.915)
    assert (rows[1].macs, rows[1].params) == (10**6 + 54321 * 7, 1000 + 37 * 7)
    assert rows[1].arch_id == "a1-0000000000000007"


def test_rows_without_baselines_have_no_difference() -> None:
    assert [r.versus_baseline for r in leaderboard_rows([record(0), record(1)])] == [None, None]
    assert leaderboard_rows([]) == []
    assert best_baseline([record(0)]) is None


@pytest.mark.parametrize(
    ("difference", "shown"),
    [(None, ""), (0.0, "0.00"), (0.0125, "+1.25"), (-0.004, "−0.40"), (-1e-9, "0.00"), (4e-5, "0.00"), (6e-5, "+0.01")],
)
def test_points(difference: float | None, shown: str) -> None:
    assert points(difference) == shown


def test_percent() -> None:
    assert percent(0.934) == "93.40 %"


class Tags(HTMLParser):
    """The tags, attributes and table cells of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.cells: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag == "td":
            self.cells.append("")

    def handle_data(self, data: str) -> None:
        if self.tags and self.tags[-1][0] == "td":
            self.cells[-1] += data


def read(path: Path) -> Tags:
    tags = Tags()
    tags.feed(path.read_text(encoding="utf-8"))
    return tags


def test_report_is_complete_and_self_contained(tmp_path: Path) -> None:
    written = write_report(tmp_path / "run", study_records(), study=STUDY, title="Search on digits")
    names = [str(path.relative_to(tmp_path / "run")) for path in written]
    assert names == [
        "report.html",
        "figures/baseline-inception_resnet_a.svg",
        "figures/baseline-inception_v1_3a.svg",
        "figures/best.svg",
        "figures/curves.svg",
        "figures/front.svg",
        "figures/history.svg",
        "figures/tradeoff.svg",
    ]
    for path in written[1:]:
        ElementTree.fromstring(path.read_text(encoding="utf-8"))
    page = read(written[0])
    for cell in (
        "trial 7",
        "91.40 %",
        "−0.10",
        "inception_resnet_a",
        "a1-0000000000000007",
        "the loss is not finite",
    ):
        assert any(cell in text for text in page.cells), cell
    assert [cell.strip() for cell in page.cells[-12:]] == [
        *("name", "first", "seed", "0", "data.name", "digits", "data.subset", "none", "proxies", "a, b"),
        *("empty", "none"),
    ]
    check_self_contained(written[0])


def check_self_contained(path: Path) -> None:
    html = path.read_text(encoding="utf-8")
    tags = read(path).tags
    policy = next(attrs["content"] for tag, attrs in tags if attrs.get("http-equiv") == "Content-Security-Policy")
    assert policy == "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
    assert not {"script", "link", "iframe", "object", "embed", "form", "base"} & {tag for tag, _ in tags}
    for _, attrs in tags:
        assert not any(name.startswith("on") for name in attrs)
        assert (attrs.get("href") or "#").startswith("#")  # the table of contents
        assert (attrs.get("src") or "data:").startswith("data:image/svg+xml;base64,") or "src" not in attrs
    assert not re.search(r"@import|url\(\s*['\"]?\w+:", html)


def test_report_gives_the_same_bytes(tmp_path: Path) -> None:
    first = write_report(tmp_path / "a", study_records(), study=STUDY, title="t")
    second = write_report(tmp_path / "b", study_records(), study=STUDY, title="t")
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]


def test_report_of_an_empty_study(tmp_path: Path) -> None:
    written = write_report(tmp_path, [], study={}, title="Nothing")
    assert "No trial has been trained to the last epoch." in written[0].read_text(encoding="utf-8")
    assert summary([]) == "0 trials, 0 trained to the last epoch."


def test_report_survives_networks_that_cannot_be_drawn_and_hostile_names(tmp_path: Path) -> None:
    bad = [
        record(0, origin="baseline", label="<img src=x onerror=alert(1)>", value=0.99),
        record(1, origin="baseline", label="../../etc/<b>", value=0.5),
        record(2, origin="baseline", label="../../etc/<b>", value=0.4),
        record(3, network={"name": "<script>"}, value=0.98),
        record(4, network=small_network("5x5 8 valid").to_dict(), value=0.97),
        record(5, state="failed", value=None, reason="<script>alert(1)</script>"),
    ]
    written = write_report(tmp_path, bad, study={"<b>": "</td><script>"}, title="<script>&")
    check_self_contained(written[0])
    html = written[0].read_text(encoding="utf-8")
    assert "trial 3</strong> cannot be drawn" in html
    assert "<b>" not in html
    names = sorted(path.name for path in (tmp_path / "figures").iterdir())
    assert names[:3] == [
        "baseline-etc-b-2.svg",
        "baseline-etc-b.svg",
        "baseline-img-src-x-onerror-alert-1.svg",
    ]
    assert "best.svg" not in names


def test_report_into_a_file_is_one_paragraph(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("file")
    with pytest.raises(InceptionSearchError) as caught:
        write_report(tmp_path / "x", [], study={}, title="t")
    assert "\n" not in str(caught.value)
    assert str(tmp_path / "x") in str(caught.value)


def test_summary_names_the_best_and_the_reference() -> None:
    assert summary(study_records()) == (
        "12 trials, 8 trained to the last epoch. Best network found: trial 7 with 91.40 % validation accuracy, "
        "−0.10 points compared with inception_resnet_a, the best baseline (91.50 %). "
        "No network found is better than inception_resnet_a."
    )


def test_summary_says_how_often_was_trained_what_it_names() -> None:
    sizes = {"sizes": {"validation": 5000}}
    trials = [
        record(0, origin="baseline", label="v1_3a", value=0.8, data=sizes),
        record(1, value=0.9, data=sizes),
        record(2, value=0.86, repeat_of=1, seed=1, data=sizes),
    ]
    assert summary(trials[:2]).endswith(
        "One of the 5,000 validation images corresponds to 0.02 points; each network was trained once."
    )
    assert "trial 1 with 88.00 % validation accuracy, +8.00 points" in summary(trials)
    assert summary(trials).endswith("corresponds to 0.02 points; trial 1 was trained 2 times, v1_3a was trained once.")


@pytest.mark.parametrize("name", ["balanced_accuracy", "macro_f1"])
def test_an_image_has_points_of_its_own_in_plain_accuracy_only(name: str) -> None:
    trials = [record(0, value=1.0, objectives={name: 1.0}, data={"sizes": {"validation": 32}})]
    told = summary(trials)
    assert told.startswith("1 trial, 1 trained to the last epoch.")
    assert told.endswith("One of the 32 validation images counts more in a small class; each network was trained once.")
    assert "3.12" not in told


def test_summary_finds_what_a_table_calls_found() -> None:
    """What an earlier study gave is found, too; only canonical modules are not."""
    given = record(1, origin="warm_start", label="earlier:3", value=0.9)
    assert "Best network found: earlier:3 with 90.00 %" in summary([record(0, value=0.8), given])


def test_summary_tells_recipes_apart() -> None:
    trials = [record(n, value=0.5, fidelity={"epochs": 1 + n, "threads": 1 + n, "ema": 0.0}) for n in range(2)]
    assert (
        "They were trained with different settings (epochs 1 or 2), so their accuracies are not comparable."
        in summary(trials)
    )
    assert "alike" not in summary(trials[:1])


def test_the_searched_block_is_drawn_or_else_the_network() -> None:
    assert draw_searched(record(4)).outline.splitlines()[0] == "Input · 16×16×16"
    whole = small_network().to_dict() | {"blocks": {}, "stages": {"stem": {"kind": "pool", "mode": "max"}}, "aux": {}}
    assert draw_searched(record(4, network=whole)).outline.splitlines()[0] == "Input · 1×16×16"
    with pytest.raises(InceptionSearchError, match="trial 9: the trial has no network"):
        draw_searched(record(9, state="failed", value=None, reason="x", network=None))
