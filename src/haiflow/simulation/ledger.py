"""Every kilogram accounted for: one book, a row per substance, a column per account.

Each account is measured where the substance is (amounts in control volumes) or summed from the fluxes that the parts
exchanged; none is computed from the others. So the imbalance says whether the parts agree, to round-off.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from haiflow.ports import Floats

# "outflow" is what left the modelled parts: it is zero unless the scenario leaves a part out.
HELD = ("reservoir", "catheter", "leaked", "arteries", "liver", "off_target", "body", "outflow")
ACCOUNTS = ("filled", "withdrawn", *HELD, "eliminated")


@dataclass
class Ledger:
    """Cumulative entries (n_substances,): kg, and m3 of liquid for the carrier (substance 0)."""

    n_substances: int
    filled: Floats = field(init=False)
    withdrawn: Floats = field(init=False)
    eliminated: Floats = field(init=False)

    def __post_init__(self) -> None:
        self.filled, self.withdrawn, self.eliminated = (np.zeros(self.n_substances) for _ in range(3))

    def balance(self, held: dict[str, Floats]) -> Floats:
        """All accounts now, (n_substances, n_accounts) in the order of ``ACCOUNTS``, given what each place holds."""
        places = [held.get(place, np.zeros(self.n_substances)) for place in HELD]
        return np.stack([self.filled, self.withdrawn, *places, self.eliminated], axis=1)


def imbalance(balance: Floats) -> Floats:
    """Relative imbalance of each substance, ``(filled - everything else) / filled``; zero where nothing was filled.

    ``balance``: (..., n_accounts) in the order of ``ACCOUNTS``.
    """
    filled = balance[..., 0]
    missing = filled - balance[..., 1:].sum(axis=-1)
    return np.divide(missing, filled, out=np.zeros_like(missing), where=filled > 0.0)
