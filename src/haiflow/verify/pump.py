"""The pump against closed forms and tables: dose, propellants, restrictor, atmosphere, rollers."""

from __future__ import annotations

import numpy as np

from haiflow.ports import Floats, Surroundings
from haiflow.pump.dose import delivered_dose_rate, fill_for_dose
from haiflow.pump.drives import (
    PeristalticDrive,
    Programme,
    calibrated_gas_drive,
    reference_drive,
    restrictor_bore,
    restrictor_resistance,
)
from haiflow.pump.infusate import ambient_pressure, viscosity_at
from haiflow.pump.propellant import PROPELLANTS
from haiflow.verify.model import WEAK, Case, Curve, Figure, Found, Plot, at_most, within
from haiflow.verify.pump_published import population, surroundings

DAY = 86_400.0
RATE = 1.3e-6 / DAY  # m3/s
VOLUME = 30e-6  # m3
BODY, ARTERY, MMHG = Surroundings(), 12.7e3, 133.322
DOSE = 0.12e-6 / DAY  # kg per kg and s
# Vapour pressure and drive at 37 degC (kPa); change of the flow (%) by +1 K (vapour; viscosity), +10 mmHg in the
# artery, a cabin at 75 kPa, +1000 m: Clausius and Clapeyron by hand, drive into 12.7 kPa.
HEADS = ("vapour pressure at 37 degC, kPa", "drive into 12.7 kPa, kPa", "+1 K by the vapour, %",
         "+1 K by viscosity, %", "+10 mmHg in the artery, %", "cabin at 75 kPa, %", "+1000 m, %")  # fmt: skip
TABLE = {
    "R-11": (155.0, 41.0, 11.7, 2.0, -3.2, 64.0, 28.0),
    "R-123": (138.0, 24.0, 18.8, 2.0, -5.6, 110.0, 48.0),
    "R-114": (299.0, 185.0, 4.7, 2.0, -0.7, 14.0, 6.0),
    "n-butane": (335.0, 221.0, 4.2, 2.0, -0.6, 12.0, 5.0),
}


def dose() -> Found:
    """70 kg, 0.12 mg/kg/day, 30 mL at 1.3 mL/day: 8.4 mg/day, so 8.4 / 1.3 mg/mL and thirty times that."""
    fill = fill_for_dose(DOSE, 70.0, RATE, VOLUME)
    fast = delivered_dose_rate(fill.concentration, 1.15 * RATE, 70.0) / DOSE
    return [
        within("fill, mg", 1e6 * fill.amount, 8.4 / 1.3 * 30.0, 1e-12),
        within("mixed into 400 mL/min of blood, ng/mL", 1e6 * fill.arterial_concentration(400e-6 / 60.0),
               8.4e6 / (400.0 * 1440.0), 1e-12),
        within("dose of a pump that is 15 % fast, of the one asked for", fast, 1.15, 1e-12),
    ]  # fmt: skip


def change(name: str, where: Surroundings = BODY, artery: float = ARTERY, viscosity: float = 0.70e-3) -> float:
    """Change of the flow rate in %, without the bellows' spring."""
    drive = calibrated_gas_drive(RATE, VOLUME, propellant=PROPELLANTS[name], bellows_fall=0.0)
    return 100.0 * (drive.characteristic(VOLUME, where, viscosity).flow_rate(artery) / RATE - 1.0)


def propellants() -> Found:
    """The table of the field, rounded to its two or three digits."""
    figures = []
    for name, wanted in TABLE.items():
        found = (
            PROPELLANTS[name].vapour_pressure(310.15) / 1e3, reference_drive(PROPELLANTS[name]) / 1e3,
            change(name, Surroundings(temperature=311.15)), change(name, viscosity=viscosity_at(311.15)),
            change(name, artery=ARTERY + 10 * MMHG), change(name, Surroundings(ambient_pressure=75e3)),
            change(name, Surroundings(ambient_pressure=ambient_pressure(1000.0))),
        )  # fmt: skip
        figures += [within(f"{name}: {head}", value, known, 0.05)
                    for head, value, known in zip(HEADS, found, wanted, strict=True)]  # fmt: skip
    return [*figures, _by_temperature()]


def _by_temperature() -> Plot:
    rise = np.linspace(-1.0, 3.0, 41)
    curves = [
        Curve(name, 37.0 + rise, np.array([change(name, Surroundings(temperature=310.15 + t)) for t in rise]))
        for name in TABLE
    ]
    known = [Curve(f"{name}, by hand", np.array([38.0]), np.array([row[2]]), known=True) for name, row in TABLE.items()]
    return Plot("Flow against body temperature, by the vapour alone", "body temperature / °C", "change of flow / %",
                (*curves, *known))  # fmt: skip


