"""What is written down while a run goes on: a row of values at every output time, turned into series at the end."""

from __future__ import annotations

from collections import defaultdict
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from haiflow.liver.model import Liver
from haiflow.liver.pieces import Pieces
from haiflow.ports import Floats
from haiflow.simulation.infusion import Infusion
from haiflow.simulation.ledger import Ledger
from haiflow.simulation.parts import Parts


class Bloodstream(Protocol):
    """What both clocks' circulations tell the recorder and the ledger."""

    terminals: tuple[str, ...]
    delivered: Floats
    arrived: Floats
    eliminated: Floats
    gone: Floats
    metabolised: Floats
    carried: Floats

    def held(self) -> dict[str, Floats]: ...
    def at(self, part: str, index: int) -> Floats: ...
    def terminal_flow(self) -> Floats: ...
    def refit(self, parts: Parts) -> None: ...
    def tip_concentration(self) -> Floats: ...
    def mean_artery_concentration(self, vessel: int, share: Floats, time: float) -> Floats: ...
    def exposure_of(self, part: str, index: int) -> Floats: ...
    def tissue_field(self, index: int, exposure: bool = False) -> Floats | None: ...


def segment_shares(liver: Liver) -> Floats:
    """(n_segments, n_territories): the share of each segment's volume that each territory has."""
    segments = list(dict.fromkeys(item.segment for item in liver.territories))
    volume = np.array([[item.volume * (item.segment == segment) for item in liver.territories] for segment in segments])
    return volume / volume.sum(axis=1, keepdims=True)


class Recorder:
    """Rows by name; every value is an array or a number of fixed shape."""

    def __init__(self, n_substances: int, liver: Liver | None = None) -> None:
        self.n = n_substances
        self.shares = np.zeros((0, 0)) if liver is None else segment_shares(liver)
        self._segment_peak = np.zeros(len(self.shares))
        self.rows: dict[str, list[Floats]] = defaultdict(list)
        self.peak: dict[str, Floats] = {}
        self._last: dict[str, tuple[Floats, float]] = {}
        self.frame_every: float | None = None  # s between two pictures of the liver in 3D; None: none are kept
        self._frames: list[tuple[float, NDArray[np.float32]]] = []

    def sample(self, time: float, infusion: Infusion | None, blood: Bloodstream | None, ledger: Ledger) -> None:
        """Write down the state at ``time`` (s)."""
        if self.rows["time"] and self.rows["time"][-1] >= time:
            return
        self._put("time", time)
        self._put("ledger", balance_now(self.n, infusion, blood, ledger))
        if infusion is not None:
            self._infusion(time, infusion)
        if blood is not None:
            self._blood(blood)
            self._picture(time, blood)

    def _picture(self, time: float, blood: Bloodstream) -> None:
        """Keep the drug in the liver's tissue where a picture is due."""
        if self.frame_every is None or self.n < 2 or time < len(self._frames) * self.frame_every * (1.0 - 1e-9):
            return
        field = blood.tissue_field(1)
        if field is not None:
            self._frames.append((time, field.astype(np.float32)))

    def frames(self, pieces: Pieces, partition: float) -> tuple[Floats | None, NDArray[np.float32] | None]:
        """Times (k,) s and the tissue's concentration (k, m) kg/m3 in every cell then; None where none were kept."""
        if not self._frames:
            return None, None
        values = [(partition * pieces.in_cells(field)).astype(np.float32) for _, field in self._frames]
        return np.array([time for time, _ in self._frames]), np.stack(values)

    def watch(self, blood: Bloodstream | None) -> None:
        """Keep the largest concentrations seen at any step, sampled or not."""
        if blood is None:
            return
        for part, kept in (
            ("liver", None),
            ("body", 1),
        ):  # of the body its central blood: not all have a second compartment
            values = np.stack([blood.at(part, index)[:kept] for index in range(self.n)])
            self.peak[part] = np.maximum(self.peak.get(part, values), values)
            if part == "liver" and values.size and self.n > 1:
                self._segment_peak = np.maximum(self._segment_peak, self.shares @ values[1, 1::2])

    def segment_peak(self) -> Floats:
        """(n_segments,) largest tissue concentration of the first drug in each whole segment, its tumours included."""
        return self._segment_peak

    def series(self, name: str) -> Floats:
        """All rows of one name, (n_times, ...). A rate at time zero is that of the first interval."""
        values = np.array(self.rows[name])
        if name in self._last and len(values) > 1:
            values[0] = values[1]
        return values

    def _put(self, name: str, value: Floats | float) -> None:
        self.rows[name].append(np.array(value, dtype=float))

    def _rate(self, name: str, total: Floats | float, time: float) -> None:
        """The mean rate since the last sample, from a running total; the books' own flux, not a snapshot."""
        now = np.asarray(total, dtype=float)
        before, since = self._last.get(name, (np.zeros_like(now), 0.0))
        self._put(name, (now - before) / (time - since) if time > since else np.zeros_like(now))
        self._last[name] = (now.copy(), time)

    def _infusion(self, time: float, infusion: Infusion) -> None:
        self._rate("pump_flow_rate", infusion.pump_volume, time)
        self._rate("catheter_tip_flow_rate", infusion.tip_volume, time)
        self._rate("catheter_leak_flow_rate", infusion.leaked_volume, time)
        self._rate("tip_drug_rate", infusion.delivered[1:], time)
        self._rate("leak_drug_rate", infusion.leaked[1:], time)
        self._put("pump_outlet_pressure", infusion.inlet_pressure)
        self._put("pump_reservoir_volume", infusion.reservoir.volume)
        self._put("catheter_max_pressure", infusion.state.pressure.max())
        self._put("catheter_blood_fraction", infusion.blood_fraction())

    def _blood(self, blood: Bloodstream) -> None:
        drugs = range(1, self.n)
        self._put("terminal_flow_rate", blood.terminal_flow())
        self._put("terminal_drug_delivered", blood.delivered[1:])
        liver = np.stack([blood.at("liver", index) for index in drugs]) if self.n > 1 else np.zeros((0, 0))
        self._put("segment_blood_concentration", liver[:, 0::2])
        self._put("segment_tissue_concentration", liver[:, 1::2])
        central = [blood.at("body", index) for index in drugs]
        self._put("body_concentration", np.array([values[0] if values.size else 0.0 for values in central]))


def balance_now(n: int, infusion: Infusion | None, blood: Bloodstream | None, ledger: Ledger) -> Floats:
    """(n_substances, n_accounts): the ledger with what every place holds at this moment."""
    held: dict[str, Floats] = {}
    if infusion is not None:
        held |= infusion.held()
        ledger.filled, ledger.withdrawn = infusion.filled, infusion.withdrawn
    if blood is not None:
        held |= blood.held()
        ledger.eliminated = blood.eliminated
        held["outflow"] = blood.gone
    elif infusion is not None:
        held["outflow"] = infusion.delivered + infusion.absorbed
    return ledger.balance(held)
