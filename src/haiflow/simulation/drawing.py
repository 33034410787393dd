"""What the pictures show: line and arteries as polylines with values, the liver as tetrahedra with values."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from haiflow.arteries.tree import Tree
from haiflow.mesh.field import Sphere, perfusion_field
from haiflow.mesh.model import TetraMesh
from haiflow.ports import Floats
from haiflow.results.record import ARTERY, CATHETER, FINE_ARTERY, PUMP_LINE, LiverField, Marker, Network, PumpBody
from haiflow.scenario import model as given
from haiflow.simulation import geometry
from haiflow.simulation.averages import mean_flow_and_pressure, mean_outlet_flow
from haiflow.simulation.blood import BloodFlow
from haiflow.simulation.cells import lodged, resolved_field
from haiflow.simulation.clock import Trajectory
from haiflow.simulation.diagram import fan
from haiflow.simulation.events import fault_name
from haiflow.simulation.territories import Territories

POINTS = 17  # along each artery
STATIONS = (0.0, 0.5, 1.0)  # of its length: where the cycle is known
PUMP_RADIUS, PUMP_HEIGHT = 0.039, 0.024  # m (FDA SSED P890055: 7.8 cm by 2.4 cm)
TUNNELLED = 0.4  # of the line: from the pump through the abdominal wall


def network(run: Trajectory, flow: BloodFlow | None, model: given.ScenarioModel) -> Network | None:
    """Pump line, catheter and arteries with the values of the run; None where there is neither."""
    lines: list[_Polyline] = []
    base = run.timeline.base
    diagram = _is_diagram(run, model)
    pump = (
        np.array(model.pump.position)
        if model.pump is not None and model.pump.position
        else np.array(geometry.PUMP_POSITION)
    )
    if run.infusion is not None:
        lines += _catheter(run, pump)
    if flow is not None and base.tree is not None:
        arteries = _arteries(run, flow, replace(base.tree, position=fan(base.tree)) if diagram else base.tree)
        lines += _in_file_order(arteries, model) + _in_file_order(_grown(run, flow, base.tree), model)
    if not lines:
        return None
    sizes = [len(line.points) for line in lines]
    offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32)
    number = {name: index for index, name in enumerate(dict.fromkeys(line.name for line in lines))}
    return Network(
        points=np.concatenate([line.points for line in lines]),
        connectivity=np.arange(offsets[-1], dtype=np.int32),
        offsets=offsets,
        part=np.repeat([line.part for line in lines], sizes).astype(np.int32),
        vessel=np.repeat([number[line.name] for line in lines], sizes).astype(np.int32),
        vessel_names=tuple(number),
        radius=np.concatenate([line.radius for line in lines]),
        flow_rate=np.concatenate([line.flow_rate for line in lines]),
        pressure=np.concatenate([line.pressure for line in lines]),
        concentration=np.concatenate([line.concentration for line in lines]),
        markers=_markers(run, model, pump),
        pump=PumpBody(pump, np.array([0.0, 1.0, 0.0]), PUMP_RADIUS, PUMP_HEIGHT) if model.pump is not None else None,
        diagram=diagram,
    )


def _in_file_order(lines: list[_Polyline], model: given.ScenarioModel) -> list[_Polyline]:
    """The lines by vessel as the scenario's file has them; those of one vessel as they are."""
    assert model.arteries is not None
    place = {name: index for index, name in enumerate(model.arteries.network.vessels)}
    return sorted(lines, key=lambda line: place[line.name])


def _is_diagram(run: Trajectory, model: given.ScenarioModel) -> bool:
    """Whether nothing says where the arteries lie, and nothing else is drawn that has a place."""
    tree, arteries = run.timeline.base.tree, model.arteries
    if tree is None or arteries is None or arteries.network is None or tree.paths:
        return False
    placed = any(node.position is not None for node in arteries.network.nodes.values())
    return not placed and run.infusion is None and run.timeline.base.liver is None


class _Polyline:
    """One line to draw, with its values at its points."""

    def __init__(
        self,
        name: str,
        part: int,
        points: Floats,
        radius: Floats,
        flow_rate: Floats,
        pressure: Floats,
        concentration: Floats,
    ) -> None:
        self.name, self.part, self.points, self.radius = name, part, points, radius
        self.flow_rate, self.pressure, self.concentration = flow_rate, pressure, concentration


def _line_path(run: Trajectory, pump: Floats) -> Floats:
    """(n + 1, 3) m along the catheter as it was placed."""
    parts = run.timeline.base
    assert parts.line is not None
    tip = parts.line.tip
    start = pump + np.array([-PUMP_RADIUS, 0.0, 0.0])
    return geometry.catheter_path(start, geometry.inside(parts.tree, tip), parts.line.n_cells + 1)


