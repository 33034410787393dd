"""Criteria that a result has to meet: ``segments.min_dose_fraction > 0.05``, ``pump.mean_flow_rate >= 1.2 mL/day``.

A criterion names a figure of summary.json by its path, without the unit at its end (the value carries the unit). Where
a group has members (segments, tumours, off_target, arteries, detection) either name one (``segments.IV.dose_fraction``)
or take all of them by ``min_``, ``max_``, ``mean_`` or ``sum_`` before the figure's name.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from haiflow.errors import nearest
from haiflow.units import UnitError, parse

# Figure -> (unit at the end of its name in summary.json, dimension that the value is read in).
FLOW, VOLUME, PRESSURE, TIME = ("_m3_per_s", "flow_rate"), ("_m3", "volume"), ("_pa", "pressure"), ("_s", "time")
MASS, CONCENTRATION, SHARE = ("_kg", "mass"), ("_kg_per_m3", "concentration"), ("", "fraction")
EXPOSURE = ("_kg_s_per_m3", "exposure")
PERFUSED = ("_ml_per_min_per_100ml", "perfusion")
Figures = Mapping[str, tuple[str, str]]
TERRITORY: Figures = {
    "volume": VOLUME, "arterial_flow": FLOW, "portal_flow": FLOW, "arterial_perfusion": PERFUSED, "perfusion": PERFUSED,
    "drug_delivered": MASS, "dose_fraction": SHARE, "mean_tissue_concentration": CONCENTRATION,
    "peak_tissue_concentration": CONCENTRATION, "exposure": EXPOSURE,
}  # fmt: skip
LEDGER: Figures = {
    **dict.fromkeys(
        ("filled", "reservoir", "catheter", "leaked", "arteries", "liver", "off_target", "body", "eliminated"), MASS
    ),
    "relative_imbalance": SHARE,
}
MEMBERS: Mapping[str, Figures] = {
    "segments": TERRITORY,
    "tumours": TERRITORY,
    "off_target": {"flow_rate": FLOW, "drug_delivered": MASS, "dose_fraction": SHARE},
    "arteries": {
        "mean_flow_rate": FLOW, "mean_pressure": PRESSURE, "max_pressure": PRESSURE, "min_pressure": PRESSURE,
        "drug_carried": MASS,
    },
    "detection": {"time": TIME},
}  # fmt: skip
PLAIN: Mapping[str, Figures] = {
    "pump": {
        "mean_flow_rate": FLOW, "infused_volume": VOLUME, "residual_volume": VOLUME, "max_pressure": PRESSURE,
        "stalled_at": TIME,
    },
    "catheter": {
        "tip_flow_rate": FLOW, "leaked_volume": VOLUME, "leaked_drug": MASS, "max_pressure": PRESSURE,
        "tip_ingress": ("_m3_per_cycle", "volume"),
    },
    "body": {"peak_concentration": CONCENTRATION, "exposure": EXPOSURE, "hepatic_advantage": SHARE},
    "ledger.drug": LEDGER,
}  # fmt: skip
NEVER = ("stalled_at_s", "time_s")  # figures that are None where it does not happen: later than any limit
ALL_OF: Mapping[str, Callable[[list[float]], float]] = {
    "min": min, "max": max, "mean": lambda values: sum(values) / len(values), "sum": sum,
}  # fmt: skip
SIGNS: Mapping[str, Callable[[float, float], bool]] = {
    ">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt,
}  # fmt: skip
_FORM = re.compile(r"\s*([A-Za-z][\w. +-]*?)\s*(>=|<=|>|<)\s*(\S.*?)\s*")
_EXPOSURE = re.compile(r"\s*([0-9.eE+-]+)\s+(.+?)\s*")
EXPOSURES = {"kg s/m3": 1.0, "mg h/L": 3.6, "ug h/L": 3.6e-3, "ng h/mL": 3.6e-3, "ug h/mL": 3.6, "mg h/mL": 3600.0}


@dataclass(frozen=True)
class Criterion:
    """A limit on one figure: ``group`` of the summary, ``member`` of it or how to take ``all_of`` them, ``figure`` as
    in summary.json, ``sign`` and ``limit`` (SI)."""

    text: str
    group: str
    member: str | None
    all_of: str | None
    figure: str
    sign: str
    limit: float

    @property
    def name(self) -> str:
        """The figure as a column of a table: ``segments.min_dose_fraction``."""
        steps = [self.group, *([self.member] if self.member else [])]
        return ".".join([*steps, f"{self.all_of}_{self.figure}" if self.all_of else self.figure])

    def value(self, summary: Mapping[str, Any]) -> float | None:
        """The figure (SI) in a summary; None where it is not there."""
        group: Any = summary
        for step in self.group.split("."):
            group = group.get(step) if isinstance(group, Mapping) else None
        if not group:
            return 0.0 if self.group == "detection" and group is not None else None  # no fault: nothing to notice
        if self.group not in MEMBERS:
            return _number(group, self.figure)
        if self.member is not None:
            return _number(group.get(self.member), self.figure) if isinstance(group, Mapping) else None
        members = group.values() if isinstance(group, Mapping) else group
        values = [_number(member, self.figure) for member in members if isinstance(member, Mapping)]
        known = [value for value in values if value is not None]
        return ALL_OF[self.all_of or "min"](known) if known else None

    def met(self, value: float | None) -> bool:
        """Whether a figure meets the limit; one that is not there does not."""
        return value is not None and SIGNS[self.sign](value, self.limit)


def _number(row: Any, figure: str) -> float | None:
    if not isinstance(row, Mapping) or figure not in row:
        return None
    value = row[figure]
    if value is None:
        return math.inf if figure in NEVER else None
    return float(value)


def parse_criterion(text: str) -> Criterion:
    """The criterion that ``text`` states. Raises :class:`UnitError` (rule and remedy) where it states none."""
    match = _FORM.fullmatch(text)
    if match is None:
        raise UnitError(text, "not a criterion", "write e.g. 'segments.min_dose_fraction > 0.05'")
    path, sign, value = match.groups()
    group, member, last = _split(text, path)
    figures = MEMBERS.get(group) or PLAIN[group]
    all_of, name = None, last
    if group in MEMBERS and member is None:
        prefix, _, rest = last.partition("_")
        if prefix not in ALL_OF or rest not in figures:
            known = [f"{group}.{each}_{figure}" for each in ("min", "max", "mean", "sum") for figure in figures]
            raise UnitError(text, "which of them?", nearest(path, known))
        all_of, name = prefix, rest
    if name not in figures:
        raise UnitError(text, f"{group} has no figure '{name}'", nearest(name, figures))
    suffix, dimension = figures[name]
    return Criterion(text, group, member, all_of, name + suffix, sign, _limit(text, value, dimension))


def _split(text: str, path: str) -> tuple[str, str | None, str]:
    """Group, member and figure of a path."""
    steps = path.split(".")
    group = "ledger.drug" if steps[:2] == ["ledger", "drug"] else steps[0]
    rest = steps[group.count(".") + 1 :]
    if group not in MEMBERS and group not in PLAIN:
        raise UnitError(text, f"no group of figures is called '{group}'", nearest(group, [*MEMBERS, *PLAIN]))
    if len(rest) == 1:
        return group, None, rest[0]
    if len(rest) == 2 and group in MEMBERS and group != "detection":
        return group, rest[0], rest[1]
    raise UnitError(text, f"'{path}' is no path of a figure", f"write e.g. '{_example(group)} > ...'")


def _example(group: str) -> str:
    return f"{group}.min_{next(iter(MEMBERS[group]))}" if group in MEMBERS else f"{group}.{next(iter(PLAIN[group]))}"


def _limit(text: str, value: str, dimension: str) -> float:
    if dimension == "perfusion":  # written in the figure's own unit
        return 6000.0 * parse(value, dimension)
    if dimension != "exposure":
        return parse(value, dimension)
    match = _EXPOSURE.fullmatch(value)
    if match is None or match[2] not in EXPOSURES:
        raise UnitError(text, "an exposure needs its unit", f"use one of: {', '.join(EXPOSURES)}")
    return float(match[1]) * EXPOSURES[match[2]]
