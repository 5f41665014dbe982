"""An input written as height, width, channels is read as channels, height, width: a warning says so."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pytest

import inception_search as ins
from inception_search.errors import InputOrderWarning

STAGES = "stages: {a: 1x1 8}\n"
HEAD = "schema: inception-search/network\nversion: 1\nname: n\n"
SPACE = """
schema: inception-search/space
version: 1
name: s
network:
  name: s
  INPUT
  stages: {a: {conv: {kernel: 1x1, width: {$int: [4, 8]}}}}
"""


@pytest.mark.parametrize("given", ["96x96x3", "[96, 96, 3]", "{channels: 96, height: 96, width: 3}"])
def test_a_document_says_where_and_what_to_write(given: str, tmp_path: Path) -> None:
    file = tmp_path / "n.yaml"
    file.write_text(f"{HEAD}input: {given}\n{STAGES}", encoding="utf-8")
    with pytest.warns(InputOrderWarning, match=r"n\.yaml:4: input: 96x96x3 is read as .*write 3x96x96") as said:
        ins.load(str(file))
    assert len(said) == 1


@pytest.mark.parametrize("given", ["3x96x96", "1x28x28", "4x64x3", "96x3x3", "64x1x1", "3x96x3", "256x35x35", "9x4x3"])
def test_other_inputs_are_meant(given: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ins.load(f"{HEAD}input: {given}\n{STAGES}")


def test_the_shape_that_a_module_reads_is_looked_at() -> None:
    step = ins.parse_step("1x1 8")
    for call in (ins.draw, lambda step, **given: ins.diff(step, step, **given).draw()):
        function: Any = call
        with pytest.warns(InputOrderWarning, match=r"input_shape: .* write 3x32x24 for 3 of 32x24"):
            function(step, input_shape=(32, 24, 3))


@pytest.mark.parametrize("given", ["input: 32x32x1", "input: {$choice: {a: 3x32x32, b: 32x32x1}}"])
def test_the_networks_of_a_space_are_looked_at(given: str) -> None:
    text = SPACE.replace("INPUT", given)
    with pytest.warns(InputOrderWarning, match=r"network\.input: 32x32x1 is read as .* write 1x32x32"):
        ins.load_space(text)
