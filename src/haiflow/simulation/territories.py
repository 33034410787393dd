"""Couinaud segments and tumours after a run: flows, drug delivered, concentrations."""

from __future__ import annotations

from typing import Any

import numpy as np

from haiflow.liver.model import Liver
from haiflow.liver.perfusion import ML_PER_MIN_PER_100ML
from haiflow.simulation.averages import left_pump, mean_outlet_flow
from haiflow.simulation.blood import BloodFlow
from haiflow.simulation.cells import Cells
from haiflow.simulation.clock import Trajectory
from haiflow.simulation.routes import portal_flows, targets


class Territories:
    """Segments and tumours of one run: flows, drug delivered, concentrations."""

    def __init__(self, run: Trajectory, flow: BloodFlow, liver: Liver) -> None:
        self.run, self.flow, self.liver, self.dose = run, flow, liver, left_pump(run)
        blood = run.blood
        assert blood is not None
        names = liver.names
        self.volume = np.array([item.volume for item in liver.territories])
        rates = mean_outlet_flow(run, flow)
        self.arterial, self.delivered = dict.fromkeys(names, 0.0), dict.fromkeys(names, 0.0)
        drug = len(run.timeline.base.substances) > 1
        for index, (node, shares) in enumerate(targets(run.timeline.base).items()):
            for target, share in shares.items():
                territory = target.removeprefix("liver.artery:")
                if territory in self.arterial:
                    self.arterial[territory] += share * rates[node]
                    self.delivered[territory] += share * float(blood.delivered[1, index]) if drug else 0.0
        self.portal = portal_flows(run.timeline.base, rates)
        partition = run.timeline.base.substances[1].liver.partition if drug else 1.0
        zero = np.zeros(len(names))
        self.exposure = partition * blood.exposure_of("liver", 1)[1::2] if drug else zero
        self.peak = partition * run.recorder.peak["liver"][1, 1::2] if drug and "liver" in run.recorder.peak else zero
        self.segment_peak = partition * run.recorder.segment_peak() if drug and "liver" in run.recorder.peak else None

    def tables(self) -> dict[str, Any]:
        """``segments`` (each with its tumours) and ``tumours``."""
        uneven = self._unevenness()
        order = list(dict.fromkeys(item.segment for item in self.liver.territories))
        peaks = self.segment_peak
        segments = {
            segment: self._row(
                [i for i, item in enumerate(self.liver.territories) if item.segment == segment],
                None if peaks is None else float(peaks[order.index(segment)]),
            )
            for segment in order
        }
        tumours = {
            item.name: self._row([i], None if peaks is None else float(self.peak[i]))
            for i, item in enumerate(self.liver.territories)
            if item.kind == "tumour"
        }
        for name, row in [*segments.items(), *tumours.items()]:
            row |= uneven.get("segments", {}).get(name) or uneven.get("tumours", {}).get(name) or {}
        found: dict[str, Any] = {"segments": segments, "tumours": tumours}
        return found | ({"liver": uneven["whole"]} if uneven else {})

    def _unevenness(self) -> dict[str, Any]:
        """How uneven the drug is within segments and tumours; empty where each is well mixed."""
        perfused = self.run.timeline.base.perfused
        return {} if perfused is None else Cells(self.run, self.flow, perfused).tables()

    def by_territory(self) -> dict[str, dict[str, float]]:
        """Array name of perfusion.vtu -> value by territory."""
        final = (
            self.run.blood.at("liver", 1)[1::2]
            if self.run.blood is not None and self._has_drug()
            else np.zeros(len(self.volume))
        )
        partition = self.run.timeline.base.substances[1].liver.partition if self._has_drug() else 1.0
        arterial = np.array(list(self.arterial.values()))
        portal = np.array([self.portal[name] for name in self.liver.names])
        delivered = np.array(list(self.delivered.values()))
        arrays = {
            "arterial_perfusion_ml_per_min_per_100ml": ML_PER_MIN_PER_100ML * arterial / self.volume,
            "perfusion_ml_per_min_per_100ml": ML_PER_MIN_PER_100ML * (arterial + portal) / self.volume,
            "drug_concentration_kg_per_m3": partition * final,
            "exposure_kg_s_per_m3": self.exposure,
            "drug_delivered_kg_per_m3": delivered / self.volume,
        }
        return {name: dict(zip(self.liver.names, map(float, values), strict=True)) for name, values in arrays.items()}

    def _has_drug(self) -> bool:
        return len(self.run.timeline.base.substances) > 1

    def _row(self, index: list[int], peak: float | None) -> dict[str, Any]:
        names = [self.liver.names[i] for i in index]
        volume = float(self.volume[index].sum())
        arterial = sum(self.arterial[name] for name in names)
        portal = sum(self.portal[name] for name in names)
        delivered = sum(self.delivered[name] for name in names)
        exposure = float(self.volume[index] @ self.exposure[index] / volume)
        return {
            "volume_m3": volume,
            "arterial_flow_m3_per_s": arterial,
            "portal_flow_m3_per_s": portal,
            "arterial_perfusion_ml_per_min_per_100ml": ML_PER_MIN_PER_100ML * arterial / volume,
            "perfusion_ml_per_min_per_100ml": ML_PER_MIN_PER_100ML * (arterial + portal) / volume,
            "drug_delivered_kg": delivered,
            "dose_fraction": delivered / self.dose if self.dose > 0.0 else None,
            "mean_tissue_concentration_kg_per_m3": exposure / self.run.end if self.run.end > 0.0 else 0.0,
            "peak_tissue_concentration_kg_per_m3": peak,
            "exposure_kg_s_per_m3": exposure,
        }
