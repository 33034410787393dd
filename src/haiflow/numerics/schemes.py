"""Limiters and time schemes by name: explicit tables, chosen outside the loop."""

from __future__ import annotations

from collections.abc import Mapping

# Codes that the kernel ``scalar`` understands; all three keep a front free of over- and undershoot (Sweby 1984,
# SIAM J. Numer. Anal. 21:995). ``minmod`` is the most diffusive, ``mc`` (monotonised central) the sharpest.
LIMITERS: dict[str, int] = {"minmod": 0, "van_leer": 1, "mc": 2}


def choose(table: Mapping[str, int], name: str) -> int:
    """The code of ``name`` in ``table``; raises ValueError with the known names."""
    if name not in table:
        raise ValueError(f"unknown scheme '{name}': use one of {', '.join(sorted(table))}")
    return table[name]
