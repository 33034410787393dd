"""A field of many control volumes joined with a small system of compartments, advanced as one, implicitly.

The field has blood and tissue in each of n control volumes (:class:`FieldTransport`); the compartments are a
:class:`~haiflow.numerics.joint.JointSystem`. They hand each other mass: outlets of the compartments feed the field's
inlets, and what the field drains feeds one inlet of the compartments. In a stage of length h,

    (V - h R) c   = r + h g m_out                       compartments,   m_in = M c
    A f           = r_f + h (gain m_in)                 field,          m_out = drain . f

The coupling goes through the single number m_out: with ``w = A^-T drain`` it is known before the field is solved,

    m_out = (w . r_f + h w . gain M c0) / (1 - h w . gain M y),     c0 = (V - h R)^-1 r,   y = (V - h R)^-1 h g

so a stage costs one sweep through the field and one small solve, and there is no iteration between the parts. Tissue
is eliminated locally; the flow of blood is upwind and solved along its direction (:mod:`haiflow.numerics.upwind`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from haiflow.errors import SolverStopped
from haiflow.numerics.implicit import GAMMA, SCHEMES
from haiflow.numerics.joint import JointSystem, Step
from haiflow.numerics.upwind import UpwindGraph
from haiflow.ports import Floats

SATURATION_SWEEPS = 30
SATURATION_TOLERANCE = 1e-9  # change of the clearance, of the largest
SATURATION_ACCEPTED = 1e-5  # where the sweeps end before
KEPT_STAGES = 12  # the rungs of a ladder of step lengths that come back within an epoch


@dataclass(frozen=True)
class FieldTransport:
    """A substance's balance in n control volumes of blood and tissue:

        blood_volume  dc_b/dt = gain_blood m_in + inflow c_b - (given + drain) c_b - exchange (c_b - c_t)
        tissue_volume dc_t/dt = gain_tissue m_in + exchange (c_b - c_t) - clearance / (1 + c_t / half_saturation) c_t

    Arrays (n,): volumes m3 (distribution volumes), ``exchange``, ``clearance``, ``drain`` m3/s. ``gain_blood`` and
    ``gain_tissue`` (n, n_inlets): shares of what comes by each named inlet; both together sum to one by inlet.
    """

    graph: UpwindGraph
    blood_volume: Floats
    tissue_volume: Floats
    exchange: Floats
    clearance: Floats
    drain: Floats
    inlets: tuple[str, ...]
    gain_blood: csr_array
    gain_tissue: csr_array
    half_saturation: float = np.inf

    @property
    def n(self) -> int:
        return self.drain.size

    @cached_property
    def volume(self) -> Floats:
        """(2 n,) blood, then tissue."""
        return np.concatenate([self.blood_volume, self.tissue_volume])

    def saturated(self, tissue: Floats) -> Floats:
        """Clearance (n,) m3/s at the concentration ``tissue`` (n,)."""
        return self.clearance / (1.0 + np.maximum(tissue, 0.0) / self.half_saturation)


class _Stage:
    """One stage length ``h`` with its clearance: everything that does not depend on the right-hand side."""

    def __init__(self, field: FieldTransport, clearance: Floats, h: float, guess: Floats | None = None) -> None:
        self.field, self.h = field, h
        self.latest: Floats | None = None  # the next solution is near this one
        self.tissue = field.tissue_volume + h * (field.exchange + clearance)
        self.passed = h * field.exchange / self.tissue
        self.diagonal = (
            field.blood_volume + h * (field.graph.given + field.drain) + h * field.exchange * (1.0 - self.passed)
        )
        self.w_blood = field.graph.solve_adjoint(self.diagonal, field.drain, h, guess)
        self.w_tissue = self.passed * self.w_blood
        # How much of what comes by an inlet leaves by the drain within the stage, (n_inlets,) 1/s times s.
        self.answer = field.gain_blood.T @ self.w_blood + field.gain_tissue.T @ self.w_tissue

    def drained(self, right: Floats) -> float:
        """What leaves by the drain (kg/s) for a right-hand side (2 n,), without what the inlets bring."""
        n = self.field.n
        return float(self.w_blood @ right[:n] + self.w_tissue @ right[n:])

    def solve(self, right: Floats) -> Floats:
        n, field = self.field.n, self.field
        blood = field.graph.solve(self.diagonal, right[:n] + self.passed * right[n:], self.h, self.latest)
        self.latest = blood
        return np.concatenate([blood, (right[n:] + self.h * field.exchange * blood) / self.tissue])


@dataclass
class _Joined:
    """Solver of both together for one stage; to a time scheme it looks like that of the compartments alone."""

    system: FieldSystem
    dt: float
    scheme: str
    stage: _Stage

    def __post_init__(self) -> None:
        self.cache: Any = self.system  # schemes ask it for the volumes
        self.shift = self.stage.h
        self.joint = self.system.joint._solver(self.dt, self.scheme)
        system, h = self.system, self.stage.h
        self.column = self.joint.solve(h * system.back) if system.back.any() else system.back
        self.into = system.into
        self.loop = 1.0 - h * float(self.stage.answer @ (self.into @ self.column))

    def solve(self, right: Floats) -> Floats:
        system, h = self.system, self.stage.h
        cut = system.joint.n
        alone = self.joint.solve(right[:cut])
        brought = self.into @ alone
        out = (self.stage.drained(right[cut:]) + h * float(self.stage.answer @ brought)) / self.loop
        compartments = alone + out * self.column
        masses = brought + out * (self.into @ self.column)
        field = self.stage.solve(right[cut:] + h * system.spread(masses))
        return np.concatenate([compartments, field])


class FieldSystem:
    """Compartments and a field as one system; it answers to the same calls as a JointSystem.

    Parameters
    ----------
    joint : the compartments; the outlets that feed the field have no connection in it.
    name, field : the field's part name and its balance. Its compartments lie behind those of ``joint``: the blood of
        all control volumes, then their tissue.
    feeds : (outlet ``part.name`` of the joint, inlet of the field) -> fraction of the outlet's mass flow.
    back : inlet ``part.name`` of the joint that takes what the field drains; None where that leaves the model.
    """

    def __init__(
        self,
        joint: JointSystem,
        name: str,
        field: FieldTransport,
        feeds: Mapping[tuple[str, str], float],
        back: str | None,
    ) -> None:
        self.joint, self.name, self.field, self.returned = joint, name, field, back
        self.parts: dict[str, Any] = {**joint.parts, name: field}
        self.volume = np.concatenate([joint.volume, field.volume])
        self.inlets = (*joint.inlets, *(f"{name}.{inlet}" for inlet in field.inlets))
        self.outlets = (*joint.outlets, f"{name}.drain")
        share = np.zeros((len(field.inlets), len(joint.outlets)))
        for (outlet, inlet), fraction in feeds.items():
            share[field.inlets.index(inlet), joint.outlet_index(outlet)] += fraction
        fed = share.sum(axis=0)
        if np.any((fed > 0.0) & ((np.abs(fed - 1.0) > 1e-9) | ~joint.is_sink)) or np.any(share < 0.0):
            raise ValueError("the fractions of an outlet that feeds the field sum to one, and it feeds nothing else")
        self.into = share @ joint.outlet.toarray()
        self.back = np.zeros(joint.n) if back is None else joint.source_vector({back: 1.0})
        self.is_sink = np.append(joint.is_sink & (fed == 0.0), back is None)
        self._stages: dict[float, _Stage] = {}
        self._clearance = field.clearance

    @property
    def n(self) -> int:
        return self.volume.size

    def index(self, name: str) -> int:
        """Place of a compartment of the joint system in c."""
        return self.joint.index(name)

    def outlet_index(self, name: str) -> int:
        """Place of outlet ``part.name`` in :attr:`Step.outflow`."""
        return len(self.joint.outlets) if name == self.outlets[-1] else self.joint.outlet_index(name)

    def part_slice(self, part: str) -> slice:
        """Where the compartments of ``part`` lie in c."""
        return slice(self.joint.n, self.n) if part == self.name else self.joint.part_slice(part)

    def moved(self, exposure: Floats) -> float:
        """All that left a compartment or control volume (kg) at ``exposure`` (n,) kg s/m3: what a step can round."""
        cut, field = self.joint.n, self.field
        left = np.concatenate([field.graph.given + field.drain + field.exchange, field.exchange + field.clearance])
        return self.joint.moved(exposure[:cut]) + float(left @ np.abs(exposure[cut:]))

    def spread(self, masses: Floats) -> Floats:
        """(2 n,) kg/s into blood and tissue of the field from what comes by its inlets (n_inlets,) kg/s."""
        return np.concatenate([self.field.gain_blood @ masses, self.field.gain_tissue @ masses])

    def source_vector(self, sources: Mapping[str, float] | None) -> Floats:
        """External mass flow (n,) kg/s into each compartment, from inlet ``part.name`` -> kg/s."""
        masses, own = np.zeros(len(self.field.inlets)), {}
        for name, rate in (sources or {}).items():
            part, _, inlet = name.partition(".")
            if part == self.name:
                masses[self.field.inlets.index(inlet)] += rate
            else:
                own[name] = rate
        return np.concatenate([self.joint.source_vector(own), self.spread(masses)])

    def advance(
        self, c: Floats, dt: float, sources: Mapping[str, float] | None = None, *, scheme: str | None = None
    ) -> Step:
        """One step of length ``dt`` (s) from ``c`` (n,) kg/m3; saturable clearance is that of the step's own mean."""
        if c.shape != (self.n,):
            raise ValueError(f"c has shape {c.shape}, expected ({self.n},)")
        if not dt > 0.0:
            raise ValueError(f"step length {dt} s: must be positive")
        chosen = self.joint.scheme if scheme is None else scheme
        source = self.source_vector(sources)
        step = self._step(c, dt, source, chosen)
        if not np.isfinite(self.field.half_saturation):
            return step
        tissue = slice(self.n - self.field.n, self.n)
        for _ in range(SATURATION_SWEEPS):
            now = self.field.saturated(step.exposure[tissue] / dt)
            if np.abs(now - self._clearance).max() <= SATURATION_TOLERANCE * self.field.clearance.max():
                break
            change = float(np.abs(now - self._clearance).max() / self.field.clearance.max())
            self._clearance = now
            self._stages.clear()
            step = self._step(c, dt, source, chosen)
        else:
            if change > SATURATION_ACCEPTED:
                raise SolverStopped(0.0, "liver, saturable uptake", f"clearance still changes by {change:.2g} a sweep")
        return step

    def _step(self, c: Floats, dt: float, source: Floats, scheme: str) -> Step:
        result = SCHEMES[scheme](_Joined(self, dt, scheme, self._stage(GAMMA[scheme] * dt)), c, dt, source)  # type: ignore[arg-type]
        cut, exposure = self.joint.n, result.exposure
        blood, tissue = exposure[cut : cut + self.field.n], exposure[cut + self.field.n :]
        outflow = np.append(self.joint._outlet @ exposure[:cut], self.field.drain @ blood)
        cleared = self._clearance * tissue
        lost = np.concatenate([self.joint.loss * exposure[:cut], np.zeros(self.field.n), cleared])
        return Step(result.c_new, exposure, outflow, lost, result, scheme)

    def _stage(self, h: float) -> _Stage:
        found = self._stages.get(h)
        if found is None:
            latest = next(reversed(self._stages.values()), None)
            if len(self._stages) >= KEPT_STAGES:
                del self._stages[next(iter(self._stages))]
            guess = None if latest is None else latest.w_blood
            found = self._stages[h] = _Stage(self.field, self._clearance, h, guess)
        return found
