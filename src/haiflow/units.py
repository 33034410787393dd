"""The unit border: text with a unit in the scenario, SI float64 inside.

A quantity is written ``NUMBER UNIT``: ``0.6 mm``, ``1.3 mL/day``, ``37 degC``, ``0.12 mg/kg/day``, ``70 /min``. A unit
is a product of symbols with optional whole powers (``m3``, ``m^3``); ``/`` divides by the one term that follows, and
parentheses group: ``Pa s/m3``, ``mL/(min mmHg)``. The rule for perfusion: a number directly after ``/`` scales the
term it stands before, so ``100 mL/min/100 g`` is 1 mL per minute and gram. Symbols are listed, never guessed, and each
key of a scenario has one dimension: ``5 Fr`` is a length (1 Fr = 1/3 mm), ``U`` and ``IU`` count international units.
Ratios are told apart although their units cancel: ``mg/kg/day`` is a dose rate, ``/day`` a frequency.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from haiflow.dimensions import BASES, DIMENSIONS, SI, SYMBOLS, Dimension, Powers, powers
from haiflow.errors import nearest


class UnitError(ValueError):
    """A quantity that breaks the unit rules; the caller adds the place. ``rule`` and ``remedy`` are sentences."""

    def __init__(self, value: object, rule: str, remedy: str) -> None:
        self.value, self.rule, self.remedy = value, rule, remedy
        super().__init__(f"{rule}; {remedy}")


@dataclass(frozen=True, slots=True)
class Unit:
    """Factor to SI, powers above and below the line (kept apart to see what cancels), and offset (degC, degF)."""

    factor: Fraction
    above: Powers
    below: Powers
    offset: Fraction = Fraction(0)

    @property
    def powers(self) -> Powers:
        return tuple(a - b for a, b in zip(self.above, self.below, strict=True))

    @property
    def cancelled(self) -> frozenset[str]:
        pairs = zip(BASES, self.above, self.below, strict=True)
        return frozenset(base for base, above, below in pairs if above and below)


_NUMBER = r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?"
_QUANTITY = re.compile(rf"\s*({_NUMBER})\s*(.*?)\s*", re.DOTALL)
_TOKEN = re.compile(
    r"\s*(?:(?P<op>[/*·()])|(?P<symbol>[^\W\d]+2O|°C|%|[^\W\d]+)(?:\^?(?P<power>-?\d))?|(?P<number>\d+(?:\.\d+)?))"
)
LONGEST = 100


def parse(text: object, dimension: str) -> float:
    """The SI value of ``text``, which must be a quantity of ``dimension`` (a key of :data:`DIMENSIONS`).

    Raises :class:`UnitError` for a bare number, an unknown unit, a unit of another dimension, or a number that is not
    finite. Only a ``fraction`` may be a bare number.
    """
    wanted = DIMENSIONS[dimension]
    if isinstance(text, bool) or not isinstance(text, str | int | float):
        raise UnitError(text, f"not a quantity of {dimension}", f"write a number and a unit, e.g. '{wanted.example}'")
    return _parsed(text, dimension) if isinstance(text, str) else _bare(text, dimension, wanted)


@lru_cache(maxsize=8192)
def _parsed(text: str, dimension: str) -> float:
    """A text read; a network repeats its texts in every variant of a sweep."""
    wanted = DIMENSIONS[dimension]
    match = _QUANTITY.fullmatch(text[: LONGEST + 1])
    if match is None or len(text) > LONGEST or match[2].startswith(","):
        raise UnitError(text[:LONGEST], f"not a quantity of {dimension}", _remedy(text, wanted))
    if not match[2]:
        return _bare(float(match[1]), dimension, wanted, given=text)
    try:
        unit = _unit(match[2].replace("\u00b5", "u").replace("\u03bc", "u"))  # both micro signs
    except UnitError as error:
        raise UnitError(text, error.rule, error.remedy) from None
    _check_dimension(unit, dimension, wanted, text)
    return _si(match[1], unit, text)


def split(given: str | float | int) -> tuple[float, str]:
    """Number and unit of a quantity of whatever dimension; the unit is "" where there is none."""
    match = _QUANTITY.fullmatch(given[: LONGEST + 1]) if isinstance(given, str) else None
    if match is None and isinstance(given, str | bool):
        raise UnitError(given, "not a quantity", "write a number and a unit, e.g. '0.6 mm'")
    number, unit = (float(given), "") if match is None else (float(match[1]), match[2])
    return _finite(number, given), unit


def unit_of(given: str | float | int) -> str:
    """The unit of a quantity, as written; it must be one."""
    unit = split(given)[1]
    if unit:
        _unit(unit)
    return unit


def number_in(given: str | float | int, unit: str) -> float:
    """The number of a quantity in another unit of its dimension."""
    number, own = split(given)
    if own == unit:
        return number
    source, wanted = _unit(own or "1"), _unit(unit or "1")
    _same_kind(given, source, wanted, unit)
    return _rounded((Fraction(number) * source.factor + source.offset - wanted.offset) / wanted.factor, given)


def difference_in(given: str | float | int, unit: str) -> float:
    """The same of a difference, such as a standard deviation: no zero point plays a part."""
    number, own = split(given)
    source, wanted = _unit(own or "1"), _unit(unit or "1")
    _same_kind(given, source, wanted, unit)
    return _rounded(Fraction(number) * source.factor / wanted.factor, given)


def common_unit(texts: list[str]) -> str:
    """The unit of the first of ``texts`` where all are quantities of its dimension; "" otherwise."""
    try:
        unit = unit_of(texts[0])
        for text in texts:
            number_in(text, unit)
    except UnitError:
        return ""
    return unit


def _same_kind(given: object, source: Unit, wanted: Unit, unit: str) -> None:
    if source.powers != wanted.powers:
        raise UnitError(given, f"is not in a unit like '{unit}'", "give all values of one distribution in like units")


def _si(number: str, unit: Unit, text: str) -> float:
    """Exact arithmetic, rounded once: 5 um is 5e-6. A look at the rough value first keeps exponents small."""
    rough = _finite(float(number), text)
    return _rounded((Fraction(number) if rough else 0) * unit.factor + unit.offset, text)


def _rounded(exact: Fraction, given: object) -> float:
    try:
        return _finite(float(exact), given)
    except OverflowError:
        return _finite(math.inf, given)


def _remedy(text: str, wanted: Dimension) -> str:
    if re.match(r"\s*[+-]?\d+,\d", text):
        return f"write a decimal point and no thousands separator, e.g. '{wanted.example}'"
    if re.match(r"\s*[+-]?\.?(nan|inf)", text, re.IGNORECASE):
        return f"give a finite number and a unit, e.g. '{wanted.example}'"
    if re.match(r"\s*[\u2010-\u2015\u2212\ufe63\uff0d]", text):
        return "the sign is another letter that looks like a minus: type '-'"
    return f"write a number and a unit, e.g. '{wanted.example}'"


def _bare(value: float, dimension: str, wanted: Dimension, given: object = None) -> float:
    if dimension != "fraction":
        raise UnitError(
            value if given is None else given,
            f"{dimension} needs a unit",
            f"write it with its unit, e.g. '{wanted.example}'",
        )
    return _finite(float(value), value)


def _finite(value: float, given: object) -> float:
    if not math.isfinite(value):
        raise UnitError(given, "must be finite", "give a finite number")
    return value


def _check_dimension(unit: Unit, dimension: str, wanted: Dimension, text: str) -> None:
    same = unit.powers == wanted.powers
    if same and (wanted.cancels is None or unit.cancelled == wanted.cancels):
        return
    found = kind_of(unit)
    rule = f"is {found}, not a quantity of {dimension}" if found else f"is not a quantity of {dimension}"
    raise UnitError(text, rule, f"write e.g. '{wanted.example}'")


def kind_of(unit: Unit) -> str:
    """The dimension's name that fits ``unit`` best ("" where none does)."""
    for name, dimension in DIMENSIONS.items():
        if dimension.powers == unit.powers and dimension.cancels in (None, unit.cancelled):
            return f"a {name}" if name[0] not in "aeiou" else f"an {name}"
    return ""


