"""The pickle reader runs nothing, whatever a file says."""

from __future__ import annotations

import os
import pickle
import struct
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inception_search.data.catalogue import load_data
from inception_search.data.safe_pickle import read_pickle
from inception_search.errors import DataError
from tests.bounds import bounded
from tests.data.datasets_on_disk import write_cifar_python, write_pickle


class Calls:
    """Pickles as a call of ``function`` with ``arguments``."""

    def __init__(self, function: Any, *arguments: Any, state: Any = None) -> None:
        self.parts = (function, arguments) if state is None else (function, arguments, state)

    def __reduce__(self) -> tuple[Any, ...]:
        return self.parts


def test_plain_values_and_arrays(tmp_path: Path) -> None:
    pixels = np.arange(12, dtype=np.uint8).reshape(3, 4)
    value = {b"data": pixels, "labels": [1, 2], "names": [b"cat", "dog"], "n": 3, "note": "text", "none": None}
    for protocol in range(5):
        write_pickle(tmp_path / "batch", value, protocol)
        found = read_pickle(tmp_path / "batch")
        assert np.array_equal(found.pop("data"), pixels)
        assert found == {"labels": [1, 2], "names": ["cat", "dog"], "n": 3, "note": "text", "none": None}


def hostile_values(canary: Path) -> dict[str, Any]:
    touch = f"{sys.executable} -c \"open({str(canary)!r}, 'w')\""
    return {
        "a call at the top": Calls(os.system, touch),
        "a call in a value": {"data": Calls(os.system, touch)},
        "a call in a list": {"labels": [1, Calls(eval, f"open({str(canary)!r}, 'w')")]},
        "a call as a key": {Calls(os.system, touch): 1},
        "a call that yields state": {"data": Calls(dict, state=Calls(os.system, touch))},
        "a method by its dotted name": {"data": Calls(Path.touch, canary)},
        "numpy's own door": {"data": Calls(np.load, str(canary))},
        "a file made by numpy": {"data": Calls(np.savetxt, str(canary), [1])},
    }


@pytest.mark.parametrize("protocol", [0, 2, 4, 5])
@pytest.mark.parametrize("case", hostile_values(Path("x")))
def test_a_hostile_pickle_runs_nothing(tmp_path: Path, case: str, protocol: int) -> None:
    canary = tmp_path / "canary"
    write_pickle(tmp_path / "batch", hostile_values(canary)[case], protocol)
    with pytest.raises(DataError, match="the pickle names something no batch needs") as caught:
        read_pickle(tmp_path / "batch")
    assert not canary.exists()
    assert str(caught.value).startswith(f"{tmp_path / 'batch'}: ")


def test_the_canary_would_have_sung(tmp_path: Path) -> None:
    """The same bytes do run in the stock reader: the test above tests something."""
    canary = tmp_path / "canary"
    pickle.loads(pickle.dumps(hostile_values(canary)["a call at the top"]))
    assert canary.exists()


RECONSTRUCT = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\n"
RAW: dict[str, bytes] = {
    "nothing": b"",
    "text": b"this is no pickle",
    "cut off": pickle.dumps({"data": "x" * 100})[:-20],
    "not a dict": pickle.dumps([1, 2, 3]),
    "memo number that reserves gigabytes": b"\x80\x02}r\xff\xff\xff\x7f.",
    "bytes announced that are not there": b"\x80\x04\x8e" + struct.pack("<Q", 1 << 60) + b".",
    "an unknown opcode": b"\x80\x02\xff.",
    "a persistent id": b"\x80\x02}U\x01aPid\nsU.",
    "an extension code": b"\x80\x02}(U\x01a\x82\x01u.",
    "a huge array without content": RECONSTRUCT + b"(I99999999999\ntU\x01b\x87R.",
    "a shape that lies": b"}(U\x01d" + RECONSTRUCT + b"(I0\ntU\x01b\x87R(I1\n(I-2\nI-2\ntNI00\nU\x04abcdtbu.",
    "state on a function": b"cnumpy.core.multiarray\n_reconstruct\n}(U\x08__code__NubU.",
    "state on a class": b"cnumpy\nndarray\n}(U\x0c__setstate__Nub.",
    "another codec": b"}(U\x01ac_codecs\nencode\n(U\x01aU\x05rot13tRu.",
}


@pytest.mark.parametrize("case", RAW)
def test_damaged_and_lying_pickles(tmp_path: Path, case: str) -> None:
    (tmp_path / "batch").write_bytes(RAW[case])
    with pytest.raises(DataError) as caught:
        read_pickle(tmp_path / "batch")
    assert str(caught.value).startswith(f"{tmp_path / 'batch'}: ")


def nested_list(levels: int) -> list[Any]:
    """A list whose text doubles with every level."""
    value: list[Any] = []
    for _ in range(levels):
        value = [value, value]
    return value


def doubled_tuples(levels: int) -> bytes:
    """Opcodes of a tuple of a tuple ..., each twice in the next: its hash takes 2 ** levels steps."""
    return b")" + b"".join(b"q%c0h%ch%c\x86" % (i, i, i) for i in range(levels))


ENDLESS: dict[str, bytes] = {
    "nested lists as the names of classes": pickle.dumps({"label_names": nested_list(60)}, protocol=2),
    "a nested list as a class": pickle.dumps({"label_names": ["cat", nested_list(60)]}, protocol=2),
    "a nested tuple as a key": b"\x80\x02}" + doubled_tuples(60) + b"Ns.",
    "a nested tuple as a module's name": b"\x80\x04}U\x01a" + doubled_tuples(60) + b"U\x01b\x93s.",
    "a nested tuple as a codec": b"}U\x01ac_codecs\nencode\nU\x01a" + doubled_tuples(60) + b"\x86Rs.",
    "a nested tuple as a type": b"}U\x01acnumpy\ndtype\n" + doubled_tuples(60) + b"\x85Rs.",
    "a deep tuple as a key": b"}" + b")" + b"\x85" * 150_000 + b"Ns.",
    "a set of nested tuples": b"\x80\x04}U\x01a\x8f(" + doubled_tuples(60) + b"\x90s.",
    "millions of steps": b"\x80\x02" + b"N0" * 5_000_000 + b"}.",
    "a list in itself": b"}U\x0blabel_names]q\x00h\x00as.",
    "a shape that multiplies a list": b"}(U\x01d"
    + RECONSTRUCT
    + b"(I0\ntU\x01b\x87R(I1\n(I999999999\n]NatNI00\nU\x00tbu.",
}


@pytest.mark.parametrize("case", ENDLESS)
def test_a_file_that_would_take_for_ever_is_refused_soon(tmp_path: Path, case: str) -> None:
    """As the meta file of CIFAR-10."""
    folder = write_cifar_python(tmp_path / "cifar-10-batches-py")
    (folder / "batches.meta").write_bytes(ENDLESS[case])
    with bounded(), pytest.raises(DataError) as caught:
        load_data("cifar10", root=folder)
    assert str(caught.value).startswith(f"{folder / 'batches.meta'}: ")


@given(st.integers(0, 400), st.integers(0, 255))
def test_a_changed_byte_gives_a_dict_or_a_data_error(
    tmp_path_factory: pytest.TempPathFactory, place: int, byte: int
) -> None:
    content = bytearray(pickle.dumps({"data": np.zeros((2, 9), dtype=np.uint8), "labels": [0, 1]}, protocol=2))
    content[place % len(content)] = byte
    file = tmp_path_factory.mktemp("changed") / "batch"
    file.write_bytes(content)
    with suppress(DataError):
        assert isinstance(read_pickle(file), dict)
