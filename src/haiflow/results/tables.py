"""The record as pandas and xarray, which are imported only when asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from haiflow.errors import HaiflowError

if TYPE_CHECKING:
    import pandas
    import xarray

    from haiflow.results.record import Rows, Series

COORD_UNITS = {"time": "s", "x": "m", "z": "m"}


def frame(rows: Rows) -> pandas.DataFrame:
    """Rows as a DataFrame, indexed by their first column (the name)."""
    try:
        import pandas
    except ImportError as missing:
        raise HaiflowError("tables need pandas: pip install 'haiflow[tables]'") from missing
    table = pandas.DataFrame(rows)
    return table.set_index(table.columns[0]) if len(table.columns) else table


def dataset(series: Mapping[str, Series], coords: Mapping[str, Any]) -> xarray.Dataset:
    """Series as a Dataset with units and long names in the attributes."""
    try:
        import xarray
    except ImportError as missing:
        raise HaiflowError("time series need xarray: pip install 'haiflow[tables]'") from missing
    variables = {
        name: (item.dims, item.values, {"units": item.unit, "long_name": item.long_name})
        for name, item in series.items()
    }
    used = {dim for item in series.values() for dim in item.dims}
    axes = {
        name: ((name,), values, {"units": COORD_UNITS[name]} if name in COORD_UNITS else {})
        for name, values in coords.items()
        if name in used
    }
    return xarray.Dataset(variables, axes)
