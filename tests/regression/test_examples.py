"""A few figures of each example, as they were when they were last looked at.

A change of physics or of numerics shows here first. Where it is meant, write the figures anew and read the difference:

    HAIFLOW_WRITE_FIGURES=1 python -m pytest tests/regression/test_examples.py && git diff tests/regression
"""

import json
import os
from pathlib import Path

import pytest

HERE = Path(__file__).parent
FILES = sorted(path.stem for path in (HERE.parents[1] / "examples").glob("*.yaml"))
STORED = HERE / "examples"  # figures by example, JSON
# The periodic flow is found to 1e-3 and its path there depends on the compiler's arithmetic; the rest is far closer.
RTOL = 1e-5


def figures(summary):
    """What a user looks at first."""
    drug, carrier = summary["ledger"]["drug"], summary["ledger"]["carrier"]
    found = {f"pump.{key}": summary["pump"][key] for key in ("infused_volume_m3", "max_pressure_pa", "stalled_at_s")}
    for key in ("tip_flow_rate_m3_per_s", "leaked_volume_m3", "tip_ingress_m3_per_cycle"):
        found[f"catheter.{key}"] = summary["catheter"][key]
    for key in ("filled_kg", "leaked_kg", "eliminated_kg", "reservoir_kg"):
        found[f"drug.{key}"] = drug[key]
    found["carrier.blood_drawn_in_m3"] = carrier["blood_drawn_in_m3"]
    for name in ("II", "VII"):
        for key in ("arterial_flow_m3_per_s", "drug_delivered_kg", "exposure_kg_s_per_m3"):
            found[f"segment {name}.{key}"] = summary["segments"][name][key]
    for name, row in summary["off_target"].items():
        found[f"off target {name}.drug_delivered_kg"] = row["drug_delivered_kg"]
    found["body.exposure_kg_s_per_m3"] = summary["body"]["exposure_kg_s_per_m3"]
    found["segment_4.max_pressure_pa"] = summary["arteries"]["segment_4"]["max_pressure_pa"]
    for number, row in enumerate(summary["detection"]):
        found[f"detection {number}.time_s"] = row["time_s"]
    return found


# Below this a figure is round-off: m3, kg, m3/s alike are then far below anything physical.
NOTHING = {
    "leaked_volume_m3": 1e-15, "blood_drawn_in_m3": 1e-15, "leaked_kg": 1e-15, "drug_delivered_kg": 1e-15,
    "reservoir_kg": 1e-15,
}  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_figures_are_as_stored(name, run_example):
    found, path = figures(run_example(name).summary), STORED / f"{name}.json"
    if os.environ.get("HAIFLOW_WRITE_FIGURES"):
        STORED.mkdir(exist_ok=True)
        path.write_text(json.dumps(found, indent=2) + "\n")
    stored = json.loads(path.read_text())
    assert found.keys() == stored.keys()
    for key, value in stored.items():
        if value is None:
            assert found[key] is None, key
        else:
            floor = NOTHING.get(key.rpartition(".")[2], 0.0)
            assert found[key] == pytest.approx(value, rel=RTOL, abs=floor), key
