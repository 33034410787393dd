"""Dose adjustment between refills: thresholds on liver tests, as data.

A rule is a file in ``library/rules``: for each test and each group of patients (by their own reference value) bands of
the ratio test / reference with the fraction of the dose that they allow. The most cautious test decides. Such tables
are recalled from protocols and marked so; none of this is medical advice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

import numpy as np

from haiflow.errors import nearest


@dataclass(frozen=True, slots=True)
class Group:
    """Patients whose reference value is at most ``reference_up_to``: the dose allowed from each ratio on."""

    reference_up_to: float
    ratios: tuple[float, ...]  # ascending, the first is 0
    doses: tuple[float, ...]
    restart_below: float  # ratio under which a held dose may start again

    def dose(self, ratio: float) -> float:
        return self.doses[int(np.searchsorted(self.ratios, ratio, side="right")) - 1]


@dataclass(frozen=True, slots=True)
class DoseRule:
    """A whole rule: ``tests`` by name with unit, ``stop_at`` values that stop the drug whatever the reference."""

    title: str
    source: str
    mark: str
    tests: Mapping[str, tuple[Group, ...]]
    stop_at: Mapping[str, float]
    restart_dose: float

    def group(self, test: str, reference: float) -> Group:
        if test not in self.tests:
            raise ValueError(f"no test '{test}' in this rule; {nearest(test, self.tests)}")
        return next(group for group in self.tests[test] if reference <= group.reference_up_to)


@dataclass(frozen=True, slots=True)
class DoseDecision:
    """The fraction of the present dose to give, 0 is hold, and the test that decided (empty when none limits it)."""

    fraction: float
    decided_by: str = ""


@lru_cache
def dose_rule(name: str = "kemeny") -> DoseRule:
    """The rule ``library/rules/<name>.yaml``; raises ``ValueError`` with the nearest name where there is none."""
    import yaml

    folder = files("haiflow") / "library" / "rules"
    known = {item.name.removesuffix(".yaml"): item for item in folder.iterdir() if item.name.endswith(".yaml")}
    if name not in known:
        raise ValueError(f"no dose rule '{name}'; {nearest(name, known)}")
    given = yaml.safe_load(known[name].read_text())
    tests = {test: tuple(_group(group) for group in groups) for test, groups in given["tests"].items()}
    stop_at, restart_dose = given.get("stop_at", {}), float(given["restart_dose"])
    return DoseRule(given["title"], given["source"], given["mark"], tests, stop_at, restart_dose)


def _group(given: Mapping[str, Any]) -> Group:
    ratios = tuple(float(band["from"]) for band in given["bands"])
    doses = tuple(float(band["dose"]) for band in given["bands"])
    return Group(float(given.get("reference_up_to", np.inf)), ratios, doses, float(given["restart_below"]))


def dose_fraction(
    tests: Mapping[str, float], reference: Mapping[str, float], *, rule: DoseRule | None = None, held: bool = False
) -> DoseDecision:
    """What a patient's liver tests allow of the present dose.

    ``tests`` and the patient's ``reference`` values by name with unit (``ast_u_per_l``, ``alp_u_per_l``,
    ``bilirubin_mg_per_dl``). With ``held`` the drug is on hold and starts again, at the rule's restart dose, only once
    every test is low enough. Raises ``ValueError`` for an unknown test, a missing or a non-positive value.
    """
    rule = dose_rule() if rule is None else rule
    ratios = {test: _ratio(test, tests, reference) for test in tests}
    stopped = next((test for test, limit in rule.stop_at.items() if tests.get(test, 0.0) >= limit), "")
    if stopped:
        return DoseDecision(0.0, stopped)
    groups = {test: rule.group(test, reference[test]) for test in tests}
    if held:
        too_high = next((test for test, ratio in ratios.items() if ratio >= groups[test].restart_below), "")
        return DoseDecision(0.0, too_high) if too_high else DoseDecision(rule.restart_dose)
    allowed = {test: groups[test].dose(ratio) for test, ratio in ratios.items()}
    lowest = min(allowed, key=lambda test: allowed[test], default="")
    return DoseDecision(allowed[lowest], lowest) if lowest and allowed[lowest] < 1.0 else DoseDecision(1.0)


def _ratio(test: str, tests: Mapping[str, float], reference: Mapping[str, float]) -> float:
    if not (test in reference and reference[test] > 0.0 and tests[test] >= 0.0):
        raise ValueError(f"{test}: needs a value of at least zero and a positive reference value")
    # A value on a limit counts as on it, whatever its decimals are in binary.
    return round(tests[test] / reference[test], 9)
