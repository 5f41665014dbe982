"""Damaged and hostile weight files: always a WeightsError that names the file, and nothing in them is run."""

from __future__ import annotations

import io
import json
import os
import pickle
import random
import re
import sys
import zipfile
from collections.abc import Callable, Iterator
from functools import reduce
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import torch

from inception_search.errors import WeightsError
from inception_search.spec.safetensors_header import read_metadata
from inception_search.weights.checkpoint import read_checkpoint
from inception_search.weights.files.keras_order import layer_configs, own_names
from tests.bounds import bounded, few_calls
from tests.weights.weight_files import (
    KERNEL,
    NUMBERED,
    TABLE_END,
    WRITERS,
    fake_tensorflow,
    write_keras,
    write_legacy_h5,
    write_zip,
    zip_entries,
)

HUGE = 1 << 40


def refused(path: Path, text: str) -> None:
    """Reading ``path`` is a WeightsError that names the file and says ``text``, and more than its bare rule."""
    with pytest.raises(WeightsError, match=text) as caught:
        read_checkpoint(path)
    error = caught.value
    assert str(error).startswith(str(path))
    assert error.hint or error.expected or error.found is not None
    assert str(error).isprintable()
    assert "weights_only" not in str(error)


# Pickles that want to run something -------------------------------------------------------------------------


