"""A liver in 3D after a run: values in every cell, how uneven they are within segments, and the planar scan."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from haiflow.liver.field import PerfusedLiver
from haiflow.liver.perfusion import ML_PER_MIN_PER_100ML
from haiflow.mesh.model import TetraMesh
from haiflow.ports import Floats
from haiflow.results.record import LiverField
from haiflow.simulation.averages import mean_outlet_flow
from haiflow.simulation.blood import BloodFlow
from haiflow.simulation.clock import Trajectory
from haiflow.simulation.perfused import node_flows, regions
from haiflow.simulation.routes import portal_flows

STARVED = 0.5  # of the arterial perfusion before any fault: a cell with less counts as under-perfused


class Cells:
    """Values (m,) in the cells of one run's liver in 3D."""

    def __init__(self, run: Trajectory, flow: BloodFlow, perfused: PerfusedLiver) -> None:
        self.run, self.perfused = run, perfused
        self.volume = perfused.pieces.cell_volume
        self.territory = perfused.territory[perfused.pieces.cell_region]
        self.dead = perfused.dead[perfused.pieces.cell_region]
        base = run.timeline.base
        rates = mean_outlet_flow(run, flow)
        self.arterial_flow = self._arterial(rates)
        portal = sum(portal_flows(base, rates).values())
        self.total_flow = self.arterial_flow + portal * perfused.portal
        ends = [flow.cycle(parts.tree).outlet_flow for parts in (base, run.epochs[-1].parts) if parts.tree is not None]
        self.healthy, self.final = (self._arterial(rate) for rate in ends)
        self.pressure = sinusoid_pressure(perfused, ends[-1], sum(portal_flows(base, ends[-1]).values()))
        self.drug = len(base.substances) > 1 and run.blood is not None
        self.partition = base.substances[1].liver.partition if self.drug else 1.0

    def _arterial(self, rates: dict[str, float]) -> Floats:
        return np.asarray(self.perfused.arterial @ node_flows(self.perfused, rates))

    def tissue(self, index: int = 1, exposure: bool = False) -> Floats:
        """Concentration of substance ``index`` in the tissue at the end (kg/m3), or its integral (kg s/m3)."""
        found = self.run.blood.tissue_field(index, exposure) if self.run.blood is not None and self.drug else None
        if found is None:
            return np.zeros(self.volume.size)
        partition = self.run.timeline.base.substances[index].liver.partition
        return partition * self.perfused.pieces.in_cells(found)

    def delivered(self) -> Floats:
        """Drug (kg) that the artery brought to each cell at first pass."""
        blood, base = self.run.blood, self.run.timeline.base
        if not self.drug or blood is None or base.tree is None:
            return np.zeros(self.volume.size)
        terminals = base.tree.terminals
        return np.asarray(
            self.perfused.arterial @ np.array([blood.delivered[1, terminals.index(n)] for n in self.perfused.nodes])
        )

    def arrays(self, labels: dict[str, NDArray[np.int32]]) -> dict[str, NDArray[Any]]:
        """The cell arrays of perfusion.vtu."""
        return {
            **labels,
            "arterial_perfusion_ml_per_min_per_100ml": ML_PER_MIN_PER_100ML * self.arterial_flow / self.volume,
            "perfusion_ml_per_min_per_100ml": ML_PER_MIN_PER_100ML * self.total_flow / self.volume,
            "drug_concentration_kg_per_m3": self.tissue(),
            "exposure_kg_s_per_m3": self.tissue(exposure=True),
            "drug_delivered_kg_per_m3": self.delivered() / self.volume,
            "arterial_territory": self.perfused.terminal_of,
            "sinusoid_pressure_pa": self.pressure,
        }

    def unevenness(self, cells: NDArray[np.intp]) -> dict[str, Any]:
        """How uneven exposure is over the living of some cells, and how much of them a fault starves."""
        cells = cells[~self.dead[cells]]
        volume, exposure = self.volume[cells], self.tissue(exposure=True)[cells]
        total = float(volume.sum())
        mean = float(volume @ exposure) / total
        spread = float(np.sqrt(volume @ (exposure - mean) ** 2 / total))
        starved = (self.healthy[cells] > 0.0) & (self.final[cells] < STARVED * self.healthy[cells])
        return {
            "exposure_coefficient_of_variation": spread / mean if mean > 0.0 else None,
            **{f"exposure_d{share}_kg_s_per_m3": covered(exposure, volume, share / 100.0) for share in (95, 50, 5)},
            "under_perfused_volume_m3": float(volume[starved].sum()),
        }

    def tables(self) -> dict[str, dict[str, Any]]:
        """:meth:`unevenness` by segment (its tumours included), by tumour, and of the whole liver."""
        territories = self.perfused.liver.territories
        segment = np.array([item.segment for item in territories])[self.territory]
        return {
            "segments": {
                name: self.unevenness(np.flatnonzero(segment == name))
                for name in dict.fromkeys(item.segment for item in territories)
            },
            "tumours": {
                item.name: self.unevenness(np.flatnonzero(self.territory == number))
                for number, item in enumerate(territories)
                if item.kind == "tumour" and np.any(self.territory == number)
            },
            "whole": self.unevenness(np.arange(self.volume.size)),
        }


