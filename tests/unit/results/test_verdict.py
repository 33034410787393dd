"""The verdict follows from the summary; quantities are said in the units of the clinic."""

from __future__ import annotations

import math
from typing import Any

import pytest

from haiflow.results.quantities import SHOWN, number, say
from haiflow.results.verdict import judge
from haiflow.units import parse


def severities(summary: dict[str, Any], word: str) -> list[str]:
    return [finding.severity for finding in judge(summary) if word in finding.text]


def test_the_gravest_comes_first(sample: Any) -> None:
    order = [("alarm", "warn", "ok").index(finding.severity) for finding in sample.make().verdict]
    assert order == sorted(order)
    assert order[0] == 0


@pytest.mark.parametrize(("imbalance", "severity"), [(1e-12, "ok"), (-2e-10, "alarm"), (3e-3, "alarm")])
def test_a_ledger_that_does_not_close_is_an_alarm(imbalance: float, severity: str) -> None:
    assert severities({"ledger": {"drug": {"relative_imbalance": imbalance}}}, "ledger") == [severity]


@pytest.mark.parametrize(("fraction", "severity"), [(0.0, "ok"), (0.06, "warn"), (0.2, "alarm")])
def test_off_target_delivery_is_graded(fraction: float, severity: str) -> None:
    assert severities({"off_target": {"right_gastric": {"dose_fraction": fraction}}}, "organs") == [severity]


@pytest.mark.parametrize(("apart", "severities_"), [(0.01, []), (0.15, ["warn"])])
def test_a_split_that_is_not_sure_is_a_warning(apart: float, severities_: list[str]) -> None:
    assert severities({"junction": {"split_doubt": apart}}, "uncertain by") == severities_


@pytest.mark.parametrize(("part", "severity"), [(1.0, "ok"), (0.85, "warn"), (0.5, "alarm")])
def test_the_dose_is_judged_against_the_run_without_faults(part: float, severity: str) -> None:
    summary = {
        "segments": {"IV": {"drug_delivered_kg": part * 1e-5}},
        "twin": {"segments": {"IV": {"drug_delivered_kg": 1e-5}}},
    }
    assert severities(summary, "reaches the liver")[0] == severity


def test_all_drug_that_leaked_counts_even_where_the_body_took_it_up() -> None:
    summary = {"ledger": {"drug": {"filled_kg": 1e-4, "leaked_kg": 1e-6}}, "catheter": {"leaked_drug_kg": 4e-5}}
    assert "40.0 % of what left the pump" in judge(summary)[0].text
    assert judge(summary)[0].severity == "alarm"


def test_backward_flow_stall_and_stop_are_alarms() -> None:
    summary = {
        "status": "stopped",
        "duration_s": 3600.0,
        "pump": {"stalled_at_s": 60.0},
        "catheter": {"tip_flow_rate_m3_per_s": -1e-13},
    }
    assert [finding.severity for finding in judge(summary)] == ["alarm"] * 3


def test_a_fault_that_nothing_shows_is_a_warning() -> None:
    assert severities({"detection": [{"fault": "leak", "observable": None, "time_s": None}]}, "not be noticed") == [
        "warn"
    ]


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (1.5046e-11, "mL/day", "1.30 mL/day"),
        (1.9385e-4, "kg", "194 mg"),
        (1.458e-5, "kg/m3", "14.6 ng/mL"),
        (12_700.0, "mmHg", "95.3 mmHg"),
        (86_400.0 * 14, "s", "14.0 d"),
        (0.123, "%", "12.3 %"),
        (None, "kg", "–"),
        (math.nan, "kg", "–"),
        (0.0, "kg", "0 mg"),
        (-3e-6, "kg", "-3.00 mg"),
    ],
)
def test_values_are_said_in_the_units_of_the_clinic(value: float | None, unit: str, text: str) -> None:
    assert say(value, unit) == text


KINDS = {
    "kg": "mass", "m3": "volume", "m3/s": "flow_rate", "Pa": "pressure", "kg/m3": "concentration", "m/s": "velocity",
    "m": "length", "m2": "area", "s": "time", "1": "fraction",
}  # fmt: skip


def test_shown_units_agree_with_the_units_of_the_scenario() -> None:
    compared = 0
    for shown, (si, factor) in SHOWN.items():
        if si in KINDS and shown and shown != "pg/mL":
            assert factor * parse(f"1 {shown.replace('mm²', 'mm2')}", KINDS[si]) == pytest.approx(1.0, rel=1e-6), shown
            compared += 1
    assert compared > 20


@pytest.mark.parametrize(
    ("value", "text"), [(0.032, "0.0320"), (1234.5, "1234"), (1e-9, "1.00e-09"), (99.96, "100.0"), (0.0, "0")]
)
def test_numbers_keep_their_digits(value: float, text: str) -> None:
    assert number(value) == text