class Calls:
    """Pickles as a call of ``function`` with ``arguments``."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.parts = (function, arguments)

    def __reduce__(self) -> tuple[Any, ...]:
        return self.parts


def hostile(canary: Path) -> dict[str, Any]:
    touch = f"{sys.executable} -c \"open({str(canary)!r}, 'w')\""
    return {
        "at the top": Calls(os.system, touch),
        "as a value": {"weight": torch.ones(2), "bias": Calls(os.system, touch)},
        "as a key": {Calls(eval, f"open({str(canary)!r}, 'w')"): torch.ones(1)},
        "beside": {"state_dict": {"weight": torch.ones(2)}, "epoch": Calls(os.system, touch)},
        "by its dotted name": {"weight": Calls(Path.touch, canary)},
        "of torch": {"weight": Calls(torch.save, [1], str(canary))},
    }


def test_the_canary_would_have_sung(tmp_path: Path) -> None:
    """The same bytes do run in the stock reader: the tests below test something."""
    pickle.loads(pickle.dumps(hostile(tmp_path / "canary")["at the top"]))
    assert (tmp_path / "canary").exists()


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("case", hostile(Path("x")))
def test_a_hostile_pickle_runs_nothing(tmp_path: Path, case: str, zipped: bool) -> None:
    canary, path = tmp_path / "canary", tmp_path / "model.pth"
    torch.save(hostile(canary)[case], path, _use_new_zipfile_serialization=zipped)
    refused(path, r"contains code that would run on loading; none of it was run, got '[\w.]+'.*as safetensors")
    assert not canary.exists()


@pytest.mark.parametrize("protocol", range(6))
def test_a_plain_pickle_runs_nothing(tmp_path: Path, protocol: int) -> None:
    canary, path = tmp_path / "canary", tmp_path / "model.pt"
    path.write_bytes(pickle.dumps(hostile(canary)["at the top"], protocol))
    refused(path, r"nothing of it was run|not a weight file of a known kind")
    assert not canary.exists()


def test_a_whole_model_is_not_a_state_dict(tmp_path: Path) -> None:
    torch.save(torch.nn.Linear(1, 1), tmp_path / "model.pth")
    refused(tmp_path / "model.pth", r"got 'torch\.nn\.modules\.linear\.Linear'")


def test_a_torchscript_archive_is_told_apart(tmp_path: Path) -> None:
    write_zip(tmp_path / "model.pt", {"m/data.pkl": b"x", "m/constants.pkl": b"x", "m/code/__torch__.py": b"x"})
    refused(tmp_path / "model.pt", "TorchScript.*torch.jit.load")


# Damage -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", WRITERS)
def test_a_file_that_is_cut_off(tmp_path: Path, name: str) -> None:
    WRITERS[name](tmp_path / name)
    content = (tmp_path / name).read_bytes()
    lengths = {1, 2, 5, 8, 9, 12, 20, 100, 1000, len(content) // 2, len(content) - 30, len(content) - 1}
    for length in sorted(length for length in lengths if length < len(content)):
        (tmp_path / name).write_bytes(content[:length])
        # A pickle that ends inside the name of a function seems to name another one.
        words = r"damaged|cut off|not a weight file of a known kind"
        refused(tmp_path / name, words + r"|contains code" * (name == "legacy.pth"))


@pytest.mark.parametrize("name", WRITERS)
def test_flipped_bits_raise_nothing_else(tmp_path: Path, name: str) -> None:
    """Formats without checksums may read other numbers; nothing but a WeightsError comes out."""
    WRITERS[name](tmp_path / name)
    content = (tmp_path / name).read_bytes()
    choose = random.Random(0)
    refusals = 0
    for _ in range(75):
        damaged = bytearray(content)
        damaged[choose.randrange(len(content))] ^= 1 << choose.randrange(8)
        (tmp_path / name).write_bytes(damaged)
        try:
            read_checkpoint(tmp_path / name)
        except WeightsError:
            refusals += 1
    assert refusals


@pytest.mark.parametrize("name", ["model.pth", "model.keras"])
def test_a_flipped_bit_among_the_numbers_of_a_zip_file_is_found(tmp_path: Path, name: str) -> None:
    WRITERS[name](tmp_path / name)
    content = bytearray((tmp_path / name).read_bytes())
    place = content.index(np.arange(10, dtype=np.float32).tobytes())
    content[place + 5] ^= 1
    (tmp_path / name).write_bytes(content)
    refused(tmp_path / name, "checksum of an entry is wrong.*fetch the file again")


# Sizes ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("layout", ["torch", "keras"])
def test_a_zip_bomb(tmp_path: Path, layout: str) -> None:
    path = tmp_path / "model.pt"
    name = "model.weights.h5" if layout == "keras" else "m/data/0"
    write_zip(path, {"m/data.pkl": b"x", name: bytes(1 << 23)}, zipfile.ZIP_DEFLATED)
    refused(path, r"unpacks to too much \(a zip bomb\?\), got 838\d+ bytes in a file of \d+")


def test_a_zip_file_packed_in_another_way(tmp_path: Path) -> None:
    write_zip(tmp_path / "model.pt", {"m/data.pkl": bytes(1000)}, zipfile.ZIP_LZMA)
    refused(tmp_path / "model.pt", "compressed in an unknown way")


@pytest.mark.parametrize("zipped", [True, False])
def test_a_tensor_that_pretends_to_be_huge(tmp_path: Path, zipped: bool) -> None:
    value = {"weight": torch.ones(1).expand(1 << 30)}
    torch.save(value, tmp_path / "model.pth", _use_new_zipfile_serialization=zipped)
    assert (tmp_path / "model.pth").stat().st_size < 3000
    refused(tmp_path / "model.pth", "weight: the tensor claims more values than are stored, got shape .* over 4 stored")
    with pytest.raises(WeightsError, match="claims more values"):
        read_checkpoint(value)


@pytest.mark.parametrize("claimed", [1000, 10**6, 2 * 10**9])
def test_a_storage_that_claims_more_than_its_entry(tmp_path: Path, claimed: int) -> None:
    torch.save({"weight": torch.ones(4)}, tmp_path / "model.pth")
    entries = zip_entries(tmp_path / "model.pth")
    pickled = entries["model/data.pkl"].replace(b"K\x04", b"J" + claimed.to_bytes(4, "little"))
    write_zip(tmp_path / "model.pth", {**entries, "model/data.pkl": pickled})
    refused(tmp_path / "model.pth", "damaged, cut off or not of weights")


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (lambda: torch.eye(3).to_sparse(), "sparse"),
        (lambda: torch.empty(2, device="meta"), "meta"),
        (lambda: torch.quantize_per_tensor(torch.ones(2), 0.1, 0, torch.qint8), "quantized"),
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_tensors_of_other_kinds(tmp_path: Path, value: Callable[[], torch.Tensor], kind: str) -> None:
    torch.save({"weight": value()}, tmp_path / "model.pth")
    refused(tmp_path / "model.pth", f"weight: {kind} tensors cannot be read.*dense")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({1: torch.ones(1)}, "the names of tensors must be text, got 1"),
        ({"a": torch.ones(1), "b": 3}, "b: this entry is not a tensor"),
        ({"a\x1b[2J": 3}, r"a\\x1b\[2J: this entry"),
        ([torch.ones(1)], "not a state dict, got 'builtins.list'"),
        (torch.ones(1), r"not a state dict, got 'torch.*Tensor'"),
        ({}, "no weights in it"),
    ],
)
def test_a_file_of_something_else(tmp_path: Path, value: Any, text: str) -> None:
    torch.save(value, tmp_path / "model.pth")
    refused(tmp_path / "model.pth", text)


# Structures without end, and more names than any network has --------------------------------------------------


@pytest.fixture
def at_once() -> Iterator[None]:
    """The test ends."""
    with bounded():
        yield


def in_itself(key: str, **others: Any) -> dict[str, Any]:
    value: dict[str, Any] = {}
    value[key] = value
    return value | others


def two_in_each_other() -> dict[str, Any]:
    one: dict[str, Any] = {"epoch": 3}
    one["model"] = {"state_dict": one, **{f"n{i}": i for i in range(100)}}
    return one


ENDLESS: dict[str, Callable[[], dict[str, Any]]] = {
    "itself": lambda: in_itself("state_dict"),
    "itself and more": lambda: in_itself("model", epoch=3, **{f"n{i}": i for i in range(1000)}),
    "each other": two_in_each_other,
    "deeper than anybody": lambda: reduce(lambda inner, _: {"state_dict": inner}, range(50), {"a": torch.ones(1)}),
}


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("name", ENDLESS)
def test_dictionaries_that_hold_themselves(tmp_path: Path, name: str, zipped: bool, at_once: None) -> None:
    value = ENDLESS[name]()
    torch.save(value, tmp_path / "model.pth", _use_new_zipfile_serialization=zipped)
    refused(tmp_path / "model.pth", "nested too deeply, or hold themselves; expected at most 8")
    with pytest.raises(WeightsError, match="hold themselves"):
        read_checkpoint(value)


def nested_tuple(times: int) -> bytes:
    """A pickle with a key that is a tuple of a tuple twice, of a tuple twice ...: its hash takes 2 ** times steps."""
    return b"\x80\x02}()" + b"q\x00h\x00\x86" * times + b"Nu."


@pytest.mark.parametrize("zipped", [True, False])
def test_a_key_whose_hash_never_ends(tmp_path: Path, zipped: bool, at_once: None) -> None:
    torch.save({"weight": torch.ones(4)}, tmp_path / "model.pth", _use_new_zipfile_serialization=zipped)
    if zipped:
        write_zip(tmp_path / "model.pth", {**zip_entries(tmp_path / "model.pth"), "model/data.pkl": nested_tuple(60)})
    else:
        (tmp_path / "model.pth").write_bytes(nested_tuple(60))
    refused(tmp_path / "model.pth", "tuples within tuples without end; expected at most 100000 parts")


# A torch.Size of 40,000 ones, and a tuple of it 40,000 times: its hash takes half a minute. A tuple used as many keys.
SIZES = b"\x80\x02ctorch\nSize\n(" + b"K\x01" * 40_000 + b"t\x85Rq\x01}(" + b"h\x01" * 40_000 + b"tK\x01s."
KEYS = b"\x80\x02(" + b"K\x01" * 40_000 + b"tq\x01}" + b"h\x01K\x01s" * 100_000 + b"."


@pytest.mark.parametrize("pickled", [SIZES, KEYS], ids=["sizes", "keys"])
def test_keys_whose_hashes_take_minutes(tmp_path: Path, pickled: bytes, at_once: None) -> None:
    with zipfile.ZipFile(tmp_path / "model.pth", "w") as archive:
        archive.writestr("archive/data.pkl", pickled)
        archive.writestr("archive/version", "3\n")
    refused(tmp_path / "model.pth", "tuples within tuples without end; expected at most 100000 parts")


def test_a_key_that_takes_for_ever_to_print(at_once: None) -> None:
    key = reduce(lambda inner, _: (inner, inner), range(15), ("x",))
    with pytest.raises(WeightsError, match="names of tensors must be text"):
        read_checkpoint({key: torch.ones(1)})


def test_a_pickle_of_too_many_steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from inception_search.weights.files import pickle_checks, torch_file

    monkeypatch.setattr(pickle_checks, "_MOST_STEPS", 1000)
    monkeypatch.setattr(torch_file, "_load", lambda *_, **__: pytest.fail("read"))
    for zipped in (True, False):
        value = {"weight": torch.ones(1), "curve": [None] * 1000}
        torch.save(value, tmp_path / "model.pth", _use_new_zipfile_serialization=zipped)
        refused(tmp_path / "model.pth", "too many steps to be read, got 1001; expected at most 1000")
    monkeypatch.setattr(torch_file, "LARGEST_PICKLE", 100)
    torch.save({"weight": torch.ones(1)}, tmp_path / "model.pth")
    refused(tmp_path / "model.pth", "the pickle in the PyTorch file is too large")


MANY = 10_001


def test_more_names_than_any_network_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_once: None) -> None:
    one = torch.ones(1)
    with pytest.raises(WeightsError, match="too many entries, got 10001; expected at most 10000"):
        read_checkpoint({f"n{i}": one for i in range(MANY)})
    header = {f"n{i}": {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]} for i in range(MANY)}
    (tmp_path / "model.safetensors").write_bytes(safetensors(header, numbers=b""))
    refused(tmp_path / "model.safetensors", "too many tensors, got 10001")
    fake_tensorflow(monkeypatch, {f"n{i}": one for i in range(MANY)})
    (tmp_path / "model.ckpt").write_bytes(b"x" * 100 + TABLE_END)
    refused(tmp_path / "model.ckpt", "too many variables, got 10001")


def test_more_entries_of_a_zip_file_than_any_network_has(tmp_path: Path) -> None:
    write_zip(tmp_path / "model.pth", {"m/data.pkl": b"x", **{f"m/{i}": b"" for i in range(MANY)}})
    refused(tmp_path / "model.pth", "too many entries, got 10002")
    write_zip(tmp_path / "model.pth", {"m/data.pkl": b"x", **{f"m/{i}{'x' * 60_000}": b"" for i in range(80)}})
    refused(tmp_path / "model.pth", "table of contents of the zip file is too large")


@pytest.mark.parametrize("legacy", [True, False])
def test_more_groups_than_any_network_has(tmp_path: Path, legacy: bool) -> None:
    with h5py.File(tmp_path / "model.h5", "w") as file:
        group = file.create_group("a" if legacy else "layers")
        if legacy:
            file.attrs["layer_names"], group.attrs["weight_names"] = [b"a"], [b"x"]
        for i in range(5_001):
            group.create_group(f"n{i}")
    refused(tmp_path / "model.h5", r"too many groups and datasets, got 500\d; expected at most 5000")


def test_layers_of_very_many_kinds_in_a_config(tmp_path: Path) -> None:
    """Matching them to the groups once took a step for each pair."""
    config = [{"class_name": f"Kind{i}", "config": {"name": f"n{i}"}} for i in range(5000)]
    write_keras(tmp_path / "model.keras", NUMBERED, {"config": {"layers": config}})
    with few_calls(1_000_000):
        assert len(read_checkpoint(tmp_path / "model.keras").tensors) == 4
        own_names([f"group{'x' * (i % 7)}_a{i}x" for i in range(5000)], layer_configs({"config": {"layers": config}}))


# Zip files --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["../evil", "/etc/evil", "a/../../evil", "..\\evil", "C:\\evil", "\\evil"])
def test_names_that_lead_out_of_a_zip_file(tmp_path: Path, name: str) -> None:
    torch.save({"weight": torch.ones(4)}, tmp_path / "model.pth")
    write_zip(tmp_path / "model.pth", {**zip_entries(tmp_path / "model.pth"), name: b"x"})
    refused(tmp_path / "model.pth", "leads out of it, got .*evil")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_twice_in_a_zip_file(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "model.pth", "w") as archive:
        for _ in range(2):
            archive.writestr("m/data.pkl", b"x")
    refused(tmp_path / "model.pth", "occurs twice")


def test_zip_files_of_something_else(tmp_path: Path) -> None:
    write_zip(tmp_path / "model.zip", {"readme.txt": b"x"})
    refused(tmp_path / "model.zip", r"no weights of a known kind, got readme\.txt; expected data\.pkl")
    write_zip(tmp_path / "model.zip", {})
    refused(tmp_path / "model.zip", "got nothing in it")


@pytest.mark.parametrize("config", [b"{", b"\xff", b"[" * 100_000])
def test_a_keras_file_with_a_damaged_config(tmp_path: Path, config: bytes) -> None:
    write_keras(tmp_path / "model.keras", NUMBERED, config)
    refused(tmp_path / "model.keras", "config.json: the config in the .keras file is damaged")


# Safetensors ------------------------------------------------------------------------------------------------


def safetensors(header: Any, length: int | None = None, numbers: bytes = bytes(16)) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return (len(text) if length is None else length).to_bytes(8, "little") + text + numbers


TENSOR = {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]}


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (safetensors({"a": TENSOR}, length=HUGE), "cut off inside its header"),
        (safetensors({"a": TENSOR}, length=2**63), "cut off inside its header"),
        (safetensors({"a": TENSOR}, length=5), "header of the safetensors file is damaged"),
        (safetensors({"a": TENSOR}, length=70), "damaged"),
        (safetensors(b"{not json}"), "damaged"),
        (safetensors(b'{"a":' + b"[" * 50_000), "damaged"),
        (safetensors({"a": {**TENSOR, "shape": [HUGE, HUGE]}}), "damaged or cut off"),
        (safetensors({"a": {**TENSOR, "shape": [1 << 30]}}), "damaged or cut off"),
        (safetensors({"a": {**TENSOR, "data_offsets": [0, HUGE]}}), "damaged or cut off"),
        (safetensors({"a": {**TENSOR, "dtype": "F99"}}), "damaged or cut off"),
        (safetensors({"a": TENSOR, "b": TENSOR}), "damaged or cut off"),
        (safetensors({"a": 3}), "damaged or cut off"),
        (safetensors({"a": TENSOR}, numbers=bytes(15)), "damaged or cut off"),
        (safetensors({"a": TENSOR, "__metadata__": {"x": 3}}), "metadata does not map names to texts"),
        (safetensors(b'{"a":%b,"a":%b}' % ((json.dumps(TENSOR).encode(),) * 2)), "names something twice"),
        (safetensors({"__metadata__": {"x": "y"}}, numbers=b""), "no weights in it"),
    ],
)
def test_headers_that_lie(tmp_path: Path, content: bytes, text: str) -> None:
    (tmp_path / "model.safetensors").write_bytes(content)
    refused(tmp_path / "model.safetensors", text)


def test_metadata_of_a_damaged_file(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    for content in (b"", b"abc", safetensors({}, length=HUGE), safetensors(b"[]"), safetensors({"__metadata__": [1]})):
        path.write_bytes(content)
        with pytest.raises(WeightsError, match=f"^{re.escape(str(path))}: "):
            read_metadata(path)
    for wrong in (tmp_path, tmp_path / "missing"):
        with pytest.raises(WeightsError, match=r"cannot be read \("):
            read_metadata(wrong)


# HDF5 -------------------------------------------------------------------------------------------------------

VARS = "layers/conv2d/vars"


def external_link(file: h5py.File) -> None:
    file[f"{VARS}/0"] = h5py.ExternalLink("other.h5", "/secret")


def external_group(file: h5py.File) -> None:
    file["layers"] = h5py.ExternalLink("other.h5", "/")


def soft_link(file: h5py.File) -> None:
    file[f"{VARS}/0"] = h5py.SoftLink("/layers/dense/vars/0")
    file["layers/dense/vars/0"] = KERNEL


def external_storage(file: h5py.File) -> None:
    file.create_dataset(f"{VARS}/0", (4,), "f4", external=[("other.bin", 0, 16)])


def virtual(file: h5py.File) -> None:
    layout = h5py.VirtualLayout((4,), "f4")
    layout[:] = h5py.VirtualSource("other.h5", "secret", (4,))
    file.create_virtual_dataset(f"{VARS}/0", layout)


def never_written(file: h5py.File) -> None:
    file.create_dataset(f"{VARS}/0", (1 << 28,), "f4")


def never_written_chunks(file: h5py.File) -> None:
    file.create_dataset(f"{VARS}/0", (1 << 15, 1 << 13), "f4", chunks=(16, 16), compression="gzip")


def beyond_all_memory(file: h5py.File) -> None:
    file.create_dataset(f"{VARS}/0", (HUGE, 1 << 10), "f4", chunks=(16, 16))


def texts(file: h5py.File) -> None:
    file[f"{VARS}/0"] = [b"text"]


def objects(file: h5py.File) -> None:
    file.create_dataset(f"{VARS}/0", (2,), h5py.vlen_dtype(np.float32))


def records(file: h5py.File) -> None:
    file[f"{VARS}/0"] = np.zeros(2, dtype=[("a", "f4"), ("b", "f4")])


def nothing(file: h5py.File) -> None:
    file[f"{VARS}/0"] = h5py.Empty("f4")


def twice(file: h5py.File) -> None:
    file[f"{VARS}/0"] = KERNEL
    file[f"{VARS}/1"] = file[f"{VARS}/0"]


def group_in_itself(file: h5py.File) -> None:
    file[f"{VARS}/0"] = KERNEL
    file["layers/conv2d/layers"] = file["layers"]


def too_deep(file: h5py.File) -> None:
    file["/".join(["a"] * 40) + "/vars/0"] = KERNEL


def group_as_variable(file: h5py.File) -> None:
    file.create_group(f"{VARS}/0")


def named_type(file: h5py.File) -> None:
    file[f"{VARS}/0"] = np.dtype("f4")


def of_something_else(file: h5py.File) -> None:
    file["images"] = KERNEL


@pytest.mark.parametrize(
    ("write", "text"),
    [
        (external_link, r"0: the HDF5 file holds a link that may lead out of it \(ExternalLink\)"),
        (external_group, r"layers: the HDF5 file holds a link that may lead out of it"),
        (soft_link, r"a link that may lead out of it \(SoftLink\).*without links"),
        (external_storage, "values of the dataset lie in other files"),
        (virtual, "values of the dataset lie in other files"),
        (never_written, r"claims more values than the file holds, got shape \(268435456,\)"),
        (never_written_chunks, "claims more values than the file holds"),
        (beyond_all_memory, "too large.*raise max_bytes"),
        (texts, "does not hold numbers"),
        (objects, "does not hold numbers, got 'object'"),
        (records, "does not hold numbers"),
        (nothing, "does not hold numbers, got 'nothing'"),
        (twice, "the same thing under two names"),
        (group_in_itself, "the same thing under two names"),
        (too_deep, "nested too deeply"),
        (group_as_variable, "not a dataset"),
        (named_type, "neither a group nor a dataset"),
        (of_something_else, "not in a layout of Keras"),
    ],
)
def test_hdf5_that_leads_elsewhere_or_lies(tmp_path: Path, write: Callable[[h5py.File], None], text: str) -> None:
    with h5py.File(tmp_path / "other.h5", "w") as other:
        other["secret"] = KERNEL
    with h5py.File(tmp_path / "model.weights.h5", "w") as file:
        write(file)
    refused(tmp_path / "model.weights.h5", text)


def test_links_in_the_old_layout(tmp_path: Path) -> None:
    write_legacy_h5(tmp_path / "model.h5")
    for link in (h5py.ExternalLink("other.h5", "/x"), h5py.SoftLink("/model_weights/conv2d_3/conv2d_3/kernel:0")):
        with h5py.File(tmp_path / "model.h5", "a") as file:
            inside = file["model_weights/conv2d_3/conv2d_3"]
            del inside["bias:0"]
            inside["bias:0"] = link
        refused(tmp_path / "model.h5", "bias:0: the HDF5 file holds a link that may lead out of it")


def test_texts_in_attributes_are_not_read(tmp_path: Path) -> None:
    """HDF5 crashes on some that are damaged, and many can point to one large one and take all memory."""
    write_legacy_h5(tmp_path / "model.h5")
    with h5py.File(tmp_path / "model.h5", "a") as file:
        file["model_weights"].attrs["layer_names"] = ["x" * 1000] * 1000
        file["model_weights/conv2d_3"].attrs["weight_names"] = ["../../x"]
    assert "conv2d_3/kernel" in read_checkpoint(tmp_path / "model.h5").tensors


def test_two_variables_of_the_same_name(tmp_path: Path) -> None:
    layers = [{"class_name": "Conv2D", "config": {"name": "x"}}] * 2
    write_keras(tmp_path / "model.keras", {"conv2d": [KERNEL], "conv2d_1": [KERNEL]}, {"config": {"layers": layers}})
    refused(tmp_path / "model.keras", "x/kernel: two variables have the same name")
    write_legacy_h5(tmp_path / "model.h5")
    with h5py.File(tmp_path / "model.h5", "a") as file:
        file["model_weights/conv2d_3/kernel"] = KERNEL
    refused(tmp_path / "model.h5", "conv2d_3/kernel: two variables have the same name")


def test_a_hostile_hdf5_file_inside_a_keras_file(tmp_path: Path) -> None:
    weights = io.BytesIO()
    with h5py.File(weights, "w") as file:
        external_link(file)
    write_zip(tmp_path / "model.keras", {"model.weights.h5": weights.getvalue()})
    refused(tmp_path / "model.keras", "link that may lead out")
    write_zip(tmp_path / "model.keras", {"model.weights.h5": b"\x89HDF\r\n\x1a\n"})
    refused(tmp_path / "model.keras", "the HDF5 file is damaged or cut off")


# What is no weight file -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"", "the file is empty; fetch it again"),
        (b"hello", r"begins with b'hello'; expected safetensors, PyTorch .* TensorFlow"),
        (b"<!DOCTYPE html><html>", "a web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid", "git lfs pull"),
        (b"\x1f\x8b\x08abc", "a gzip archive: unpack it first"),
        (bytes(257) + b"ustar" + bytes(20), "a tar archive"),
        (b'{"metadata": {}}', "JSON text"),
        (bytes(1000), "not a weight file of a known kind"),
    ],
)
def test_other_files(tmp_path: Path, content: bytes, text: str) -> None:
    for name in ("model.safetensors", "model.pth", "model.ckpt.index"):
        (tmp_path / name).write_bytes(content)
        refused(tmp_path / name, text)


def test_what_is_no_file(tmp_path: Path) -> None:
    refused(tmp_path / "missing.pth", "there is no such file; check the path")
    (tmp_path / "folder.pth").mkdir()
    refused(tmp_path / "folder.pth", "this is a folder, got nothing in it")
    (tmp_path / "folder.pth" / "checkpoint").write_text('model_checkpoint_path: "../../etc/passwd"\n')
    refused(tmp_path / "folder.pth", "this is a folder, got checkpoint")
    os.mkfifo(tmp_path / "pipe")
    refused(tmp_path / "pipe", "not a regular file")


def test_a_file_that_must_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    WRITERS["model.pth"](tmp_path / "model.pth")

    def forbidden(*_: Any, **__: Any) -> Any:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", forbidden)
    refused(tmp_path / "model.pth", "cannot be read, got PermissionError.*Permission denied")
