"""The unit border against pint, against itself, and against what must be refused."""

import math
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from haiflow.dimensions import DIMENSIONS, SI, SYMBOLS
from haiflow.units import UnitError, difference_in, format_quantity, number_in, parse

# haiflow's text, its dimension, pint's text for the same thing where pint would read it differently
ORACLE = [
    ("1.2 mL/day", "flow_rate", None),
    ("400 mL/min", "flow_rate", None),
    ("0.6 mm", "length", None),
    ("5 um", "length", None),
    ("12 µm", "length", None),
    ("95 mmHg", "pressure", None),
    ("101.3 kPa", "pressure", None),
    ("12 cmH2O", "pressure", None),
    ("1 atm", "pressure", None),
    ("14.7 psi", "pressure", None),
    ("0.70 cP", "viscosity", "0.70 centipoise"),
    ("0.7 mPa s", "viscosity", "0.7 mPa*s"),
    ("1.3e9 Pa s/m3", "hydraulic_resistance", "1.3e9 Pa*s/m**3"),
    ("0.16 uL/kPa", "compliance", None),
    ("5 mg/mL", "concentration", None),
    ("14.58 ng/mL", "concentration", None),
    ("246.2 g/mol", "molar_mass", None),
    ("24.8 kJ/mol", "molar_energy", None),
    ("9.3e-10 m2/s", "diffusivity", "9.3e-10 m**2/s"),
    ("1.5e-14 m^2", "permeability", "1.5e-14 m**2"),
    ("14 d", "time", "14 day"),
    ("30 min", "time", None),
    ("2 weeks", "time", None),
    ("70 /min", "frequency", "70 1/min"),
    ("1.2 Hz", "frequency", "1.2 1/s"),
    ("0.12 mg/kg/day", "dose_rate", None),
    ("25 mcg", "mass", "25 microgram"),
    ("3 mL/(min mmHg)", "absorption", "3 mL/(min*mmHg)"),
    ("1060 kg/m3", "density", "1060 kg/m**3"),
    ("80 %", "fraction", "0.8 dimensionless"),
]


@cache
def _registry():
    return pytest.importorskip("pint").UnitRegistry(autoconvert_offset_to_baseunit=True)


@pytest.mark.parametrize(("text", "dimension", "for_pint"), ORACLE)
def test_pint_agrees(text, dimension, for_pint):
    expected = _registry().Quantity(for_pint or text).to_base_units()
    assert parse(text, dimension) == pytest.approx(_in_si(expected), rel=1e-12, abs=0.0)


def _in_si(quantity):
    return quantity.to({"[mass]": "kg"}.get(str(quantity.dimensionality), quantity.units)).magnitude


@pytest.mark.parametrize(
    ("text", "dimension", "value"),
    [
        ("5 Fr", "length", 5e-3 / 3),  # pint reads franklin
        ("37 degC", "temperature", 310.15),
        ("37 °C", "temperature", 310.15),
        ("98.6 degF", "temperature", 310.15),
        ("100 mL/min/100 g", "perfusion_by_mass", 1e-4 / 60 / 0.1),  # pint puts the grams above the line
        ("100 mL/min/100 mL", "perfusion", 1 / 60),
        ("30 kIU/L", "potency", 3e7),
        ("1000 U/mL", "potency", 1e9),
        ("70 bpm", "frequency", 70 / 60),
        (0.25, "fraction", 0.25),
        ("0.25", "fraction", 0.25),
    ],
)
def test_units_of_the_field(text, dimension, value):
    assert parse(text, dimension) == pytest.approx(value, rel=1e-14, abs=0.0)


def test_what_is_written_in_decimals_is_read_without_rounding_twice():
    assert parse("5 um", "length") == 5e-6
    assert parse("30 mL", "volume") == 30e-6
    assert parse("0.3 mm", "length") == 0.3e-3


