"""Histories and the cardiac cycle as named series with units, for history.nc and cycle.nc."""

from __future__ import annotations

from typing import Any

import numpy as np

from haiflow.arteries.periodic import Cycle
from haiflow.arteries.tree import Tree
from haiflow.results.record import Series
from haiflow.simulation.clock import Trajectory
from haiflow.simulation.ledger import ACCOUNTS
from haiflow.simulation.routes import targets

STATIONS = ("inlet", "middle", "outlet")
# Name -> unit, what it is, dimensions after time.
SIMPLE: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "pump_flow_rate": ("m3/s", "flow rate of the pump, mean since the last output", ()),
    "pump_outlet_pressure": ("Pa", "gauge pressure at the pump's outlet", ()),
    "pump_reservoir_volume": ("m3", "volume in the reservoir", ()),
    "catheter_tip_flow_rate": ("m3/s", "flow rate into the artery, mean since the last output", ()),
    "catheter_leak_flow_rate": ("m3/s", "flow rate out of the line into tissue, mean since the last output", ()),
    "catheter_max_pressure": ("Pa", "largest gauge pressure in the lumen", ()),
    "catheter_blood_fraction": ("1", "share of the lumen that blood fills", ()),
    "tip_drug_rate": ("kg/s", "drug into the artery, mean since the last output", ("drug",)),
    "leak_drug_rate": ("kg/s", "drug out of the line into tissue, mean since the last output", ("drug",)),
    "terminal_flow_rate": ("m3/s", "blood flow rate of each terminal, cycle mean", ("terminal",)),
    "terminal_drug_delivered": ("kg", "drug through each terminal at first pass, cumulative", ("drug", "terminal")),
    "segment_blood_concentration": ("kg/m3", "drug in the sinusoidal blood", ("drug", "segment")),
    "body_concentration": ("kg/m3", "drug in systemic blood", ("drug",)),
}  # fmt: skip


def history(run: Trajectory) -> tuple[dict[str, Series], dict[str, Any]]:
    """All series written down over a run, and the coordinates of their dimensions."""
    recorder, base = run.recorder, run.timeline.base
    drugs = [substance.name for substance in base.substances[1:]]
    series: dict[str, Series] = {}
    for name, (unit, meaning, dims) in SIMPLE.items():
        if name in recorder.rows:
            _add(series, name, ("time", *dims), recorder.series(name), unit, meaning)
    _from_ledger(series, recorder.series("ledger"))
    coords: dict[str, Any] = {"time": recorder.series("time"), "account": list(ACCOUNTS), "drug": drugs}
    if base.tree is not None:
        coords["terminal"] = list(base.tree.terminals)
    if base.liver is not None:
        coords["segment"] = list(base.liver.names)
    if base.liver is not None and base.tree is not None and "segment_tissue_concentration" in recorder.rows:
        _of_segments(series, run, drugs)
    return series, coords


def _add(series: dict[str, Series], name: str, dims: tuple[str, ...], values: Any, unit: str, meaning: str) -> None:
    if values.size and 0 not in values.shape:
        series[name] = Series(dims, values, unit, meaning)


def _from_ledger(series: dict[str, Series], books: Any) -> None:
    _add(series, "ledger", ("time", "drug", "account"), books[:, 1:], "kg", "where the drug is")
    _add(series, "ledger_carrier", ("time", "account"), books[:, 0], "m3", "where the infused liquid is")


def _of_segments(series: dict[str, Series], run: Trajectory, drugs: list[str]) -> None:
    recorder, base = run.recorder, run.timeline.base
    assert base.liver is not None
    partition = np.array([substance.liver.partition for substance in base.substances[1:]])
    tissue = recorder.series("segment_tissue_concentration") * partition[None, :, None]
    dims = ("time", "drug", "segment")
    _add(series, "segment_tissue_concentration", dims, tissue, "kg/m3", "drug per volume of tissue")
    if not drugs:
        return
    names = list(base.liver.names)
    shares = np.zeros((len(base.tree.terminals) if base.tree is not None else 0, len(names)))
    for row, routes in enumerate(targets(base).values()):
        for target, share in routes.items():
            if target.startswith("liver.artery:"):
                shares[row, names.index(target.removeprefix("liver.artery:"))] += share
    delivered = recorder.series("terminal_drug_delivered") @ shares
    _add(
        series,
        "segment_drug_delivered",
        dims,
        delivered,
        "kg",
        "drug delivered by the artery at first pass, since the start",
    )


def cycle_series(cycle: Cycle, tree: Tree) -> tuple[dict[str, Series], dict[str, Any]]:
    """The periodic cycle: pressure, flow rate, velocity and area at three stations of every vessel."""
    dims = ("time", "vessel", "station")
    period = cycle.period
    # The first sample closes the cycle at time = one period.
    wrapped = {
        name: np.concatenate([values, values[:1]])
        for name, values in (
            ("pressure", cycle.pressure), ("flow_rate", cycle.flow_rate),
            ("velocity", cycle.velocity), ("area", cycle.area),
        )
    }  # fmt: skip
    when = "before any fault"
    units = {
        "pressure": ("Pa", "gauge pressure"),
        "flow_rate": ("m3/s", "flow rate"),
        "velocity": ("m/s", "mean velocity"),
        "area": ("m2", "lumen area"),
    }
    series = {
        name: Series(dims, values, units[name][0], f"{units[name][1]}, {when}") for name, values in wrapped.items()
    }
    return series, {"time": np.append(cycle.time, period), "vessel": list(tree.vessels), "station": list(STATIONS)}
