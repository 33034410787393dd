"""A made-up but plausible run to write and draw: 28 days, a refill, a leak and a narrowing right hepatic artery.

The numbers are consistent (the ledger closes), not simulated.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import meshio
import numpy as np
import yaml

import haiflow.results
from haiflow.liver.scan import planar
from haiflow.results import Event, LiverField, Marker, Network, PumpBody, Results, Scan, Series

DAY = 86400.0
SEGMENTS = {"I": 0.035, "II": 0.075, "III": 0.095, "IV": 0.14, "V": 0.13, "VI": 0.09, "VII": 0.175, "VIII": 0.26}
NUMERALS = list(SEGMENTS)
ACCOUNTS = (
    "filled",
    "withdrawn",
    "reservoir",
    "catheter",
    "leaked",
    "arteries",
    "liver",
    "off_target",
    "body",
    "eliminated",
)
DRUG_FILLED = 194e-6
STATIONS = ["inlet", "middle", "outlet"]
LIBRARY = Path(haiflow.results.__file__).parents[1] / "library"


def _millimetres(text: str) -> list[float]:
    return [float(number) * 1e-3 for number in text.removesuffix("mm").split()]


def _anatomy() -> tuple[dict[str, np.ndarray], dict[str, float]]:
    """Centre line (k, 3) m and radius (m) of each artery of the library's Michels I."""
    text = yaml.safe_load((LIBRARY / "anatomies" / "michels-1.yaml").read_text(encoding="utf-8"))
    nodes = {name: _millimetres(node["position"]) for name, node in text["nodes"].items()}
    paths, radii = {}, {}
    for name, vessel in text["vessels"].items():
        corners = [_millimetres(point) for point in vessel.get("path", ())] or [
            nodes[vessel["from"]],
            nodes[vessel["to"]],
        ]
        paths[name] = np.array(corners)
        radii[name] = _millimetres(vessel["diameter"][0])[0] / 2
    return paths, radii


PATHS, RADII = _anatomy()


def network() -> Network:
    lines, part, vessel, radius, flow, pressure, concentration = [], [], [], [], [], [], []

    def add(points: np.ndarray, kind: int, name: int, r: Any, q: float, p: float, c: Any) -> None:
        lines.append(points)
        for array, value in ((part, kind), (vessel, name), (radius, r), (flow, q), (pressure, p), (concentration, c)):
            array.append(np.broadcast_to(np.asarray(value), len(points)))

    t = np.linspace(0, 1, 121)[:, None]
    pump, tip = np.array([0.09, -0.09, -0.16]), PATHS["gastroduodenal"][0]
    course = PATHS["gastroduodenal"][::-1]
    foot, away = course[0], (course[1] - course[0]) / np.linalg.norm(course[1] - course[0])
    bend = [pump, pump + np.array([-0.06, 0, 0.05]), foot - away * 0.05, foot]
    line = (1 - t) ** 3 * bend[0] + 3 * (1 - t) ** 2 * t * bend[1] + 3 * (1 - t) * t**2 * bend[2] + t**3 * bend[3]
    line = np.concatenate([line, course[1:]])
    add(line[:16], 0, 0, 3e-4, 1.5e-11, 12.7e3, 6.46)
    add(line[15:], 1, 1, 3e-4, 1.3e-11, 12.7e3, np.linspace(6.46, 5.9, len(line) - 15))
    names = list(PATHS)
    for index, name in enumerate(names):
        r, n = RADII[name], len(PATHS[name])
        c = 2e-8 if name == "common_hepatic" else 3e-6 if name == "gastroduodenal" else 1.4e-5
        c = 1e-5 if name.startswith("left") or name in ("segment_2", "segment_3") else c
        add(PATHS[name], 2, index + 2, np.linspace(r, 0.95 * r, n), 1e-3 * r, 12.5e3 - 60 * index, c)
    sizes = [len(points) for points in lines]
    offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32)
    return Network(
        np.concatenate(lines), np.arange(offsets[-1], dtype=np.int32), offsets, np.concatenate(part).astype(np.int32),
        np.concatenate(vessel).astype(np.int32), ("pump_line", "catheter", *names), np.concatenate(radius),
        np.concatenate(flow), np.concatenate(pressure), np.concatenate(concentration).astype(float),
        markers=(
            Marker("leak at 12 cm", "leak", line[30]),
            Marker("right hepatic narrowed", "occlusion", PATHS["right_hepatic"][3]),
            Marker("catheter tip", "tip", tip),
        ),
        pump=PumpBody(pump + np.array([0.02, 0.0, -0.03]), np.array([0.15, -1.0, 0.1]), 0.039, 0.024),
    )  # fmt: skip


