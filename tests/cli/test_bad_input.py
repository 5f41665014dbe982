"""Bad input: one paragraph that says what to do, an exit code, nothing half-written."""

from pathlib import Path

import pytest

from inception_search.cli.main import FAILED, REFUSED
from inception_search.store.run_folder import RunFolder
from tests.cli.conftest import QUICK
from tests.study.spaces import TINY

USAGE = 2
SEARCH = ["search", "--space", "tiny.yaml", "--run", "mine", "--trials", "1", *QUICK]

FILES = {
    "misspelt.yaml": "epochs: 2\ntrails: 4\n",
    "wrong_type.yaml": "epochs: 2\n\ntrials: many\n",
    "not_a_mapping.yaml": "- epochs\n",
    "empty.yaml": "",
    "broken.yaml": "epochs: 2\ntrials: [1\n",
    "twice.yaml": "epochs: 2\nepochs: 3\n",
    "a_network.yaml": "schema: inception-search/network\nversion: 1\nname: x\n",
    "newer.yaml": "schema: inception-search/study\nversion: 7\n",
    "binary.yaml": "\x00\x01",
    "bad_field.yaml": "schema: inception-search/network\nversion: 1\nname: bad\ninput: 3x32x32\nstages:\n"
    "  stem:\n    conv: {kernel: 3x3, widht: 8}\nhead: {classes: 10}\n",
    "bad_op.yaml": "schema: inception-search/network\nversion: 1\nname: bad\ninput: 3x32x32\nstages:\n"
    "  stem: {convolve: {kernel: 3x3, width: 8}}\nhead: {classes: 10}\n",
    "bad_space.yaml": TINY.replace("$int: [4, 16, 4]", "$int: [16, 4]", 1),
    "bad_hole.yaml": TINY.replace("$int", "$integer", 1),
    "not_contained.yaml": TINY.replace("width: 0.0625}", "width: 0.5}"),
    "unknown_module.yaml": TINY.replace("inception_v1.inception_3a", "inception_v1.inception_3z"),
}

