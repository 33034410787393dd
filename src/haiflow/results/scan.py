"""scan.nc: the planar scan with its axes, as xarray opens it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from haiflow.results import netcdf
from haiflow.results.record import Scan, Series


def write(path: Path, scan: Scan, title: str) -> None:
    """Writes the amount (kg) behind each pixel over the agent, z and x (m, middles), and the pixels' borders (m)."""
    borders = {
        f"{axis}_border": Series(
            (f"{axis}_edge",), np.asarray(values, float), "m", f"borders of the pixels along {axis}"
        )
        for axis, values in (("x", scan.x), ("z", scan.z))
    }
    amount = Series(
        ("agent", "z", "x"), np.asarray(scan.image, float)[None], "kg", "amount of the agent behind a pixel"
    )
    coords = {axis: 0.5 * (values[1:] + values[:-1]) for axis, values in (("x", scan.x), ("z", scan.z))}
    attributes = {"title": title, "source": "haiflow", "view": "anterior, without attenuation; x to the patient's left"}
    netcdf.write(path, {"amount": amount, **borders}, {"agent": [scan.agent], **coords}, attributes)


def read(path: Path) -> Scan | None:
    """Reads scan.nc; None where there is no file."""
    series, coords = netcdf.read(path)
    if not series:
        return None
    return Scan(coords["agent"][0], series["amount"].values[0], series["x_border"].values, series["z_border"].values)
