"""SI values said in the units of the clinic: mg, mL, mL/day, mmHg, ng/mL."""

from __future__ import annotations

import math
from collections.abc import Iterable

# Unit as shown: (SI unit, how many of it make one SI unit).
SHOWN = {
    "g": ("kg", 1e3),
    "mg": ("kg", 1e6),
    "µg": ("kg", 1e9),
    "ng": ("kg", 1e12),
    "mL": ("m3", 1e6),
    "µL": ("m3", 1e9),
    "mL/min": ("m3/s", 6e7),
    "mL/day": ("m3/s", 8.64e10),
    "mL/h": ("m3/s", 3.6e9),
    "Pa": ("Pa", 1.0),
    "kPa": ("Pa", 1e-3),
    "mmHg": ("Pa", 1 / 133.322387415),
    "mg/mL": ("kg/m3", 1.0),
    "µg/mL": ("kg/m3", 1e3),
    "ng/mL": ("kg/m3", 1e6),
    "pg/mL": ("kg/m3", 1e9),
    "mg/day": ("kg/s", 8.64e10),
    "µg/min": ("kg/s", 6e10),
    "mg·h/L": ("kg.s/m3", 1 / 3.6),
    "µg·h/L": ("kg.s/m3", 1e3 / 3.6),
    "cm/s": ("m/s", 1e2),
    "mm": ("m", 1e3),
    "mm²": ("m2", 1e6),
    "d": ("s", 1 / 86400),
    "h": ("s", 1 / 3600),
    "min": ("s", 1 / 60),
    "s": ("s", 1.0),
    "%": ("1", 1e2),
    "": ("1", 1.0),
}
LADDERS = {
    "kg": ("g", "mg", "µg", "ng"),
    "m3": ("mL", "µL"),
    "kg/m3": ("mg/mL", "µg/mL", "ng/mL", "pg/mL"),
    "kg.s/m3": ("mg·h/L", "µg·h/L"),
    "s": ("d", "h", "min", "s"),
}


def shown_unit(values: float | Iterable[float], unit: str) -> str:
    """The unit of a ladder (kg, m3, kg/m3, kg.s/m3, s) in which the largest of ``values`` is at least one."""
    sizes = [values] if isinstance(values, int | float) else values
    largest = max((abs(float(value)) for value in sizes if math.isfinite(value)), default=0.0)
    ladder = LADDERS[unit]
    if largest == 0.0:
        return ladder[min(1, len(ladder) - 1)]
    return next((name for name in ladder if largest * SHOWN[name][1] >= 0.9995), ladder[-1])


def number(value: float, digits: int = 3) -> str:
    """A number with ``digits`` significant digits, with no exponent where it can be read without one."""
    if not math.isfinite(value):
        return "–"
    if value == 0.0:
        return "0"
    if not 1e-3 <= abs(value) < 10 ** max(digits + 2, 5):
        return f"{value:.{digits - 1}e}"
    decimals = max(digits - 1 - math.floor(math.log10(abs(value))), 0)
    return f"{value:.{decimals}f}"


def closure(imbalance: float) -> str:
    """A relative imbalance in words; doubles cannot tell one below 1e-16 from none."""
    return number(abs(imbalance), 2) if abs(imbalance) >= 1e-16 else "below 1e-16"


def say(value: float | None, unit: str, digits: int = 3) -> str:
    """A value in SI said in ``unit`` as shown (``mL/day``) or in the fitting unit of an SI ladder (``kg``)."""
    if value is None or not math.isfinite(value):
        return "–"
    shown = shown_unit(value, unit) if unit in LADDERS else unit
    space = "" if shown == "" else " "
    return f"{number(value * SHOWN[shown][1], digits)}{space}{shown}"
