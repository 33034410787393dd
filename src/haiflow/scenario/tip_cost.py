"""What the tip in 3D will cost, told before it is meshed: tetrahedra, seconds, bytes."""

from __future__ import annotations

from haiflow.scenario.load import Scenario
from haiflow.scenario.model import ScenarioModel, Tip

STEADY, STEP, BEATS = 1.7e-4, 1.6e-6, 3.0  # s a cell; s a cell and step; cycles until the split repeats
BEGIN = 5.0  # s
BYTES = 1020  # a tetrahedron: flow, drug and the frames of a beat
MANY = 500_000  # tetrahedra, from which the cost is worth a word


def tip_cells(scenario: Scenario) -> int:
    """How many tetrahedra the region round a tip in 3D has, of one's own mesh, or about will have; 0 where it mixes."""
    model = scenario.model
    if model.catheter is None or model.arteries is None or model.catheter.tip.resolve != "3d":
        return 0
    from haiflow.junction.cell_count import with_thread
    from haiflow.scenario.tip_mesh import read_own
    from haiflow.scenario.tip_region import tip_region

    if scenario.tip_mesh_path is not None:
        return len(read_own(scenario.tip_mesh_path).tetra)
    return with_thread(tip_region(model.arteries, model.catheter).shape)


def tip_seconds(model: ScenarioModel, cells: int) -> float:
    """Of meshing and solving the region round the tip, where it has not been solved before."""
    if not cells or model.catheter is None:
        return 0.0
    tip = model.catheter.tip
    steady = BEGIN + STEADY * cells
    return steady if tip.flow == "steady" else steady + STEP * BEATS * tip.steps * cells


def told_cost(model: ScenarioModel, cells: int) -> list[str]:
    """A line on what a mesh of very many tetrahedra takes; none of a smaller one."""
    if cells < MANY or model.catheter is None:
        return []
    hours, memory = tip_seconds(model, cells) / 3600.0, BYTES * cells / 1e9
    key, remedy = "mesh", "a coarser one"
    if model.catheter.tip.mesh is None:
        key, remedy = f"cells: {model.catheter.tip.cells:g}", f"cells: {Tip().cells:g}, the default,"
    return [f"catheter.tip.{key} makes about {1e-6 * cells:.2g} million tetrahedra: {memory:.1f} GB of memory and "
            f"{hours:.2g} h where it was not solved before; {remedy} is far cheaper"]  # fmt: skip
