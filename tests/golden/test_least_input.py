"""Where maps are too small, the error says the least image that works: that one does, and one pixel less does not."""

from __future__ import annotations

import pickle
import re

import pytest

import inception_search as ins
from inception_search.errors import MapTooSmallError, ShapeError
from inception_search.spec.network import Network

SIZED = re.compile(r"images of at least (\d+)x(\d+) pixels")
HEADER = "schema: inception-search/network\nversion: 1\nname: n\n"


def error_at(network: Network, height: int, width: int, aux: bool) -> ShapeError | None:
    """The error at that size; None where the network works."""
    try:
        ins.lower(ins.set_input(network, height=height, width=width), aux=aux)
    except ShapeError as error:
        return error
    return None


@pytest.mark.parametrize("name", ins.list_models("*@*"))
def test_the_least_image_works_and_one_pixel_less_does_not(name: str) -> None:
    network = ins.load(name)
    check_least(network, aux=False)
    if network.aux:
        check_least(network, aux=True)


def check_least(network: Network, aux: bool) -> None:
    """The size that the error names, of a network with or without its auxiliary classifiers."""
    error = error_at(network, 1, 1, aux)
    if error is None:
        assert network.same_padding == "tf"  # whose maps are never too small
        return
    found = SIZED.search(str(error))
    assert found, str(error)
    side = int(found[1])
    assert found[1] == found[2]
    assert error_at(network, side, side, aux) is None
    for height, width in ((side - 1, side - 1), (side, side - 1)):
        assert error_at(network, height, width, aux) is not None
    wide = error_at(network, side - 1, 2 * side, aux)  # a side that is large enough stays
    if isinstance(wide, MapTooSmallError) and (again := SIZED.search(str(wide))):
        assert error_at(network, int(again[1]), int(again[2]), aux) is None
        assert int(again[2]) >= 2 * side


@pytest.mark.parametrize("name", ["inception_v1", "bn_inception", "inception_v4@caffe"])
def test_no_smaller_image_works(name: str) -> None:
    """Pools that round up fit some sizes only: larger ones may not work, and none that is smaller does."""
    network = ins.load(name)
    found = SIZED.search(str(error_at(network, 1, 1, False)))
    assert found
    assert all(error_at(network, side, side, False) is not None for side in range(1, int(found[1])))


def test_auxiliary_classifiers_that_do_not_fit() -> None:
    with pytest.raises(
        ShapeError, match=r"aux\.aux\.body\.0: .*at least 299x299 pixels, or leave .* with aux=False, or"
    ):
        ins.compile("inception_v3", input_size=80, aux=True)
    ins.compile("inception_v3", input_size=80, width=0.1)
    with pytest.raises(ShapeError, match=r"aux=False \(then 75x75 pixels are enough\)"):
        ins.compile("inception_v3", input_size=40, aux=True)
    with pytest.raises(ShapeError, match=r"map; use images of at least 75x75 pixels, or use a smaller kernel"):
        ins.compile("inception_v3", input_size=40)


def test_the_advice_is_that_of_the_network_as_it_was_changed() -> None:
    with pytest.raises(ShapeError) as whole:
        ins.compile("inception_v4", input_size=8)
    with pytest.raises(ShapeError) as strided:
        ins.compile("inception_v4", input_size=8, stem_stride=1)
    sizes = [int(found[1]) for error in (whole, strided) if (found := SIZED.search(str(error.value)))]
    assert sizes[0] > sizes[1] > 8
    ins.compile("inception_v4", input_size=sizes[1], stem_stride=1, width=0.1)


def test_a_document_and_a_module_and_a_copy_in_another_process() -> None:
    text = (
        "schema: inception-search/network\nversion: 1\nname: n\ninput: 3x4x9\nstages: {a: 7x7 4 valid, b: 3x3 4 valid}"
    )
    with pytest.raises(ShapeError) as caught:
        ins.lower(ins.load(text))
    copied = pickle.loads(pickle.dumps(caught.value))
    for error in (caught.value, copied):
        assert "line 5: a.conv: " in str(error)
        assert "use images of at least 9x9 pixels" in str(error)
    with pytest.raises(ShapeError, match="use images of at least 3x3 pixels"):
        ins.draw("inception_v3.mixed_6a", input_shape=(3, 2, 2))


def test_no_size_is_named_where_none_works() -> None:
    text = HEADER + "input: 3x4x4\nstages: {a: [{adaptive_pool: {size: 2x2}}, 3x3 4 valid]}"
    with pytest.raises(ShapeError, match="larger than its 2x2 map; use a smaller kernel or stride, or same padding"):
        ins.lower(ins.load(text))