def liver() -> LiverField:
    """The library's liver with made-up values: the right lobe short of drug, one tumour."""
    mesh = meshio.read(LIBRARY / "meshes" / "liver-standard.vtu")
    points, cells = mesh.points, mesh.cells[0].data.astype(np.int32)
    segment = mesh.cell_data["couinaud_segment"][0].astype(np.int32)
    middle = points[cells].mean(axis=1)
    tumour = (np.linalg.norm(middle - np.array([-0.06, -0.02, 0.02]), axis=1) < 0.016).astype(np.int32)
    level = np.array([1.0, 0.8, 0.85, 0.9, 0.35, 0.3, 0.25, 0.32])[segment - 1] * np.where(tumour, 2.5, 1.0)
    data = {
        "couinaud_segment": segment,
        "tumour": tumour,
        "arterial_perfusion_ml_per_min_per_100ml": 26.0 * level,
        "perfusion_ml_per_min_per_100ml": 70.0 + 26.0 * level,
        "drug_concentration_kg_per_m3": 2e-6 * level,
        "exposure_kg_s_per_m3": 2e-6 * level * 28 * DAY,
    }
    return LiverField(points, cells, data)


def followed(halvings: int = 0, n_frames: int = 30) -> LiverField:
    """The made-up liver with values that differ inside each segment, and the drug over time: it comes and goes.

    Each of ``halvings`` turns a tetrahedron into eight.
    """
    whole = liver()
    points, cells = whole.points, whole.tetra
    data = {name: whole.cell_data[name] for name in ("couinaud_segment", "tumour")}
    for _ in range(halvings):
        points, cells = eighths(points, cells)
        data = {name: np.repeat(values, 8) for name, values in data.items()}
    middle = points[cells].mean(axis=1)
    near = np.exp(-np.linalg.norm(middle - np.array([-0.05, 0.0, 0.02]), axis=1) / 0.05)
    patchy = near * (1.0 + 0.3 * np.sin(middle[:, 0] * 300) * np.cos(middle[:, 2] * 260)) * (1 + data["tumour"])
    times = np.linspace(0.0, 28 * DAY, n_frames)
    arrived = np.clip(times[:, None] / DAY / 10 - (1 - near), 0, 1) * (1 - 0.5 * times[:, None] / times[-1])
    frames = (2e-6 * patchy * arrived).astype(np.float32)
    data |= {
        "arterial_perfusion_ml_per_min_per_100ml": 40.0 * patchy,
        "perfusion_ml_per_min_per_100ml": 70.0 + 40.0 * patchy,
        "drug_concentration_kg_per_m3": frames[-1].astype(float),
        "exposure_kg_s_per_m3": frames.sum(axis=0) * DAY,
        "drug_delivered_kg_per_m3": 0.1 * patchy**2,
        "arterial_territory": data["couinaud_segment"],
        "sinusoid_pressure_pa": 400.0 + 200.0 * near,
    }
    return LiverField(points, cells, data, times, frames)


