"""Transport of dissolved species along the lumen: limited finite volumes in sub-steps, one compiled call a step.

Each cell's balance is ``d(V c)/dt = F c |in - F c |out - holes + K A dc/dx``, on the volume fluxes and volumes that the
line's hydraulics found, so that a constant concentration stays constant and the mass closes to round-off, in either
direction of flow and while the compliant lumen swells. Advection is second order (MUSCL-Hancock with a limiter),
dispersion implicit. What leaves by a hole has the cell's concentration; what enters brings the concentration outside.

Dispersion across the lumen of radius a (Gill & Sankarasubramanian 1970, Proc. R. Soc. A 316:341, as it grows from pure
convection to the limit of Taylor 1953 and Aris 1956):

    K = D + a^2 v^2 / (48 D) (1 - exp(-16 D tau / a^2)),      tau = L / |v|

where L is the length of the line: ``v^2 tau / 3`` for a solute that has no time to diffuse across.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from haiflow.kernels import kernel
from haiflow.numerics.schemes import LIMITERS, choose
from haiflow.ports import Floats

scalar = kernel("scalar")

SAME = 1e-13  # relative: concentrations that differ by round-off alone
CONSISTENT = 1e-8  # volumes and fluxes of a step must agree to this fraction of what moves


@dataclass(frozen=True, slots=True)
class LumenExchange:
    """Mass (kg) that crossed the lumen's openings in one step."""

    hole_mass: Floats  # (n_species, n_holes) outward; negative: inward. The tip is one of the holes
    inlet_mass: Floats  # (n_species,) into the lumen at face 0; negative: pushed back into the pump
    sub_steps: int


