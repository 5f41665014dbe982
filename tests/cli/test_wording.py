"""On the command line errors name its options, not the arguments of Python that stand for the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from typer.main import get_command

import inception_search as ins
from inception_search.cli.main import VERBS, _command, app
from inception_search.cli.wording import in_options, use_options_of
from inception_search.errors import RunFolderError
from tests.cli.conftest import Command
from tests.example import EXAMPLE
from tests.weights.small_network import SMALL

# What is said in Python, and on the command line by a verb.
TEXTS = [
    ("convert", "num_classes=0 given to compile leaves it out", "--classes 0 leaves it out"),
    ("convert", "num_classes=5 starts a new one; aux=False", "--classes 5 starts a new one; --no-aux"),
    ("convert", "compile inception_v1@slim for them", "use --network inception_v1@slim for them"),
    ("convert", "compile the network that they are from", "use --network the network that they are from"),
    ("convert", "leave in_channels out", "leave --in-channels out"),
    ("show", "with aux=False (then 75x75)", "with --no-aux (then 75x75)"),
    ("show", "input_size=20, num_classes=3", "--input-size 20, --classes 3"),
    ("show", "compile inception_v1@slim", "compile inception_v1@slim"),  # its network is no option
    ("draw", "leave it out with aux=False", "leave it out with aux=False"),  # has no such option
    ("search", "write data_root=FOLDER", "write --data-root FOLDER"),
    ("search", "'preprocess: {mean: ...}', in my_data_root.yaml", "'preprocess: {mean: ...}', in my_data_root.yaml"),
]


@pytest.mark.parametrize(("verb", "python", "said"), TEXTS)
def test_arguments_of_python_become_options_of_the_verb(verb: str, python: str, said: str) -> None:
    use_options_of(_command(verb))
    assert in_options(python) == said


@pytest.mark.parametrize("verb", VERBS)
def test_every_option_is_named_as_the_verb_takes_it(verb: str) -> None:
    command = _command(verb)
    use_options_of(command)
    options: dict[str, Any] = {param.name: param for param in command.params if param.param_type_name == "option"}
    for name, option in options.items():
        if not option.is_flag:
            assert in_options(f"write {name}=7") == f"write {option.opts[0]} 7"
            assert option.opts[0].startswith("--")


def test_classes_that_do_not_fit_are_mended_with_options_that_there_are(command: Command, tmp_path: Path) -> None:
    torch.save(ins.compile(SMALL).state_dict(), "five.pth")
    Path("small.yaml").write_text(SMALL, encoding="utf-8")
    state = {name: value for name, value in ins.compile(SMALL).state_dict().items() if "classifier" not in name}
    torch.save(state, "none.pth")
    assert command("convert", "five.pth", "--network", "small.yaml").code == 0
    said = command("convert", "none.pth", "--network", "small.yaml", "--in-channels", "4")
    assert said.code in (0, 1)
    assert "given to compile" not in said.err


def test_images_that_are_too_small_name_the_switch(command: Command) -> None:
    said = command("show", "inception_v3", "--input-size", "80")
    assert said.code == 1
    assert "leave the auxiliary classifiers out with --no-aux" in said.err
    assert command("show", "inception_v3", "--input-size", "80", "--no-aux").code == 0


def test_pictures_without_a_folder_name_the_option(command: Command) -> None:
    said = command("search", "--data", "image_folder")
    assert said.err == "error: --data-root: image_folder needs a folder; write --data-root FOLDER\n"


def test_a_report_that_cannot_be_written_names_another_place(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise RunFolderError("permission denied", hint="choose a run folder you may write to")

    monkeypatch.setattr("inception_search.report.study_report.write_study_report", refuse)
    said = command("report", EXAMPLE)
    assert said.code == 1
    assert said.err == "error: permission denied; write it to another place with -o FOLDER\n"
    assert "choose a run folder" in command("report", EXAMPLE, "-o", "out").err


@pytest.mark.parametrize("verb", ["show", "draw", "view", "report", "resume", "finalize"])
def test_a_run_folder_that_is_not_there_is_called_so_by_every_verb(verb: str, command: Command) -> None:
    said = command(verb, "runs/x")
    assert said.code == 2
    assert said.err.startswith("error: runs/x: there is no such run folder; give the run folder of a search")


def test_the_verbs_are_those_of_the_app() -> None:
    assert set(VERBS) == set(get_command(app).commands)  # type: ignore[attr-defined]
