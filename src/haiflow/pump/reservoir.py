"""The reservoir: a well-mixed volume of carrier that holds amounts of dissolved substances.

Drawing takes substances in proportion; what cannot be drawn is the pump's residual volume. A refill first withdraws
all but the residual, which stays and mixes with the new fill: a change of drug is never quite complete.
YAML: ``schedule: [{at: 14 d, refill: {drug: saline, volume: 30 mL}}]``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from haiflow.ports import Floats


@dataclass(frozen=True, eq=False)
class Reservoir:
    """``volume`` (m3) of carrier and ``amounts`` (n_species,) kg in it."""

    volume: float
    amounts: Floats

    @property
    def concentrations(self) -> Floats:
        """(n_species,) kg/m3; zero in an empty reservoir."""
        return self.amounts / self.volume if self.volume > 0.0 else np.zeros_like(self.amounts)


def filled(volume: float, concentrations: Floats) -> Reservoir:
    """A reservoir of ``volume`` (m3) with ``concentrations`` (n_species,) kg/m3."""
    return Reservoir(volume, volume * np.asarray(concentrations, dtype=np.float64))


def draw(reservoir: Reservoir, volume: float) -> tuple[Reservoir, Floats]:
    """Take ``volume`` (m3) out; returns what stays and the amounts (n_species,) kg that left.

    Raises ValueError when there is less in the reservoir.
    """
    if not 0.0 <= volume <= reservoir.volume:
        raise ValueError(f"cannot draw {volume} m3 from {reservoir.volume} m3")
    taken = reservoir.concentrations * volume
    return Reservoir(reservoir.volume - volume, reservoir.amounts - taken), taken


def refill(
    reservoir: Reservoir, volume: float, concentrations: Floats, residual_volume: float = 0.0
) -> tuple[Reservoir, Reservoir]:
    """Withdraw all but ``residual_volume`` (m3) and put in ``volume`` (m3) with ``concentrations`` (kg/m3).

    Returns the reservoir after it and what was withdrawn.
    """
    withdrawn_volume = max(reservoir.volume - residual_volume, 0.0)
    rest, amounts = draw(reservoir, withdrawn_volume)
    fill = filled(volume, concentrations)
    mixed = Reservoir(rest.volume + fill.volume, rest.amounts + fill.amounts)
    return mixed, Reservoir(withdrawn_volume, amounts)