REFUSED = [
    (3.0, "length", "needs a unit", "0.6 mm"),
    ("3", "length", "needs a unit", "0.6 mm"),
    (0, "temperature", "needs a unit", "37 degC"),
    (True, "fraction", "not a quantity", "80 %"),
    (None, "length", "not a quantity", "0.6 mm"),
    ([1], "length", "not a quantity", "0.6 mm"),
    ("2.3 kg", "length", "is a mass", "0.6 mm"),
    ("0.12 /day", "dose_rate", "is a frequency", "mg/kg/day"),
    ("0.12 mg/kg/day", "frequency", "is a dose_rate", "70 /min"),
    ("100 mL/min/100 mL", "frequency", "is a perfusion", "70 /min"),
    ("3 mn", "length", "unknown unit 'mn'", "'mN'"),
    ("3 ML", "volume", "unknown unit 'ML'", "'mL'"),
    ("3 furlongs", "length", "unknown unit", "e.g. mm"),
    ("1,300 mL", "volume", "not a quantity", "decimal point"),
    ("nan mm", "length", "not a quantity", "finite"),
    (".inf kPa", "pressure", "not a quantity", "finite"),
    ("1e999 m", "length", "must be finite", "finite number"),
    ("1e308 km", "length", "must be finite", "finite number"),
    (math.inf, "fraction", "must be finite", "finite"),
    (math.nan, "fraction", "must be finite", "finite"),
    ("5 mL//day", "flow_rate", "incomplete", "mL/day"),
    ("5 mL/", "flow_rate", "incomplete", "mL/day"),
    ("5 mL/(min", "flow_rate", "incomplete", "mL/day"),
    ("5 mL)", "volume", "incomplete", "mL/day"),
    ("3 100 mm", "length", "stands inside the unit", "'/'"),
    ("3 degC/s", "temperature", "stand alone", "use K"),
    ("mm", "length", "not a quantity", "0.6 mm"),
    ("3 mm; rm", "length", "is not a unit", "mL/day"),
    ("9" * 500 + " m", "length", "not a quantity", "0.6 mm"),
]


@pytest.mark.parametrize(("text", "dimension", "rule", "remedy"), REFUSED)
def test_refused_with_rule_and_remedy(text, dimension, rule, remedy):
    with pytest.raises(UnitError) as caught:
        parse(text, dimension)
    assert rule in caught.value.rule
    assert remedy in caught.value.remedy


@pytest.mark.parametrize(("given", "unit"), [("1e999 mm", "cm"), ("1e304 km", "nm"), (math.inf, "1"), ("-1e999", "1")])
def test_a_number_in_another_unit_must_be_finite_too(given, unit):
    for convert in (number_in, difference_in):
        with pytest.raises(UnitError) as caught:
            convert(given, unit)
        assert caught.value.rule == "must be finite"
        assert caught.value.value == given


@pytest.mark.parametrize("exponent", ["1e-999999999 m", "0e999999999 m"])
def test_absurd_exponents_cost_nothing(exponent):
    assert parse(exponent, "length") == 0.0


@given(st.floats(min_value=1e-250, max_value=1e250), st.sampled_from(sorted(set(DIMENSIONS) - {"temperature"})))
@settings(max_examples=400, deadline=None)
def test_written_and_read_back_it_is_the_same_number(value, dimension):
    assert parse(format_quantity(value, dimension), dimension) == value


@given(st.floats(min_value=200.0, max_value=400.0))
@settings(max_examples=100, deadline=None)
def test_temperatures_survive_too(kelvin):
    assert parse(format_quantity(kelvin, "temperature"), "temperature") == kelvin


@pytest.mark.parametrize("dimension", sorted(DIMENSIONS))
def test_every_dimension_reads_its_own_example_and_writes_units_of_its_own(dimension):
    known = DIMENSIONS[dimension]
    value = parse(known.example, dimension)
    for unit in known.printed:
        assert parse(format_quantity(value, dimension, unit), dimension) == pytest.approx(value, rel=1e-14, abs=0.0)
    assert parse(f"1 {SI[dimension]}" if SI[dimension] != "1" else 1.0, dimension) == 1.0


def test_readable():
    assert format_quantity(1.3e-6 / 86400, "flow_rate") == "1.3 mL/day"
    assert format_quantity(310.15, "temperature") == "37 degC"
    assert format_quantity(1 / 3, "time", digits=3) == "0.333 s"


def test_no_symbol_is_another_one_in_disguise():
    """A wrong factor would pass every test that goes there and back; these ratios are definitions."""
    ratios = {("L", "m"): 1e-3, ("mmHg", "Pa"): 133.322387415, ("cmH2O", "Pa"): 98.0665, ("psi", "Pa"): 6894.757293168}
    for (symbol, base), ratio in ratios.items():
        assert float(SYMBOLS[symbol][0] / SYMBOLS[base][0]) == pytest.approx(ratio, rel=1e-12, abs=0.0)