TABLE: list[tuple[list[str], int, list[str]]] = [
    # names
    (["show", "inception_v5"], REFUSED, ["unknown network", "'inception_v5'", "did you mean 'inception_v"]),
    (["draw", "inceptoin_v4"], REFUSED, ["unknown network", "did you mean 'inception_v4'"]),
    (["draw", "inception_v4.inception_z"], REFUSED, ["unknown module of inception_v4", "did you mean 'inception_"]),
    (["draw", "inception_v4", "--style", "oil"], REFUSED, ["'oil'", "paper"]),
    (["draw", "inception_v4", "--flow", "sideways"], REFUSED, ["'sideways'", "down"]),
    (["draw", "inception_v4", "--out", "a.bmp"], REFUSED, ["a.bmp", ".svg"]),
    (["draw", "inception_v4", "--out", "a.pgn"], REFUSED, ["a.pgn", "did you mean '.png'"]),
    (["draw", "inception_v4", "--format", "jpg"], REFUSED, ["unknown format", "'jpg'", "pdf"]),
    (["draw", "inception_v4", "-f", "png", "-o", "-"], REFUSED, ["unknown format", "'png'", "mermaid"]),
    (["draw", "inception_v1.inception_3a", "--out", "no/such/folder/a.svg"], REFUSED, ["no/such/folder"]),
    (["list", "planets"], REFUSED, ["unknown kind", "'planets'", "networks, ops, passes, spaces"]),
    (["show", "none.yaml"], REFUSED, ["none.yaml"]),
    (["show", "bad_field.yaml"], FAILED, ["bad_field.yaml:7", "unknown field", "'widht'", "did you mean 'width'"]),
    (["show", "bad_op.yaml"], FAILED, ["bad_op.yaml:6", "convolve", "conv"]),
    (["show", "inception_v3", "--input-size", "20"], FAILED, ["kernel", "larger"]),
    (["search", "--space", "inception_module"], REFUSED, ["unknown space", "did you mean 'inception_modules'"]),
    (["search", "--space", "none.yaml"], REFUSED, ["none.yaml"]),
    (["search", "--data", "digitz"], REFUSED, ["unknown dataset", "did you mean 'digits'"]),
    (["search", "--device", "gpu"], REFUSED, ["unknown device", "cuda"]),
    (["search", "--device", "cuda:77"], REFUSED, ["cuda:77", "is not there"]),
    (["search", "--strategy", "tpee"], REFUSED, ["strategy", "'tpe', 'evolution'", "did you mean 'tpe'"]),
    (["search", "--precision", "float16"], REFUSED, ["precision", "'float32' or 'bfloat16'"]),
    # flags
    (["serach"], USAGE, ["serach"]),
    (["search", "--trails", "3"], USAGE, ["--trails", "--trials"]),
    (["search", "--trials", "three"], USAGE, ["--trials", "whole number"]),
    (["resume", "runs/none", "--trials", "0"], USAGE, ["--trials"]),
    (["show", "inception_v3", "extra"], USAGE, ["extra"]),
    (["report", "mine", "--top", "0"], USAGE, ["--top"]),
    (["dashboard", "mine", "--port", "0"], USAGE, ["--port"]),
    (["search", "--trials", "0"], REFUSED, ["trials", "got 0", "a whole number of at least 1"]),
    (["search", "--batch-size", "1"], REFUSED, ["--batch-size", "a whole number of at least 2"]),
    (["search", "--learning-rate", "nan"], USAGE, ["--learning-rate", "not a number"]),
    (["search", "--trial-seconds", "-1"], REFUSED, ["--trial-seconds", "a number above 0"]),
    (["search", "--max-macs", "1" + 20 * "0"], REFUSED, ["--max-macs", "a whole number of at most"]),
    (["search", "--run", ""], REFUSED, ["run", "a text that is not empty"]),
    (["search", "--seed", "-1"], REFUSED, ["seed", "a whole number of at least 0"]),
    # configuration files
    (["search", "none.yaml"], REFUSED, ["none.yaml"]),
    (["search", "misspelt.yaml"], FAILED, ["misspelt.yaml:2", "trails", "did you mean 'trials'"]),
    (["search", "wrong_type.yaml"], FAILED, ["wrong_type.yaml:3", "trials", "'many'", "a whole number"]),
    (["search", "not_a_mapping.yaml"], FAILED, ["not_a_mapping.yaml", "not a mapping of options"]),
    (["search", "empty.yaml"], FAILED, ["empty.yaml", "empty"]),
    (["search", "broken.yaml"], FAILED, ["broken.yaml:3", "not valid YAML"]),
    (["search", "twice.yaml"], FAILED, ["twice.yaml:2", "duplicate key", "'epochs'"]),
    (["search", "a_network.yaml"], FAILED, ["a_network.yaml", "not a search configuration"]),
    (["search", "newer.yaml"], FAILED, ["newer.yaml", "got 7", "expected 2"]),
    (["search", "binary.yaml"], FAILED, ["binary.yaml", "not valid YAML"]),
    (["search", "."], FAILED, ["."]),
    # spaces
    ([*SEARCH, "--space", "bad_space.yaml"], FAILED, ["bad_space.yaml:", "range", "low <= high"]),
    ([*SEARCH, "--space", "bad_hole.yaml"], FAILED, ["bad_hole.yaml:", "unknown hole", "did you mean '$int'"]),
    ([*SEARCH, "--space", "not_contained.yaml", "--baselines"], FAILED, ["contains.v1_3a", "outside 4..16"]),
    ([*SEARCH, "--space", "unknown_module.yaml", "--baselines"], FAILED, ["inception_3z", "did you mean"]),
    ([*SEARCH, "--space", "inception_v3.yaml"], REFUSED, ["inception_v3.yaml"]),
    # shapes and budgets
    ([*SEARCH, "--max-params", "5"], REFUSED, ["budget of 5", "raise --max-params"]),
    ([*SEARCH, "--max-macs", "5"], REFUSED, ["budget of 5"]),
    ([*SEARCH, "--max-depth", "1"], REFUSED, ["layers of depth", "budget of 1", "raise --max-depth"]),
    ([*SEARCH, "--max-activation-bytes", "9"], REFUSED, ["bytes of activations", "raise --max-activation-bytes"]),
    ([*SEARCH, "--min-receptive-field", "99"], REFUSED, ["pixels", "minimum of 99", "lower --min-receptive-field"]),
    (
        [*SEARCH, "--min-params", "9", "--max-params", "8"],
        REFUSED,
        ["--min-params is above --max-params", "got 9", "8"],
    ),
    ([*SEARCH, "--max-latency-ms", "0"], REFUSED, ["--max-latency-ms", "a number above 0"]),
    # datasets
    ([*SEARCH, "--train-images", "3"], REFUSED, ["at least 10", "one for each class"]),
    ([*SEARCH, "--data", "image_folder"], REFUSED, ["image_folder", "root"]),
    ([*SEARCH, "--data", "image_folder", "--data-root", "none"], REFUSED, ["none"]),
    ([*SEARCH, "--data", "image_folder", "--data-root", "hollow"], FAILED, ["hollow"]),
    ([*SEARCH, "--data", "image_folder", "--data-root", "corrupt"], FAILED, ["corrupt"]),
    ([*SEARCH, "--data", "cifar10", "--data-root", "hollow"], FAILED, ["hollow"]),
    ([*SEARCH, "--data", "fashion_mnist", "--data-root", "hollow"], FAILED, ["hollow"]),
    # run folders
    ([*SEARCH, "--run", "tiny.yaml"], FAILED, ["tiny.yaml", "a file", "choose another folder"]),
    ([*SEARCH, "--run", "tiny.yaml/below"], REFUSED, ["tiny.yaml/below", "file"]),
    ([*SEARCH, "--run", "corrupt"], FAILED, ["corrupt", "not empty", "choose a new or empty folder"]),
    (["resume", "runs/none"], REFUSED, ["runs/none", "no such run folder"]),
    (["resume", "hollow"], FAILED, ["hollow", "not a run folder"]),
    (["resume", "tiny.yaml"], FAILED, ["tiny.yaml", "file"]),
    (["report", "runs/none"], REFUSED, ["no such run folder"]),
    (["dashboard", "runs/none"], REFUSED, ["no such run folder"]),
]


