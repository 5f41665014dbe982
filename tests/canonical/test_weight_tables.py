"""Files of names: braces, layouts, and mistakes told with file and line."""

from __future__ import annotations

import pytest

from inception_search.canonical.catalogue import load
from inception_search.canonical.weight_names import part_of
from inception_search.canonical.weight_styles import AXES, STYLES, torch_shape
from inception_search.canonical.weight_tables import Names, expand, read_tables, table_names, tables_from_text
from inception_search.errors import DocumentError, WeightsError
from inception_search.graph.layers import layers
from inception_search.lowering import lower

HEADER = "schema: inception-search/weight-names\nversion: 1\nnetwork: net\n"


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("fc", "fc"),
        ("a.{0,1}", "a.0 a.1"),
        ("{8..11}", "8 9 10 11"),
        ("M{b..d}", "Mb Mc Md"),
        ("r.{0..1}.{x,y}", "r.0.x r.0.y r.1.x r.1.y"),
        ("b{1,2.{0, 1},\n 3}", "b1 b2.0 b2.1 b3"),
        ("c{_reduce,}", "c_reduce c"),
        ("3*", "* * *"),
        ("b_{1,2}_{2*,conv}", "b_1_* b_1_* b_1_conv b_2_* b_2_* b_2_conv"),
    ],
)
def test_braces(text: str, names: str) -> None:
    assert expand(text) == tuple(names.split(" "))


@pytest.mark.parametrize("text", ["a{b", "a}b", "a{b}}", "{a,{b}", "a}{b}"])
def test_braces_that_do_not_match(text: str) -> None:
    with pytest.raises(ValueError, match="brace without"):
        expand(text)


def test_layouts_are_undone() -> None:
    assert torch_shape("same", (4, 3)) == (4, 3)
    assert torch_shape("HWIO", (1, 7, 3, 32)) == (32, 3, 1, 7)
    assert torch_shape("HWIM", (7, 5, 3, 8)) == (24, 1, 7, 5)
    assert torch_shape("IO", (2048, 10)) == (10, 2048)
    assert torch_shape("11IO", (1, 1, 2048, 10)) == (10, 2048)
    for layout, shape in [("HWIO", (3, 32)), ("IO", (1, 1, 2048, 10)), ("11IO", (3, 3, 8, 8)), ("HWIM", ())]:
        with pytest.raises(WeightsError, match="a shape that its layout cannot have"):
            torch_shape(layout, shape)


def test_styles_lay_out_every_kind_of_layer() -> None:
    for style in STYLES.values():
        assert set(style.layouts) == {"conv", "depthwise", "linear"}
        assert set(style.layouts.values()) <= {"same", *AXES}
        assert style.optional <= style.norm_tensors.keys()


def test_a_table_is_read_part_by_part() -> None:
    text = HEADER + (
        "one:\n  style: torch\n  stem: c{1,2}\n  head.embedding: [{weight: last.w, norm: last_bn}]\n"
        "  head: fc\n  aux.aux: a\ntwo: one\nthree: {like: one, head: classif, aux.aux: null}\n"
        "four: {style: keras, stem: 2*, mid: 'b_{1*,conv}'}\n"
    )
    tables = tables_from_text(text, "net.yaml")
    assert list(tables) == ["one", "two", "three", "four"]
    assert tables["two"] == tables["one"]
    assert list(tables["one"].parts) == ["stem", "head.embedding", "head", "aux.aux"]
    assert list(tables["three"].parts) == ["stem", "head.embedding", "head"]
    assert tables["one"].parts["stem"][1].normed == Names("c2.conv.weight", "c2.conv.bias", "c2.bn")
    assert tables["one"].parts["stem"][1].alone == Names("c2.weight", "c2.bias", None)
    assert tables["one"].parts["head.embedding"][0].normed == Names("last.w", None, "last_bn")
    assert tables["three"].parts["head"][0].alone.weight == "classif.weight"
    assert [layer.normed.norm for layer in (*tables["four"].parts["stem"], *tables["four"].parts["mid"])] == [
        "batch_normalization",
        "batch_normalization_1",
        "batch_normalization_2",
        "b_conv_bn",
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("one: 3", r"net\.yaml:4: not an implementation, got 3"),
        ("one: two", r"net\.yaml:4: like an implementation that is not above, got 'two'"),
        ("one: {style: torch}\ntwo:\n  like: three", r"net\.yaml:6: like .* got 'three'; expected one of one"),
        ("one: {stem: a}", r"net\.yaml:4: no style of tensor names; expected one of torch"),
        ("one:\n  style: caffe", r"net\.yaml:5: no style of tensor names, got 'caffe'"),
        ("one:\n  style: torch\n  stem: 'a{'", r"net\.yaml:6: an opening brace without a closing one, got 'a{'"),
        ("one:\n  style: torch\n  stem:\n    - a\n    - 5", r"net\.yaml:8: not the name of a layer, got 5"),
        ("one:\n  style: torch\n  stem: {weight: a, gamma: b}", r"net\.yaml:6: not the tensors of a layer"),
        ("one:\n  style: torch\n  stem: {bias: a}", r"net\.yaml:6: not the tensors of a layer"),
    ],
)
def test_mistakes_are_told_with_their_line(text: str, words: str) -> None:
    with pytest.raises(DocumentError, match=words):
        tables_from_text(HEADER + text, "net.yaml")


def test_a_file_is_of_the_network_it_is_named_after() -> None:
    with pytest.raises(DocumentError, match="not the network the file is named after, got 'net'; expected other"):
        tables_from_text(HEADER, "other.yaml")
    with pytest.raises(DocumentError, match="unknown schema"):
        tables_from_text("schema: inception-search/network\nversion: 1\n", "net.yaml")


@pytest.mark.parametrize("network", table_names())
def test_every_table_has_every_part_of_the_trunk(network: str) -> None:
    trunk = {part_of(layer.path) for layer in layers(lower(load(network), aux=False))}
    for implementation, table in read_tables(network).items():
        assert trunk <= table.parts.keys(), implementation
