"""Time series to netCDF-4 and back, in the form that xarray opens without being told anything."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from haiflow.results.record import Series
from haiflow.results.tables import COORD_UNITS

FULL = 2**20  # bytes: what is left of a disk on which HDF5 could not put its next block


def write(path: Path, series: Mapping[str, Series], coords: Mapping[str, Any], attributes: Mapping[str, str]) -> None:
    """Writes ``series`` over ``coords`` to ``path``; a dimension without coordinates is numbered from zero."""
    import netCDF4

    with _told_as_the_system_does(path), netCDF4.Dataset(path, "w", format="NETCDF4") as file:
        file.setncatts({"Conventions": "CF-1.10", **attributes})
        for name, item in series.items():
            _add_dimensions(file, name, item, coords)
            variable = file.createVariable(
                name, item.values.dtype, item.dims, zlib=item.values.size > 4096, complevel=1
            )
            variable.setncatts({"units": item.unit, "long_name": item.long_name})
            variable[...] = item.values


@contextmanager
def _told_as_the_system_does(path: Path) -> Iterator[None]:
    """HDF5 says of a full disk only that there was an error; raises OSError in its place."""
    try:
        yield
    except RuntimeError as error:
        number = errno.ENOSPC if shutil.disk_usage(path.parent).free < FULL else errno.EIO
        raise OSError(number, f"{os.strerror(number)} ({error})", str(path)) from None


def _add_dimensions(file: Any, name: str, item: Series, coords: Mapping[str, Any]) -> None:
    """Creates the dimensions of ``item`` that the file does not have yet, with their coordinates."""
    if len(item.dims) != item.values.ndim:
        raise ValueError(f"{name}: {item.values.ndim} axes but dimensions {item.dims}")
    for dim, size in zip(item.dims, item.values.shape, strict=True):
        values = np.asarray(coords.get(dim, np.arange(size)))
        if len(values) != size:
            raise ValueError(f"{name}: {size} values along '{dim}', which has {len(values)} coordinates")
        if dim in file.dimensions:
            continue
        file.createDimension(dim, size)
        text = values.dtype.kind in "OUS"
        axis = file.createVariable(dim, str if text else values.dtype, (dim,))
        axis[:] = values.astype(object) if text else values
        if dim in COORD_UNITS:
            axis.units = COORD_UNITS[dim]


def read(path: Path) -> tuple[dict[str, Series], dict[str, Any]]:
    """The series and coordinates of a file that :func:`write` wrote; empty where there is no file."""
    if not path.exists():
        return {}, {}
    import netCDF4

    with netCDF4.Dataset(path) as file:
        file.set_auto_mask(False)
        coords = {
            name: [str(text) for text in item[:]] if item.dtype is str else np.asarray(item[:])
            for name, item in file.variables.items()
            if name in file.dimensions
        }
        series = {
            name: Series(tuple(item.dimensions), np.asarray(item[...]), item.units, item.long_name)
            for name, item in file.variables.items()
            if name not in file.dimensions
        }
    return series, coords
