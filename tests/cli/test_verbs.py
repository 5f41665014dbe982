"""Every verb where all goes well."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from inception_search import __version__
from inception_search.canonical.catalogue import names
from inception_search.data.catalogue import DATASETS
from inception_search.graph.ops import OPS
from inception_search.study.config import option_names
from inception_search.study.study import Study
from tests.cli.conftest import QUICK

LIGHT = """\
import sys
from inception_search.cli.main import run
for arguments in (["list"], ["show", "inception_v3"], ["draw", "inception_v1.inception_3a", "--out", "a.svg"]):
    sys.argv = ["inception-search", *arguments]
    try:
        run()
    except SystemExit as exit_:
        assert not exit_.code, exit_.code
heavy = {"torch", "optuna", "sklearn", "matplotlib", "networkx", "scipy", "pandas"} & set(sys.modules)
assert not heavy, heavy
"""


def test_list_show_and_draw_load_nothing_heavy(tmp_path):
    done = subprocess.run([sys.executable, "-c", LIGHT], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "a.svg").is_file()


class TestList:
    def test_tells_all_there_is(self, command):
        said = command("list")
        assert said.code == 0
        for name in (*names(), *DATASETS, *OPS, "inception_modules"):
            assert name in said.out

    @pytest.mark.parametrize("kind", ["networks", "spaces", "datasets", "ops"])
    def test_one_kind_as_json(self, command, kind):
        listed = json.loads(command("list", kind, "--json").out)
        assert list(listed) == [kind]
        assert all(row["name"] for row in listed[kind])

    def test_describes_every_dataset(self, command):
        listed = json.loads(command("list", "datasets", "--json").out)["datasets"]
        assert {row["name"] for row in listed} == set(DATASETS)


class TestShow:
    def test_a_network_as_a_table(self, command):
        said = command("show", "inception_v4")
        assert said.code == 0
        for words in ("42,679,816", "mixed_5b" if "mixed_5b" in said.out else "inception_a", "a1-"):
            assert words in said.out

    def test_what_it_sees(self, command):
        assert "field      1311x1311 pixels" in command("show", "inception_v3").out
        shown = json.loads(command("show", "nin_cifar10", "--json").out)
        assert (shown["cost"]["receptive_field"], shown["cost"]["depth"]) == (27, 9)

    def test_as_json(self, command):
        shown = json.loads(command("show", "inception_v3", "--json", "--depth", "0").out)
        assert shown["cost"]["params"] == 23_834_568
        assert sum(row["params"] for row in shown["rows"]) >= shown["cost"]["params"]

    def test_at_another_size(self, command):
        shown = json.loads(command("show", "inception_v1", "--json", "--input-size", "96", "--channels", "1").out)
        assert shown["rows"][0]["type"][0] == 1 or shown["name"] == "inception_v1"

    def test_as_yaml_that_can_be_shown_again(self, command, tmp_path):
        text = command("show", "inception_v1", "--yaml", "--classes", "7").out
        (tmp_path / "mine.yaml").write_text(text)
        assert json.loads(command("show", "mine.yaml", "--json").out)["name"] == "inception_v1"


class TestDraw:
    @pytest.mark.parametrize("suffix", ["svg", "html"])
    def test_a_module_into_a_file(self, command, suffix):
        said = command("draw", "inception_v4.inception_a", "--out", f"a.{suffix}")
        assert (said.code, said.out) == (0, f"a.{suffix}\n")
        assert "<svg" in Path(f"a.{suffix}").read_text()

    def test_a_module_by_option_and_a_network_under_default_names(self, command):
        assert command("draw", "inception_v1", "--module", "inception_3a").out == "inception_v1.inception_3a.svg\n"
        assert command("draw", "inception_v1", "--style", "overview").out == "inception_v1.svg\n"
        assert command("draw", "inception_v1", "--format", "pdf").out == "inception_v1.pdf\n"
        assert Path("inception_v1.pdf").read_bytes().startswith(b"%PDF-")

    def test_pictures_for_paper(self, command, tmp_path):
        options = ("--width", "100pt", "--palette", "print", "--flow", "right", "-o", str(tmp_path / "a.svg"))
        done = command("draw", "inception_v4.inception_c", *options)
        assert "note: at a width of 100pt" in done.err
        assert 'width="100pt"' in (tmp_path / "a.svg").read_text()
        done = command("draw", "inception_v4.inception_c", "--palette", "sepia")
        assert (done.code, "unknown palette" in done.err) == (2, True)
        command("diff", "inception_v3", "inception_v4", "--width", "7in", "-o", str(tmp_path / "b.svg"))
        assert 'width="7in"' in (tmp_path / "b.svg").read_text()

    def test_text_formats_can_be_printed(self, command):
        tree = command("draw", "inception_v4.inception_a", "-o", "-").out
        assert tree.startswith("inception_v4: inception_a\n\nInput · 384×35×35\nbranch 0\n  1×1 conv · 96\n")
        assert command("draw", "inception_v4.inception_a", "-o", "-", "-f", "dot").out.startswith("digraph ")
        assert not list(Path().glob("*.svg"))


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run folder with two trials."""
    from inception_search.search_api import search
    from tests.study.spaces import TINY

    options = {"trials": 2, "epochs": 1, "train_images": 64, "image_size": 8, "workers": 2}
    return search(TINY, run=tmp_path_factory.mktemp("study") / "run", **options).path