def restrictor() -> Found:
    """Hagen and Poiseuille: 45 kPa over 1.3 mL/day, and 128 mu L / (pi R) to the fourth root for its bore."""
    resistance = restrictor_resistance(45e3, RATE)
    rule = {0.1: 31.0, 1.0: 56.0, 5.0: 83.0, 10.0: 99.0}
    return [
        within("resistance at 45 kPa, Pa s/m3", resistance, 45e3 * DAY / 1.3e-6, 1e-12),
        *(within(f"bore of a capillary of {length:g} m, um", 1e6 * restrictor_bore(resistance, length), known, 0.02)
          for length, known in rule.items()),
    ]  # fmt: skip


def atmosphere() -> Found:
    """Tables: ISO 2533 for the air, IAPWS for water."""
    known = {0.0: 101_325.0, 1000.0: 89_874.6, 5000.0: 54_019.9}
    height = np.linspace(0.0, 6000.0, 61)
    air = Curve("haiflow", height, np.array([1e-3 * ambient_pressure(h) for h in height]))
    table = Curve("ISO 2533", np.array(list(known)), 1e-3 * np.array(list(known.values())), known=True)
    return [
        *(within(f"pressure at {h:g} m, Pa", ambient_pressure(h), p, 2e-6) for h, p in known.items()),
        within("water's viscosity at 20 degC from that at 37 degC, mPa s", 1e3 * viscosity_at(293.15, 0.692e-3), 1.002,
               0.01),
        Plot("Standard atmosphere", "altitude / m", "pressure / kPa", (air, table)),
    ]  # fmt: skip


def gas_drive() -> Found:
    """The law itself: inverse to viscosity, less by the bellows' share from full to empty, never backwards."""
    drive = calibrated_gas_drive(RATE, VOLUME, fill=0.4)
    at = [drive.characteristic(fill * VOLUME, BODY, 0.70e-3).flow_rate(ARTERY) / RATE for fill in (1.0, 0.4, 0.0)]
    thick = drive.characteristic(0.4 * VOLUME, BODY, 1.6e-3).flow_rate(ARTERY) / RATE
    spring, drop = 0.05 * reference_drive(PROPELLANTS["R-11"]), reference_drive(PROPELLANTS["R-11"]) * 0.97
    return [
        within("flow at the label's fill, of the label", at[1], 1.0, 1e-12),
        within("full, of the label", at[0], 1.0 + 0.6 * spring / drop, 1e-12),
        within("empty, of the label", at[2], 1.0 - 0.4 * spring / drop, 1e-12),
        within("with glycerin of 1.6 mPa s, of the label", thick, 0.70 / 1.6, 1e-12),
        Figure("against 80 kPa it does not run backwards",
               drive.characteristic(VOLUME / 2, BODY, 0.70e-3).flow_rate(80e3), 0.0, 0.0, 0.0),
    ]  # fmt: skip


def roller() -> Found:
    """A roller keeps its rate, slips over the last twentieth of its stall pressure in a straight line, and stops."""
    made = PeristalticDrive(Programme((0.0,), (RATE,)), stall_pressure=200e3).characteristic(10e-6, BODY, 0.70e-3)
    pressure = np.array([0.0, 100e3, 189e3, 190e3, 195e3, 198e3, 200e3, 210e3])
    found = np.array([made.flow_rate(p) / RATE for p in pressure])
    known: Floats = np.clip((200e3 - pressure) / 10e3, 0.0, 1.0)
    return [
        at_most("flow against pressure, largest error, of the rate", np.abs(found - known).max(), 1e-12),
        Plot("Roller against back pressure", "pressure / kPa", "flow, of the programmed",
             (Curve("haiflow", 1e-3 * pressure, found), Curve("law", 1e-3 * pressure, known, known=True))),
    ]  # fmt: skip


PUMP = (
    Case("dose", "fill and mixing of the worked example", "by hand", dose),
    Case("propellants", "flow against temperature, pressure and altitude", "Clausius-Clapeyron by hand", propellants,
         limits="which propellant an implant holds is not public"),
    Case("restrictor", "resistance and bore", "exact (Hagen-Poiseuille)", restrictor),
    Case("atmosphere", "pressure by altitude, viscosity by temperature", "ISO 2533:1975; IAPWS 2008", atmosphere),
    Case("gas-drive", "label, bellows, viscosity", "exact", gas_drive),
    Case("roller", "rate against back pressure", "exact", roller),
    Case("surroundings", "flow against temperature, altitude and pressure, as the clinic knows it",
         "rules of thumb of clinical practice", surroundings, evidence=WEAK,
         limits="the default propellant was chosen by the first of these rules, so that one is calibration; no "
                "measured curve of an implanted pump was found"),
    Case("population", "mean accuracy of implanted gas pumps",
         "34 patients, 14,191 days: Cardiovasc Intervent Radiol 1997", population, evidence=WEAK,
         limits="another make (60 mL); the spread of temperature, pressure and label is assumed, not that of its "
                "patients"),
)  # fmt: skip
