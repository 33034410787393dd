"""Which figure cells and steps move most, and whether it converges: what is said of a run's numerical error."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from haiflow.results.quantities import number
from haiflow.results.record import Finding

UNITS = (
    "_ml_per_min_per_100ml", "_kg_s_per_m3", "_kg_per_m3", "_kg_per_s", "_m3_per_cycle", "_m3_per_s", "_m_per_s",
    "_m3", "_kg", "_pa", "_m", "_s",
)  # fmt: skip
NOTHING = 1e-24  # in SI: less than a molecule of a drug
ROUND_OFF = 1e-12  # of the largest figure in the same unit, of one where there is none: what sums leave of a zero
TOLERABLE = 0.05  # of a figure [assumed]: as good as what a run is given is known
NOTABLE = 0.01  # of a figure's uncertainty: a family that makes less of it does not matter
OFF = ("oscillating", "not converging", "not a number")


def floors(values: Mapping[str, float]) -> dict[str, float]:
    """By figure the size below which it is round-off of zero."""
    scales: dict[str, float] = {}
    for key, value in values.items():
        unit = _unit(key)
        scales[unit] = max(scales.get(unit, 0.0), abs(value)) if unit else 1.0
    return {key: max(NOTHING, ROUND_OFF * scales[_unit(key)]) for key in values}


def _unit(key: str) -> str:
    return next((unit for unit in UNITS if key.endswith(unit)), "")


def is_nothing(value: float, levels: Iterable[float], floor: float) -> bool:
    """Whether a figure is zero but for round-off, at its own level and at every other one that gives a number."""
    return all(abs(each) <= floor for each in (value, *levels) if not math.isnan(each))


def share(total: float, value: float, levels: Iterable[float], floor: float) -> float:
    """The relative uncertainty; of a figure that is zero at its own level only, relative to the largest of the
    others."""
    largest = max((abs(each) for each in levels if math.isfinite(each)), default=0.0)
    size = abs(value) if abs(value) > floor else largest
    return total / size if size else math.inf


def worst(rows: list[dict[str, Any]], names: Iterable[str] = ()) -> dict[str, Any] | None:
    """The figure with the largest relative uncertainty, and whether it converges (with the families of ``names``)."""
    sized = [row for row in rows if not row["nothing"]]
    found = max(sized, key=lambda row: row["relative_uncertainty"], default=None)
    if found is None:
        return None
    said = {key: found[key] for key in ("figure", "value", "relative_uncertainty")}
    return said | {"convergence": _convergence(found, list(names))}


def _convergence(row: Mapping[str, Any], names: list[str]) -> str:
    """In words: whether the figure converges with each family that makes up a part of its uncertainty."""
    total = row["uncertainty"]
    parts = [name for name in names if not row[name]["uncertainty"] < NOTABLE * total]
    off = [f"{row[name]['state']} with {name}" for name in parts if row[name]["state"] in OFF]
    if off:
        return f"does not converge ({', '.join(off)})"
    slow = [name for name in parts if row[name]["state"] == "monotone, not asymptotic"]
    return f"converges, not at the scheme's order ({', '.join(slow)})" if slow else "converges"


def finding(block: Mapping[str, Any]) -> Finding | None:
    """One line for screen and verdict; None where every figure is zero."""
    found = block["worst"]
    if found is None:
        return None
    size = found["relative_uncertainty"]
    error = f"{number(100.0 * size, 2)} %" if math.isfinite(size) else "an unknown error"
    name = found["figure"].replace(".", ": ", 1).replace(".", " ").replace("_", " ")
    text = (
        f"Numerical error: of {len(block['figures'])} figures the worst is {name} = {found['value']:.4g}: "
        f"off by up to {error}; {found['convergence']}."
    )
    return Finding("ok" if size <= TOLERABLE else "warn", text)