def test_search_by_flags_says_all_that_matters(command, tmp_path):
    said = command("search", "--space", "tiny.yaml", "--trials", 2, "--run", "mine", *QUICK)
    assert said.code == 0
    assert len(Study.open("mine").records) >= 2
    lines = said.err.splitlines()
    assert [line.split()[0] for line in lines] == ["1/2", "2/2"]
    assert all("M MACs" in line and " s" in line and "%" in line for line in lines)
    assert "\x1b" not in said.err + said.out
    assert "leaderboard" in said.out
    for line in said.out.splitlines():
        if line.startswith("mine/"):
            folder, _, names = line.partition(": ")
            for file in names.split(", ") if names else [""]:
                assert (Path(folder) / file).is_file()
    assert "mine/best.yaml" in said.out
    shown = command("show", "mine", "--json")
    assert json.loads(shown.out)["arch_id"] == Study.open("mine").best.record.arch_id
    assert {"mine/report.html", "mine/trials.jsonl"} <= set(said.out.splitlines())


def test_flags_win_over_the_file_and_the_study_keeps_all_of_it(command, tmp_path):
    text = "space: tiny.yaml\ntrials: 9\nseed: 3\nbaselines: false\nimage_size: 8\ntrain_images: 64\nepochs: 1\n"
    (tmp_path / "search.yaml").write_text(text)
    assert command("search", "search.yaml", "--trials", 1, "--run", "mine", "--workers", 2).code == 0
    study = yaml.safe_load(Path("mine/study.yaml").read_text())
    assert (study["trials"], study["seed"], study["run"]) == (1, 3, "mine")
    assert set(option_names()) <= set(study)


def test_limits_by_flags_are_kept_and_kept_to(command):
    limits = ["--max-depth", 9, "--min-receptive-field", 11, "--min-params", 1200, "--max-macs", 100000]
    assert command("search", "--space", "tiny.yaml", "--trials", 2, "--run", "mine", *QUICK, *limits).code == 0
    study = yaml.safe_load(Path("mine/study.yaml").read_text())
    assert (study["max_depth"], study["min_receptive_field"], study["max_latency_ms"]) == (9, 11, None)
    trained = [record for record in Study.open("mine").records if record.state == "complete"]
    assert len(trained) == 2
    assert all(record.cost["params"] >= 1200 and record.cost["receptive_field"] >= 11 for record in trained)


def test_a_study_file_is_a_configuration_too(command, study):
    said = command("search", study / "study.yaml", "--space", "tiny.yaml", "--trials", 1, "--run", "again")
    assert said.code == 0


def test_every_option_is_a_flag(command):
    said = command("search", "--help")
    for name in option_names():
        assert f"--{name.replace('_', '-')}" in said.out


def test_resume_goes_on_and_counts_from_where_it_was(command, study):
    said = command("resume", study, "--trials", 3)
    assert said.code == 0
    assert said.err.splitlines()[-1].startswith("   3/3")
    assert "(canonical)" in said.out


def test_report_writes_everything_again(command, study):
    (study / "report.html").unlink()
    said = command("report", study, "--top", 1)
    assert said.code == 0
    assert (study / "report.html").is_file()
    assert "vs baseline" in said.out
    assert str(study / "report.html") in said.out


def test_version_and_help(command):
    assert command("--version").out == f"inception-search {__version__}\n"
    assert "search" in command("-h").out
    assert "Usage" in command().out + command().err


def test_a_reader_that_goes_away_is_no_error():
    line = f"{sys.executable} -c 'from inception_search.cli.main import run; run()' list ops --json | head -n 1"
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("{\n", "")