@pytest.fixture(autouse=True)
def files(tmp_path: Path) -> None:
    """What the table names."""
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "hollow").mkdir()
    for name in ("zero", "one"):
        (tmp_path / "corrupt" / name).mkdir(parents=True)
        for index in range(12):
            (tmp_path / "corrupt" / name / f"{index}.png").write_bytes(b"\x89PNG\r\n\x1a\nno picture")


def everything(folder: Path) -> dict[str, bytes | None]:
    return {str(path): path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}


@pytest.mark.parametrize(("arguments", "code", "words"), TABLE, ids=[" ".join(row[0][:6]) for row in TABLE])
def test_bad_input_is_told_in_one_paragraph(command, tmp_path, arguments, code, words):
    before = everything(tmp_path)
    said = command(*arguments)
    assert (said.code, said.out) == (code, "")
    assert "Traceback" not in said.err
    for word in words:
        assert word in said.err
    if not said.err.startswith("Usage: "):
        assert said.err.startswith("error: ")
        assert said.err.count("\n") == 1
        assert len(said.err) < 1200
    assert everything(tmp_path) == before


class TestARunFolder:
    @pytest.fixture
    def run(self, command, tmp_path) -> Path:
        assert command(*SEARCH).code == 0
        return tmp_path / "mine"

    def refused(self, command, run: Path, *words: str, verb: tuple[str, ...] = ("resume", "mine")) -> None:
        before = everything(run)
        said = command(*verb)
        assert said.code == FAILED, said
        *warnings, error = said.err.splitlines()
        assert error.startswith("error: ")
        assert all(line.startswith("warning: ") for line in warnings)
        for word in words:
            assert word in said.err
        assert everything(run) == before

    def test_in_use_or_taken_or_of_other_data(self, command, run):
        with RunFolder.open(run).hold():
            self.refused(command, run, "in use by process", "stop it with `kill")
        self.refused(command, run, "already holds a study", "inception-search resume mine", verb=tuple(SEARCH))
        study = run / "study.yaml"
        text = study.read_text()
        study.write_text(text.replace("image_size: 8", "image_size: 9"))
        self.refused(command, run, "begun on other data")
        study.write_text(text.replace("trials: 1", "trials: one"))
        self.refused(command, run, "study.yaml:", "trials", "'one'")
        self.refused(command, run, "study.yaml:", "trials", verb=("report", "mine"))
        study.write_text(text)
        (run / "trials.jsonl").write_text("{}\n")
        self.refused(command, run, "trials.jsonl:1", "not a trial record")
        self.refused(command, run, "trials.jsonl:1", verb=("report", "mine"))
        (run / "trials.jsonl").write_text("")
        self.refused(command, run, "no trial to report yet", "inception-search resume mine", verb=("report", "mine"))
        self.refused(command, run, "no trial to show yet", "inception-search resume mine", verb=("dashboard", "mine"))

    def test_of_which_nothing_was_trained(self, command, tmp_path):
        said = command(*SEARCH, "--learning-rate", "1e30", "--epochs", "2")
        assert said.code == FAILED
        assert "1/1" in said.err
        assert "error: mine/trials.jsonl: no network was trained to the last epoch" in said.err
        assert "diverged" in said.err
        assert "1 failed" in said.out
