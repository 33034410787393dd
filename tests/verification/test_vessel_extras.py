"""What a vessel, inlet or outlet may have beyond the usual: a lumped loss, a reference pressure, pressures held."""

import numpy as np
import pytest

from haiflow.arteries.grid import make_grid
from haiflow.arteries.periodic import periodic
from haiflow.arteries.steady import steady
from haiflow.arteries.tube_law import pressure as tube_pressure
from haiflow.errors import InputError
from haiflow.scenario.load import loads
from haiflow.simulation.arterial_tree import build_tree

TWO = """
haiflow: 1
arteries:
  network:
    vessels:
      first: {{from: a, to: b, length: 60 mm, diameter: 5 mm, wave_speed: 8 m/s{first}}}
      second: {{from: b, to: c, length: 60 mm, diameter: 5 mm, wave_speed: 8 m/s}}
    inlet: {{node: a}}
    outlets: {{c: {outlet}}}
  inflow: {{{inflow}, waveform: {waveform}, heart_rate: 60 /min}}
run: {{clock: pulse, duration: 1 s}}
"""
BED = "{kind: resistance, distal: 1.5e9 Pa s/m3, venous_pressure: 0 Pa}"


def solved(first="", outlet=BED, inflow="mean: 300 mL/min", waveform="steady"):
    model = loads(TWO.format(first=first, outlet=outlet, inflow=inflow, waveform=waveform)).model
    tree = build_tree(model.arteries, model.run.numerics)
    return tree, periodic(tree, tolerance=1e-6, grid=make_grid(tree, 4e-3, 4))


def test_a_lumped_loss_drops_the_pressure_between_inlet_and_outlet_of_its_vessel():
    flow = 5e-6
    _, plain = solved()
    tree, lossy = solved(", loss: {linear: 3e8 Pa s/m3, quadratic: 5e13 Pa s2/m6}")
    drop = 3e8 * flow + 5e13 * flow**2
    before, after = (cycle.pressure.mean(axis=0) for cycle in (plain, lossy))
    np.testing.assert_allclose(after[0, 0] - before[0, 0], drop, rtol=5e-3)
    np.testing.assert_allclose(after[0, 1] - before[0, 1], 0.5 * drop, rtol=2e-2)
    np.testing.assert_allclose(after[1], before[1], rtol=1e-9)
    np.testing.assert_allclose(after[0, 2], before[0, 2], rtol=5e-4)  # the vessel is wider, its velocity head less
    assert steady(tree, elastic=True).pressure[0] == pytest.approx(after[0, 0], rel=2e-3)


def test_a_lumped_loss_acts_both_ways():
    """Under a pulse that turns the flow back, the loss follows the flow at every instant."""
    tree, cycle = solved(
        ", loss: {linear: 3e8 Pa s/m3}", waveform="{times: [0, 0.25, 0.5, 0.75], values: [1, 4, 1, -2]}"
    )
    inlet = cycle.flow_rate[:, 0, 0]
    assert inlet.min() < 0.0
    lossless = cycle.pressure[:, 0, 0] - 0.5 * 3e8 * inlet
    root = np.sqrt(cycle.area[:, 0, 0])
    A0 = np.pi * tree.radius_start[0] ** 2
    np.testing.assert_allclose(lossless, tube_pressure(root**2, A0, tree.beta_start[0]), rtol=1e-9, atol=1e-6)


@pytest.mark.parametrize(("at", "share"), [("start", 1.0), ("end", 0.0)])
def test_a_lumped_loss_sits_where_it_is_said_to(at, share):
    _, plain = solved()
    _, lossy = solved(f", loss: {{linear: 3e8 Pa s/m3, at: {at}}}")
    rise = lossy.pressure.mean(axis=0)[0] - plain.pressure.mean(axis=0)[0]
    np.testing.assert_allclose(rise, [1500.0, 1500.0 * (1.0 - share), 0.0], rtol=2e-2, atol=5.0)


