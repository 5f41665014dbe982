"""What the sections of a report say, for studies in every state."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from figure_samples import record, small_network, study_records

from inception_search.analysis.importance import Bar, Importance
from inception_search.report import summary, write, write_report
from inception_search.report.blocks import Image
from inception_search.report.material import Material, SpaceFacts
from inception_search.report.plots import curves_section
from inception_search.store.record import TrialRecord
from tests.store.conftest import FACTS

SECTIONS = [section for section in write.SECTIONS if section.heading != "Latency"]  # that is of studies with a table

HOSTILE = '"><script>alert(1)</script><b onclick=x>'
STUDY = {
    "space": "inception_modules",
    "trials": 40,
    "baselines": True,
    "epochs": 6,
    "optimizer": "sgd",
    "batch_size": 32,
    "augment": True,
    "precision": "float32",
    "objectives": ["accuracy", "macs"],
    "max_macs": 4_200_000,
    "strategy": "tpe",
    "pruner": "median",
    "seed": 7,
    "run": "runs/mine",
    "facts": {
        "data": {"name": "digits", "shape": [1, 16, 16], "sizes": {"train": 400, "validation": 359, "test": 359}},
        "device": "cpu",
        "versions": {"torch": "2.13.0"},
    },
}
SPACE = SpaceFacts("mine", "A small space.", "12 points", [("module.b0", "conv or none"), ("residual", "off or on")])


class Text(HTMLParser):
    """The words of a page, section by section."""

    def __init__(self) -> None:
        super().__init__()
        self.sections: list[str] = [""]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "section":
            self.sections.append("")

    def handle_endtag(self, tag: str) -> None:
        if tag not in ("strong", "code", "span"):
            self.sections[-1] += " "

    def handle_data(self, data: str) -> None:
        self.sections[-1] += data


def sections(path: Path) -> dict[str, str]:
    parser = Text()
    parser.feed(path.read_text(encoding="utf-8"))
    assert len(parser.sections) == 1 + len(SECTIONS)
    named = zip(SECTIONS, parser.sections[1:], strict=True)
    return {"": parser.sections[0], **{section.heading: " ".join(words.split()) for section, words in named}}


def written(tmp_path: Path, records: list[TrialRecord], **known: object) -> dict[str, str]:
    return sections(write_report(tmp_path, records, study=STUDY, title="Mine", **known)[0])


def test_folder_and_table_agree() -> None:
    folder = Path(__file__).parents[2] / "inception_search/report"
    makers = {
        name
        for path in folder.glob("*.py")
        for name in re.findall(r"^def (\w+_section)\(", path.read_text(encoding="utf-8"), re.M)
    }
    assert makers == {section.make.__name__ for section in write.SECTIONS}
    assert all(section.make.__doc__ for section in write.SECTIONS)


@pytest.mark.usefixtures("without_plots")
def test_contents_lead_to_every_section(tmp_path: Path) -> None:
    html = write_report(tmp_path, study_records(), study=STUDY, title="t")[0].read_text(encoding="utf-8")
    links = re.findall(r'<a href="#(\w+)">([^<]+)</a>', html)
    assert [name for _, name in links] == [section.heading for section in SECTIONS]
    assert [target for target, _ in links] == re.findall(r'<section id="(\w+)">', html)


@pytest.mark.usefixtures("without_plots")
def test_what_was_searched_is_told_in_words(tmp_path: Path) -> None:
    told = written(tmp_path, [record(1, holes={"residual": "on"})], space=SPACE)["What was searched, and how"]
    for words in (
        "mine: A small space.",
        "12 points, 2 decisions",
        "digits, images of 16×16 pixels, 1 channel; 400 train, 359 validation, 359 test images",
        "6 epochs, sgd, batches of 32, augmented images, float32",
        "tpe; trials that are worse than the median at the same epoch are stopped",
        "validation accuracy (high), multiply-adds (few)",
        "at most 4.20 M multiply-adds",
        "40 different architectures",
        "module.b0 conv or none 0 residual off or on 1",
    ):
        assert words in told, words


@pytest.mark.usefixtures("without_plots")
def test_baselines_stand_beside_the_best_found_at_one_scale(tmp_path: Path) -> None:
    path = write_report(tmp_path, study_records(), study=STUDY, title="t")[0]
    told = sections(path)["Best network found and baselines"]
    assert told.index("trial 7 best network found: 91.40 %") < told.index("inception_resnet_a canonical: 91.50 %")
    assert "The best network found: −0.10 points, 1.31 times the MACs, 1.21 times the parameters." in told
    html = path.read_text(encoding="utf-8").split("Pareto front</h2>")[0]
    pictures = re.findall(r'--width: (\d+)px">.*?<svg [^>]*?width="(\d+)"', html, re.S)
    assert len(pictures) == 3
    assert all(stated == drawn for stated, drawn in pictures)


@pytest.mark.usefixtures("without_plots")
def test_reasons_have_their_trials_and_a_command_to_look_at_the_first(tmp_path: Path) -> None:
    trials = [
        record(1),
        *[record(n, state="failed", value=None, reason="the loss is not finite") for n in (4, 6)],
        record(5, state="infeasible", value=None, reason="too many MACs", network=None, curve=()),
    ]
    told = written(tmp_path, trials)["How the trials ended"]
    assert "failed the loss is not finite 2 4, 6 inception-search draw runs/mine:4" in told
    assert "infeasible too many MACs 1 5 trials.jsonl, number 5" in told
    assert "failed 2 training ended without a result" in told
    assert "paused 0" in told


@pytest.mark.usefixtures("without_plots")
def test_reasons_that_differ_in_their_numbers_alone_are_one(tmp_path: Path) -> None:
    shapes = [f"a map of {n}x{n} at m.b{n}, {n}.5 MB of 2 GB" for n in (7, 7, 7)]
    needs = [f"the 3x3 conv needs {n:,} bytes, the limit is 500" for n in (700, 1_200, 900)]
    trials = [record(n, state="failed", reason=why) for n, why in enumerate([*needs, *shapes, "another"])]
    told = written(tmp_path, trials)["How the trials ended"]
    assert "the 3x3 conv needs 700 to 1,200 bytes, the limit is 500 3 0, 1, 2" in told
    assert "a map of 7x7 at m.b7, 7.5 MB of 2 GB 3 3, 4, 5" in told
    assert "another 1 6" in told


@pytest.mark.usefixtures("without_plots")
def test_what_stands_between_backticks_is_code(tmp_path: Path) -> None:
    state, about = "Go on: `inception-search resume <b>`.", "widths are under `define`"
    space = SpaceFacts("mine", about, "12 points", [("one", "1 or 2")])
    path = write_report(tmp_path, [record(0)], study={**STUDY, "epochs": 1}, title="t", state=state, space=space)[0]
    html = path.read_text(encoding="utf-8")
    assert "<code>inception-search resume &lt;b&gt;</code>" in html
    assert "widths are under <code>define</code>" in html
    assert "12 points, 1 decision<" in html
    assert "1 epoch, sgd" in html
    assert "`" not in html


@pytest.mark.usefixtures("without_plots")
def test_of_many_trials_each_further_five_hundred_are_a_table_to_open(tmp_path: Path) -> None:
    one = record(0)
    many = [one.model_copy(update={"number": n, "value": n / 2000}) for n in range(1003)]
    told = written(tmp_path, many)["All trials"]
    assert "Trials 500 to 999: 500 complete; the best 49.95 %" in told
    assert "Trials 1000 to 1002: 3 complete; the best 50.10 %" in told
    assert all(f" {n} complete sampled" in told for n in range(1003))


@pytest.mark.usefixtures("without_plots")
def test_the_tables_of_trials_end_with_a_note(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("inception_search.report.trials.PARTS", 1)
    many = [record(0).model_copy(update={"number": n}) for n in range(503)]
    told = written(tmp_path, many)["All trials"]
    assert "500 complete" not in told
    assert told.endswith("3 more trials are in trials.jsonl.")


@pytest.mark.usefixtures("without_plots")
def test_environment_says_what_is_not_known(tmp_path: Path) -> None:
    old = written(tmp_path, [record(1)])["Environment"]
    assert "system not recorded" in old
    assert "torch 2.13.0" in old
    two = [{"from trial": "0", "system": "Linux 6"}, {"from trial": "9", "system": "Linux 7", "gpu": "big"}]
    new = written(tmp_path, [record(1)], environments=two)["Environment"]
    assert "From trial 0 From trial 9" in new
    assert "Linux 6 Linux 7" in new
    assert "gpu not recorded big" in new


@pytest.mark.usefixtures("without_plots")
def test_commands_name_the_run_folder_of_the_study(tmp_path: Path) -> None:
    told = written(tmp_path, [record(1)])["How to reproduce this study"]
    assert "inception-search search runs/mine/study.yaml --space runs/mine/space.yaml --run runs/mine-again" in told
    assert "inception-search resume runs/mine" in told
    assert str(tmp_path) not in (tmp_path / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(("some", "told"), [(100, True), (359, False), (1000, False), (None, False)])
def test_curves_say_on_how_many_images_their_points_are_measured(some: int | None, told: bool) -> None:
    fidelity = {} if some is None else {"curve_images": some}
    records = [record(0, fidelity=fidelity, data=STUDY["facts"]["data"])]
    (image,) = curves_section(Material(records, plots={"curves": "<svg/>"}))
    assert isinstance(image, Image)
    assert ("is measured on all 359 validation images, the others on 100 of them" in image.about) is told


@pytest.mark.usefixtures("without_plots")
def test_rankings_are_drawn_or_refused(tmp_path: Path) -> None:
    rows = (Bar("residual", 0.5, 0.3, 0.6, ("50 %",)), Bar("module.b0", 0.05, 0.0, 0.1, ("5 %",)))
    columns = ("Decision$", "Share#")
    ranked = Importance("Decisions", "By a forest of 32 trials.", "share", columns, rows, chance=0.1)
    refused = Importance("Others", refusal="12 trained networks are too few.")
    told = written(tmp_path, study_records(), rankings=[ranked, refused])["Which decisions matter"]
    assert "By a forest of 32 trials." in told
    assert "residual 50 %" in told
    assert "Others 12 trained networks are too few." in told
    assert (tmp_path / "figures/decisions-1.svg").is_file()
    assert not (tmp_path / "figures/decisions-2.svg").exists()


def unfinished() -> Iterator[tuple[str, list[TrialRecord]]]:
    yield "empty", []
    yield "all failed", [record(n, state="failed", value=None, reason="no memory") for n in range(3)]
    yield "only infeasible", [record(0, state="infeasible", value=None, reason="x", network=None, curve=(), cost={})]
    yield "only baselines", [record(0, origin="baseline", label="v1")]
    yield "one pruned", [record(0, state="pruned", value=None, reason="below the median")]
    yield "without costs", [record(0, cost={}), record(1, cost={})]


@pytest.mark.parametrize(("name", "records"), list(unfinished()), ids=lambda v: v if isinstance(v, str) else "")
def test_a_report_is_written_of_what_there_is(tmp_path: Path, name: str, records: list[TrialRecord]) -> None:
    state = "Not finished: 12 of 40 trials are trained; `inception-search resume runs/mine` continues."
    told = written(tmp_path, records, state=state, space=SPACE, front=[])
    assert state.replace("`", "") in told[""]  # what stands between backticks is code
    assert all(told.values())


def test_hostile_names_stay_text_everywhere(tmp_path: Path) -> None:
    trials = [
        record(0, origin="baseline", label=HOSTILE, holes={HOSTILE: HOSTILE}, arch_id=HOSTILE, device=HOSTILE),
        record(1, state="failed", value=None, reason=HOSTILE, device="cpu"),
        record(2, network=small_network(name="x").to_dict() | {"name": HOSTILE}),
    ]
    ranked = Importance(HOSTILE, HOSTILE, HOSTILE, (HOSTILE,), (Bar(HOSTILE, 1.0, 0.0, 2.0, ()),))
    space = SpaceFacts(HOSTILE, HOSTILE, HOSTILE, [(HOSTILE, HOSTILE)])
    study = {**STUDY, "run": HOSTILE, HOSTILE: HOSTILE}
    known = {"state": HOSTILE, "space": space, "rankings": [ranked], "environments": [{HOSTILE: HOSTILE}]}
    path = write_report(tmp_path, trials, study=study, title=HOSTILE, **known)[0]
    html = path.read_text(encoding="utf-8")
    assert "<script" not in html
    assert "<b onclick" not in html
    assert html.count("&lt;script&gt;") > 12


def test_a_report_of_a_hundred_trials_is_small(tmp_path: Path) -> None:
    baselines = [record(n, origin="baseline", label=f"net_{n}") for n in range(10)]
    sampled = [record(n, reason="below the median") for n in range(10, 100)]
    path = write_report(tmp_path, [*baselines, *sampled], study=STUDY, title="t", space=SPACE)[0]
    assert path.stat().st_size < 2_000_000


def test_a_study_of_the_loss_says_which_network_has_the_lower_loss() -> None:
    def trial(number: int, loss: float, **facts: Any) -> TrialRecord:
        return TrialRecord.model_validate({**FACTS, "number": number, "objectives": {"loss": loss}, **facts})

    baseline = trial(0, 0.5, value=0.9, origin="baseline", label="v3", arch_id="a")
    text = summary([baseline, trial(1, 0.3, value=0.88, arch_id="b")])
    assert "trial 1 with 88.00 % validation accuracy and a loss of 0.3" in text
    assert "(90.00 % and a loss of 0.5)" in text
    assert "No network found" not in text
    assert "No network found is better than v3" in summary([baseline, trial(1, 0.7, value=0.88, arch_id="b")])