def _catheter(run: Trajectory, pump: Floats) -> list[_Polyline]:
    """The line in two pieces: tunnelled from the pump, and the catheter proper."""
    infusion = run.infusion
    assert infusion is not None
    line, path = infusion.line, _line_path(run, pump)
    concentration, pressure, flow = infusion.means()
    drug = concentration[1] if infusion.n > 1 else np.zeros(line.n_cells)
    at_faces = [_to_faces(values) for values in (line.radius + line.wall_thickness, pressure, drug)]
    cut = int(TUNNELLED * line.n_cells)
    pieces = (("pump_line", PUMP_LINE, slice(0, cut + 1)), ("catheter", CATHETER, slice(cut, None)))
    return [
        _Polyline(name, part, path[span], at_faces[0][span], flow[span], at_faces[1][span], at_faces[2][span])
        for name, part, span in pieces
    ]


def _to_faces(values: Floats) -> Floats:
    """(n + 1,) from cell values (n,): means between cells, the cells' own at the ends."""
    return np.concatenate([values[:1], 0.5 * (values[1:] + values[:-1]), values[-1:]])


def _arteries(run: Trajectory, flow: BloodFlow, tree: Tree) -> list[_Polyline]:
    """Every artery with its mean flow, pressure and drug over the run."""
    rate, pressure = mean_flow_and_pressure(run, flow)
    radius = np.sqrt(flow.cycle(flow.base).area.mean(axis=0) / np.pi)  # at arterial pressure, as in the living
    share = np.linspace(0.0, 1.0, POINTS)
    lines = []
    for index, name in enumerate(tree.vessels):
        drug = run.blood.mean_artery_concentration(index, share, run.end) if run.blood is not None else np.zeros(POINTS)
        lines.append(
            _Polyline(
                name,
                ARTERY,
                geometry.along(geometry.vessel_path(tree, name), share),
                np.interp(share, STATIONS, radius[index]),
                np.full(POINTS, rate[index]),
                np.interp(share, STATIONS, pressure[index]),
                drug,
            )
        )
    return lines


def _grown(run: Trajectory, flow: BloodFlow, tree: Tree) -> list[_Polyline]:
    """The arterial ends grown into the liver, with the flow and the drug of the terminal that they start from."""
    lines, rates = [], mean_outlet_flow(run, flow)
    _, pressure = mean_flow_and_pressure(run, flow)
    for node, grown in run.timeline.base.grown.items():
        name = tree.terminal_vessel(node)
        index = tree.vessel(name)
        last = np.array([1.0])
        drug = run.blood.mean_artery_concentration(index, last, run.end)[0] if run.blood is not None else 0.0
        for branch in range(len(grown.radius)):
            ends = grown.points[[grown.start[branch], grown.end[branch]]]
            rate, both = rates[node] * grown.flow_share[branch], np.ones(2)
            lines.append(
                _Polyline(
                    name,
                    FINE_ARTERY,
                    ends,
                    grown.radius[branch] * both,
                    rate * both,
                    pressure[index, -1] * both,
                    drug * both,
                )
            )
    return lines


def _markers(run: Trajectory, model: given.ScenarioModel, pump: Floats) -> tuple[Marker, ...]:
    """Where the tip and each fault are."""
    base = run.timeline.base
    if base.line is None:
        return ()
    path, found = _line_path(run, pump), [Marker("tip", "tip", _line_path(run, pump)[-1])]
    for fault in model.faults:
        place = _place(fault, base.line.length, path, base.tree)
        if place is not None:
            found.append(Marker(fault_name(fault), fault.kind, place))
    return tuple(found)


def _place(fault: given.Fault, length: float, path: Floats, tree: Tree | None) -> Floats | None:
    if isinstance(fault, given.Stall):
        return path[0]
    if isinstance(fault, given.Dislodgement):
        return geometry.tip_position(
            tree,
            None if fault.to == "tissue" else fault.to.vessel,
            "ostium" if fault.to == "tissue" else fault.to.position,
        )
    if isinstance(fault, given.Occlusion) and fault.where.vessel is not None:
        return (
            None if tree is None else geometry.along(geometry.vessel_path(tree, fault.where.vessel), np.array([0.5]))[0]
        )
    spot = fault.where.catheter
    share = 0.0 if spot == "connector" else 1.0 if spot in ("tip", None) else float(spot) / length
    return geometry.along(path, np.array([share]))[0]


def liver_field(run: Trajectory, flow: BloodFlow, mesh: TetraMesh) -> LiverField | None:
    """The liver's mesh with the values of segments and tumours on its cells."""
    liver = run.timeline.base.liver
    if liver is None or run.blood is None:
        return None
    agent = lodged(run, mesh)
    seen = {} if agent is None else {"agent_lodged_kg_per_m3": agent[1] / mesh.volumes}
    if run.timeline.base.perfused is not None:
        field = resolved_field(run, flow, mesh)
        return replace(field, cell_data=field.cell_data | seen)
    tumours = [
        Sphere(item.name, item.segment, item.diameter or 0.0, item.centre)
        for item in liver.territories
        if item.kind == "tumour"
    ]
    arrays = perfusion_field(mesh, Territories(run, flow, liver).by_territory(), tumours)
    return LiverField(mesh.points, mesh.tetra, arrays | seen)
