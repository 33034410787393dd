"""Viscous walls: nothing in steady flow, second order with friction, and stable however strong and short."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from haiflow.arteries.grid import cut, make_grid
from haiflow.arteries.local_steps import Steps
from haiflow.arteries.periodic import periodic
from haiflow.arteries.pulsatile import PulsatileFlow
from haiflow.arteries.simple import fork, pulsating, single_vessel
from haiflow.arteries.tree import CLOSED, Inlet, Outlet
from haiflow.errors import InputError
from haiflow.verify.random_networks import any_network

SPEED = 8.0  # m/s


def wall(radius):
    """Pa s m, openBF's own law for a vessel of a radius (m)."""
    return 0.6 + 0.5 * 1.5e-3 / np.asarray(radius)


def mean_flow(radius):
    return 2e-6 * (radius / 1e-3) ** 3


def bed(flow):
    total = 12e3 / flow
    return Outlet(0.1 * total, 0.9 * total, 1.0 / total, 700.0)


def network(kind, radius, inlet, outlet, length=0.1):
    """One vessel or a fork whose last daughter is of the given length (m), with openBF's walls."""
    if kind == "one":
        return single_vessel(length, radius, SPEED, inlet, outlet, wall_viscosity=wall([radius]))
    radii = [1.25 * radius, radius, radius]
    return fork([0.1, 0.1, length], radii, [SPEED] * 3, inlet, outlet, wall_viscosity=wall(radii))


@pytest.mark.parametrize("kind", ["one", "fork"])
@pytest.mark.parametrize("radius", [0.25e-3, 0.35e-3, 0.5e-3, 1e-3, 3e-3])
def test_steady_flow_with_friction_does_not_know_the_walls_viscosity(kind, radius):
    flow = mean_flow(radius)
    tree = network(kind, radius, Inlet("n0", "flow_rate", 60 / 70, np.array([flow])), Outlet(12e3 / flow, 0, 0, 700.0))
    grid = make_grid(tree)
    elastic = replace(tree, wall_viscosity=None)
    found = periodic(tree, grid=grid, tolerance=1e-8, max_cycles=200)
    wanted = periodic(elastic, grid=make_grid(elastic), tolerance=1e-8, max_cycles=200)
    for name in ("pressure", "flow_rate", "area"):
        given = getattr(wanted, name)
        np.testing.assert_allclose(getattr(found, name)[0], given[0], rtol=0, atol=1e-6 * np.abs(given).max())


def beat(tree, cells, steps, samples=50):
    """Stations (samples, vessels, 3, 3) of the fourth cycle, cells of equal length over the vessels' own."""
    grid = cut(tree, np.asarray(cells, dtype=np.int32))
    flow = PulsatileFlow(tree, grid, steps=steps)
    for _ in range(3):
        flow.advance(flow.steps_in_cycle)
    return flow.sample_cycle(samples).stations


@pytest.mark.parametrize("radius", [0.35e-3, 0.5e-3, 1e-3])
def test_pulses_in_small_viscous_vessels_are_of_second_order(radius):
    flow = mean_flow(radius)
    tree = network("one", radius, pulsating(flow), bed(flow))
    found = [beat(tree, [12 * 2**k], 1600 * 2**k) for k in range(4)]
    for quantity in (0, 1):
        gaps = [np.abs(b - a)[..., quantity].mean() for a, b in pairwise(found)]
        assert np.log2(gaps[1] / gaps[2]) > 1.8


@pytest.mark.parametrize("radius", [0.15e-3, 0.35e-3, 1e-3])
def test_pulses_in_small_viscous_vessels_are_right_at_the_default_mesh(radius):
    flow = mean_flow(radius)
    tree = network("one", radius, pulsating(flow), bed(flow))
    grids = make_grid(tree), cut(tree, 4 * make_grid(tree).cells.astype(np.int32))
    found = []
    for grid in grids:
        solver = PulsatileFlow(tree, grid)
        for _ in range(8):
            solver.advance(solver.steps_in_cycle)
        found.append(solver.sample_cycle(200).stations)
    for quantity in range(3):
        coarse, fine = (stations[..., quantity] for stations in found)
        np.testing.assert_allclose(coarse, fine, rtol=0, atol=5e-4 * np.abs(fine).max())


def test_a_short_vessel_in_two_cells_is_as_right_as_in_six():
    radius = 0.35e-3
    flow = mean_flow(radius)
    tree = network("fork", radius, pulsating(flow), bed(0.5 * flow), 8e-3)
    found = []
    for short in (2, 6):
        solver = PulsatileFlow(tree, cut(tree, np.array([25, 25, short], dtype=np.int32)), steps=8000)
        for _ in range(6):
            solver.advance(solver.steps_in_cycle)
        found.append(solver.sample_cycle(100).stations[..., :2])
    for quantity in (0, 1):
        two, six = (stations[..., quantity] for stations in found)
        np.testing.assert_allclose(two, six, rtol=0, atol=3e-4 * np.abs(six).max())