def eighths(points: np.ndarray, cells: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Every tetrahedron cut at the middles of its edges into eight, which follow one another."""
    pairs = np.array([[0, 1], [0, 2], [0, 3], [1, 2], [1, 3], [2, 3]])
    edges = np.sort(cells[:, pairs].reshape(-1, 2), axis=1)
    _, first, index = np.unique(edges[:, 0].astype(np.int64) * len(points) + edges[:, 1], True, True)
    middles = points[edges[first]].mean(axis=1)
    a = np.concatenate([cells, len(points) + index.reshape(-1, 6)], axis=1)  # 4 to 9: middles in the order of pairs
    corners, inner = ["0456", "1487", "2579", "3698"], ["4568", "4587", "5689", "5798"]
    parts = [[int(digit) for digit in part] for part in corners + inner]
    return np.concatenate([points, middles]), a[:, parts].reshape(-1, 4).astype(np.int32)


def grown(lines: int = 1500) -> Network:
    """The made-up network with fine branches inside the liver."""
    trunk, rng = network(), np.random.default_rng(1)
    whole = liver()
    root = whole.points[whole.tetra].mean(axis=1)[rng.integers(len(whole.tetra), size=lines)]
    way = np.cumsum(np.concatenate([root[:, None], rng.normal(0, 0.0015, (lines, 4, 3))], axis=1), axis=1)
    n, size = len(trunk.points), 5 * lines
    offsets = trunk.offsets[-1] + 5 * np.arange(1, lines + 1)

    def joined(old: np.ndarray, new: Any) -> np.ndarray:
        return np.concatenate([old, np.broadcast_to(np.asarray(new, old.dtype), size)])

    return replace(
        trunk,
        points=np.concatenate([trunk.points, way.reshape(-1, 3)]),
        connectivity=np.concatenate([trunk.connectivity, np.arange(n, n + size)]).astype(np.int32),
        offsets=np.concatenate([trunk.offsets, offsets]).astype(np.int32),
        part=joined(trunk.part, 3), vessel=joined(trunk.vessel, 0), radius=joined(trunk.radius, 1e-4),
        flow_rate=joined(trunk.flow_rate, 1e-9), pressure=joined(trunk.pressure, 9e3),
        concentration=joined(trunk.concentration, 1e-5),
    )  # fmt: skip


def _history() -> tuple[dict[str, Series], dict[str, Any]]:
    time = np.linspace(0, 28, 673) * DAY
    days = time / DAY
    leak = np.where(days > 5, 4e-12 * (1 - np.exp(-(days - 5))), 0.0)
    flow = (
        1.5e-11 * (1 + 0.01 * np.sin(2 * np.pi * days)) * np.where(days < 14, 1 - 0.002 * days, 1 - 0.002 * (days - 14))
    )
    reservoir = np.where(days < 14, 30e-6 - 1.5e-11 * time, 30e-6 - 1.5e-11 * (time - 14 * DAY))
    dose = np.where(days < 14, 1.0, np.exp(-(days - 14) * 8))
    rate = dose * flow * 6.46
    share = np.array(list(SEGMENTS.values()))[:, None] * np.where(days > 9, 0.8, 1.0)
    delivered = np.cumsum(rate * (1 - leak / flow) * 3600) * share
    ledger = np.zeros((673, 1, len(ACCOUNTS)))
    infused = np.cumsum(rate) * 3600
    book = dict(zip(ACCOUNTS, np.moveaxis(ledger, 2, 0), strict=True))
    book["filled"][:, 0] = DRUG_FILLED
    book["withdrawn"][days >= 14, 0] = DRUG_FILLED - infused[days >= 14][0]
    book["leaked"][:, 0] = np.cumsum(rate * leak / flow) * 3600
    book["catheter"][:, 0] = 0.9e-6 * dose
    book["liver"][:, 0] = 0.4e-6 * dose
    book["off_target"][:, 0] = 0.06 * infused
    book["body"][:, 0] = 1e-7 * dose
    book["eliminated"][:, 0] = 0.9 * np.maximum(infused - book["leaked"][:, 0] - book["off_target"][:, 0], 0) - 0
    book["reservoir"][:, 0] = 2 * book["filled"][:, 0] - ledger[:, 0, :].sum(axis=1)
    text = {"m3/s": "m3/s"}
    series = {
        "pump_flow_rate": Series(("time",), flow, text["m3/s"], "flow rate of the pump"),
        "pump_outlet_pressure": Series(("time",), 12.7e3 + 40 * np.sin(days), "Pa", "pressure at the pump's outlet"),
        "pump_reservoir_volume": Series(("time",), reservoir, "m3", "volume in the reservoir"),
        "catheter_tip_flow_rate": Series(("time",), flow - leak, "m3/s", "flow rate out of the tip"),
        "catheter_leak_flow_rate": Series(("time",), leak, "m3/s", "flow rate out of leaks"),
        "catheter_max_pressure": Series(
            ("time",), 12.7e3 + 60 * np.cos(days) ** 2, "Pa", "highest pressure in the line"
        ),
        "segment_tissue_concentration": Series(
            ("time", "drug", "segment"),
            (2e-6 * dose[:, None] * (1 + share.T))[:, None, :],
            "kg/m3",
            "tissue concentration",
        ),
        "segment_drug_delivered": Series(("time", "drug", "segment"), delivered.T[:, None, :], "kg", "drug delivered"),
        "body_concentration": Series(
            ("time", "drug"), (3e-8 * dose)[:, None], "kg/m3", "systemic plasma concentration"
        ),
        "ledger": Series(("time", "drug", "account"), ledger, "kg", "the ledger of the drug"),
    }
    coords = {"time": time, "drug": ["floxuridine"], "segment": NUMERALS, "account": list(ACCOUNTS)}
    return series, coords


def _cycle() -> tuple[dict[str, Series], dict[str, Any]]:
    time = np.linspace(0, 0.857, 100)
    phase = 2 * np.pi * time / 0.857
    shape = 1 + 0.45 * np.sin(phase) + 0.25 * np.sin(2 * phase + 0.7) + 0.1 * np.sin(3 * phase + 1)
    names = list(PATHS)
    mean = np.array([6.6 * (1e3 * RADII[name]) ** 3 / 10.6 for name in names]) * 1e-6
    flow = shape[:, None, None] * mean[None, :, None] * np.ones(3)
    pressure = (
        (12.6e3 + 2.5e3 * (shape - 1))[:, None, None] * np.linspace(1, 0.98, len(names))[None, :, None] * np.ones(3)
    )
    area = np.pi * np.array([RADII[name] for name in names])[None, :, None] ** 2 * np.ones((100, 1, 3))
    dims = ("time", "vessel", "station")
    series = {
        "flow_rate": Series(dims, flow, "m3/s", "flow rate"),
        "pressure": Series(dims, pressure, "Pa", "gauge pressure"),
        "velocity": Series(dims, flow / area, "m/s", "mean velocity"),
        "area": Series(dims, area, "m2", "lumen area"),
    }
    return series, {"time": time, "vessel": names, "station": STATIONS}


def _summary(history: dict[str, Series]) -> dict[str, Any]:
    final = history["ledger"].values[-1, 0]
    drug = {f"{name}_kg": float(value) for name, value in zip(ACCOUNTS, final, strict=True)} | {
        "relative_imbalance": 3e-13
    }
    delivered = history["segment_drug_delivered"].values[-1, 0]
    segments = {
        name: {
            "volume_m3": 1.5e-3 * share,
            "arterial_flow_m3_per_s": 6e-6 * share,
            "portal_flow_m3_per_s": 1.8e-5 * share,
            "arterial_perfusion_ml_per_min_per_100ml": 24.0,
            "perfusion_ml_per_min_per_100ml": 96.0,
            "drug_delivered_kg": float(kg),
            "dose_fraction": float(kg) / 1.2e-4,
            "mean_tissue_concentration_kg_per_m3": 1e-6,
            "peak_tissue_concentration_kg_per_m3": 2e-6,
            "exposure_kg_s_per_m3": 2.4,
        }
        for (name, share), kg in zip(SEGMENTS.items(), delivered, strict=True)
    }
    twin = {name: {"drug_delivered_kg": 1.08e-4 * share} for name, share in SEGMENTS.items()}
    return {
        "scenario": {"name": "Floxuridine, leak and narrowing right hepatic artery", "sha256": "0" * 64},
        "haiflow": {"version": "0.1.0"},
        "clock": "therapy",
        "duration_s": 28 * DAY,
        "status": "complete",
        "pump": {
            "mean_flow_rate_m3_per_s": 1.48e-11,
            "infused_volume_m3": 3.58e-5,
            "residual_volume_m3": 1.2e-5,
            "stalled_at_s": None,
        },
        "catheter": {"tip_flow_rate_m3_per_s": 1.2e-11, "leaked_volume_m3": 7e-6, "tip_ingress_m3_per_cycle": 8e-10},
        "ledger": {"drug": drug, "carrier": {"filled_m3": 6e-5, "relative_imbalance": 2e-14}},
        "arteries": {
            name: {
                "mean_flow_rate_m3_per_s": 1e-6,
                "mean_pressure_pa": 12.5e3,
                "max_pressure_pa": 16e3,
                "min_pressure_pa": 10e3,
            }
            for name in PATHS
        },
        "arteries_periodic": {"cycles": 6, "residual": 4e-4},
        "segments": segments,
        "tumours": {"tumour 1": {**segments["VIII"], "within": "VIII"}},
        "off_target": {"right_gastric": {"flow_rate_m3_per_s": 2e-7, "drug_delivered_kg": 7e-6, "dose_fraction": 0.06}},
        "body": {"peak_concentration_kg_per_m3": 3e-8, "exposure_kg_s_per_m3": 0.04, "hepatic_advantage": 60.0},
        "twin": {"segments": twin, "pump": {"mean_flow_rate_m3_per_s": 1.5e-11}},
        "detection": [
            {"fault": "leak at 12 cm", "observable": "delivered volume against plan at refill", "time_s": 14 * DAY},
            {"fault": "occlusion of right hepatic", "observable": "scan-agent distribution", "time_s": 9 * DAY},
        ],
        "timing": {"total_s": 2.0, "arteries_s": 1.1, "transport_s": 0.6},
    }


def make() -> Results:
    """The whole sample."""
    history, history_coords = _history()
    cycle, cycle_coords = _cycle()
    return Results(
        summary=_summary(history),
        history_series=history,
        history_coords=history_coords,
        cycle_series=cycle,
        cycle_coords=cycle_coords,
        network=network(),
        liver=liver(),
        events=[
            Event(5 * DAY, "leak at 12 cm", "fault"),
            Event(8 * DAY, "right hepatic narrows", "fault"),
            Event(14 * DAY, "refill: saline", "refill"),
        ],
        scenario_yaml="haiflow: 1\nname: sample\n",
        inputs=[{"name": "catheter.length", "value": "50 cm", "si": 0.5, "source": "scenario"}],
        provenance={
            "version": "0.1.0",
            "commit": "unknown",
            "machine": "a machine",
            "solver": {"cells": 400, "steps": 12000},
            "warnings": [],
        },
    )


def spread() -> tuple[LiverField, Scan]:
    """The liver with values that vary inside its segments: a starved wedge, a tumour, twelve frames; and its scan."""
    still = liver()
    middle = still.points[still.tetra].mean(axis=1)
    tumour = still.cell_data["tumour"] > 0
    vessel = np.array([-0.03, -0.01, 0.02])
    far = np.linalg.norm(middle - vessel, axis=1)
    patchy = 0.7 + 0.3 * np.sin(260 * middle[:, 0] + 1) * np.sin(220 * middle[:, 1]) * np.sin(240 * middle[:, 2])
    starved = 0.08 + 0.92 / (1 + np.exp(-(np.linalg.norm(middle - [-0.105, 0.02, -0.02], axis=1) - 0.04) / 0.004))
    level = patchy * starved * (0.5 + np.exp(-((far / 0.09) ** 2))) * np.where(tumour, 2.5, 1.0)
    times = np.linspace(0.0, 28.0, 12) * DAY
    rise = (1 - np.exp(-times / (3 * DAY)))[:, None] * np.where(times[:, None] > 8 * DAY, starved, 1.0)
    frames = (2e-6 * level / starved * rise).astype(np.float32)
    data = still.cell_data | {
        "arterial_perfusion_ml_per_min_per_100ml": 26.0 * level,
        "perfusion_ml_per_min_per_100ml": 70.0 + 26.0 * level,
        "drug_concentration_kg_per_m3": frames[-1].astype(float),
        "exposure_kg_s_per_m3": np.trapezoid(frames.astype(float), times, axis=0),
    }
    field = LiverField(still.points, still.tetra, data, times, frames)
    corners = still.points[still.tetra]
    volume = np.abs(np.linalg.det(corners[:, 1:] - corners[:, :1])) / 6.0
    share = volume * level / (volume @ level)
    image, x, z = planar(field.points, field.tetra, 1e-6 * share, pixel=3e-3, blur=9e-3, spacing=3e-3)
    return field, Scan("macroaggregated albumin", image, x, z)


def branches(trunk: Network, n: int = 1200) -> Network:
    """``trunk`` with ``n`` fine arteries of two points that grow out of the porta hepatis into the liver."""
    mesh = liver()
    middle = mesh.points[mesh.tetra].mean(axis=1)
    chosen = middle[np.random.default_rng(3).permutation(len(middle))[:n]]
    chosen = chosen[np.argsort(np.linalg.norm(chosen, axis=1))]
    starts, radii = np.zeros_like(chosen), np.full(n, 1e-3)
    for index in range(1, n):
        near = np.argmin(np.linalg.norm(chosen[:index] - chosen[index], axis=1))
        starts[index], radii[index] = chosen[near], max(0.88 * radii[near], 1.5e-4)
    m, known = len(trunk.points), len(trunk.vessel_names)
    fine = np.stack([starts, chosen], axis=1).reshape(-1, 3)

    def longer(name: str, value: Any) -> np.ndarray:
        old = getattr(trunk, name)
        return np.concatenate([old, np.broadcast_to(np.asarray(value, old.dtype), 2 * n)])

    return replace(
        trunk,
        points=np.concatenate([trunk.points, fine]),
        connectivity=np.arange(m + 2 * n, dtype=np.int32),
        offsets=np.concatenate([trunk.offsets, m + 2 * np.arange(1, n + 1)]).astype(np.int32),
        part=longer("part", 3), vessel=longer("vessel", known), vessel_names=(*trunk.vessel_names, "fine branches"),
        radius=longer("radius", np.repeat(radii, 2)), flow_rate=longer("flow_rate", 1e-8),
        pressure=longer("pressure", 11e3), concentration=longer("concentration", 1.2e-5),
    )  # fmt: skip


def spatial() -> Results:
    """The whole sample with the liver's values varying in space and time, fine arteries and a scan."""
    whole = make()
    field, scan = spread()
    assert whole.network is not None
    return replace(whole, liver=field, scan=scan, network=branches(whole.network))


def bare() -> Results:
    """A run that has arteries only: no pump, no catheter, no liver, no drug."""
    cycle, cycle_coords = _cycle()
    whole = make()
    summary = {
        key: whole.summary[key]
        for key in ("scenario", "haiflow", "clock", "duration_s", "status", "arteries", "arteries_periodic")
    }
    arteries = replace(whole.network, markers=(), pump=None) if whole.network else None
    return Results(summary=summary, cycle_series=cycle, cycle_coords=cycle_coords, network=arteries)
