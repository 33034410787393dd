"""The drug's steps and its steady state against exact answers, by the functions that a resolved tip uses."""

from types import SimpleNamespace

import numpy as np
import pytest

from haiflow.junction.beat import Beat
from haiflow.junction.drug import NOTHING, DrugField
from haiflow.mesh.extrude import extruded, region
from haiflow.verify.shapes import grid
from haiflow.verify.streaming import tee, turned, turning


def hump(x, middle=(0.5, 0.65)):
    """A smooth hump in the plane, narrow enough to stay inside."""
    r = np.minimum(np.hypot(x[:, 0] - middle[0], x[:, 1] - middle[1]) / 0.3, 1.0)
    return (0.25 * (1.0 + np.cos(np.pi * r)) ** 2)[:, None]


def angle(mesh, c):
    """Of the hump's middle of gravity, rad from where it started."""
    x, y = (mesh.dual.volume * c[:, 0]) @ (mesh.points[:, :2] - 0.5)
    return np.arctan2(y, x) - 0.5 * np.pi


def test_long_steps_are_of_second_order_in_time_and_space_together():
    """A ball on a finer mesh with shorter steps, some six times what control volumes hold passing in each: with fluxes
    of the steps' ends it was 0.6. Its top is clipped, as no new extremum may arise."""
    coarse, fine = (turned(n, "ball", courant=1.6) for n in (20, 28))
    assert np.log(coarse[0] / fine[0]) / np.log(28 / 20) > 1.7
    assert fine[1] >= -NOTHING


def test_shapes_with_edges_survive_long_steps():
    """Zalesak's disc at ten times the Courant number of the published case: 1.45 of its amount by first order."""
    error, least, largest, change = turned(48, "slotted disc", courant=4.0)
    assert error < 1.15
    assert least >= -NOTHING
    assert largest < 1.02
    assert abs(change) < 1e-7  # but for what the linear solver leaves


@pytest.mark.parametrize("steps", [16, 160])
def test_the_drug_moves_by_the_mean_of_both_ends_of_a_step(steps):
    """Blood that turns ever faster: by its last flux in each step the drug would be half a step ahead."""
    mesh, flux, boundary = turning(32, np.array([0.0, 1.0 / 32]))
    field, c = DrugField(mesh, np.zeros((len(mesh.points), 1)), {}, diffusivity=0.0), hump(mesh.points)
    beat = Beat(field, mesh.dual.volume, 1060.0, steps)
    still = np.zeros((len(mesh.points), 3))
    states = [
        SimpleNamespace(flux=0.5 * now * flux, boundary_flux=0.5 * now * boundary, velocity=still,
                        pressure=still[:, 0])
        for now in np.linspace(0.0, 1.0, steps + 1)
    ]  # fmt: skip
    viscosity = np.full(len(mesh.tetra), 4e-3)
    for number in range(steps):
        beat.follow(number, 1.0 / steps, states[number], states[number + 1], viscosity, c)
    ahead = np.pi / 2.0 / steps  # by the last flux of each step
    assert angle(mesh, c) == pytest.approx(np.pi / 2.0, abs=max(0.2 * ahead, 5e-3))


@pytest.mark.parametrize("steps", [20, 200])
def test_drug_at_rest_spreads_by_its_diffusivity(steps):
    """Half a wave between two walls dies out by exp(-D k^2 t)."""
    diffusivity, length, end = 2e-9, 1e-4, 0.5
    side = np.linspace(0.0, length, 17)
    points, tetra = extruded(*grid(side, side[:5]), side[:3])
    mesh = region(points, tetra, [("wall", lambda c: np.ones(len(c), bool))])
    c = 0.5 + 0.5 * np.cos(np.pi * mesh.points[:, :1] / length)
    field = DrugField(mesh, np.zeros_like(c), {}, diffusivity=diffusivity)
    for _ in range(steps):
        field.step(c, np.zeros(len(mesh.dual.ends)), np.zeros(len(c)), end / steps)
    left = np.exp(-diffusivity * (np.pi / length) ** 2 * end)
    assert 0.2 < left < 0.9
    np.testing.assert_allclose(c[:, 0], 0.5 + 0.5 * left * np.cos(np.pi * mesh.points[:, 0] / length), atol=0.015)


def test_what_enters_by_two_halves_is_all_there_is_and_all_of_it_leaves():
    mesh, flow, state = tee(0.3)
    entering = np.column_stack([-flow.ends.through(name, state.velocity) for name in ("hole:0", "hole:1")])
    field = DrugField(mesh, entering, {name: points for name, points, _ in flow.ends.outlets}, diffusivity=0.0)
    c, leaving = field.steady(state.flux, state.boundary_flux)
    np.testing.assert_allclose(leaving.sum(axis=0), entering.sum(axis=0), rtol=1e-6)
    np.testing.assert_allclose(c.sum(axis=1), 1.0, atol=1e-3)
    again, later = field.steady(state.flux, state.boundary_flux, c)
    np.testing.assert_allclose(later / entering.sum(axis=0), leaving / entering.sum(axis=0), atol=5e-3)
    assert again.min() > -1e-4
    for scratch in (field._gain, field._loss, field._taken, field._correction):
        scratch[:] = np.nan  # what lay in memory before is nothing to it
    np.testing.assert_array_equal(field.steady(state.flux, state.boundary_flux)[0], c)



def test_no_point_of_a_steady_state_has_less_than_no_drug():
    """A tenth of a thousandth below zero where drug comes in would be more than all that is far downstream."""
    mesh, flow, state = tee(0.3, cuts=(-0.2, 0.2))
    entering = -flow.ends.through("hole:1", state.velocity)[:, None]
    field = DrugField(mesh, entering, {name: points for name, points, _ in flow.ends.outlets})
    c, leaving = field.steady(state.flux, state.boundary_flux)
    assert c.min() >= -NOTHING
    assert leaving.sum() == pytest.approx(entering.sum(), rel=1e-6)
    shares = [state.flux, state.boundary_flux]
    for _ in range(20):
        field.step(c, *shares, dt=0.5)
    assert c.min() >= -NOTHING
