"""The ends of a region: what is imposed is what flows, whatever the law."""

import numpy as np
import pytest

from haiflow.junction.ends import Inflow, Outlet, Wall, lay
from haiflow.junction.march import CarreauYasuda, Flow
from haiflow.junction.profiles import developed, womersley
from haiflow.junction.steady import steady
from haiflow.verify.shapes import duct

FLOW, VISCOSITY = 3e-6, 3.6e-6
OPEN = Outlet(pressure=lambda _: 0.0)


@pytest.fixture(scope="module")
def mesh():
    return duct(("a", "b"), fine=4)


def flow_of(mesh, a, b, viscosity=VISCOSITY, inflow=FLOW, step=2e-3):
    ends = {"vessel": Wall(), "inlet": Inflow(developed(mesh, "inlet", inflow)), "a": a, "b": b,
            "hole:tip": Inflow(developed(mesh, "hole:tip", 1e-10))}  # fmt: skip
    return Flow(mesh, lay(mesh, ends), viscosity, step)


def solved(flow):
    return steady(flow, flow.resting()).state


def leaving(mesh, state, name):
    return float(state.boundary_flux[mesh.on(name)].sum())


def test_a_given_flow_is_met_exactly_in_steady_and_in_unsteady_flow(mesh):
    flow = flow_of(mesh, Outlet(flow_rate=lambda _: 0.7 * FLOW), OPEN)
    state = solved(flow)
    assert leaving(mesh, state, "a") == pytest.approx(0.7 * FLOW, rel=1e-5)
    assert leaving(mesh, state, "b") == pytest.approx(0.3 * FLOW + 1e-10, rel=1e-5)
    for _ in range(3):
        state = flow.advance(state)
        assert leaving(mesh, state, "a") == pytest.approx(0.7 * FLOW, rel=1e-6)
        assert flow.worst_divergence < 1e-8


def test_resistances_share_the_flow_and_hold_their_pressure(mesh):
    flow = flow_of(mesh, Outlet(resistance=1e7), Outlet(resistance=3e7))
    state = solved(flow)
    for name, resistance in (("a", 1e7), ("b", 3e7)):
        pressure = state.pressure[mesh.on(name)].mean()
        assert pressure == pytest.approx(resistance * leaving(mesh, state, name), rel=1e-4)
    assert leaving(mesh, state, "a") == pytest.approx(0.75 * FLOW, rel=0.02)


def test_a_shut_branch_takes_nothing(mesh):
    state = solved(flow_of(mesh, Outlet(flow_rate=lambda _: 0.0), OPEN))
    assert abs(leaving(mesh, state, "a")) < 1e-5 * FLOW
    assert leaving(mesh, state, "b") == pytest.approx(FLOW + 1e-10, rel=1e-5)


def test_blood_that_comes_back_by_an_outlet_stays_bounded(mesh):
    flow = flow_of(mesh, Outlet(flow_rate=lambda _: -0.5 * FLOW), OPEN)
    state = flow.resting()
    for _ in range(60):
        state = flow.advance(state)
    assert leaving(mesh, state, "b") == pytest.approx(1.5 * FLOW, rel=1e-3)
    assert np.abs(state.velocity).max() < 4.0 * FLOW / 9e-6


def test_steady_and_marched_flow_agree_better_on_a_finer_mesh():
    def apart(fine):
        finer = duct(("a", "b"), fine=fine)
        flow = flow_of(finer, Outlet(flow_rate=lambda _: 0.6 * FLOW), OPEN)
        state = known = solved(flow)
        for _ in range(80):
            state = flow.advance(state)
        return np.abs(state.velocity - known.velocity).max() / np.abs(known.velocity).max()

    assert apart(10) < 0.07
    assert apart(10) < 0.6 * apart(6)


def test_thinning_blood_at_its_limits(mesh):
    slow = 0.05 * FLOW

    def entry(viscosity):
        state = solved(flow_of(mesh, OPEN, OPEN, viscosity=viscosity, inflow=slow))
        return state, state.pressure[mesh.on("inlet")].mean()

    newtonian, pressure = entry(VISCOSITY)
    same, _ = entry(CarreauYasuda(VISCOSITY, VISCOSITY, 1.0, 2.0, 0.5))
    assert np.abs(same.velocity - newtonian.velocity).max() < 1e-3 * np.abs(newtonian.velocity).max()
    _, twice = entry(CarreauYasuda(2.0 * VISCOSITY, VISCOSITY, 1e-9, 2.0, 0.5))  # at rest throughout
    _, plain = entry(2.0 * VISCOSITY)
    assert twice == pytest.approx(plain, rel=0.01)
    _, blood = entry(CarreauYasuda(16e-3 / 1060, VISCOSITY, 8.2, 0.64, 0.2128))
    assert 1.02 * pressure < blood < plain


def test_profiles_carry_their_flow(mesh):
    points, area = mesh.on("inlet"), mesh.wall_area[mesh.patch == mesh.names.index("inlet")]
    triangles = np.searchsorted(points, mesh.triangles("inlet"))
    samples = 1e-6 * (2.0 + np.sin(2 * np.pi * np.arange(24) / 24) + 0.3 * np.cos(6 * np.pi * np.arange(24) / 24))
    waves = womersley(mesh, "inlet", samples, 0.9, VISCOSITY)
    for number in (0, 7, 20):
        velocity = waves(0.9 * number / 24)
        into = -np.einsum("kcd,kd->", velocity[triangles], area) / 3.0
        assert into == pytest.approx(samples[number], rel=1e-9)


def test_conditions_and_patches_must_agree(mesh):
    with pytest.raises(ValueError, match="patches"):
        lay(mesh, {"vessel": Wall()})
    with pytest.raises(ValueError, match="an outlet has"):
        Outlet()
