"""The kinds of value that a scenario's keys take: quantities with units, points, diameters, names.

``Length`` and its like are ``float`` in SI to whoever reads a model; the annotation says how the text is read, which
bounds it keeps, and how it is written out again without losing a digit.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    GetJsonSchemaHandler,
    PlainSerializer,
    Strict,
    StringConstraints,
)
from pydantic_core import core_schema

from haiflow.units import DIMENSIONS, UnitError, format_quantity, parse


class Part(BaseModel):
    """A group of keys: frozen, no key beyond those listed, no NaN. Quantities are SI."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, validate_by_name=True, validate_by_alias=True
    )


LEAST, MOST = 1e-30, 1e30  # SI, of whatever dimension: far beyond a body, yet products of a few do not overflow


def within_reason(given: Any, dimension: str) -> float:
    """``given`` in SI; raises UnitError where it is none, or so large or small that no such quantity can be meant."""
    value = parse(given, dimension)
    if abs(value) > MOST or 0.0 < abs(value) < LEAST:
        rule = f"is {'above' if abs(value) > MOST else 'below'} any {dimension} that can be meant"
        raise UnitError(given, rule, f"check number and unit, e.g. '{DIMENSIONS[dimension].example}'")
    return value


@dataclass(frozen=True)
class Quantity:
    """Reads text with a unit of ``dimension`` into SI and holds it within bounds; the bounds are SI, or such text."""

    dimension: str
    above: float | None = None
    at_least: float | None = None
    below: float | None = None
    at_most: float | None = None
    example: str = ""
    """what messages give; left out, that of the dimension, which must then lie within the bounds"""
    instead: str = ""
    """what else can be done where a bound is broken"""

    def __post_init__(self) -> None:
        object.__setattr__(self, "example", self.example or DIMENSIONS[self.dimension].example)

    def read(self, given: Any) -> float:
        try:
            value = within_reason(given, self.dimension)
        except UnitError as error:
            remedy = error.remedy.replace(f"'{DIMENSIONS[self.dimension].example}'", f"'{self.example}'")
            raise UnitError(error.value, error.rule, remedy) from None
        for broken, word, bound in (
            (self.above is not None and not value > self.above, "above", self.above),
            (self.at_least is not None and not value >= self.at_least, "at least", self.at_least),
            (self.below is not None and not value < self.below, "below", self.below),
            (self.at_most is not None and not value <= self.at_most, "at most", self.at_most),
        ):
            if broken:
                raise self._out_of_bounds(given, word, float(bound or 0.0))
        return value

    def _out_of_bounds(self, given: Any, word: str, bound: float) -> UnitError:
        limit = "zero" if bound == 0.0 else format_quantity(bound, self.dimension, digits=6)
        return UnitError(given, f"must be {word} {limit}", f"give e.g. '{self.example}'{self.instead}")

    def write(self, value: float) -> str | float:
        return value if self.dimension == "fraction" else format_quantity(value, self.dimension)

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(
            self.read,
            serialization=core_schema.plain_serializer_function_ser_schema(self.write, when_used="json"),
        )

    def __get_pydantic_json_schema__(self, schema: Any, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        if self.dimension == "fraction":
            return {"type": ["number", "string"], "examples": [0.8, self.example]}
        return {"type": "string", "description": f"{self.dimension} with its unit", "examples": [self.example]}


AnyLength = Annotated[float, Quantity("length")]
Length = Annotated[float, Quantity("length", at_least=1e-7, at_most=10.0)]
CatheterLength = Annotated[float, Quantity("length", at_least=1e-3, at_most=10.0, example="40 cm")]
Distance = Annotated[float, Quantity("length", at_least=0.0)]
Altitude = Annotated[float, Quantity("length", at_least=-500.0, at_most=20000.0, example="1600 m")]
Volume = Annotated[float, Quantity("volume", above=0.0)]
VolumeOrNone = Annotated[float, Quantity("volume", at_least=0.0)]
Time = Annotated[float, Quantity("time", at_least=0.0)]
Duration = Annotated[float, Quantity("time", above=0.0, at_most=3.2e9)]
Mass = Annotated[float, Quantity("mass", above=0.0)]
BodyMass = Annotated[float, Quantity("mass", at_least=0.1, at_most=1000.0, example="70 kg")]
Temperature = Annotated[float, Quantity("temperature", above=0.0)]
BodyTemperature = Annotated[float, Quantity("temperature", at_least=273.15, at_most=333.15)]
FlowRate = Annotated[float, Quantity("flow_rate", above=0.0)]
BloodFlow = Annotated[float, Quantity("flow_rate", above=0.0, example="400 mL/min")]
BloodFlowOrNone = Annotated[float, Quantity("flow_rate", at_least=0.0, example="1100 mL/min")]
FlowRateOrNone = Annotated[float, Quantity("flow_rate", at_least=0.0)]
Pressure = Annotated[float, Quantity("pressure", above=0.0)]
GaugePressure = Annotated[float, Quantity("pressure")]
AmbientPressure = Annotated[float, Quantity("pressure", at_least=1000.0, at_most=2e6, example="101.3 kPa")]
Modulus = Annotated[float, Quantity("pressure", above=0.0, example="0.4 MPa")]
Velocity = Annotated[float, Quantity("velocity", above=0.0)]
Frequency = Annotated[float, Quantity("frequency", at_least=1.0 / 6.0, at_most=10.0)]
Viscosity = Annotated[float, Quantity("viscosity", above=0.0, at_most=10.0)]
ELASTIC = ", or leave the key out: an elastic wall"
WallViscosity = Annotated[float, Quantity("viscosity", above=0.0, at_most=1e7, example="3000 Pa s", instead=ELASTIC)]
Density = Annotated[float, Quantity("density", above=0.0)]
Concentration = Annotated[float, Quantity("concentration", at_least=0.0)]
DoseRate = Annotated[float, Quantity("dose_rate", at_least=0.0)]
HydraulicResistance = Annotated[float, Quantity("hydraulic_resistance", above=0.0)]
ResistanceOrNone = Annotated[float, Quantity("hydraulic_resistance", at_least=0.0)]
QuadraticResistanceOrNone = Annotated[float, Quantity("quadratic_resistance", at_least=0.0)]
Compliance = Annotated[float, Quantity("compliance", above=0.0)]
ComplianceOrNone = Annotated[float, Quantity("compliance", at_least=0.0)]
Absorption = Annotated[float, Quantity("absorption", at_least=0.0)]
Permeability = Annotated[float, Quantity("permeability", above=0.0, at_most=1e-6)]
Diffusivity = Annotated[float, Quantity("diffusivity", above=0.0)]
MolarMass = Annotated[float, Quantity("molar_mass", above=0.0)]
MolarEnergy = Annotated[float, Quantity("molar_energy", above=0.0)]
ExchangeRate = Annotated[float, Quantity("perfusion", above=0.0)]
Potency = Annotated[float, Quantity("potency", at_least=0.0)]
Clearance = Annotated[float, Quantity("flow_rate", at_least=0.0)]
Share = Annotated[float, Quantity("fraction", at_least=0.0, at_most=1.0)]
ProperShare = Annotated[float, Quantity("fraction", at_least=0.0, below=1.0)]
SignedShare = Annotated[float, Quantity("fraction", at_least=-1.0, at_most=1.0)]
Number = Annotated[float, Quantity("fraction", at_least=0.0)]
PositiveNumber = Annotated[float, Quantity("fraction", above=0.0)]
AnyNumber = Annotated[float, Quantity("fraction")]

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_ .+-]*$", max_length=80)]
"""A name used in file names, tables and keys."""
Flag = Annotated[bool, Strict()]
Text = Annotated[str, StringConstraints(max_length=4000)]


