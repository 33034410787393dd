"""From the reservoir to the blood: pump, side port, lumen, leaks and their pockets, advanced together.

The same class serves both clocks: it needs the pressure at the tip and what the blood outside the holes carries, and
says how much of each substance went through each hole. Amounts are in kg, for the carrier in m3.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from haiflow.catheter.hydraulics import LineFlow, LineState, advance, carry_over, rest_state
from haiflow.catheter.line import Line
from haiflow.catheter.lumen import LumenExchange, LumenTransport
from haiflow.numerics.compensated import Holding, Totals
from haiflow.ports import Characteristic, Floats, Fluid
from haiflow.pump.reservoir import Reservoir
from haiflow.pump.reservoir import refill as refill_reservoir
from haiflow.simulation.parts import Parts, Refill

CLOSED_PUMP = Characteristic(pressure=0.0, resistance=1.0, min_flow_rate=0.0, max_flow_rate=0.0)
PRIMING = 0  # the carrier alone fills the lumen at implantation: saline, no drug


@dataclass(frozen=True)
class Delivery:
    """What one step moved: amounts (n_substances,) into the artery and from tissue pockets to the body; the flows."""

    into_artery: Floats
    absorbed: Floats
    flow: LineFlow
    dt: float


class Infusion(Totals):
    """Reservoir, line and pockets with their contents, and the running totals of what went where."""

    filled: Floats
    withdrawn: Floats
    leaked: Floats
    delivered: Floats
    absorbed: Floats
    left_pump: Floats
    pump_volume: float
    bolus_volume: float
    tip_volume: float
    leaked_volume: float
    blood_in: float
    blood_lost: float

    def __init__(self, parts: Parts, artery_pressure: float) -> None:
        """``artery_pressure`` (gauge Pa) is that at the tip, to which the whole line is filled at the start."""
        if parts.line is None:
            raise ValueError("an infusion needs a catheter")
        n = len(parts.substances)
        self.n = n
        self.parts, self.line = parts, parts.line
        self.reservoir = Reservoir(0.0, np.zeros(n))
        self.state: LineState = rest_state(self.line, artery_pressure)
        self.lumen = _primed(self.line, parts)
        self.pocket = np.zeros((n, len(self.line.holes)))
        self.open(filled=(self.lumen.c * self._lumen_volume()).sum(axis=1))
        self.open(**{name: np.zeros(n) for name in ("withdrawn", "leaked", "delivered", "absorbed", "left_pump")})
        self.open(pump_volume=0.0, bolus_volume=0.0, tip_volume=0.0, leaked_volume=0.0, blood_in=0.0, blood_lost=0.0)
        self.holding = Holding(self.filled)
        self.max_pump_pressure = self.max_line_pressure = self.inlet_pressure = artery_pressure
        self.flow: LineFlow | None = None
        self._span = 0.0
        self._sums = [np.zeros_like(self.lumen.c), np.zeros(self.line.n_cells), np.zeros(self.line.n_cells + 1)]

    def refit(self, parts: Parts) -> None:
        """Go on with altered parts: a leak that opened, a tip that moved, another temperature."""
        line = parts.line
        if line is None:
            raise ValueError("an infusion needs a catheter")
        if line is not self.line:
            kept = {hole.name: self.pocket[:, i] for i, hole in enumerate(self.line.holes)}
            self.state = carry_over(self.state, self.line, line)
            empty = np.zeros(self.n)
            self.pocket = (
                np.stack([kept.get(hole.name, empty) for hole in line.holes], axis=1)
                if line.holes
                else self.pocket[:, :0]
            )
        self.parts, self.line = parts, line

    def refill(self, refill: Refill) -> None:
        """Withdraw what the needle reaches and fill anew; the residual volume stays and mixes."""
        residual = 0.0 if self.parts.pump is None else self.parts.pump.residual_volume
        self.reservoir, withdrawn = refill_reservoir(self.reservoir, refill.volume, refill.concentration, residual)
        filled = refill.volume * refill.concentration
        self.book("withdrawn", withdrawn.amounts)
        self.book("filled", filled)
        self._hand_back(filled - withdrawn.amounts, withdrawn.amounts)

    def advance(self, time: float, dt: float, artery_pressure: float, outside: Floats) -> Delivery:
        """One step of ``dt`` (s) from ``time`` (s); ``outside`` (n_substances,): what the blood at the tip carries."""
        before = self.lumen.c.copy(), self.state.pressure
        self.state, flow = advance(
            self.line, self.state, dt,
            characteristic=self._characteristic(time, dt),
            side_port_flow=self._syringe(),
            artery_pressure=artery_pressure,
            viscosity=self._viscosity(),
            density=self._liquid.density,
        )  # fmt: skip
        inflow = self._draw(flow, dt)
        exchange = self.lumen.advance(
            dt, flow.face_flow, flow.volume_start, flow.volume_end,
            self.line.hole_cells, flow.hole_flow, inflow, self._outside(outside), self.line.tip_hole,
        )  # fmt: skip
        self._account_inlet(exchange.inlet_mass)
        into_artery, absorbed = self._share(exchange.hole_mass, flow, dt)
        self._hand_back(self._injected - into_artery - absorbed, _turned_over(exchange))
        self._watch(flow, dt)
        self._average(before, flow, dt)
        self.flow = flow
        return Delivery(into_artery, absorbed, flow, dt)

    def held(self) -> dict[str, Floats]:
        """What reservoir, catheter and pockets hold now, (n_substances,) each."""
        return {
            "reservoir": self.reservoir.amounts.copy(),
            "catheter": (self.lumen.c * self._lumen_volume()).sum(axis=1),
            "leaked": self.pocket.sum(axis=1),
        }

    def time_to_empty(self) -> float:
        """Time (s) until the reservoir is down to its residual volume at the flow rate of the last step."""
        if self.parts.pump is None or self.flow is None or self.flow.pump_flow <= 0.0:
            return np.inf
        return max(self.reservoir.volume - self.parts.pump.residual_volume, 0.0) / self.flow.pump_flow

    def blood_fraction(self) -> float:
        """Share of the lumen that blood fills."""
        volume = self._lumen_volume()
        return float(((1.0 - self.lumen.c[0]) * volume).sum() / volume.sum())

    def _lumen_volume(self) -> Floats:
        return self.line.rest_volume + self.line.compliance * self.state.pressure

    def _characteristic(self, time: float, dt: float) -> Characteristic:
        """The pump's, limited so that a step cannot take more than what lies above the residual volume."""
        parts = self.parts
        if parts.pump is None:
            return CLOSED_PUMP
        free = parts.pump.characteristic(self.reservoir.volume, parts.surroundings, parts.infusate.viscosity, time)
        left = max(self.reservoir.volume - parts.pump.residual_volume, 0.0) / dt
        if left >= free.max_flow_rate:
            return free
        return replace(free, max_flow_rate=left, min_flow_rate=min(free.min_flow_rate, left))

    def _syringe(self) -> float | Characteristic:
        """The bolus under way, if any: what the side port lets through without passing its pressure limit."""
        side = self.parts.side_port
        if side is None:
            return 0.0
        return side.flow_rate if self.parts.pump is None else self.parts.pump.side_port.characteristic(side.flow_rate)

    @property
    def _liquid(self) -> Fluid:
        """What runs through the line now: the bolus while there is one, else the pump's infusate."""
        return self.parts.infusate if self.parts.side_port is None else self.parts.side_port.liquid

    def _viscosity(self) -> Floats:
        """(n,) Pa s: infusate and blood mixed by volume in the logarithm (Arrhenius)."""
        fraction = np.clip(self.lumen.c[0], 0.0, 1.0)
        return self._liquid.viscosity**fraction * self.parts.blood_viscosity ** (1.0 - fraction)

    def _draw(self, flow: LineFlow, dt: float) -> Floats:
        """Concentration (n_substances,) at the line's inlet; takes from the reservoir what the pump moved."""
        side = self.parts.side_port
        injected = np.zeros(self.n) if side is None else side.concentration
        pumped = flow.pump_flow * dt
        in_reservoir = (
            self.reservoir.amounts / self.reservoir.volume if self.reservoir.volume > 0.0 else np.zeros(self.n)
        )
        if pumped < 0.0:  # a bolus pushes some of itself back through the restrictor
            moved = pumped * (injected if side is not None else self.lumen.c[:, 0])
        else:
            moved = pumped * in_reservoir
        self._moved = moved
        self.reservoir = Reservoir(self.reservoir.volume - pumped, self.reservoir.amounts - moved)
        self._injected = flow.side_port_flow * dt * injected
        self.book("filled", self._injected)
        total = pumped + flow.side_port_flow * dt
        if total <= 0.0:
            return self.lumen.c[:, 0].copy()
        return (moved + self._injected) / total

    def _account_inlet(self, entered: Floats) -> None:
        """Where the line pushed back into the pump, the reservoir gets exactly what left the lumen."""
        self.book("left_pump", entered)
        given = self._moved + self._injected
        self.reservoir = replace(self.reservoir, amounts=self.reservoir.amounts + (given - entered))

    def _hand_back(self, entered: Floats, moved: Floats) -> None:
        """Give back to reservoir or lumen, whichever holds more, what the rounding of a step took of each substance."""
        amounts, volume = self.reservoir.amounts, self._lumen_volume()
        in_lumen = self.lumen.c * volume
        rest = self.holding.remainder(entered, amounts + in_lumen.sum(axis=1) + self.pocket.sum(axis=1), moved)
        to_reservoir = amounts >= in_lumen.max(axis=1)
        self.reservoir = replace(self.reservoir, amounts=amounts + np.where(to_reservoir, rest, 0.0))
        for index in np.flatnonzero(~to_reservoir):
            fullest = int(np.argmax(in_lumen[index]))
            self.lumen.c[index, fullest] += rest[index] / volume[fullest]

    def _outside(self, blood: Floats) -> Floats:
        """(n_substances, n_holes): what would flow in through each hole, from the artery or from the hole's pocket."""
        columns = []
        for index, hole in enumerate(self.line.holes):
            volume = self.state.pocket_volume[index]
            in_pocket = self.pocket[:, index] / volume if volume > 0.0 else np.zeros(self.n)
            columns.append(in_pocket if hole.outside == "pocket" else blood)
        return np.stack(columns, axis=1) if columns else np.zeros((self.n, 0))

    def _share(self, through: Floats, flow: LineFlow, dt: float) -> tuple[Floats, Floats]:
        """Hand what went through the holes to artery or pockets, and take what the pockets lost to the body."""
        into_artery, absorbed = np.zeros(self.n), np.zeros(self.n)
        for index, hole in enumerate(self.line.holes):
            volume = flow.hole_flow[index] * dt
            blood = max(volume, 0.0) - through[0, index] if volume > 0.0 else volume - through[0, index]
            if hole.outside == "artery":
                into_artery += through[:, index]
                self.book("tip_volume", volume)
                self.book("blood_in", max(-blood, 0.0))
                continue
            self.book("leaked_volume", volume)
            self.book("blood_lost", blood)
            self.book("leaked", through[:, index])
            self.pocket[:, index] += through[:, index]
            absorbed += self._absorb(index, flow, dt)
        self.book("delivered", into_artery)
        self.book("absorbed", absorbed)
        return into_artery, absorbed

    def _absorb(self, index: int, flow: LineFlow, dt: float) -> Floats:
        """The part of a pocket's content that its absorbed volume carries to the body (well mixed, implicit)."""
        out = max(flow.absorbed[index], 0.0) * dt
        volume = max(self.state.pocket_volume[index], 0.0)
        if out <= 0.0:
            return np.zeros(self.n)
        taken = self.pocket[:, index] * (out / (volume + out))
        self.pocket[:, index] -= taken
        return taken

    def _watch(self, flow: LineFlow, dt: float) -> None:
        self.book("pump_volume", flow.pump_flow * dt)
        self.book("bolus_volume", flow.side_port_flow * dt)
        self.inlet_pressure = flow.inlet_pressure
        self.max_pump_pressure = max(self.max_pump_pressure, flow.inlet_pressure)
        self.max_line_pressure = max(self.max_line_pressure, float(self.state.pressure.max()))

    def _average(self, before: tuple[Floats, Floats], flow: LineFlow, dt: float) -> None:
        """Add a step to the means: the trapezium rule for states, the step's own mean for flow."""
        self._span += dt
        now = self.lumen.c, self.state.pressure
        middle = [0.5 * (old + new) for old, new in zip(before, now, strict=True)]
        for total, value in zip(self._sums, (*middle, flow.face_flow), strict=True):
            total += dt * value

    def means(self) -> tuple[Floats, Floats, Floats]:
        """Means over the run: concentration (n_substances, n), pressure (n,) gauge Pa, flow rate (n + 1,) m3/s."""
        if self._span == 0.0:
            return self.lumen.c, self.state.pressure, np.zeros(self.line.n_cells + 1)
        concentration, pressure, flow_rate = (total / self._span for total in self._sums)
        return concentration, pressure, flow_rate


def _turned_over(exchange: LumenExchange) -> Floats:
    """(n_substances,) all that went in and out of the lumen in a step."""
    return np.asarray(np.abs(exchange.inlet_mass) + np.abs(exchange.hole_mass).sum(axis=1))


def _primed(line: Line, parts: Parts) -> LumenTransport:
    """A lumen full of carrier without drug."""
    diffusivity = np.array([substance.diffusivity for substance in parts.substances])
    lumen = LumenTransport(line.dx, line.area, len(parts.substances), diffusivity)
    lumen.c[:] = 0.0
    lumen.c[PRIMING] = 1.0
    return lumen