def test_a_reference_pressure_is_where_the_diameter_is_met():
    wall = ", reference_pressure: 9 kPa"
    tree, _ = solved(wall)
    A0 = np.pi * tree.radius_start[0] ** 2
    area = np.pi * 2.5e-3**2
    assert tube_pressure(area, A0, tree.beta_start[0]) == pytest.approx(9000.0, rel=1e-12)
    text = TWO.format(first=wall, outlet=BED, inflow="mean: 300 mL/min", waveform="steady")
    text = text.replace(
        "5 mm, wave_speed: 8 m/s,", "[5 mm, 4 mm], young_modulus: 0.5 MPa, wall_thickness: [0.5 mm, 0.3 mm],"
    )
    model = loads(text).model
    tree = build_tree(model.arteries, model.run.numerics)
    for radius, thickness, r0, beta in (
        (2.5e-3, 5e-4, tree.radius_start[0], tree.beta_start[0]),
        (2e-3, 3e-4, tree.radius_end[0], tree.beta_end[0]),
    ):
        for stretch in (0.9, 1.0, 1.2):
            wanted = 9000.0 + 4.0 / 3.0 * 5e5 * thickness / radius * (stretch - 1.0)
            assert tube_pressure(np.pi * (stretch * radius) ** 2, np.pi * r0**2, beta) == pytest.approx(
                wanted, rel=1e-9
            )


def test_a_pressure_at_either_end():
    """Held at 12 and 10 kPa: the flow is what the resistance of the two vessels lets through."""
    tree, cycle = solved(outlet="{kind: pressure, venous_pressure: 10 kPa}", inflow="pressure: 12 kPa")
    flow = cycle.inlet_flow
    speed = np.abs(cycle.velocity).max()
    assert cycle.node_pressure[:, tree.node("c")].mean() == pytest.approx(10e3, rel=1e-9)
    lost = np.sum(2.0 * 4.0 * np.pi * 3.8e-3 * 0.06 * 2.0 / (cycle.area.mean(axis=(0, 2)) ** 2).mean()) * flow
    assert 12e3 - 10e3 - 0.5 * 1060.0 * speed**2 == pytest.approx(lost, rel=3e-2)
    assert cycle.inlet_pressure.mean() == pytest.approx(12e3, rel=1e-9)


def test_the_resolved_scenario_says_the_same_again():
    first = ", loss: {linear: 3e8 Pa s/m3, quadratic: 5e13 Pa s2/m6}, reference_pressure: 9 kPa"
    text = TWO.format(
        first=first, outlet="{kind: pressure, venous_pressure: 1 kPa}", inflow="pressure: 12 kPa", waveform="steady"
    )
    scenario = loads(text)
    assert loads(scenario.resolved_yaml()).model.arteries == scenario.model.arteries


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"inflow": "mean: 300 mL/min, pressure: 12 kPa"}, "driven twice"),
        ({"inflow": "pressure: 12 kPa", "outlet": "{share: 1.0}"}, "the inflow is not known"),
        ({"outlet": "{kind: pressure, distal: 1e9 Pa s/m3}"}, "given pressure has none"),
        ({"first": ", wall_viscosity: 3000 Pa s"}, "wall's thickness"),
        ({"first": ", loss: {linear: -1 Pa s/m3}"}, "at least zero"),
    ],
)
def test_contradictions_are_refused(change, rule):
    given = {"first": "", "outlet": BED, "inflow": "mean: 300 mL/min", "waveform": "steady"} | change
    with pytest.raises(InputError) as refused:
        loads(TWO.format(**given))
    assert rule in str(refused.value)


def test_a_wall_too_soft_for_its_reference_pressure_is_refused():
    text = TWO.format(first=", reference_pressure: 90 kPa", outlet=BED, inflow="mean: 300 mL/min", waveform="steady")
    text = text.replace("wave_speed: 8 m/s, reference", "young_modulus: 0.2 MPa, wall_thickness: 0.5 mm, reference")
    with pytest.raises(InputError, match="this soft carries less"):
        loads(text)