class LumenTransport:
    """Concentrations in the lumen and their advance.

    Parameters
    ----------
    cell_length, area : (n,) m, m2 (lumen at pressure zero, for the dispersion's velocity and radius).
    n_species : species; 0 is by convention the volume fraction of infusate (1 infusate, 0 blood).
    diffusivity : (n_species,) m2/s; 0 for one that only convects.
    concentration : (n_species, n) start values; zero where not given. kg/m3, or any unit that is linear.
    limiter : one of ``numerics.schemes.LIMITERS``.

    Raises ValueError on wrong shapes or non-positive sizes.
    """

    def __init__(
        self,
        cell_length: Floats,
        area: Floats,
        n_species: int,
        diffusivity: Floats,
        *,
        concentration: Floats | None = None,
        limiter: str = "mc",
    ) -> None:
        self.cell_length = np.ascontiguousarray(cell_length, dtype=np.float64)
        self.area = np.ascontiguousarray(area, dtype=np.float64)
        self.diffusivity = np.ascontiguousarray(np.broadcast_to(diffusivity, (n_species,)), dtype=np.float64)
        self.limiter = choose(LIMITERS, limiter)
        n = self.area.size
        if self.cell_length.shape != (n,) or n < 2 or not (self.area.min() > 0.0 and self.cell_length.min() > 0.0):
            raise ValueError("a lumen needs two cells or more, of positive length and area")
        if not self.diffusivity.min() >= 0.0:
            raise ValueError("diffusivity must not be negative")
        start = np.zeros((n_species, n)) if concentration is None else concentration
        self.c = np.array(np.broadcast_to(start, (n_species, n)), dtype=np.float64, order="C")
        self._beyond = self.c[:, -1].copy()  # concentration just out of the open end
        self._length = float(self.cell_length.sum())
        self._face_area, self._spacing = np.empty(n + 1), np.empty(n + 1)
        self._set_faces()
        self._work = np.empty((8 + 4 * n_species, n + 1))

    def _set_faces(self) -> None:
        self._face_area[1:-1] = 0.5 * (self.area[1:] + self.area[:-1])
        self._face_area[0], self._face_area[-1] = self.area[0], self.area[-1]
        self._spacing[1:-1] = 0.5 * (self.cell_length[1:] + self.cell_length[:-1])
        self._spacing[0] = self._spacing[-1] = 1.0  # no dispersion across the ends (Danckwerts)

    @property
    def n_species(self) -> int:
        return self.c.shape[0]

    @property
    def n_cells(self) -> int:
        return self.area.size

    def mass(self, volume: Floats) -> Floats:
        """(n_species,) kg in the lumen of cell volumes ``volume`` (n,) m3."""
        return self.c @ volume

    def advance(
        self,
        dt: float,
        face_flow: Floats,
        volume_start: Floats,
        volume_end: Floats,
        hole_cells: NDArray[np.int32],
        hole_flow: Floats,
        inflow_concentration: Floats,
        outside_concentration: Floats,
        tip_hole: int | None = None,
    ) -> LumenExchange:
        """Carry the species through one hydraulic step of ``dt`` (s).

        Parameters
        ----------
        face_flow : (n + 1,) m3/s towards the tip, constant over the step; either sign.
        volume_start, volume_end : (n,) m3, ``end - start = dt (face_flow[:-1] - face_flow[1:] - holes)``.
        hole_cells, hole_flow : (n_holes,) cell and outward flow (m3/s) of each hole.
        inflow_concentration : (n_species,) of what enters at face 0.
        outside_concentration : (n_species, n_holes) of what enters by each hole.
        tip_hole : which hole is the open end, its flow being ``face_flow[n]``; None for a closed end.

        Raises ValueError on wrong shapes, volumes that are not positive or do not fit the flows, non-finite numbers.
        """
        holes = np.ascontiguousarray(hole_cells, dtype=np.int32)
        arrays = self._checked(
            face_flow, volume_start, volume_end, hole_flow, inflow_concentration, outside_concentration, holes.size
        )
        tip = -1 if tip_hole is None else int(tip_hole)
        if (holes.size and (holes.min() < 0 or holes.max() >= self.n_cells)) or tip >= holes.size:
            raise ValueError("hole outside the line")
        uniform = self._uniform(dt, arrays, holes)
        if uniform is not None:
            return uniform
        hole_mass, inlet_mass = np.zeros((self.n_species, holes.size)), np.zeros(self.n_species)
        steps = scalar.advance_lumen(
            hole_mass, inlet_mass, self.c, self._beyond, self._work, *arrays, holes, tip,
            self._face_area, self._spacing, self.diffusivity, self._length, float(dt), CONSISTENT, self.limiter,
        )
        if steps < 0:
            raise ValueError(_REFUSED[steps])
        return LumenExchange(hole_mass, inlet_mass, steps)

    def _uniform(
        self, dt: float, arrays: tuple[Floats, ...], holes: NDArray[np.int32]
    ) -> LumenExchange | None:
        """The exchange of a lumen that holds what flows in, everywhere, and takes nothing in by its holes: it stays as
        it is, and needs no sub-steps. None for any other."""
        flow, start, end, hole_flow, inflow, _ = arrays
        if flow.min() < 0.0 or hole_flow.min(initial=0.0) < 0.0:
            return None
        if (np.abs(self.c - inflow[:, None]) > SAME * np.abs(inflow[:, None])).any():
            return None
        drained = np.bincount(holes, hole_flow, self.n_cells)
        # The tip's flow leaves by the last face, which is listed as a hole too.
        drained[-1] -= min(flow[-1], drained[-1])
        left = end - start - dt * (flow[:-1] - flow[1:] - drained)
        if not np.abs(left).max() <= CONSISTENT * max(dt * flow.max(), np.abs(end - start).max()):
            return None  # the kernel says what is wrong
        self.c[:], self._beyond[:] = inflow[:, None], inflow
        return LumenExchange(dt * inflow[:, None] * hole_flow, dt * flow[0] * inflow, 1)

    def _checked(
        self, face_flow: Floats, start: Floats, end: Floats, hole_flow: Floats, inflow: Floats, outside: Floats, m: int
    ) -> tuple[Floats, ...]:
        n, k = self.n_cells, self.n_species
        shapes = ((n + 1,), (n,), (n,), (m,), (k,), (k, m))
        arrays = tuple(
            np.ascontiguousarray(array, dtype=np.float64)
            for array in (face_flow, start, end, hole_flow, inflow, outside)
        )
        for array, shape in zip(arrays, shapes, strict=True):
            if array.shape != shape:
                raise ValueError(f"shape {array.shape}, expected {shape}")
        return arrays


_REFUSED = {
    -1: "lumen volumes and flows must be finite and volumes positive",
    -2: "lumen volumes do not fit the flows: volume_end - volume_start is not dt times the net inflow",
    -3: "the open end's flow is not the last face's flow",
}
