"""One question to the region: its shape or mesh, the blood, what flows at its ends, and how finely it is solved."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from haiflow.junction.ends import End, Ends, Inflow, Outlet, Wall, Wave, lay
from haiflow.junction.geometry import Shape
from haiflow.junction.march import CarreauYasuda
from haiflow.junction.profiles import developed, womersley
from haiflow.mesh.region import Region
from haiflow.ports import Floats

TRACE = 1e-5  # of the blood's flow: what all holes of a slow infusion let out, which does not push the blood
METHOD = 13  # raised whenever the same case would give another answer
SLOW = 1e-3  # of the blood's flow: an infusion below it does not push the blood
INLET = "inlet"  # the patch by which the blood comes, and by which a strong infusion drives it back
HOLE = "hole:"  # patches by which infusate comes in
HARMONICS = 12  # of the inflow; the arteries' waveforms have no more


@dataclass(frozen=True)
class Case:
    """What is solved. Flow rates in m3/s.

    ``inflow`` (k,): what the artery carries there without the infusion, at equal steps over one ``period`` (s), one
    value where the flow is steady; ``outflow``: branch -> samples alike, or their mean shares; ``infusion``: hole ->
    flow rate. ``steps`` a cycle at least, ``cycles`` at most.
    """

    inflow: Floats
    outflow: dict[str, Floats]
    infusion: dict[str, float]
    period: float = 0.0
    density: float = 1060.0
    viscosity: float = 3.8e-3
    thinning: CarreauYasuda | None = None
    shape: Shape | None = None
    region: Region | None = None
    near: tuple[tuple[float, float, float], float] | None = None  # middle and radius (m) of the tip's surroundings
    steps: int = 400
    cycles: int = 4
    tracers: int = 2000

    @property
    def pulsatile(self) -> bool:
        return self.period > 0.0 and len(self.inflow) > 1

    @property
    def mean_flow(self) -> float:
        return float(np.mean(self.inflow))

    @property
    def supply(self) -> Floats:
        """(k,) m3/s that comes by the inlet. The heart keeps up the pressure, and with it the branches' flows: what is
        infused comes in the stead of blood, which a stronger infusion drives back."""
        return np.asarray(self.inflow) - sum(self.infusion.values())

    @property
    def refluxes(self) -> bool:
        """Whether blood, and drug with it, leaves by the inlet at any time."""
        return bool(np.min(self.supply) < 0.0)

    @property
    def kinematic(self) -> float:
        """Viscosity over density, m2/s."""
        return self.viscosity / self.density

    @property
    def slow(self) -> bool:
        """Whether the infusion is too slow to push the blood: then its rate does not matter, only its shares."""
        return sum(self.infusion.values()) <= SLOW * self.mean_flow

    def passive(self) -> Case:
        """The same with a trace of infusion in the same shares where it is slow: what one solution stands for."""
        total = sum(self.infusion.values())
        if not self.slow or total <= 0.0:
            return self
        scale = TRACE * self.mean_flow / total
        return replace(self, infusion={name: rate * scale for name, rate in self.infusion.items()})

    def digest(self) -> str:
        """A content hash of all that decides the answer."""
        digest = hashlib.sha256()
        own = self.passive()
        for name in ("period", "density", "viscosity", "thinning", "shape", "near", "steps", "cycles", "tracers"):
            digest.update(repr(getattr(own, name)).encode())
        digest.update(f"method {METHOD}".encode() + np.round(own.inflow / own.mean_flow, 7).tobytes())
        digest.update(f"{own.mean_flow:.7g}".encode())
        for name, samples in sorted(own.outflow.items()):
            digest.update(name.encode() + np.round(np.asarray(samples) / own.mean_flow, 7).tobytes())
        for name, rate in sorted(own.infusion.items()):
            digest.update(f"{name} {rate / own.mean_flow:.3g}".encode())
        if own.region is not None:
            for part in (own.region.points, own.region.tetra, own.region.wall, own.region.patch):
                digest.update(np.ascontiguousarray(part).tobytes())
            digest.update(repr(own.region.names).encode())
        return digest.hexdigest()


def holes(region: Region) -> tuple[str, ...]:
    """The patches by which infusate comes in."""
    return tuple(name for name in region.names if name.startswith(HOLE))


def letting(case: Case, region: Region) -> tuple[str, ...]:
    """The holes that let infusate out: one through which nothing comes is a wall."""
    return tuple(name for name in holes(region) if case.infusion.get(name, 0.0) > 0.0)


def branches(region: Region) -> tuple[str, ...]:
    """The patches by which blood leaves."""
    return tuple(name for name in region.names if name not in (INLET, "catheter", "vessel") and HOLE not in name)


def ways_out(case: Case, region: Region) -> tuple[str, ...]:
    """The branches, and the inlet where blood is driven back by it."""
    return (*branches(region), INLET) if case.refluxes else branches(region)


def conditions(case: Case, region: Region) -> Ends:
    """Walls, what comes by the inlet, holes, and outlets that let out their share; the last one holds the pressure."""
    found: dict[str, End] = {name: Wall() for name in ("vessel", "catheter") if name in region.names}
    found[INLET] = _inlet(case, region)
    found |= {name: Wall() for name in holes(region)}
    for name in letting(case, region):
        found[name] = Inflow(developed(region, name, case.infusion[name], flat=False))
    *leading, last = branches(region)
    whole = np.sum([np.asarray(samples) for samples in case.outflow.values()], axis=0)
    for name in leading:
        found[name] = Outlet(flow_rate=_share(case, case.outflow[name], whole))
    found[last] = Outlet(pressure=lambda _: 0.0)
    return lay(region, found)


def _inlet(case: Case, region: Region) -> End:
    """A developed inflow; where more goes back than comes, an opening that lets out just that."""
    mean = float(np.mean(case.supply))
    if mean >= 0.0 and case.pulsatile:
        return Inflow(womersley(region, INLET, case.supply, case.period, case.kinematic, HARMONICS))
    if mean >= 0.0:
        return Inflow(developed(region, INLET, mean))
    return Outlet(flow_rate=periodic(-case.supply, case.period, HARMONICS) if case.pulsatile else lambda _: -mean)


def _share(case: Case, samples: Floats, whole: Floats) -> Wave:
    """What a branch takes: the region is stiff, so its own flows are scaled to the inflow."""
    share = float(np.mean(samples) / np.mean(whole))
    if not case.pulsatile:
        return lambda _: share * case.mean_flow
    taken = np.asarray(samples) - share * (whole - case.inflow)
    return periodic(np.broadcast_to(taken, case.inflow.shape), case.period, HARMONICS)


def periodic(samples: Floats, period: float, harmonics: int) -> Wave:
    """The Fourier series of ``samples`` (k,), cut after ``harmonics``."""
    waves: NDArray[np.complex128] = np.fft.rfft(samples)[: harmonics + 1] / len(samples)
    waves[1:] *= 2.0
    turns = 2j * np.pi / period * np.arange(len(waves))
    return lambda time: float(np.real(np.exp(turns * time) @ waves))
