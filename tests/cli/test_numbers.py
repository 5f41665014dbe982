"""Numbers are written alike in study files, on the command line and in Python, or refused with the right spelling."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any

import pytest
import typer
from typer.testing import CliRunner

import inception_search as ins
from inception_search.cli.shared_options import integer, real
from inception_search.errors import ConfigError
from inception_search.numbers import PATTERN, number, spelling, whole
from inception_search.options import number_kind, option_fields
from inception_search.study.config import StudyConfig
from inception_search.study.final.options import FinalOptions

# What is written, the number it is.
WRITTEN: list[tuple[str, float]] = [
    ("10000000", 10_000_000),
    ("10_000_000", 10_000_000),
    ("10,000,000", 10_000_000),
    ("1e7", 10_000_000),
    ("1E+7", 10_000_000),
    ("10M", 10_000_000),
    ("10 M", 10_000_000),
    ("0.01G", 10_000_000),
    ("10000k", 10_000_000),
    ("10000K", 10_000_000),
    ("0.01B", 10_000_000),
    ("0.00001T", 10_000_000),
    ("10000000.0", 10_000_000),
    (" 10M ", 10_000_000),
    ("1.1G", 1_100_000_000),  # exact: 1.1 * 10**9 in floats is not
    ("+3", 3),
    ("-3", -3),
    ("0.25", 0.25),
    (".25", 0.25),
    ("1e-3", 0.001),
]
# What is no number, and what the error says besides.
REFUSED = [
    ("", None),
    ("many", None),
    ("10m", "write '10M'"),
    ("10 mio", "write '10M'"),
    ("2.5g", "write '2.5G'"),
    ("1,5M", "a comma separates thousands; write '1.5M'"),
    ("10X", "units are k, K, M, G, B, T"),
    ("1,0000", None),
    ("1__0", None),
    ("inf", None),
    ("nan", None),
    ("0x10", None),
    ("1e", "units are k, K, M, G, B, T"),
    ("1e9999", None),
    ("9" * 41, None),
]


@pytest.mark.parametrize(("text", "value"), WRITTEN)
def test_a_number_is_read(text: str, value: float) -> None:
    assert number(text) == value
    assert type(number(text)) is type(value)
    assert re.match(PATTERN, text)


@pytest.mark.parametrize(("text", "hint"), REFUSED)
def test_what_is_no_number_stays_as_it_is(text: str, hint: str | None) -> None:
    assert number(text) == whole(text) == text
    assert spelling(text) == hint


def test_other_values_stay_as_they_are() -> None:
    for value in (None, True, 1, 1.5, [1], {"a": 1}):
        assert number(value) is value
    assert whole(1e6) == 1_000_000
    assert type(whole(1e6)) is int


NUMERIC = {name: kind for name, field in option_fields(StudyConfig).items() if (kind := number_kind(field.annotation))}


def test_every_numeric_option_of_a_search_is_known() -> None:
    expected = {"max_macs": int, "trials": int, "seed": int, "eta": int, "batch_size": int}
    expected |= {
        "max_latency_ms": float,
        "learning_rate": float,
        "width": float,
        "cutout": float,
        "trial_seconds": float,
    }
    assert {name: NUMERIC[name] for name in expected} == expected
    assert not {"space", "device", "objectives", "download", "reference", "storage"} & set(NUMERIC)


@pytest.mark.parametrize("name", NUMERIC)
def test_every_numeric_option_reads_numbers_as_people_write_them(name: str, tmp_path: Path) -> None:
    """In a file, as a keyword, and in the options of final trainings; a word is refused with its option."""
    file = tmp_path / "s.yaml"
    more = {"repeat_top": {"repeats": 2}}.get(name, {})
    text, value = ("3e-1", 0.3) if NUMERIC[name] is float else ("3e0", 3)
    file.write_text("".join(f"{key}: {item}\n" for key, item in {**more, name: f'"{text}"'}.items()))
    assert getattr(StudyConfig.read(file), name) == getattr(StudyConfig.of(**{**more, name: text}), name) == value
    if name in FinalOptions.model_fields:
        assert getattr(FinalOptions.of(**{name: text}), name) == value
    with pytest.raises(ConfigError, match=rf"{name}: not a usable value, got 'lots'.*numbers are written 10000000, "):
        StudyConfig.of(**{name: "lots"})


@pytest.mark.parametrize("spelled", ["10M", "1e7", "10_000_000", '"10,000,000"', "10000000"])
def test_a_budget_is_one_number_however_it_is_written(spelled: str, tmp_path: Path) -> None:
    file = tmp_path / "s.yaml"
    file.write_text(f"max_macs: {spelled}\n")
    assert StudyConfig.read(file).max_macs == 10_000_000
    text = spelled.strip('"')
    assert ins.Budget(max_macs=text).max_macs == 10_000_000  # type: ignore[arg-type]
    assert StudyConfig.of(
        objectives="accuracy,macs", reference=f"accuracy=0.1,macs={text}".replace("10,000,000", "1e7")
    )


@pytest.mark.parametrize(("text", "hint"), [("10m", "write '10M'"), ("1,5M", "write '1.5M'"), ("ten", None)])
def test_a_wrong_one_is_refused_with_the_right_spelling(text: str, hint: str | None, tmp_path: Path) -> None:
    file = tmp_path / "s.yaml"
    file.write_text(f"trials: 3\nmax_macs: {text}\n")
    for make in (lambda: StudyConfig.read(file), lambda: ins.Budget(max_macs=text)):  # type: ignore[arg-type]
        with pytest.raises(ConfigError, match=f"max_macs.*got '{text}'.*{hint or ''}"):
            make()
    with pytest.raises(ConfigError, match=r"s\.yaml:2: max_macs"):
        StudyConfig.read(file)


app = typer.Typer()


@app.command()
def _echo(
    count: Annotated[int, integer(least=1, most=20_000_000)] = 7, share: Annotated[float | None, real()] = None
) -> None:
    typer.echo(f"{count!r} {share!r}")


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ([], 0, "7 None"),
        (["--count", "10M"], 0, "10000000 None"),
        (["--count", "1,000", "--share", "1e-1"], 0, "1000 0.1"),
        (["--count", "10m"], 2, "'10m' is not a whole number, like 10000000, 10_000_000, 1e7 or 10M; write '10M'"),
        (["--count", "1.5"], 2, "'1.5' is not a whole number"),
        (["--count", "0"], 2, "'0' is out of range; expected from 1 to 20,000,000"),
        (["--share", "half"], 2, "'half' is not a number"),
    ],
)
def test_on_the_command_line(arguments: list[str], code: int, words: str) -> None:
    done = CliRunner().invoke(app, arguments, env={"COLUMNS": "200", "NO_COLOR": "1"})
    assert done.exit_code == code
    assert words in " ".join(re.sub("[│╭╮╰╯─]", " ", done.output).split())


def test_every_numeric_option_of_every_verb_is_read_by_this_parser() -> None:
    from inception_search.cli.main import VERBS

    other: list[Any] = []
    for verb, facts in VERBS.items():
        for name, parameter in typer.utils.get_params_from_function(facts.load(verb)).items():
            kind = number_kind(parameter.annotation)
            parser = getattr(parameter.default, "parser", None)
            if kind is not None and not str(getattr(parser, "__module__", "")).endswith("cli.shared_options"):
                other.append((verb, name))
    assert not other
