"""Checked reading of an HDF5 file: nothing outside the file, nothing twice, nothing larger than the file can hold.

HDF5 can point to other files (external links, storage and virtual datasets), call plugins (filters) and
declare arrays that were never written. Keras does none of these, so all are refused. Attributes are never read:
Keras stores variable-length text there, and the HDF5 library crashes or hangs if that is damaged.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO

from inception_search.errors import WeightsError, raw
from inception_search.extras import install
from inception_search.weights.files.contents import check_count, check_total, is_numeric, to_tensor

if TYPE_CHECKING:
    import h5py
    import torch

_FILTERS = frozenset({1, 2, 3, 32000})  # deflate, shuffle, checksum, lzf: the filters that HDF5 and h5py include
_EXPANSION = 1100  # deflate packs at most 1032 to 1
_DEEPEST = 32  # groups within groups; models within models take four each
_MOST_NAMES = 5_000  # groups and datasets, read in two seconds; the largest networks have two thousand
_HINT = "fetch the file again from where it was published"


class CheckedHdf5:
    """Groups and datasets of an HDF5 file of ``size`` bytes; every method raises WeightsError."""

    def __init__(self, file: h5py.File, size: int, max_bytes: int) -> None:
        self.root: h5py.Group = file["/"]
        self._size = size
        self._max_bytes = max_bytes
        self._stored = 0
        self._total = 0
        self._names = 0  # groups and datasets listed so far
        self._seen: set[int] = set()

    def names(self, group: h5py.Group) -> list[str]:
        """The names in ``group``; each group may be listed only once, because a group may contain itself."""
        name = str(group.name)
        self._once(group, name)
        if name.count("/") > _DEEPEST:
            raise WeightsError("groups are nested too deeply", path=name, expected=f"at most {_DEEPEST}", hint=_HINT)
        self._names += len(group)
        check_count(self._names, "groups and datasets", _MOST_NAMES)
        return list(group)

    def child(self, group: h5py.Group, name: str) -> h5py.Group | h5py.Dataset:
        """The group or dataset at ``name`` under ``group``; every link on the path must stay inside the file."""
        import h5py

        for part in name.split("/"):
            path = f"{group.name}/{part}".lstrip("/")
            if not isinstance(group, h5py.Group) or part in ("", ".") or part not in group:
                raise WeightsError("something is missing in the HDF5 file", path=path, hint=_HINT)
            if not isinstance(link := group.get(part, getlink=True), h5py.HardLink):
                rule = f"the HDF5 file holds a link that may lead out of it ({type(link).__name__})"
                raise WeightsError(rule, path=path, hint="save the weights in one file, without links")
            group = group[part]
        if not isinstance(group, h5py.Group | h5py.Dataset):
            raise WeightsError("this is neither a group nor a dataset", path=name, hint=_HINT)
        return group

    def read(self, dataset: h5py.Dataset) -> torch.Tensor:
        """The values of ``dataset``, which must not have been read before."""
        name = str(dataset.name).lstrip("/")
        self._once(dataset, name)
        if dataset.shape is None or not is_numeric(dataset.dtype):
            found = "nothing" if dataset.shape is None else str(dataset.dtype)
            raise WeightsError("the dataset does not hold numbers", path=name, found=found, hint=_HINT)
        if dataset.is_virtual or dataset.external:
            hint = "save the weights in one file"
            raise WeightsError("the values of the dataset lie in other files", path=name, hint=hint)
        self._check_size(dataset, name)
        return to_tensor(dataset[()], name)

    def _once(self, thing: h5py.Group | h5py.Dataset, name: str) -> None:
        import h5py

        address = h5py.h5o.get_info(thing.id).addr
        if address in self._seen:
            raise WeightsError("the HDF5 file holds the same thing under two names", path=name, hint=_HINT)
        self._seen.add(address)

    def _check_size(self, dataset: h5py.Dataset, name: str) -> None:
        layout = dataset.id.get_create_plist()
        filters = {layout.get_filter(i)[0] for i in range(layout.get_nfilters())}
        if filters - _FILTERS:
            raise WeightsError("the dataset is compressed in an unknown way", path=name, found=filters - _FILTERS)
        stored = dataset.id.get_storage_size()
        self._stored += stored
        self._total += dataset.nbytes
        check_total(self._total, self._max_bytes)
        if dataset.nbytes > stored * (_EXPANSION if filters else 1) or self._stored > self._size:
            raise WeightsError(
                "the dataset claims more values than the file holds",
                path=name,
                found=raw(f"shape {dataset.shape}, {dataset.nbytes} bytes, of which {stored} are stored"),
                hint=_HINT,
            )


@contextmanager
def open_hdf5(source: str | BinaryIO, size: int, max_bytes: int) -> Iterator[CheckedHdf5]:
    """The HDF5 file at the path or in the stream ``source``; WeightsError if it is damaged or h5py is missing."""
    try:
        import h5py
    except ImportError:
        raise WeightsError("reading HDF5 files needs h5py, which is not installed", hint=install("keras")) from None
    try:
        with h5py.File(source, "r", locking=False) as file:
            yield CheckedHdf5(file, size, max_bytes)
    except WeightsError:
        raise
    except Exception as error:  # h5py raises many types of errors for a damaged file
        found = raw(f"{type(error).__name__}: {error}")
        raise WeightsError("the HDF5 file is damaged or cut off", found=found, hint=_HINT) from None