@pytest.mark.parametrize("length", [3e-3, 10e-3])
@pytest.mark.parametrize("outlet", ["bed", "resistance", "reflection", "closed"])
def test_short_vessels_with_strong_walls_are_stable(length, outlet):
    radius = 0.25e-3
    flow = mean_flow(radius)
    beds = {"bed": bed(0.5 * flow), "resistance": Outlet(24e3 / flow, 0.0, 0.0, 700.0), "closed": CLOSED,
            "reflection": Outlet(reflection=0.7, venous_pressure=1e4)}  # fmt: skip
    tree = network("fork", radius, pulsating(flow), beds[outlet], length)
    if outlet == "closed":
        tree = replace(tree, outlets={**tree.outlets, next(iter(tree.outlets)): bed(flow)})
    tree = replace(tree, wall_viscosity=30.0 * tree.wall_viscosity)
    solver = PulsatileFlow(tree)
    steps = solver.steps_in_cycle
    for _ in range(2):
        solver.advance(solver.steps_in_cycle)
    assert solver.steps_in_cycle == steps
    assert np.abs(solver.flow_rate).max() < 20.0 * flow


def test_a_short_strong_daughter_is_right_at_the_default_step():
    radius = 0.25e-3
    flow = mean_flow(radius)
    tree = network("fork", radius, pulsating(flow), bed(0.5 * flow), 0.01)
    grid = make_grid(tree)
    coarse, fine = (periodic(tree, grid=grid, tolerance=1e-4, courant=c) for c in (0.65, 0.1))
    for name in ("pressure", "flow_rate"):
        given = getattr(fine, name)
        np.testing.assert_allclose(getattr(coarse, name), given, rtol=0, atol=1e-3 * np.abs(given).max())


@pytest.mark.parametrize("seed", range(12))
def test_random_networks_with_walls_of_any_strength(seed):
    tree = any_network(seed)
    strength = 10.0 ** np.random.default_rng([seed, 3]).uniform(-2.0, 2.0, len(tree.vessels))
    strength[np.random.default_rng([seed, 4]).random(len(strength)) < 0.2] = 0.0
    solver = PulsatileFlow(replace(tree, wall_viscosity=strength))
    before, inflow = solver.volume, solver.end_volume.copy()
    solver.advance(solver.steps_in_cycle)
    through = solver.end_volume - inflow
    assert solver.volume - before == pytest.approx(through[0::2].sum() - through[1::2].sum(), abs=1e-11 * before)
    assert np.abs(solver.flow_rate).max() < 1e-3


@pytest.mark.parametrize("severity", [0.98, 0.99, 0.995])
@pytest.mark.parametrize("strength", [1.0, 3.0])
def test_severe_stenoses_pass_as_in_elastic_vessels(severity, strength):
    """Nearly nothing flows at such an end: what the step knows of it must not be an open one."""
    radius = 1.5e-3
    flow = mean_flow(radius)
    walls = strength * wall([1.25 * radius, radius, radius])
    tree = fork([0.05, 0.04, 0.06], [1.25 * radius, radius, radius], [SPEED] * 3, pulsating(flow), bed(0.5 * flow),
                wall_viscosity=walls)  # fmt: skip
    struck = replace(tree, severity=np.array([0.0, severity, 0.0]))
    cycles = [periodic(each, grid=make_grid(each)) for each in (struck, replace(struck, wall_viscosity=None))]
    through = [cycle.flow_rate[:, 1, 1].mean() for cycle in cycles]
    assert through[0] == pytest.approx(through[1], rel=0.02)
    healthy = PulsatileFlow(tree)
    healthy.advance(healthy.steps_in_cycle)
    after = PulsatileFlow(struck, make_grid(struck), healthy.state())
    after.advance(after.steps_in_cycle)
    assert np.abs(after.flow_rate).max() < 5.0 * flow


def test_viscous_walls_want_common_steps():
    flow = mean_flow(1e-3)
    tree = network("fork", 1e-3, pulsating(flow), bed(0.5 * flow))
    with pytest.raises(InputError, match="common steps"):
        PulsatileFlow(tree, steps=Steps(2000, np.array([0, 1, 0], dtype=np.int32)))


def test_a_stop_names_a_strong_wall():
    flow = mean_flow(0.25e-3)
    strong = PulsatileFlow(network("one", 0.25e-3, pulsating(flow), bed(flow)))
    weak = PulsatileFlow(replace(strong.tree, wall_viscosity=np.array([1e-6])))
    assert "wall's viscosity, 3.6 Pa s m" in str(strong._stopped("an area is gone"))
    assert "wall" not in str(weak._stopped("an area is gone"))
