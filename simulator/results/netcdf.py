"""A result as a netCDF-4 file, without loss.

Written and read with h5py alone, by the rules of netCDF-4 (dimension scales, creation order), because a run has some
hundred small variables and h5netcdf takes two milliseconds for each; tests read the files with xarray and h5netcdf.
The big arrays are compressed by threads (shuffle, zlib level 4) and their chunks put in place as they are, because
HDF5's own filters use one core.
"""

from __future__ import annotations

import errno
import os
import shutil
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import islice, product
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.results.arrays import Group, Groups, Named, is_coordinate
from simulator.results.variables import variable

ROOT = "/"
SMALL_BYTES = 1 << 16
CHUNK_BYTES = 1 << 20
LEVEL, FAST_LEVEL = 4, 1
PROBE_BYTES, WORTH = 1 << 14, 0.35
"""Of a chunk written fast: how much is deflated to see what that gains, and the share that it must shrink to."""
ALL_FILTERS, NO_FILTER = 0b00, 0b11
THREADS = 4
IN_MEMORY_BYTES = 1 << 30
AHEAD = 64
NO_VARIABLE = "This is a netCDF dimension but not a netCDF variable."
OF_HDF5 = frozenset({"CLASS", "NAME", "REFERENCE_LIST", "DIMENSION_LIST", "_Netcdf4Dimid", "_Netcdf4Coordinates"})
FILTERS = {"compression": "gzip", "compression_opts": LEVEL, "shuffle": True}


class Big(NamedTuple):
    """An array that is written in compressed chunks: where it goes, the array, the shape of a chunk."""

    address: str
    values: NDArray[Any]
    chunk: tuple[int, ...]


def write(path: Path, attrs: dict[str, Any], groups: Groups, fast: bool = False) -> None:
    """Write a result; the same result gives the same bytes. `fast`: deflate lightly, and only what gains much.

    The file is built in memory and written by Python, because HDF5 may end the process where a disk is full. What is
    too big for that is written in place, when the disk has room for all of it.

    Raises
    ------
    OSError
        The disk is full, or the file cannot be written.
    """
    size = sum(array.values.nbytes for group in groups.values() for array in group.values())
    if size > IN_MEMORY_BYTES:
        if shutil.disk_usage(path.parent).free < size:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        _build(path, attrs, groups, fast)
    else:
        path.write_bytes(_build(path, attrs, groups, fast, driver="core", backing_store=False))


def _build(path: Path, attrs: dict[str, Any], groups: Groups, fast: bool, **how: Any) -> bytes:
    """Build the file on the disk, or in memory where the driver is `core`; its bytes are then given back."""
    import h5py

    with h5py.File(path, "w", libver=("v108", "v110"), track_order=True, **how) as file:
        file.attrs["_NCProperties"] = np.bytes_(f"version=2,h5py={h5py.__version__},hdf5={h5py.version.hdf5_version}")
        file.attrs.update(attrs)
        big = [
            array
            for name, group in groups.items()
            for array in _write_group(file if name == ROOT else file.create_group(name, track_order=True), name, group)
        ]
        packed = partial(_packed, fast=fast)
        with ThreadPoolExecutor(THREADS) as pool:
            jobs = ((array, corner) for array in big for corner in _corners(array))
            while block := list(islice(jobs, AHEAD)):
                for (array, corner), (content, mask) in zip(block, pool.map(packed, block), strict=True):
                    file[array.address].id.write_direct_chunk(corner, content, mask)
        file.flush()
        return bytes(file.id.get_file_image()) if how else b""


def read(path: Path) -> tuple[dict[str, Any], Groups]:
    """Read what `write` wrote."""
    import h5py

    with h5py.File(path, "r") as file:
        attrs = {key: value for key, value in file.attrs.items() if not key.startswith("_") and key != "coordinates"}
        groups = {name: _read_group(group) for name, group in file.items() if isinstance(group, h5py.Group)}
        if own := {name: one for name, one in file.items() if isinstance(one, h5py.Dataset)}:
            groups[ROOT] = _read_group(own)
    return attrs, groups


def _read_group(group: Any) -> Group:
    """The variables of a group, without netCDF's stand-ins for dimensions that have no coordinate."""
    from h5py import h5o

    stand_in, every = NO_VARIABLE.encode(), dict(group.items())
    names = {h5o.get_info(x.id).addr: key for key, x in every.items() if x.is_scale}
    return {
        key: _read_variable((key,) if x.is_scale else tuple(_name(dim[0], names) for dim in x.dims), x)
        for key, x in every.items()
        if not x.attrs.get("NAME", b"").startswith(stand_in)
    }


def _name(scale: Any, names: dict[int, str]) -> str:
    """The name of a dimension; `names` by address, for HDF5 searches long for a name."""
    from h5py import h5o

    return names.get(h5o.get_info(scale.id).addr) or str(scale.name.rpartition("/")[2])


def _write_group(target: Any, name: str, group: Group) -> Iterator[Big]:
    """Make the variables of a group (coordinates come first in it); hands back those whose values are still to come."""
    secondary = [key for key, array in group.items() if is_coordinate(key, array) and array.dims != (key,)]
    if secondary:
        target.attrs["coordinates"] = " ".join(secondary)
    scales: dict[str, Any] = {}
    for key, array in group.items():
        stored = _stored(name, key, array)
        made = target.create_dataset(key, track_order=True, **_storage(stored))
        made.attrs.update(stored.attrs)
        _link(target, scales, key, stored, made)
        if made.chunks:
            yield Big(f"{name.rstrip(ROOT)}/{key}", stored.values, made.chunks)