def covered(values: Floats, volume: Floats, share: float) -> float:
    """The value that at least ``share`` of the volume reaches: D95 for a share of 0.95."""
    order = np.argsort(values)[::-1]
    filled = np.cumsum(volume[order])
    return float(values[order][np.searchsorted(filled, share * filled[-1] * (1.0 - 1e-12))])


def sinusoid_pressure(perfused: PerfusedLiver, outlet_flow: dict[str, float], portal_flow: float) -> Floats:
    """(m,) gauge Pa in the sinusoids for the terminals' flow rates (m3/s by node)."""
    flow = perfused.sinusoids.flow(perfused.supply(node_flows(perfused, outlet_flow), portal_flow))
    return np.asarray(flow.pressure[perfused.pieces.point][perfused.pieces.corner].mean(axis=1))


def resolved_field(run: Trajectory, flow: BloodFlow, mesh: TetraMesh) -> LiverField:
    """The liver's mesh with its cells' values, and the tissue's concentration over time."""
    perfused = run.timeline.base.perfused
    assert perfused is not None
    cells = Cells(run, flow, perfused)
    tumours = [item.name for item in perfused.liver.territories if item.kind == "tumour"]
    number = np.array([tumours.index(t.name) + 1 if t.kind == "tumour" else 0 for t in perfused.liver.territories])
    labels = {
        "couinaud_segment": mesh.couinaud_segment.astype(np.int32),
        "tumour": number[cells.territory].astype(np.int32),
    }
    times, frames = run.recorder.frames(perfused.pieces, cells.partition)
    return LiverField(mesh.points, mesh.tetra, cells.arrays(labels), times, frames)


def lodged(run: Trajectory, mesh: TetraMesh) -> tuple[str, Floats] | None:
    """The first substance that lodges in tissue, and its amount (m,) kg in each cell; None where there is none."""
    base, blood = run.timeline.base, run.blood
    found = next((i for i, item in enumerate(base.substances) if item.liver.trapped_fraction > 0.0), None)
    if found is None or blood is None or base.liver is None:
        return None
    fraction = (1.0 - base.liver.blood_fraction) * base.substances[found].liver.partition
    field = blood.tissue_field(found)
    if field is not None and base.perfused is not None:
        concentration = base.perfused.pieces.in_cells(field)
    else:
        concentration = _spread(run, mesh, blood.at("liver", found)[1::2])
    return base.substances[found].name, fraction * mesh.volumes * concentration


def _spread(run: Trajectory, mesh: TetraMesh, values: Floats) -> Floats:
    """(m,) the territories' values (n_territories,) on the cells, scaled so that each keeps its amount."""
    liver = run.timeline.base.liver
    assert liver is not None
    region, territory, _ = regions(mesh, liver)
    own = territory[region]
    held = np.bincount(own, weights=mesh.volumes, minlength=len(liver.territories))
    size = np.array([item.volume for item in liver.territories])
    return (values * np.divide(size, held, out=np.zeros_like(size), where=held > 0.0))[own]
