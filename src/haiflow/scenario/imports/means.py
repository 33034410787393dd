"""Mean pressures of a network as resistances: where on its tube law a vessel works, before any run."""

from __future__ import annotations

from math import inf, pi

from haiflow.numerics.cone import mean_inverse_fourth
from haiflow.scenario.imports.draft import Draft, DraftOutlet, DraftVessel

HELD = 1e-3  # Pa s/m3, resistance of an outlet that holds its pressure
LEAST = 1.0  # Pa s/m3, of a vessel that has none


def poiseuille(vessel: DraftVessel, viscosity: float, profile: float) -> float:
    """Resistance (Pa s/m3) of a vessel of linear radius, with the friction of a velocity profile."""
    start, end = (0.5 * d for d in vessel.diameter)
    return 2.0 * (profile + 2.0) * viscosity / pi * vessel.length * mean_inverse_fourth(start, end)


def outlet_resistance(outlet: DraftOutlet) -> float:
    """Of the whole bed to a mean flow; infinite where it closes or is not known yet."""
    if outlet.kind == "pressure":
        return HELD
    if outlet.kind == "reflection":
        return inf
    return (outlet.proximal or 0.0) + (outlet.distal or 0.0) or inf


def mean_pressures(draft: Draft) -> dict[str, float]:
    """Gauge Pa by node, at the mean of the inlet; zero where no pressure is known."""
    import numpy as np
    from scipy.sparse import coo_array
    from scipy.sparse.linalg import spsolve

    nodes = list(dict.fromkeys(node for vessel in draft.vessels for node in (vessel.start, vessel.end)))
    index = {node: number for number, node in enumerate(nodes)}
    rows: list[int] = []
    columns: list[int] = []
    values: list[float] = []
    right = np.zeros(len(nodes))

    def add(row: int, column: int, value: float) -> None:
        rows.append(row)
        columns.append(column)
        values.append(value)

    for vessel in draft.vessels:
        total = poiseuille(vessel, draft.viscosity, draft.velocity_profile) + vessel.linear_loss
        a, b, conductance = index[vessel.start], index[vessel.end], 1.0 / max(total, LEAST)
        for row, column, sign in ((a, a, 1.0), (b, b, 1.0), (a, b, -1.0), (b, a, -1.0)):
            add(row, column, sign * conductance)
    for node, outlet in draft.outlets.items():
        resistance = outlet_resistance(outlet)
        add(index[node], index[node], 1.0 / resistance)
        right[index[node]] += outlet.venous_pressure / resistance
    if draft.driven == "pressure":
        add(index[draft.inlet], index[draft.inlet], 1.0 / HELD)
        right[index[draft.inlet]] += draft.cycle.mean / HELD
    elif all(outlet_resistance(outlet) == inf for outlet in draft.outlets.values()):
        return dict.fromkeys(nodes, 0.0)
    else:
        right[index[draft.inlet]] += draft.cycle.mean
    matrix = coo_array((values, (rows, columns)), shape=(len(nodes), len(nodes))).tocsc()
    return dict(zip(nodes, (float(value) for value in np.atleast_1d(spsolve(matrix, right))), strict=True))