def _storage(stored: Named) -> dict[str, Any]:
    """How a variable is made: a small one with its values, a big one empty, in chunks."""
    import h5py

    values = stored.values
    if values.dtype == object:
        return {"data": values, "dtype": h5py.string_dtype()}
    if values.nbytes <= SMALL_BYTES:
        return {"data": values}
    chunk = chunk_shape(values.shape, values.itemsize)
    return {"shape": values.shape, "dtype": values.dtype, "chunks": chunk, **FILTERS}


def _link(target: Any, scales: dict[str, Any], key: str, stored: Named, made: Any) -> None:
    """Tie a variable to its dimensions; a dimension without a coordinate gets netCDF's stand-in."""
    if stored.dims == (key,):
        made.make_scale(key)
        scales[key] = made
        return
    for axis, (dim, size) in enumerate(zip(stored.dims, stored.values.shape, strict=True)):
        if dim not in scales:
            scales[dim] = target.create_dataset(dim, shape=(size,), dtype=">f4", track_order=True)
            scales[dim].make_scale(f"{NO_VARIABLE}{size:10d}")
        made.dims[axis].attach_scale(scales[dim])


def _stored(group: str, name: str, array: Named) -> Named:
    """The array as it lies on disk: text as bytes, scores with NaN as small integers."""
    attrs, values = dict(array.attrs), array.values
    if values.dtype.kind == "U":
        if is_coordinate(name, array):
            return Named(array.dims, values.astype(object), attrs)
        return _characters(array.dims, values, attrs)
    row = variable(group, name)
    if row.fill is not None and _is_integral(values):
        kind = np.dtype(row.dtype)
        whole = np.where(np.isnan(values), row.fill, values).astype(kind)
        for bound in ("valid_min", "valid_max"):
            attrs[bound] = kind.type(attrs[bound])
        return Named(array.dims, whole, {**attrs, "_FillValue": kind.type(row.fill)})
    return Named(array.dims, values, attrs)


def _is_integral(values: NDArray[Any]) -> bool:
    """Whether every value that is there is a whole number."""
    there = values[~np.isnan(values)]
    return bool(np.all(there == np.rint(there)))


def _characters(dims: tuple[str, ...], values: NDArray[np.str_], attrs: dict[str, Any]) -> Named:
    """Text as an array of characters, which compresses, unlike HDF5's strings."""
    names, index = np.unique(values, return_inverse=True)
    encoded = np.char.encode(names, "utf-8")
    width = max(encoded.itemsize, 1)
    letters = encoded.view("S1").reshape(len(names), width)[index]
    return Named((*dims, f"string{width}"), letters, {**attrs, "_Encoding": "utf-8"})


def chunk_shape(shape: tuple[int, ...], itemsize: int) -> tuple[int, ...]:
    """The shape of a chunk of at most `CHUNK_BYTES`: the leading dimensions are cut first."""
    chunk = list(shape)
    for axis in range(len(shape)):
        row = itemsize * int(np.prod(chunk[axis + 1 :], dtype=np.int64))
        chunk[axis] = max(1, min(chunk[axis], CHUNK_BYTES // row))
    return tuple(chunk)


def _corners(array: Big) -> Iterator[tuple[int, ...]]:
    """The first cell of every chunk."""
    sides = zip(array.values.shape, array.chunk, strict=True)
    return product(*(range(0, size, step) for size, step in sides))


def _packed(job: tuple[Big, tuple[int, ...]], fast: bool) -> tuple[bytes, int]:
    """One chunk as HDF5 stores it, padded, shuffled, deflated, and its mask of filters: those that are left out."""
    array, corner = job
    piece = array.values[tuple(slice(at, at + step) for at, step in zip(corner, array.chunk, strict=True))]
    if piece.shape != array.chunk:
        full = np.zeros(array.chunk, array.values.dtype)
        full[tuple(slice(0, size) for size in piece.shape)] = piece
        piece = full
    letters = np.ascontiguousarray(piece).view(np.uint8).reshape(-1, piece.dtype.itemsize)
    if not fast:
        return zlib.compress(letters.T.tobytes(), LEVEL), ALL_FILTERS
    start = letters[: PROBE_BYTES // letters.shape[1]].T.tobytes()
    if len(zlib.compress(start, FAST_LEVEL)) > WORTH * len(start):
        return letters.tobytes(), NO_FILTER
    return zlib.compress(letters.T.tobytes(), FAST_LEVEL), ALL_FILTERS


def _read_variable(dims: tuple[str, ...], array: Any) -> Named:
    attrs = {key: value for key, value in array.attrs.items() if key not in OF_HDF5}
    values = array[...]
    encoding, fill = attrs.pop("_Encoding", None), attrs.pop("_FillValue", None)
    if encoding is not None:
        width = values.shape[-1]
        whole = np.ascontiguousarray(values).view(f"S{width}")[..., 0]
        names, index = np.unique(whole, return_inverse=True)
        return Named(dims[:-1], np.char.decode(names, encoding)[index], attrs)
    if values.dtype == object:
        return Named(dims, values.astype(str), attrs)
    if fill is not None:
        for bound in ("valid_min", "valid_max"):
            attrs[bound] = np.float32(attrs[bound])
        return Named(dims, np.where(values == fill, np.float32(np.nan), values.astype(np.float32)), attrs)
    return Named(dims, values, attrs)
