"""Whole numbers on the command line."""

import pytest
import typer

from inception_search.cli.numbers import whole


@pytest.mark.parametrize(
    ("text", "number"), [("5000000", 5_000_000), ("5e6", 5_000_000), ("5_000", 5000), ("1.5e4", 15_000), ("-3", -3)]
)
def test_as_people_write_them(text: str, number: int) -> None:
    assert whole(text) == number
    assert type(whole(text)) is int


@pytest.mark.parametrize("text", ["", "1.5", "1e6x", "5M", "inf", "nan", "1e999"])
def test_others_are_refused(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="is not a whole number, like 5000000 or 5e6"):
        whole(text)