@lru_cache(maxsize=512)
def _unit(expression: str) -> Unit:
    """The unit that ``expression`` means."""
    unit = _product(list(_tokens(expression)), closing=False)
    if unit.offset and (unit.above != SYMBOLS["K"][1] or any(unit.below)):
        raise UnitError(expression, "degC and degF stand alone, they have an offset", "use K in a compound unit")
    return unit


def _tokens(expression: str) -> Iterator[tuple[str, str, int]]:
    at = 0
    while at < len(expression.rstrip()):
        match = _TOKEN.match(expression, at)
        if match is None:
            raise UnitError(
                expression, f"'{expression}' is not a unit", "write units like 'mL/day', 'kg/m3' or 'Pa s/m3'"
            )
        kind = match.lastgroup if match.lastgroup != "power" else "symbol"
        yield str(kind), str(match[kind or "op"]), int(match["power"] or 1)
        at = match.end()


def _product(tokens: list[tuple[str, str, int]], *, closing: bool) -> Unit:
    """Multiply terms up to the end (or the closing parenthesis); ``tokens`` is consumed from the front."""
    result, below, expecting = Unit(Fraction(1), powers(), powers()), False, False
    while tokens:
        kind, word, power = tokens.pop(0)
        if word == ")" and kind == "op":
            if not closing or expecting:
                raise _malformed()
            return result
        if kind == "op" and word != "(":
            if expecting:
                raise _malformed()
            below, expecting = word == "/", True
            continue
        term = _term(kind, word, power, tokens, after_slash=below)
        result, below, expecting = _times(result, term, below), False, False
    if expecting or closing:
        raise _malformed()
    return result


