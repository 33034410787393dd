"""``histories.nc``: the time series of all variants in one array, which xarray opens lazily.

Every variable gains the dimension ``variant``; times are the scenario's outputs, and a variant that wrote at others is
interpolated between them. Beyond a variant's end, and where it has no such terminal or segment, stands NaN. Values are
single precision: the variant's own history.nc has all digits.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import numpy as np

from haiflow.batch.layout import Layout
from haiflow.batch.plan import Batch
from haiflow.batch.table import Table
from haiflow.ports import Floats
from haiflow.results import netcdf
from haiflow.results.record import Series
from haiflow.results.tables import COORD_UNITS

BLOCK_BYTES = 2e6  # of all variables: so much is gathered before it is written
MOST_BYTES = 64e9  # uncompressed: beyond it the array is left out, and that is said


def write_histories(batch: Batch, table: Table) -> str:
    """Writes histories.nc; returns a note where it is left out."""
    import netCDF4

    ran = [index for index, status in enumerate(table.status) if status in ("complete", "stopped")]
    first = next(((s, c) for s, c in (_history(batch, table, index) for index in ran) if s), None)
    if first is None:
        return "no histories.nc: no variant has a history"
    series, coords = first
    time = _times(batch, coords)
    size = sum(4.0 * len(table) * len(time) * float(np.prod(item.values.shape[1:])) for item in series.values())
    if size > MOST_BYTES:
        return f"no histories.nc: it would take {size / 1e9:.0f} GB; each variant has its own history.nc"
    partial = batch.layout.aside("histories.nc")
    block = max(1, int(BLOCK_BYTES * len(table) / max(size, 1.0)))
    with netCDF4.Dataset(partial, "w", format="NETCDF4") as file:
        _lay_out(file, batch, table, series, {**coords, "time": time}, min(block, len(table)))
        for start in range(0, len(table), block):
            rows = range(start, min(start + block, len(table)))
            for name, values in _block(batch, table, rows, series, coords, time).items():
                file[name][start : rows.stop] = values
    os.replace(partial, batch.layout.folder / "histories.nc")
    return ""


def _block(
    batch: Batch, table: Table, rows: range, series: dict[str, Series], coords: dict[str, Any], time: Floats
) -> dict[str, Any]:
    """The values of some variants, by variable; NaN for those that did not run."""
    found = {
        name: np.full((len(rows), len(time), *item.values.shape[1:]), np.nan, dtype=np.float32)
        for name, item in series.items()
    }
    header = _header(series, coords)
    for place, index in enumerate(rows):
        if table.status[index] in ("complete", "stopped"):
            strip = _strip(batch, table.names[index], series, coords, header)
            own, its = _history(batch, table, index) if strip is None else strip
            for name, item in own.items():
                if name in series and item.dims == series[name].dims:
                    found[name][place] = _fitted(item, its, coords, time)
    return found


def _history(batch: Batch, table: Table, index: int) -> tuple[dict[str, Series], dict[str, Any]]:
    """A variant's series over time and their coordinates."""
    series, coords = netcdf.read(batch.layout.folder / table.names[index] / "history.nc")
    return _over_time(series), coords


def _over_time(series: Mapping[str, Series]) -> dict[str, Series]:
    return {name: item for name, item in series.items() if item.dims[0] == "time"}


def _header(series: Mapping[str, Series], coords: Mapping[str, Any]) -> bytes:
    """What a strip holds: names, dimensions, sizes beside time, and the names along them; a line of JSON."""
    shapes = [[name, item.dims, item.values.shape[1:]] for name, item in series.items()]
    names = {dim: list(map(str, values)) for dim, values in coords.items() if dim != "time"}
    return json.dumps([shapes, names], sort_keys=True).encode() + b"\n"


def write_strip(layout: Layout, name: str, series: Mapping[str, Series], coords: Mapping[str, Any]) -> None:
    """Keep a variant's history as one strip of numbers: opening a netCDF file for each variant takes milliseconds. It
    only saves time: where a strip is missing or cut off, the variant's history.nc is read."""
    own = _over_time(series)
    if own:
        columns = [np.asarray(coords["time"], dtype="<f8"), *(np.asarray(each.values, "<f8") for each in own.values())]
        with suppress(OSError):
            layout.strip(name).write_bytes(_header(own, coords) + b"".join(column.tobytes() for column in columns))