def _in_parts(given: Any) -> Any:
    """``1 2 3 mm`` as ``[1 mm, 2 mm, 3 mm]``."""
    if isinstance(given, str) and given.split():
        *numbers, unit = given.split()
        return [f"{number} {unit}" for number in numbers]
    return given


def _read_point(given: Any) -> tuple[float, float, float]:
    """``[1 mm, 2 mm, 3 mm]``, or one unit for all three: ``1 2 3 mm``."""
    parts = _in_parts(given)
    if not isinstance(parts, list | tuple) or len(parts) != 3:
        raise UnitError(given, "a point has three coordinates", "write '[20 mm, 35 mm, 10 mm]' or '20 35 10 mm'")
    x, y, z = (within_reason(part, "length") for part in parts)
    return x, y, z


def _write_point(point: tuple[float, float, float]) -> str | list[str]:
    """In millimetres on one line where nothing is lost by it."""
    line = " ".join(f"{1e3 * value:.12g}" for value in point) + " mm"
    return line if _read_point(line) == point else [format_quantity(value, "length") for value in point]


def _read_acceleration(given: Any) -> tuple[float, float, float]:
    """``[0 m/s2, 0 m/s2, -9.81 m/s2]``, or one unit for all three: ``0 0 -9.81 m/s2``."""
    parts = _in_parts(given)
    if not isinstance(parts, list | tuple) or len(parts) != 3:
        raise UnitError(given, "gravity has three components, along the positions' axes", "write '0 0 -9.81 m/s2'")
    x, y, z = (Quantity("acceleration", at_least=-100.0, at_most=100.0).read(part) for part in parts)
    return x, y, z


