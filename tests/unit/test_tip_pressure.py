"""The pressure that the catheter's tip sees: on either clock that of the vessel's stations, inside of the vessel."""

from dataclasses import replace

import numpy as np
import pytest

from haiflow.arteries import stations
from haiflow.arteries.periodic import periodic
from haiflow.arteries.pulsatile import PulsatileFlow
from haiflow.arteries.simple import fork, pulsating
from haiflow.arteries.tree import Outlet
from haiflow.scenario.load import loads
from haiflow.simulation.assemble import assemble
from haiflow.simulation.blood import BloodFlow, tip_pressure
from haiflow.simulation.stream import EXCHANGES, Stream

SCENARIO = """
haiflow: 1
pump: {model: synchromed-ii-40, fill: {drug: floxuridine, concentration: 5 mg/mL, volume: 30 mL}}
catheter: {model: intera-straight, tip: {vessel: %s, position: %s}}
arteries:
  network:
    nodes:
      {root: {position: 0 0 0 mm}, fork: {position: 0 100 0 mm}, a: {position: 0 200 0 mm}, b: {position: 0 100 90 mm}}
    vessels:
      trunk:
        {from: root, to: fork, length: 400 mm, diameter: 6 mm, wave_speed: 8 m/s,
         loss: {linear: 4e7 Pa s/m3, at: start}, path: [0 0 0 mm, 0 0 150 mm, 0 100 150 mm, 0 100 0 mm]}
      aside: {from: fork, to: a, length: 100 mm, diameter: 5 mm, wave_speed: 8 m/s}
      stump: {from: fork, to: b, length: 90 mm, diameter: 4 mm, wave_speed: 8 m/s, loss: {linear: 1e8 Pa s/m3}}
    inlet: {node: root}
    outlets: {a: {share: 1}, b: {kind: reflection, coefficient: 1}}
  inflow: {mean: 300 mL/min}
  gravity: 0 0 -9.81 m/s2
run: {clock: pulse, duration: 2 s}
"""


@pytest.mark.parametrize(
    ("vessel", "position"),
    [("trunk", "ostium"), ("trunk", "80 mm"), ("trunk", "200 mm"), ("trunk", "330 mm"), ("stump", "45 mm")],
)
def test_a_stream_and_its_cycle_agree_on_the_tips_pressure(vessel, position):
    """Along a path that rises 0.15 m and comes down again, and in a stump with a loss of its own."""
    model = loads(SCENARIO % (vessel, position)).model
    parts = assemble(model)
    blood = BloodFlow(parts.tree, tolerance=1e-5)
    stream = Stream(parts, blood)
    cycle = stream.cycle
    expected = tip_pressure(cycle, parts.tree, parts.line.tip)
    for_exchange = []
    for exchange in range(EXCHANGES):
        blocks = list(stream.metronome.until((exchange + 1) * cycle.period / EXCHANGES))
        weight = [block.dt * len(block.face_flux) for block in blocks]
        for_exchange.append(np.average([stream.tip_pressure(block) for block in blocks], weights=weight))
    middle = np.interp(np.arange(EXCHANGES) + 0.5, np.arange(201) / 2.0, np.append(expected, expected[0]))
    assert np.mean(for_exchange) == pytest.approx(expected.mean(), abs=3.0)
    np.testing.assert_allclose(for_exchange, middle, atol=0.01 * np.ptp(expected))


@pytest.mark.parametrize("viscous", [False, True])
def test_stations_of_a_block_are_those_that_are_sampled(viscous):
    """From areas and fluxes alone, the viscous part of the wall's pressure included."""
    tree = fork([0.1, 0.08, 0.06], [2.5e-3, 2e-3, 1.8e-3], [6.0, 7.0, 8.0], pulsating(5e-6), Outlet(3e8, 2e9, 1e-10),
                wall_viscosity=np.full(3, 0.6) if viscous else None)  # fmt: skip
    start = periodic(tree, tolerance=1e-5).state
    flow, other = (PulsatileFlow(tree, state=replace(start, phase=0.0)) for _ in range(2))
    block, samples = flow.advance(flow.steps_in_cycle), other.sample_cycle(200)
    every = flow.steps_in_cycle // 200
    for vessel in range(3):
        found = stations.of_block(block, flow.grid, vessel)
        at_samples = 0.5 * (found[every - 1 :: every][:-1] + found[every::every])  # a step ends there, and one begins
        sampled = samples.stations[1:, vessel, :, 0]
        np.testing.assert_allclose(at_samples, sampled, atol=0.01 * np.ptp(sampled))


def test_between_stations():
    values = np.array([[1.0, 3.0, 11.0]])
    for share, expected in ((0.0, 1.0), (0.25, 2.0), (0.5, 3.0), (0.75, 7.0), (1.0, 11.0)):
        assert stations.between(values, share) == pytest.approx(expected)