def _strip(
    batch: Batch, name: str, series: Mapping[str, Series], coords: dict[str, Any], header: bytes
) -> tuple[dict[str, Series], dict[str, Any]] | None:
    """The history in a strip that is laid out as the first variant's; None where there is none such."""
    try:
        content = batch.layout.strip(name).read_bytes()
    except OSError:
        return None
    widths = [int(np.prod(item.values.shape[1:])) for item in series.values()]
    rows, rest = divmod(len(content) - len(header), 8 * (1 + sum(widths)))
    if rest or not rows or not content.startswith(header):
        return None
    numbers = np.frombuffer(content, dtype="<f8", offset=len(header))
    found, at = {}, rows
    for (key, item), width in zip(series.items(), widths, strict=True):
        values = numbers[at : at + rows * width].reshape(rows, *item.values.shape[1:])
        found[key], at = Series(item.dims, values, "", ""), at + rows * width
    return found, {**coords, "time": numbers[:rows]}


def _times(batch: Batch, coords: dict[str, Any]) -> Floats:
    """The scenario's output times, as far as the first variant shows them."""
    run = batch.swept.scenario(batch.swept.first_sound()).model.run
    every = float(run.output_every or run.duration)
    return np.asarray(np.arange(round(run.duration / every) + 1) * every)


def _lay_out(
    file: Any, batch: Batch, table: Table, series: dict[str, Series], coords: dict[str, Any], block: int
) -> None:
    file.setncatts({"Conventions": "CF-1.10", "title": batch.swept.name, "source": "haiflow"})
    file.createDimension("variant", len(table))
    file.createVariable("variant", str, ("variant",))[:] = np.array(table.names, dtype=object)
    for header, values in table.inputs.items():
        name = header.split(" [")[0].replace(".", "_")
        kind: Any = str if isinstance(values, list) else "f8"
        variable = file.createVariable(f"input_{name}", kind, ("variant",))
        variable[:] = np.array(values, dtype=object) if isinstance(values, list) else values
        variable.setncatts({"long_name": header, "units": header.partition(" [")[2].rstrip("]") or "1"})
    for name, item in series.items():
        for dim, size in zip(item.dims, (len(coords["time"]), *item.values.shape[1:]), strict=True):
            if dim not in file.dimensions:
                _dimension(file, dim, np.asarray(coords.get(dim, np.arange(size))))
        shape = (block, len(coords["time"]), *item.values.shape[1:])
        variable = file.createVariable(
            name, "f4", ("variant", *item.dims), zlib=True, complevel=1, chunksizes=shape, fill_value=np.nan
        )
        variable.set_var_chunk_cache(4 * int(np.prod(shape)), 11, 1.0)  # whole chunks are written, each once
        variable.setncatts({"units": item.unit, "long_name": item.long_name})


def _dimension(file: Any, dim: str, values: Any) -> None:
    file.createDimension(dim, len(values))
    text = values.dtype.kind in "OUS"
    axis = file.createVariable(dim, str if text else values.dtype, (dim,))
    axis[:] = values.astype(object) if text else values
    if dim in COORD_UNITS:
        axis.units = COORD_UNITS[dim]


def _fitted(item: Series, its: dict[str, Any], coords: dict[str, Any], time: Floats) -> Any:
    """A variant's values at the common times and places."""
    values, own = np.asarray(item.values, dtype=float), np.asarray(its["time"], dtype=float)
    if len(own) != len(time) or not np.array_equal(own, time):
        values = _at_times(values, own, time)
    for axis, dim in enumerate(item.dims[1:], start=1):
        if its.get(dim) is coords.get(dim):
            continue
        mine, theirs = list(its.get(dim, [])), list(coords.get(dim, []))
        if mine != theirs and theirs:
            place = [mine.index(name) if name in mine else -1 for name in theirs]
            values = np.take(np.concatenate([values, np.full_like(values.take([0], axis), np.nan)], axis), place, axis)
    return values


def _at_times(values: Floats, own: Floats, time: Floats) -> Floats:
    """Linear between the variant's times, NaN after its end."""
    after = np.clip(np.searchsorted(own, time), 1, max(len(own) - 1, 1))
    if len(own) < 2:
        return np.full((len(time), *values.shape[1:]), np.nan)
    share = (time - own[after - 1]) / (own[after] - own[after - 1])
    share = np.where(time > own[-1] * (1.0 + 1e-12), np.nan, share).reshape(-1, *[1] * (values.ndim - 1))
    return np.asarray(values[after - 1] + share * (values[after] - values[after - 1]))
