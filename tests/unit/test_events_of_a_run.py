"""What events make of the parts: the liquid of two injections at a time, the infusate of a fever."""

import json

import pytest

from haiflow.scenario.load import loads
from haiflow.simulation.assemble import assemble
from haiflow.simulation.events import build_timeline
from haiflow.verify.small_chain import chain

HOUR = 3600.0


def timeline(**changes):
    model = loads(json.dumps(chain(pump__model="intera-3000", **changes))).model
    return build_timeline(model, assemble(model))


def test_two_liquids_in_the_side_port_mix_by_their_flows():
    """Volumes add, so do masses; viscosities mix in the logarithm."""
    thin = {"volume": "36 mL", "over": "1 h", "infusate": "saline"}
    thick = {"volume": "18 mL", "over": "10 min", "infusate": "glycerin-50"}
    run = timeline(schedule=[{"at": "1 h", "bolus": thin}, {"at": "1.5 h", "bolus": thick}])
    alone = timeline(schedule=[{"at": "1.5 h", "bolus": thick}])
    saline, both = (run.parts_at(at * HOUR).side_port for at in (1.2, 1.55))
    glycerin = alone.parts_at(1.55 * HOUR).side_port
    assert (saline.flow_rate, glycerin.flow_rate) == pytest.approx((1e-8, 3e-8), rel=1e-9, abs=0.0)
    assert both.flow_rate == pytest.approx(4e-8, rel=1e-9, abs=0.0)
    assert glycerin.liquid.viscosity > 3.0 * saline.liquid.viscosity
    assert glycerin.liquid.density > 1.05 * saline.liquid.density
    density = 0.25 * saline.liquid.density + 0.75 * glycerin.liquid.density
    assert both.liquid.density == pytest.approx(density, rel=1e-12)
    mixed = saline.liquid.viscosity**0.25 * glycerin.liquid.viscosity**0.75
    assert both.liquid.viscosity == pytest.approx(mixed, rel=1e-12, abs=0.0)


def test_a_fever_thins_the_infusate_as_it_does_water_and_then_it_is_as_before():
    warm, cool = ({"temperature": f"{celsius} degC"} for celsius in (40, 37))
    run = timeline(schedule=[{"at": "2 h", "patient": warm}, {"at": "4 h", "patient": cool}])
    before, fever, after = (run.parts_at(at * HOUR) for at in (1.0, 3.0, 5.0))
    water = [10.0 ** (247.8 / (kelvin - 140.0)) for kelvin in (310.15, 313.15)]
    assert fever.surroundings.temperature == pytest.approx(313.15)
    assert fever.infusate.viscosity / before.infusate.viscosity == pytest.approx(water[1] / water[0], rel=1e-9)
    assert 0.93 < water[1] / water[0] < 0.95
    assert after.infusate.viscosity == pytest.approx(before.infusate.viscosity, rel=1e-12, abs=0.0)