def _term(kind: str, word: str, power: int, tokens: list[tuple[str, str, int]], *, after_slash: bool) -> Unit:
    if kind == "op":
        return _product(tokens, closing=True)
    if kind == "symbol":
        return _symbol(word, power)
    if not after_slash and word != "1":
        raise UnitError(
            word, f"the number {word} stands inside the unit", "a number may follow '/' only, as in '/100 g'"
        )
    scale = Unit(Fraction(word), powers(), powers())
    if tokens and tokens[0][0] == "symbol":
        following, symbol, power = tokens.pop(0)
        return _times(scale, _term(following, symbol, power, tokens, after_slash=False), below=False)
    return scale


def _symbol(word: str, power: int) -> Unit:
    if word not in SYMBOLS:
        raise UnitError(word, f"unknown unit '{word}'", nearest_unit(word))
    factor, powers, offset = SYMBOLS[word]
    scaled = tuple(p * power for p in powers)
    above, below = tuple(max(p, 0) for p in scaled), tuple(max(-p, 0) for p in scaled)
    return Unit(factor**power, above, below, offset)


def nearest_unit(word: str) -> str:
    """The remedy for an unknown unit: the one that differs in case only, else the nearest."""
    same = [symbol for symbol in SYMBOLS if symbol.lower() == word.lower()]
    if same:
        return f"did you mean '{same[0]}'?"
    remedy = nearest(word, SYMBOLS)
    return remedy if remedy.startswith("did") else "write e.g. mm, mL, mL/day, mg/mL, kPa, mmHg, degC, h, d, /min or %"


def _times(left: Unit, right: Unit, below: bool) -> Unit:
    above_right, below_right = (right.below, right.above) if below else (right.above, right.below)
    above = tuple(a + b for a, b in zip(left.above, above_right, strict=True))
    under = tuple(a + b for a, b in zip(left.below, below_right, strict=True))
    factor = left.factor / right.factor if below else left.factor * right.factor
    return Unit(factor, above, under, left.offset + right.offset)


def _malformed() -> UnitError:
    return UnitError("", "the unit is incomplete", "write units like 'mL/day', 'kg/m3' or 'mL/(min mmHg)'")


@lru_cache(maxsize=4096)
def format_quantity(value: float, dimension: str, unit: str | None = None, digits: int | None = None) -> str:
    """``value`` (SI) as text in ``unit``; without a unit, in the shortest of the dimension's units that loses nothing.

    ``digits`` rounds to so many significant digits, for messages and tables; without it
    ``parse(format_quantity(x, d), d) == x`` holds exactly.
    """
    if unit is not None:
        return _in_unit(value, unit, digits or 17)
    units = DIMENSIONS[dimension].printed
    if digits is not None:
        return min((_in_unit(value, name, digits) for name in units), key=_readability)
    exact = [text for name in units if parse(text := _shortest(value, name, dimension), dimension) == value]
    return min(exact, key=_readability) if exact else _exact_si(value, dimension)


def _in_unit(value: float, unit: str, digits: int) -> str:
    if not math.isfinite(value):
        return _join(repr(value), unit)
    known = _unit(unit)
    rounded = float(f"{float((Fraction(value) - known.offset) / known.factor):.{digits}g}")
    return _join(repr(rounded).removesuffix(".0"), unit)


def _shortest(value: float, unit: str, dimension: str) -> str:
    """The text in ``unit`` with the fewest digits that is read back as ``value`` (or the longest, where none is)."""
    texts = (_in_unit(value, unit, digits) for digits in (15, 16, 17))
    return next((text for text in texts if parse(text, dimension) == value), _in_unit(value, unit, 17))


def _join(number: str, unit: str) -> str:
    return number if unit == "1" else f"{number} {unit}"


def _readability(text: str) -> tuple[int, int]:
    """Short first, and no powers of ten where another unit needs none."""
    number = text.split(" ")[0]
    return len(number) + (8 if "e" in number else 0), len(text)


def _exact_si(value: float, dimension: str) -> str:
    return _join(repr(value), SI[dimension])
