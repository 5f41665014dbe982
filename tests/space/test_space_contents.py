# ruff: noqa: E501 (tables: one row a line)
"""What a space says it contains: the forms it is written in, the forms of the template, and when it is refused."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
import yaml

import inception_search as ins
from inception_search.errors import InceptionSearchError, NotInSpaceError, SpecError
from inception_search.spec.documents.files import shipped_folder

HEAD = "schema: inception-search/space\nversion: 1\nname: s\n"  # three lines: what is added begins at line 4
WHOLE = "network: {name: n, input: 3x224x224, stages: {a: {$choice: {x: relu, y: elu}}}}\n"
MODULE = """{concat: [1x1 16, [1x1 12, {conv: {kernel: {$choice: [3x3, 5x5]}, width: 16}}], [1x1 16, 3x3 24, 3x3 24], [avg 3x3, 1x1 8]]}"""
BLOCK = "{block: {skip: {$choice: [none, add]}, project: {$choice: [none, linear]}, body: " + MODULE + "}}"
ACTIVATED = "{block: {act: {$choice: [none, relu]}, body: " + MODULE + "}}"
TOGGLED = "{block: {act: {$choice: [none, relu]}, body: {concat: [3x3 8, 1x1 8]}}}"
BARE_FIRST = "{$choice: {bare: " + MODULE + ", toggled: " + TOGGLED + "}}"
BLOCK_FIRST = "{$choice: {toggled: " + TOGGLED + ", bare: " + MODULE + "}}"
V3 = "contains: {v3_5b: {module: inception_v3.mixed_5b, width: 0.25}}\n"


def template(module: str, section: str = "blocks") -> str:
    parts = f"blocks: {{module: {module}}}, stages: {{a: 3x3 8, b: module}}"
    parts = parts if section == "blocks" else f"stages: {{a: 3x3 8, module: {module}}}"
    return f"network: {{name: n, input: 3x16x16, {parts}}}\n"


# How contains is written, and what it means.
FORMS = [
    ("{v: inception_v3.mixed_5b}", {"v": {"module": "inception_v3.mixed_5b"}}),
    ("{v: inception_v3}", {"v": {"network": "inception_v3"}}),
    ("{v: inception_v3@keras}", {"v": {"network": "inception_v3@keras"}}),
    ("{v: inception_v3@keras.mixed_5b}", {"v": {"module": "inception_v3@keras.mixed_5b"}}),
    ("{v: ./nets/my.net/a}", {"v": {"network": "./nets/my.net/a"}}),
    ("{v: mine.yaml}", {"v": {"network": "mine.yaml"}}),
    ("{v: {module: inception_v3.mixed_5b, width: 0.25}}", {"v": {"module": "inception_v3.mixed_5b", "width": 0.25}}),
    ("[inception_v3.mixed_5b]", {"inception_v3_mixed_5b": {"module": "inception_v3.mixed_5b"}}),
    ("[inception_v1, inception_v3@keras]", {"inception_v1": {"network": "inception_v1"}, "inception_v3_keras": {"network": "inception_v3@keras"}}),
    ("[]", {}),
]  # fmt: skip


def schema_accepts(text: str) -> bool:
    schema = json.loads((shipped_folder() / "space.schema.json").read_text(encoding="utf-8"))
    return jsonschema.Draft202012Validator(schema).is_valid(yaml.safe_load(text))


@pytest.mark.parametrize(("written", "meant"), FORMS)
def test_the_short_forms_are_the_long_ones(written: str, meant: dict[str, dict[str, object]]) -> None:
    text = f"{HEAD}contains: {written}\n{WHOLE}"
    space = ins.Space(text)
    assert {label: fixed.to_dict() for label, fixed in space.document.contains.items()} == meant
    assert set(space.lines.values()) <= {4}
    assert schema_accepts(text)


# What is wrong, in which words, at which line and place.
WRONG = [
    ("contains: 3\n", r"got 3; expected {v3_5b: {module: inception_v3\.mixed_5b, width: 0\.25}, \.\.\.}, or a list of names", 4, "contains"),
    ("contains: inception_v3\n", "got 'inception_v3'; expected {v3_5b: {module", 4, "contains"),
    ("contains:\n  v: 3\n", r"got 3; expected a name such as inception_v3\.mixed_5b, or {module", 5, "contains.v"),
    ("contains:\n  v: [inception_v3]\n", "expected a name such as", 5, "contains.v"),
    ("contains:\n  - inception_v1\n  - {module: inception_v3.mixed_5b}\n", "not a name.*give each entry a label", 6, "contains.1"),
    ("contains:\n  - mine.yaml\n", "no label can be made from this name, got 'mine.yaml'; write it under a label", 5, "contains.0"),
    ("contains:\n  - inception_v3.stem\n  - inception_v3.stem\n", "two entries with the label 'inception_v3_stem'", 6, "contains.1"),
]  # fmt: skip


@pytest.mark.parametrize(("added", "words", "line", "path"), WRONG, ids=[row[0][10:30].strip() for row in WRONG])
def test_another_form_is_refused_with_its_place(added: str, words: str, line: int, path: str) -> None:
    with pytest.raises(SpecError, match=words) as caught:
        ins.Space(HEAD + added + WHOLE, "s.yaml")
    assert (caught.value.place.file, caught.value.place.line, caught.value.path) == ("s.yaml", line, path)


@pytest.mark.parametrize("section", ["blocks", "stages"])
@pytest.mark.parametrize("module", [MODULE, BLOCK, ACTIVATED, BARE_FIRST, BLOCK_FIRST])
def test_a_plain_module_is_a_point_of_every_template_of_its_form(module: str, section: str) -> None:
    space = ins.load_space(HEAD + V3 + template(module, section))
    network = space.fixed_points["v3_5b"]
    assert space.decode(space.encode(network)) == network
    step = getattr(network, section)["module"]
    body = step.body if step.kind == "block" else step
    assert body == ins.parse_step("{concat: [1x1 16, [1x1 12, 5x5 16], [1x1 16, 3x3 24, 3x3 24], [avg 3x3, 1x1 8]]}")


# An entry, the template, what the error names.
OUTSIDE = [
    ("{module: inception_v3.mixed_5b}", MODULE, r"blocks\.module\.branches\.0\.width: 64 is not the template's 16"),
    ("{module: inception_v3.mixed_6b, width: 0.0625}", MODULE, r"blocks\.module\.branches\.0\.width: 12 is not"),
    ("{module: inception_resnet_v2.block35}", MODULE, r"blocks\.module: block is not the template's concat"),
    ("inception_v1", MODULE, "it is not a point of the space: "),
]  # fmt: skip


@pytest.mark.parametrize(("entry", "module", "words"), OUTSIDE, ids=[row[0][:35] for row in OUTSIDE])
def test_what_is_no_point_is_refused_when_the_space_is_read(
    entry: str, module: str, words: str, tmp_path: Path
) -> None:
    file = tmp_path / "s.yaml"
    file.write_text(f"{HEAD}contains:\n  v: {entry}\n{template(module)}", encoding="utf-8")
    with pytest.raises(NotInSpaceError, match=words) as caught:
        ins.load_space(file)
    assert (caught.value.place.file, caught.value.place.line, caught.value.path) == (str(file), 5, "contains.v")


@pytest.mark.parametrize("name", ["inception_v9", "inception_v3.mixd_5b"])
def test_an_unknown_name_is_refused_when_the_space_is_read(name: str) -> None:
    with pytest.raises(InceptionSearchError, match=r"unknown.*did you mean"):
        ins.load_space(f"{HEAD}contains: [{name}]\n{WHOLE}")
