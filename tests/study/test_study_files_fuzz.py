"""Whatever a study file says, it is read or refused with the file, the option and what was expected."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from inception_search.errors import InceptionSearchError
from inception_search.study.config import StudyConfig, option_names
from tests.example import EXAMPLE

WRONG = [
    *(None, True, -1, 0, 2.5, 10**40, float("nan"), float("inf"), "", "nonsense", "a\x1b[31m\u2028", "x" * 5_000),
    *([], {}, [[]], {"a": 1}, {3: 4}, ["nonsense", 3], {"accuracy": []}, "a=b", "1,5", "..", "=", ","),
]
LONGEST = 1_500  # characters of an error


def refusal(folder: Path, options: Any) -> InceptionSearchError | None:
    """The error with which a file of these options is refused."""
    file = folder / "study.yaml"
    file.write_text(yaml.safe_dump(options, sort_keys=False, allow_unicode=True), encoding="utf-8")
    try:
        config = StudyConfig.read(file)
    except InceptionSearchError as error:
        refused = error
    else:
        assert StudyConfig.read(_written(folder, config)) == config
        return None
    text = str(refused)
    assert text.isprintable(), text
    assert len(text) <= LONGEST
    assert refused.place.file == str(file), text
    return refused


def _written(folder: Path, config: StudyConfig) -> Path:
    file = folder / "written.yaml"
    file.write_text(config.text({}), encoding="utf-8")
    return file


@pytest.mark.parametrize("option", option_names())
def test_every_option_may_be_wrong(option: str, tmp_path: Path) -> None:
    refused = 0
    for value in WRONG:
        if error := refusal(tmp_path, {"trials": 5, option: value}):
            refused += 1
            assert error.place.line == (1 if option == "trials" else 2), str(error)
            assert option in str(error) or "number" in str(error) or "text" in str(error)  # of the reader of YAML
    assert refused, "no value at all is refused"


@pytest.mark.parametrize("option", option_names())
def test_a_misspelt_option_is_named_with_the_nearest(option: str, tmp_path: Path) -> None:
    error = refusal(tmp_path, {"trials": 5, option[:1] + "z" + option[1:]: 1})
    assert error is not None
    assert f"did you mean {option!r}" in str(error)
    assert error.place.line == 2


@pytest.mark.parametrize("value", [*WRONG, [1], {"schema": 3}, {"version": "x"}, {"schema": [], "version": {}}, {3: 4}])
def test_a_file_that_holds_something_else_is_refused(value: Any, tmp_path: Path) -> None:
    assert refusal(tmp_path, value) is not None or value in ({},)


def test_the_file_of_a_study_may_be_wrong_anywhere(tmp_path: Path) -> None:
    stored = yaml.safe_load((EXAMPLE / "study.yaml").read_text(encoding="utf-8"))
    assert refusal(tmp_path, stored) is None
    for name in stored:
        for value in WRONG[:: 1 if name in ("schema", "version", "facts") else 12]:
            refusal(tmp_path, {**stored, name: value})
        refusal(tmp_path, {key: item for key, item in stored.items() if key != name})
