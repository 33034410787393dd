"""The voxels of an NRRD file, within what its header says: packed ones are unpacked so far and no further, and detached
ones lie in the header's own folder."""

from __future__ import annotations

import bz2
import zlib
from collections.abc import Callable, Mapping
from io import BytesIO
from math import prod
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from haiflow.errors import InputError

PIECE = 2**20  # bytes read at a time
LONGEST_SKIP = 2**26  # bytes of another header before the voxels
DETACHED = ("data file", "datafile")


def voxels_of(path: Path, nrrd: Any, refuse_huge: Callable[[Any], None]) -> tuple[NDArray[Any], dict[str, Any]]:
    """The array (i, j, k) and the header of ``path``, read by pynrrd; ``refuse_huge`` hears the sizes first.

    Raises :class:`InputError`, and whatever pynrrd raises.
    """
    with path.open("rb") as stream:
        header = nrrd.read_header(stream)
        refuse_huge(header.get("sizes", []))
        detached = next((str(header[key]) for key in DETACHED if key in header), None)
        if detached is None:
            return _read(path, stream, header, nrrd), header
    with _beside(path, detached).open("rb") as stream:
        return _read(path, stream, header, nrrd), header


def _beside(path: Path, name: str) -> Path:
    """The file of a header's ``data file``, wherever links lead."""
    folder = path.parent.resolve()
    found = (folder / name).resolve()
    if not found.is_relative_to(folder):
        rule = "voxels lie in the file itself, or in a file of the same folder"
        raise InputError(str(path), f"data file: {name}", rule, "put them beside it, or save all as one .nrrd")
    if not found.is_file():
        raise InputError(str(path), f"data file: {name}", "there is no such file", "put its voxels beside it")
    return found


def _read(path: Path, stream: IO[bytes], header: Mapping[str, Any], nrrd: Any) -> NDArray[Any]:
    plain = {key: value for key, value in header.items() if key not in DETACHED}
    packing = str(plain.get("encoding"))
    if packing not in ("gzip", "gz", "bzip2", "bz2"):
        return np.asarray(nrrd.read_data(plain, stream, str(path)))
    lines, skip = (int(plain.pop(f"{what} skip", plain.pop(f"{what}skip", 0))) for what in ("line", "byte"))
    if lines < 0 or not -1 <= skip <= LONGEST_SKIP:
        raise ValueError(f"line skip {lines}, byte skip {skip}")
    for _ in range(lines):
        if not stream.readline(PIECE):
            break
    skip, sizes = max(skip, 0), [int(size) for size in plain.get("sizes", [])]
    most = prod(sizes) * _item_size(plain, nrrd) + skip
    data = _unpacked(stream, packing, most + 1)
    if len(data) > most:
        rule = f"packed voxels are as many as its sizes say: {most} bytes, and there are more"
        raise InputError(str(path), f"sizes: {' '.join(map(str, sizes))}", rule, "export it again")
    return np.asarray(nrrd.read_data(plain | {"encoding": "raw"}, BytesIO(data[skip:]), str(path)))


def _item_size(header: Mapping[str, Any], nrrd: Any) -> int:
    """Bytes of one voxel, as pynrrd takes the type."""
    one = {**header, "encoding": "raw", "dimension": 1, "sizes": np.array([1])}
    return int(nrrd.read_data(one, BytesIO(bytes(64))).dtype.itemsize)


def _unpacked(stream: IO[bytes], packing: str, most: int) -> bytes:
    """At most so many bytes."""
    unpack: Any = bz2.BZ2Decompressor() if packing.startswith("bz") else zlib.decompressobj(zlib.MAX_WBITS | 16)
    data, rest = bytearray(), b""
    while len(data) < most and not unpack.eof:
        rest = rest or stream.read(PIECE)
        if not rest and getattr(unpack, "needs_input", True):
            break
        data += unpack.decompress(rest, most - len(data))
        rest = getattr(unpack, "unconsumed_tail", b"")
    return bytes(data)
