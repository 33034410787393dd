"""A remedy that gives an example gives one that its key takes: over every quantity of the schema."""

import re
from typing import get_args

import pytest
from pydantic import BaseModel

from haiflow.scenario import model
from haiflow.scenario.schema import catheter, events, fields, network, patient, pump, run, substances
from haiflow.units import UnitError

PARTS = (model, catheter, events, network, patient, pump, run, substances)
BAD = (
    "", "text", "5", 5.0, True, "nan mm", "1,5 mm", "1 stone", "1 mm", "1 kg", "\u22121 mm", None, [],
    *(f"{number} {unit}" for number in ("-1e29", "-70", "0", "1e-29", "1e29", "1e200")
      for unit in ("m", "kg", "s", "m3/s", "m3", "Pa", "K", "Pa s", "kg/m3", "/s", "m/s", "m2", "1", "Pa s/m3",
                   "m3/Pa", "m3/s/Pa", "m2/s", "g/mol", "J/mol", "m/s2", "IU/mL", "Pa s2/m6", "mg/kg/day")),
)  # fmt: skip


def quantities(annotation, found):
    """Every :class:`Quantity` in an annotation, however deep."""
    for item in getattr(annotation, "__metadata__", ()):
        if isinstance(item, fields.Quantity):
            found.add(item)
    for inner in get_args(annotation):
        quantities(inner, found)


def all_quantities():
    found = set()
    for value in vars(fields).values():
        quantities(value, found)
    for part in PARTS:
        for kind in vars(part).values():
            for field in getattr(kind, "model_fields", {}).values() if isinstance(kind, type) else ():
                assert issubclass(kind, BaseModel)
                quantities(field.annotation, found)
                found.update(item for item in field.metadata if isinstance(item, fields.Quantity))
    return sorted(found, key=repr)


def test_every_example_in_a_message_is_taken_by_its_key():
    assert len(all_quantities()) > 40
    told = 0
    for quantity in all_quantities():
        quantity.read(quantity.example)
        for given in BAD:
            try:
                quantity.read(given)
            except UnitError as error:
                for example in re.findall(r"e\.g\. '([^']+)'", error.remedy):
                    told += 1
                    quantity.read(example)  # raises where the example would be refused
    assert told > 1000


@pytest.mark.parametrize(
    ("quantity", "given", "example"),
    [("BodyMass", "-70 kg", "70 kg"), ("CatheterLength", "1e6 km", "40 cm"), ("BloodFlow", "0 mL/min", "400 mL/min")],
)
def test_an_example_is_one_of_its_kind(quantity, given, example):
    (rule,) = getattr(fields, quantity).__metadata__
    with pytest.raises(UnitError) as caught:
        rule.read(given)
    assert caught.value.remedy == f"give e.g. '{example}'"
