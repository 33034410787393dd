"""The units and dimensions that haiflow knows: tables, no parsing. Factors are exact fractions of decimals."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

BASES = ("length", "mass", "time", "temperature", "amount", "activity")
Powers = tuple[int, ...]  # one per base


@dataclass(frozen=True, slots=True)
class Dimension:
    """What a key measures: its net ``powers``, an ``example``, the units it is printed in, and what must cancel."""

    powers: Powers
    example: str
    printed: tuple[str, ...]
    cancels: frozenset[str] | None = None  # bases that must stand above and below the line; None: not looked at


def powers(**given: int) -> Powers:
    """Powers by name of the base."""
    return tuple(given.get(base, 0) for base in BASES)


def _symbols() -> dict[str, tuple[Fraction, Powers, Fraction]]:
    """Every symbol known: factor to SI, powers, offset."""
    length, mass, time = powers(length=1), powers(mass=1), powers(time=1)
    volume, pressure = powers(length=3), powers(mass=1, length=-1, time=-2)
    energy, none = powers(mass=1, length=2, time=-2), powers()
    table: dict[str, tuple[Fraction, Powers, Fraction]] = {
        "K": (Fraction(1), powers(temperature=1), Fraction(0)),
        "degC": (Fraction(1), powers(temperature=1), Fraction("273.15")),
        "°C": (Fraction(1), powers(temperature=1), Fraction("273.15")),
        "degF": (Fraction(5, 9), powers(temperature=1), Fraction("459.67") * Fraction(5, 9)),
        "%": (Fraction(1, 100), none, Fraction(0)),
        "1": (Fraction(1), none, Fraction(0)),
    }

    def add(powers: Powers, **factors: float | str) -> None:
        exact = {symbol: Fraction(str(factor)) for symbol, factor in factors.items()}  # as written, in decimals
        table.update({symbol: (factor, powers, Fraction(0)) for symbol, factor in exact.items()})

    add(length, km=1e3, m=1.0, cm=1e-2, mm=1e-3, um=1e-6, nm=1e-9, Fr="1/3000")
    add(mass, kg=1.0, g=1e-3, mg=1e-6, ug=1e-9, mcg=1e-9, ng=1e-12)
    add(time, s=1.0, ms=1e-3, min=60.0, h=3600.0, hr=3600.0, d=86400.0, day=86400.0, days=86400.0, week=604800.0)
    add(time, weeks=604800.0)
    add(volume, L=1e-3, l=1e-3, dL=1e-4, mL=1e-6, ml=1e-6, uL=1e-9, nL=1e-12, cc=1e-6)
    add(pressure, Pa=1.0, mPa=1e-3, hPa=100.0, kPa=1e3, MPa=1e6, bar=1e5, mbar=100.0, atm=101325.0, psi=6894.757293168)
    add(pressure, mmHg=133.322387415, cmH2O=98.0665)
    add(powers(mass=1, length=-1, time=-1), P=0.1, cP=1e-3)
    add(powers(time=-1), Hz=1.0, bpm="1/60")
    add(energy, J=1.0, kJ=1e3)
    add(powers(mass=1, length=1, time=-2), N=1.0, mN=1e-3, dyn=1e-5)
    add(powers(amount=1), mol=1.0, mmol=1e-3, umol=1e-6, nmol=1e-9)
    add(powers(amount=1, length=-3), M=1e3, mM=1.0, uM=1e-3, nM=1e-6)
    add(powers(activity=1), IU=1.0, U=1.0, kIU=1e3)
    return table


SYMBOLS = _symbols()

DIMENSIONS: dict[str, Dimension] = {
    "length": Dimension(powers(length=1), "0.6 mm", ("mm", "um", "cm", "m")),
    "area": Dimension(powers(length=2), "12 mm2", ("mm2", "m2")),
    "volume": Dimension(powers(length=3), "30 mL", ("mL", "uL", "L", "m3")),
    "time": Dimension(powers(time=1), "14 d", ("d", "h", "min", "s")),
    "mass": Dimension(powers(mass=1), "5 mg", ("kg", "g", "mg", "ug")),
    "temperature": Dimension(powers(temperature=1), "37 degC", ("degC", "K")),
    "flow_rate": Dimension(powers(length=3, time=-1), "1.3 mL/day", ("mL/min", "mL/day", "mL/s", "m3/s")),
    "pressure": Dimension(powers(mass=1, length=-1, time=-2), "95 mmHg", ("kPa", "mmHg", "MPa", "Pa")),
    "velocity": Dimension(powers(length=1, time=-1), "8 m/s", ("m/s", "mm/s")),
    "acceleration": Dimension(powers(length=1, time=-2), "9.81 m/s2", ("m/s2",)),
    "frequency": Dimension(powers(time=-1), "70 /min", ("/min", "/s"), frozenset()),
    "viscosity": Dimension(powers(mass=1, length=-1, time=-1), "0.7 cP", ("cP", "Pa s")),
    "density": Dimension(powers(mass=1, length=-3), "1060 kg/m3", ("kg/m3", "g/mL")),
    "concentration": Dimension(powers(mass=1, length=-3), "5 mg/mL", ("mg/mL", "ng/mL", "kg/m3")),
    "dose_rate": Dimension(powers(time=-1), "0.12 mg/kg/day", ("mg/kg/day",), frozenset({"mass"})),
    "dose": Dimension(powers(), "2 mg/kg", ("mg/kg",), frozenset({"mass"})),
    "hydraulic_resistance": Dimension(powers(mass=1, length=-4, time=-1), "1.3e9 Pa s/m3", ("Pa s/m3", "mmHg min/mL")),
    "quadratic_resistance": Dimension(powers(mass=1, length=-7), "1e13 Pa s2/m6", ("Pa s2/m6",)),
    "compliance": Dimension(powers(length=4, time=2, mass=-1), "0.16 uL/kPa", ("uL/kPa", "mL/mmHg", "m3/Pa")),
    "absorption": Dimension(powers(length=4, time=1, mass=-1), "1 mL/day/kPa", ("mL/day/kPa", "m3/s/Pa")),
    "diffusivity": Dimension(powers(length=2, time=-1), "9.3e-10 m2/s", ("m2/s", "cm2/s")),
    "permeability": Dimension(powers(length=2), "1.5e-14 m2", ("m2", "um2")),
    "molar_mass": Dimension(powers(mass=1, amount=-1), "246.2 g/mol", ("g/mol", "kg/mol")),
    "molar_energy": Dimension(powers(mass=1, length=2, time=-2, amount=-1), "24.8 kJ/mol", ("kJ/mol", "J/mol")),
    "perfusion": Dimension(powers(time=-1), "100 mL/min/100 mL", ("mL/min/100 mL",), frozenset({"length"})),
    "perfusion_by_mass": Dimension(powers(length=3, time=-1, mass=-1), "100 mL/min/100 g", ("mL/min/100 g",)),
    "specific_volume": Dimension(powers(length=3, mass=-1), "0.4 L/kg", ("L/kg", "m3/kg")),
    "specific_clearance": Dimension(powers(length=3, time=-1, mass=-1), "20 mL/min/kg", ("mL/min/kg",)),
    "potency": Dimension(powers(activity=1, length=-3), "1000 IU/mL", ("IU/mL",)),
    "fraction": Dimension(powers(), "80 %", ("1",), frozenset()),
}

SI = {
    "length": "m", "area": "m2", "volume": "m3", "time": "s", "mass": "kg", "temperature": "K", "flow_rate": "m3/s",
    "pressure": "Pa", "velocity": "m/s", "acceleration": "m/s2", "frequency": "/s", "viscosity": "Pa s",
    "density": "kg/m3", "concentration": "kg/m3", "dose_rate": "kg/kg/s", "dose": "kg/kg",
    "hydraulic_resistance": "Pa s/m3", "quadratic_resistance": "Pa s2/m6",
    "compliance": "m3/Pa", "absorption": "m3/s/Pa", "diffusivity": "m2/s", "permeability": "m2", "molar_mass": "kg/mol",
    "molar_energy": "J/mol", "perfusion": "m3/s/m3", "perfusion_by_mass": "m3/s/kg", "specific_volume": "m3/kg",
    "specific_clearance": "m3/s/kg", "potency": "IU/m3", "fraction": "1",
}  # fmt: skip