def _write_acceleration(vector: tuple[float, float, float]) -> list[str]:
    return [format_quantity(value, "acceleration") for value in vector]


def _read_taper(given: Any) -> tuple[float, float]:
    """One length for a straight vessel, or ``[start, end]`` for a tapered one; a wall's thickness is given alike."""
    both = given if isinstance(given, list | tuple) else [given, given]
    if len(both) != 2:
        raise UnitError(given, "one length or two, for start and end", "write '4 mm' or '[4 mm, 3 mm]'")
    start, end = (Quantity("length", above=0.0).read(part) for part in both)
    return start, end


def _write_taper(both: tuple[float, float]) -> str | list[str]:
    texts = [format_quantity(value, "length") for value in both]
    return texts[0] if texts[0] == texts[1] else texts


def _shaped(read: Callable[[Any], Any], write: Callable[[Any], Any], **schema: Any) -> tuple[Any, ...]:
    from pydantic import WithJsonSchema

    return BeforeValidator(read), PlainSerializer(write, when_used="json"), WithJsonSchema(schema)


class _Ready:
    """Takes the value as the reader before it made it, so that SI numbers are not read as text again."""

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> core_schema.CoreSchema:
        return core_schema.any_schema()


POINT_SCHEMA = {"type": ["array", "string"], "items": {"type": "string"}, "examples": [["20 mm", "35 mm", "10 mm"]]}
TAPER_SCHEMA = {"type": ["string", "array"], "items": {"type": "string"}, "examples": ["4 mm", ["4 mm", "3 mm"]]}
ACCELERATION_SCHEMA = {
    "type": ["array", "string"], "items": {"type": "string"}, "examples": [["0 m/s2", "0 m/s2", "-9.81 m/s2"]],
}  # fmt: skip
AccelerationVector = Annotated[
    tuple[float, float, float], _Ready(),
    *_shaped(_read_acceleration, _write_acceleration, **ACCELERATION_SCHEMA)
]  # fmt: skip
Point = Annotated[tuple[float, float, float], _Ready(), *_shaped(_read_point, _write_point, **POINT_SCHEMA)]
Taper = Annotated[tuple[float, float], _Ready(), *_shaped(_read_taper, _write_taper, **TAPER_SCHEMA)]


def _read_angle(given: Any) -> float:
    """``45 deg`` or ``0.8 rad``, in rad; below half a turn."""
    number, _, unit = str(given).strip().partition(" ")
    scale = {"deg": math.pi / 180.0, "°": math.pi / 180.0, "rad": 1.0}.get(unit.strip())
    try:
        value = float(number) * (scale or math.nan)
    except ValueError:
        value = math.nan
    if not abs(value) < math.pi:
        raise UnitError(given, "an angle with its unit, below 180 degrees", "write e.g. '45 deg'")
    return value


def _write_angle(value: float) -> str:
    return f"{value!r} rad"


ANGLE_SCHEMA = {"type": "string", "description": "angle with its unit", "examples": ["45 deg"]}
Angle = Annotated[float, _Ready(), *_shaped(_read_angle, _write_angle, **ANGLE_SCHEMA)]


def _read_position(given: Any) -> float | str:
    """``ostium``, a length from the vessel's start, or a share of it, kept as text until the vessel is known."""
    if given == "ostium":
        return "ostium"
    if isinstance(given, str) and given.rstrip().endswith("%"):
        return f"{100 * Quantity('fraction', at_least=0.0, at_most=1.0).read(given)!r} %"
    return Quantity("length", at_least=0.0).read(given)


def _read_spot(given: Any) -> float | str:
    """A place on the catheter: ``tip``, ``connector``, or a length from the pump."""
    if given in ("tip", "connector"):
        return str(given)
    if isinstance(given, str) and given.strip().isalpha():
        raise UnitError(
            given, "no such place on the catheter", "use 'tip', 'connector' or a length from the pump, e.g. '12 cm'"
        )
    return Quantity("length", at_least=0.0).read(given)


def _write_place(value: float | str) -> str:
    return value if isinstance(value, str) else format_quantity(value, "length")


PLACE_SCHEMA = {"type": "string", "examples": ["ostium", "12 mm", "50 %"]}
SPOT_SCHEMA = {"type": "string", "examples": ["tip", "connector", "12 cm"]}
Position = Annotated[float | str, _Ready(), *_shaped(_read_position, _write_place, **PLACE_SCHEMA)]
Spot = Annotated[float | str, _Ready(), *_shaped(_read_spot, _write_place, **SPOT_SCHEMA)]
