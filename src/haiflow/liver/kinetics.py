"""What the liver does to a drug, and the intrinsic clearance that makes its extraction ratio true.

A well-mixed pair of blood and tissue with flow Q, exchange PS and intrinsic clearance CLi extracts
``E = CLe / (Q + CLe)`` with ``CLe = PS CLi / (PS + CLi)`` at steady state (the venous-equilibrium or well-stirred model
with a membrane: Rowland, Benet & Graham 1973, J Pharmacokinet Biopharm 1:123; Gillette 1971). Solved for CLi at the
reference flow this gives the library's E exactly.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

# Exchange is called flow-limited where PS exceeds flow and clearance tenfold.
FLOW_LIMITED = 10.0


@dataclass(frozen=True, slots=True)
class DrugKinetics:
    """A drug in the liver.

    ``extraction_ratio`` in [0, 1) at the reference flow. ``partition``: tissue to blood concentration at equilibrium
    (1). ``permeability_surface``: exchange per volume of liver (1/s), None for flow-limited. ``half_saturation``: Km as
    concentration in tissue relative to blood equilibrium (kg/m3), infinite for linear kinetics.
    ``trapped_fraction``: part of what arrives that lodges in tissue for good at first pass (particles of a scan agent);
    such an agent exchanges no further.
    """

    name: str
    extraction_ratio: float = 0.0
    partition: float = 1.0
    permeability_surface: float | None = None
    half_saturation: float = np.inf
    trapped_fraction: float = 0.0


@dataclass(frozen=True, slots=True)
class Calibration:
    """Exchange and intrinsic clearance per volume of normal liver (1/s), and what had to be changed to reach E."""

    permeability_surface: float
    intrinsic_clearance: float
    remarks: tuple[str, ...] = ()


def calibrate(drug: DrugKinetics, reference_perfusion: float) -> Calibration:
    """The clearance per volume that gives the drug's extraction ratio at ``reference_perfusion`` (1/s).

    Where the given exchange is too weak to carry that much, it is raised to the flow-limited value and a remark says
    so. Raises ``ValueError`` for an extraction ratio outside [0, 1).
    """
    ratio = drug.extraction_ratio
    if not 0.0 <= ratio < 1.0:
        raise ValueError(f"extraction ratio of {drug.name} is {ratio}, it must be in [0, 1)")
    if drug.trapped_fraction > 0.0:
        return Calibration(0.0, 0.0)
    effective = reference_perfusion * ratio / (1.0 - ratio)
    enough = FLOW_LIMITED * max(reference_perfusion, effective)
    exchange = drug.permeability_surface
    remarks: tuple[str, ...] = ()
    if exchange is None:
        exchange = enough
    elif exchange <= effective:
        remarks = (
            f"{drug.name}: exchange of {exchange:.3g} /s cannot carry an extraction ratio of {ratio:g} "
            f"(needs more than {effective:.3g} /s); raised to {enough:.3g} /s",
        )
        exchange = enough
    return Calibration(exchange, effective * exchange / (exchange - effective), remarks)
