"""A small whole chain, as a scenario: an exact pump, a straight line, three terminals, a liver, a body."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any

from haiflow.results import Results
from haiflow.scenario.load import loads
from haiflow.simulation.run import run_scenario

NETWORK: dict[str, Any] = {
    "vessels": {
        "trunk": {"from": "root", "to": "fork", "length": "30 mm", "diameter": "4.4 mm", "wave_speed": "7 m/s"},
        "gut": {"from": "fork", "to": "gut", "length": "30 mm", "diameter": "3 mm", "wave_speed": "8 m/s"},
        "right": {"from": "fork", "to": "right", "length": "40 mm", "diameter": "3.2 mm", "wave_speed": "8 m/s"},
        "left": {"from": "fork", "to": "left", "length": "40 mm", "diameter": "2.8 mm", "wave_speed": "8 m/s"},
    },
    "outlets": {
        "gut": {"share": "20 %", "off_target": "duodenum"},
        "right": {"share": "50 %", "feeds": {"V": 0.2, "VI": 0.15, "VII": 0.25, "VIII": 0.4}},
        "left": {"share": "30 %", "feeds": {"I": 0.1, "II": 0.2, "III": 0.3, "IV": 0.4}},
    },
    "inlet": {"vessel": "trunk", "mean": "400 mL/min", "waveform": "steady"},
}


def chain(**changes: Any) -> dict[str, Any]:
    """``chain(run__duration="1 d", liver=None)``: the chain's scenario with some keys set, or left out (None)."""
    scenario: dict[str, Any] = {
        "haiflow": 1,
        "pump": {
            "model": "synchromed-ii-40",
            "fill": {"drug": "floxuridine", "dose": "0.12 mg/kg/day", "volume": "30 mL"},
        },
        "catheter": {"model": "intera-straight", "tip": {"vessel": "trunk", "position": "10 mm"}},
        "arteries": {"network": deepcopy(NETWORK)},
        "liver": {"model": "standard"},
        "run": {"duration": "1 d", "output_every": "1 h"},
    }
    for dotted, value in changes.items():
        *groups, last = dotted.split("__")
        place = scenario
        for group in groups:
            place = place.setdefault(group, {})
        if value is None:
            place.pop(last, None)
        else:
            place[last] = value
    return scenario


def solved(scenario: dict[str, Any] | str) -> Results:
    """The scenario run; raises where it does not complete or its books do not close."""
    text = scenario if isinstance(scenario, str) else json.dumps(scenario)
    results = run_scenario(loads(text), pictures=False)
    books = results.summary["ledger"]
    for book in (books["carrier"], books.get("drug", books["carrier"])):
        if not abs(book["relative_imbalance"]) <= 1e-10 or results.summary["status"] != "complete":
            raise ArithmeticError(f"{results.summary['status']}; books off by {book['relative_imbalance']:.2g}")
    return results
