"""The pulse clock's circulation: drug on every step of the pulsatile flow, liver, beds and body behind it.

In an exchange the blood moves first, on its own small steps; the catheter then answers to the pressure at its tip; the
arteries carry what came out, on exactly the volume fluxes of those steps; and what left by the terminals enters liver
and beds. Substances travel twice, as in the therapy clock: what comes from the tip, and what the body sends back. The
infusate's own volume is neglected against the blood's (below 2 % for a bolus of 0.1 mL/s into 400 mL/min).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from haiflow.arteries import stations
from haiflow.arteries.grid import Grid, make_grid
from haiflow.arteries.pulsatile import FluxBlock, PulsatileFlow
from haiflow.arteries.transport import PulseTransport
from haiflow.numerics.compensated import Holding, Totals
from haiflow.numerics.field import FieldSystem
from haiflow.numerics.joint import JointSystem, Step
from haiflow.ports import Floats
from haiflow.simulation.blood import BloodFlow, tip_share
from haiflow.simulation.circulation import injection_of, seen, split_of, tissue_of, way_of
from haiflow.simulation.parts import Parts
from haiflow.simulation.perfused import joined
from haiflow.simulation.routes import bed_volumes, downstream, inlets, joint_step, portal_flows, territory_flows

EXCHANGES = 100  # a cycle: between them the catheter sees one mean pressure
TINY = 1e-9  # of a step


class Metronome:
    """Blocks of blood steps that end exactly on any wanted time: a step that crosses it is split, its flux kept."""

    def __init__(self, flow: PulsatileFlow, time: float = 0.0) -> None:
        self.flow, self.time = flow, time
        self.rest: FluxBlock | None = None

    def until(self, time: float) -> Iterator[FluxBlock]:
        """Blocks from now to ``time`` (s)."""
        if self.rest is not None and time > self.time:
            yield self._piece(self.rest, min(self.rest.dt, time - self.time))
        while time - self.time > TINY * self.flow.dt:
            whole = int((time - self.time) / self.flow.dt * (1.0 + 1e-12))
            if whole > 0:
                block = self.flow.advance(whole)
                self.time += block.dt * len(block.face_flux)
                yield block
            elif time - self.time > TINY * self.flow.dt:
                yield self._piece(self.flow.advance(1), time - self.time)
        self.time = time

    def _piece(self, block: FluxBlock, dt: float) -> FluxBlock:
        """The first ``dt`` (s) of one step; what is left of it is kept for the next call."""
        if len(block.face_flux) > 1:  # the solver halved its step on the way: go on with the mean flux of both
            flux, pressure = (array.mean(axis=0, keepdims=True) for array in (block.face_flux, block.node_pressure))
            block = FluxBlock(block.dt * len(block.face_flux), flux, block.area_start, pressure)
        self.rest = None
        self.time += dt
        if block.dt - dt <= TINY * block.dt:
            return block
        area = block.area_start - dt * self._divergence(block.face_flux[0])
        self.rest = replace(block, dt=block.dt - dt, area_start=area)
        return replace(block, dt=dt)

    def _divergence(self, flux: Floats) -> Floats:
        """(n_cells,) m2/s: net outflow of each cell per length."""
        grid = self.flow.grid
        return (flux[grid.slot + 1] - flux[grid.slot]) / grid.cell_dx


@dataclass
class Stream(Totals):
    """Everything between the tip and the body in the pulse clock; totals as in the therapy clock's circulation."""

    parts: Parts
    blood: BloodFlow
    systems: list[JointSystem | FieldSystem] = field(default_factory=list)
    delivered: Floats = field(init=False)
    arrived: Floats = field(init=False)
    carried: Floats = field(init=False)
    eliminated: Floats = field(init=False)
    gone: Floats = field(init=False)
    metabolised: Floats = field(init=False)

    def __post_init__(self) -> None:
        tree = self.parts.tree
        if tree is None:
            raise ValueError("a circulation needs arteries")
        n = len(self.parts.substances)
        self.terminals = tree.terminals
        self.volumes = bed_volumes(self.parts, self.blood.cycle(self.blood.base).outlet_flow)
        at_ends = np.zeros((n, len(self.terminals)))
        self.open(delivered=at_ends, arrived=at_ends, carried=np.zeros((n, len(tree.vessels))))
        self.open(eliminated=np.zeros(n), gone=np.zeros(n), metabolised=np.zeros(n))
        self.holding = Holding(np.zeros(n))
        self.metronome: Metronome | None = None
        self.transport: PulseTransport | None = None
        self.artery_exposure = np.zeros(0)
        self.refit(self.parts)
        self.artery_exposure = np.zeros((2 * n, self.grid.n_cells))
        self.c = [np.zeros(system.n) for system in self.systems]
        self.exposure = [np.zeros(system.n) for system in self.systems]

    def refit(self, parts: Parts) -> None:
        """Go on with altered parts; the blood goes on from where it is."""
        before, self.parts = self.parts, parts
        assert parts.tree is not None
        self.cycle = self.blood.cycle(parts.tree)
        self._fit_flow(before, parts)
        injection = injection_of(parts, self.cycle)
        self.injected, self.way = injection is not None, way_of(parts, injection)
        transport = PulseTransport(
            self.grid,
            2 * len(parts.substances),
            () if injection is None else (injection,),
            split=split_of(parts, injection),
        )
        if self.transport is not None:
            transport.c[:] = self.transport.c
        self.transport = transport
        self._fit_systems(parts)

    def _fit_flow(self, before: Parts, parts: Parts) -> None:
        assert parts.tree is not None
        assert before.tree is not None
        if self.metronome is not None and parts.tree.digest() == before.tree.digest():
            return
        driven = self.blood.driven(parts.tree)
        self.grid: Grid = make_grid(driven, self.blood.cell_length, self.blood.min_cells)
        state = self.cycle.state if self.metronome is None else self.metronome.flow.state()
        flow = PulsatileFlow(driven, self.grid, state, courant=self.blood.courant)
        rest, time = (None, 0.0) if self.metronome is None else (self.metronome.rest, self.metronome.time)
        self.metronome = Metronome(flow, time)
        self.metronome.rest = rest

    def _fit_systems(self, parts: Parts) -> None:
        behind = [downstream(parts, item, self.cycle.outlet_flow, self.volumes, 0.0) for item in parts.substances]
        if parts.perfused is not None:
            flow = self.cycle.outlet_flow
            portal = sum(portal_flows(parts, flow).values())
            self.systems = [
                joined(parts, substance, item.balances, item.connections, flow, portal)
                for substance, item in zip(parts.substances, behind, strict=True)
            ]
        else:
            balanced = bool(behind[0].balances)
            self.systems = [JointSystem(item.balances, item.connections) for item in behind] if balanced else []
        self.routes = inlets(parts)

    def tip_pressure(self, block: FluxBlock) -> float:
        """Mean pressure (gauge Pa) at the tip over a block, as :func:`haiflow.simulation.blood.tip_pressure` has it."""
        line, tree = self.parts.line, self.grid.tree
        if line is None or line.tip.vessel is None:
            return self.parts.artery_pressure
        vessel = tree.vessel(line.tip.vessel)
        if line.tip.position == "ostium":
            return float(block.node_pressure[:, tree.start[vessel]].mean())
        pressures = stations.of_block(block, self.grid, vessel)
        return float(stations.between(pressures, tip_share(tree, line.tip)).mean())

    def tip_concentration(self) -> Floats:
        """(n_substances,) of the blood that comes round, which is what could enter the line."""
        return np.array([self._central(index) for index in range(len(self.parts.substances))])

    def carry(self, block: FluxBlock, into_artery: Floats, absorbed: Floats) -> None:
        """Move everything through one block: arteries first, then liver, beds and body."""
        n, dt = len(self.parts.substances), block.dt * len(block.face_flux)
        inlet = np.concatenate([np.zeros(n), self.tip_concentration()])
        injected = np.zeros((2 * n, 1 if self.injected else 0))
        if self.injected:
            injected[:n, 0] = into_artery / dt
        assert self.transport is not None
        before = self.transport.c.copy()
        exchange = self.transport.advance(block, inlet, injected)
        self.artery_exposure += 0.5 * dt * (before + self.transport.c)
        self.book("carried", dt * self._rate_out(block, self.transport.c[:n]))
        self.book("delivered", exchange.outflow[:n])
        through = exchange.outflow[:n] + exchange.outflow[n:]
        self.book("arrived", through)
        self.book("gone", -exchange.inlet[:n])
        self._behind(dt, through, exchange.inlet[n:], absorbed)

    def _rate_out(self, block: FluxBlock, c: Floats) -> Floats:
        """(n_substances, n_vessels) kg/s at first pass out of each vessel's downstream end, mean over a block."""
        rate = block.face_flux.mean(axis=0)
        out, back = rate[self.grid.last_face], rate[self.grid.face_offset]
        forward = self.cycle.mean_flow_rate >= 0.0
        found = np.where(forward, out * c[:, self.grid.offset[1:] - 1], -back * c[:, self.grid.offset[:-1]])
        return np.array([self.way.fill(each) for each in found]).reshape(found.shape)

    def _behind(self, dt: float, through: Floats, taken: Floats, absorbed: Floats) -> None:
        """Liver, beds and body take what came ``through`` the terminals, and give what the arteries have ``taken``."""
        straight = absorbed - taken
        if not self.systems:
            self.book("gone", through.sum(axis=1) + straight)
            return
        to_body = straight if "body" in self.systems[0].parts else np.zeros_like(straight)
        unled = [node for node, name in enumerate(self.terminals) if not self.routes[name]]
        beyond = through[:, unled].sum(axis=1)
        steps = [self._advance(index, dt, through[index], to_body[index]) for index in range(len(self.systems))]
        both = list(zip(self.systems, steps, strict=True))
        lost = np.array([step.lost.sum() for step in steps])
        out = np.array([step.outflow[system.is_sink].sum() for system, step in both])
        if "liver" in self.systems[0].parts:
            in_liver = [step.lost[system.part_slice("liver")].sum() for system, step in both]
            self.book("metabolised", np.array(in_liver))
        self.book("eliminated", lost)
        self.book("gone", out + beyond + (straight - to_body))
        entered = through.sum(axis=1) - beyond + to_body
        self.c = self.holding.settled(self.systems, steps, entered - lost - out)

    def _advance(self, index: int, dt: float, through: Floats, to_body: float) -> Step:
        system, sources = self.systems[index], dict[str, float]()
        for node, mass in zip(self.terminals, through, strict=True):
            for target, share in self.routes[node].items():
                sources[target] = sources.get(target, 0.0) + share * mass / dt
        if "body" in system.parts:
            sources["body.absorption"] = to_body / dt
        step = joint_step(system, self.parts.substances[index], self.parts.liver, self.c[index], dt, sources)
        self.exposure[index] += step.exposure
        return step

    def held(self) -> dict[str, Floats]:
        """Amounts (n_substances,) in arteries, liver, off-target beds and body."""
        n = len(self.parts.substances)
        assert self.transport is not None
        volume = self._artery_volume()
        in_arteries = (self.transport.c * volume).sum(axis=1)
        found = {"arteries": in_arteries[:n] + in_arteries[n:]}
        for account, part in (("liver", "liver"), ("off_target", "beds"), ("body", "body")):
            found[account] = np.array([self._amount(index, part) for index in range(n)])
        return found

    def at(self, part: str, index: int) -> Floats:
        """Concentrations (kg/m3) of substance ``index`` in a part's compartments; empty where the part is missing."""
        return seen(self.parts, self.systems[index], part, self.c[index]) if self.systems else np.zeros(0)

    def exposure_of(self, part: str, index: int) -> Floats:
        """Integrals of concentration over time (kg s/m3) in a part's compartments; empty where the part is missing."""
        return seen(self.parts, self.systems[index], part, self.exposure[index]) if self.systems else np.zeros(0)

    def tissue_field(self, index: int, exposure: bool = False) -> Floats | None:
        """(n_pieces,) concentration (kg/m3) of substance ``index`` in the liver's tissue, or its integral (kg s/m3);
        None where the liver is not in 3D."""
        return tissue_of(self.systems[index], (self.exposure if exposure else self.c)[index]) if self.systems else None

    def mean_artery_concentration(self, vessel: int, share: Floats, time: float) -> Floats:
        """Mean drug (kg/m3) over ``time`` (s) at shares of a vessel's length from its start; zero without a drug."""
        n = len(self.parts.substances)
        if n < 2 or time <= 0.0:
            return np.zeros(len(share))
        cut = slice(self.grid.offset[vessel], self.grid.offset[vessel + 1])
        own = (self.artery_exposure[1, cut] + self.artery_exposure[n + 1, cut]) / time
        at = share * self.grid.tree.length[vessel]
        passed = abs(float(self.cycle.mean_flow_rate[vessel])) * time
        passing = self.way.concentration(self.carried[1], vessel, at, passed)
        return np.asarray(np.interp(at, self.grid.x[cut], own) + passing)

    def terminal_flow(self) -> Floats:
        """(n_terminals,) m3/s, cycle mean."""
        return np.array([self.cycle.outlet_flow[node] for node in self.terminals])

    def territory_flow(self) -> dict[str, float]:
        """Arterial flow (m3/s) by territory, cycle mean."""
        return territory_flows(self.parts, self.cycle.outlet_flow)

    def _artery_volume(self) -> Floats:
        """(n_cells,) m3, of the blood as far as the transport has come."""
        assert self.metronome is not None
        rest = self.metronome.rest
        area = self.metronome.flow.area if rest is None else rest.area_start
        return area * self.grid.cell_dx

    def _central(self, index: int) -> float:
        central = self.at("body", index)
        return float(central[0]) if central.size else 0.0

    def _amount(self, index: int, part: str) -> float:
        if not self.systems or part not in self.systems[index].parts:
            return 0.0
        system = self.systems[index]
        cut = system.part_slice(part)
        return float(system.volume[cut] @ self.c[index][cut])
