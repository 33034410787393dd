"""The gas pump against what the clinic reports, with a band for what is not known of patient and pump."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.stats import norm, uniform

from haiflow.ports import Floats, Surroundings
from haiflow.pump.drives import calibrated_gas_drive
from haiflow.pump.infusate import ambient_pressure, viscosity_at
from haiflow.pump.propellant import PROPELLANTS, Propellant
from haiflow.verify.model import Curve, Found, Plot, Rival
from haiflow.verify.spread import band, compared, sampled

RATE, VOLUME, ARTERY, MMHG = 1.3e-6 / 86_400.0, 30e-6, 12.7e3, 133.322
R11 = PROPELLANTS["R-11"]
PUMPS = {  # of a propellant like R-11, in a patient at rest
    "boiling": norm(R11.boiling_point, 1.0),  # K
    "artery": norm(ARTERY, 1.3e3),  # gauge Pa: 95 +- 10 mmHg
    "fill": uniform(0.05, 0.9),
}
PATIENTS = {
    "temperature": norm(310.15, 0.4),  # K
    "artery": norm(ARTERY, 1.6e3),
    "altitude": uniform(0.0, 500.0),  # m
    "label": norm(1.0, 0.05),  # within 10 % at two standard deviations
    "viscosity": norm(0.70e-3, 0.02e-3),  # Pa s
    "fill": uniform(0.05, 0.9),
}


# The mean of a normal's distance from its middle is sqrt(2 / pi) standard deviations.
UNMOVED = Rival("a pump that nothing moves, with labels off by 12 % (a standard deviation)",
                100.0 * (1.0 - 0.12 * float(np.sqrt(2.0 / np.pi))))  # fmt: skip


def flow(fill: float, where: Surroundings, viscosity: float, artery: float, boiling: float = R11.boiling_point,
         **_: Any) -> float:  # fmt: skip
    """m3/s of a pump that was labelled at reference conditions."""
    drive = calibrated_gas_drive(RATE, VOLUME, propellant=Propellant("like R-11", boiling, R11.enthalpy))
    return drive.characteristic(fill * VOLUME, where, viscosity).flow_rate(artery)


def _pumps(count: int = 400) -> list[dict[str, float]]:
    found = sampled(PUMPS, count)
    return [{name: float(values[k]) for name, values in found.items()} for k in range(count)]


def _changes(temperature: float = 310.15, ambient: float = 101_325.0, rise: float = 0.0) -> Floats:
    """(count,) %: change of every sampled pump's flow."""
    rows = []
    for pump in _pumps():
        before = flow(where=Surroundings(), viscosity=0.70e-3, **pump)
        moved = pump | {"artery": pump["artery"] + rise}
        after = flow(where=Surroundings(temperature, ambient), viscosity=viscosity_at(temperature), **moved)
        rows.append(100.0 * (after / before - 1.0))
    return np.array(rows)


def _of_n_butane(ambient: float = 101_325.0, rise: float = 0.0) -> Rival:
    """The change of flow, in %, of a pump with a propellant of such pressure that nothing outside matters much."""
    drive = calibrated_gas_drive(RATE, VOLUME, propellant=PROPELLANTS["n-butane"])
    before, after = (
        drive.characteristic(0.5 * VOLUME, where, viscosity_at(310.15)).flow_rate(artery)
        for where, artery in ((Surroundings(), ARTERY), (Surroundings(310.15, ambient), ARTERY + rise))
    )
    return Rival("a pump of n-butane, at three times the vapour pressure", 100.0 * (after / before - 1.0))


def surroundings() -> Found:
    """A degree of fever gives 10 to 13 %; a flight or mountains some tens of %; hypertension takes a few %.

    The first figure is calibration, since the default propellant was chosen by it: no rival is held against it.
    """
    rise = np.linspace(0.0, 3.0, 13)
    rows = np.stack([_changes(310.15 + t) for t in rise], axis=1)
    low, high = band(rows)
    rule = Curve("clinical rule, 10 to 13 % a degree", 37.0 + rise, 11.5 * rise, known=True, low=10.0 * rise,
                 high=13.0 * rise)  # fmt: skip
    return [
        compared("+1 degC, %", _changes(311.15), 11.5, 0.75),
        compared("cabin at 75 kPa, % (some tens)", _changes(ambient=75e3), 50.0, 20.0, _of_n_butane(ambient=75e3)),
        compared("+20 mmHg in the artery, % (a few)", _changes(rise=20.0 * MMHG), -4.0, 1.5,
                 _of_n_butane(rise=20.0 * MMHG)),
        Plot("Fever and flow, band of the pump's and patient's spread", "body temperature / °C", "change of flow / %",
             (Curve("haiflow", 37.0 + rise, rows.mean(axis=0), low=low, high=high), rule)),
    ]  # fmt: skip


def population(patients: int = 34, trials: int = 400) -> Found:
    """Accuracy is one less the deviation from the label; published: 90.26 % in the mean of 34 patients."""
    found = sampled(PATIENTS, patients * trials)
    keys = list(found)
    accuracy = []
    for values in zip(*found.values(), strict=True):
        each = {name: float(value) for name, value in zip(keys, values, strict=True)}
        where = Surroundings(each["temperature"], ambient_pressure(each["altitude"]))
        viscosity = viscosity_at(each["temperature"], each["viscosity"])
        got = each["label"] * flow(each["fill"], where, viscosity, each["artery"])
        accuracy.append(100.0 * (1.0 - abs(got / RATE - 1.0)))
    every = np.random.default_rng(2).permutation(np.array(accuracy))
    means = every.reshape(trials, patients).mean(axis=1)
    place = (np.arange(trials) + 0.5) / trials
    return [
        compared("mean accuracy of 34 pumps, %", means, 90.26, float(every.std() / np.sqrt(patients)), UNMOVED),
        Plot("Mean accuracy of 34 pumps", "share of groups of 34 patients", "accuracy / %",
             (Curve("haiflow, sampled groups", place, np.sort(means)),
              Curve("published", np.array([0.0, 1.0]), np.array([90.26, 90.26]), known=True))),
    ]  # fmt: skip
