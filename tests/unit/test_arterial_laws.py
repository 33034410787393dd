"""Tube law, waveforms, stenosis coefficients, outlets, balanced means."""

from dataclasses import replace

import numpy as np
import pytest

from haiflow.arteries import tube_law
from haiflow.arteries.balance import divergence_free
from haiflow.arteries.calibration import calibrated, characteristic_impedance
from haiflow.arteries.outlets import impedance, implicit_weight
from haiflow.arteries.plan import momentum_correction, sample_inlet
from haiflow.arteries.simple import fork, network, pulsating, single_vessel
from haiflow.arteries.stenosis import loss_coefficients
from haiflow.arteries.tree import CLOSED, Inlet, Outlet
from haiflow.arteries.waveforms import periodic_samples, shaped_inlet
from haiflow.errors import InputError


def test_tube_law_there_and_back():
    A0, beta = np.pi * 9e-6, 500.0
    area = np.linspace(0.5, 2.0, 9) * A0
    pressure = tube_law.pressure(area, A0, beta)
    np.testing.assert_allclose(tube_law.area(pressure, A0, beta), area, rtol=1e-13)
    assert tube_law.pressure(A0, A0, beta) == 0.0
    slope = (tube_law.pressure(area * 1.0001, A0, beta) - tube_law.pressure(area * 0.9999, A0, beta)) / (2e-4 * area)
    np.testing.assert_allclose(tube_law.wave_speed(area, A0, beta, 1060.0), np.sqrt(area / 1060.0 * slope), rtol=1e-6)
    np.testing.assert_allclose(tube_law.compliance(area, A0, beta), 1.0 / slope, rtol=1e-6)


def test_stiffness_of_a_wall_has_the_moens_korteweg_speed():
    # c^2 = 2 E h / (3 rho r), the incompressible thin wall.
    A0 = np.pi * 4e-6
    beta = tube_law.stiffness_from_wall(4e5, 4e-4)
    speed = tube_law.wave_speed(A0, A0, beta, 1060.0)
    assert speed**2 == pytest.approx(2 * 4e5 * 4e-4 / (3 * 1060.0 * 2e-3), rel=1e-12, abs=0.0)
    assert tube_law.stiffness_from_wave_speed(speed, A0, 1060.0) == pytest.approx(beta)


def test_momentum_correction_of_known_profiles():
    assert momentum_correction(2.0) == pytest.approx(4.0 / 3.0)
    assert momentum_correction(9.0) == pytest.approx(1.1)


def shape_of(name):
    from importlib.resources import files

    import yaml

    values = yaml.safe_load((files("haiflow") / "library" / "waveforms" / f"{name}.yaml").read_text())["values"]
    return periodic_samples(np.array(values["times"]["value"]), np.array(values["values"]["value"]), 400)


def test_hepatic_artery_flows_forward_with_a_usual_resistive_index():
    values = shape_of("hepatic-artery") / shape_of("hepatic-artery").mean()
    assert 0.55 <= (values.max() - values.min()) / values.max() <= 0.70
    assert values.min() > 0.0
    assert 0.1 <= np.argmax(values) / 400 <= 0.25


def test_samples_pass_through_the_points_and_are_periodic():
    times, values = np.array([0.0, 0.25, 0.5, 0.75]), np.array([1.0, 3.0, 2.0, 0.5])
    shape = periodic_samples(times, values, 400)
    np.testing.assert_allclose(shape[::100], values, rtol=1e-12)
    smooth = np.sin(2 * np.pi * np.arange(32) / 32)
    np.testing.assert_allclose(
        periodic_samples(np.arange(32) / 32, smooth, 256), np.sin(2 * np.pi * np.arange(256) / 256), atol=2e-5
    )


def test_an_inlet_has_the_mean_asked_for():
    inlet = shaped_inlet("n0", "flow_rate", 5e-6, 1.25, [0.0, 0.2, 0.5, 0.8], [1.0, 4.0, 2.0, 1.0])
    assert inlet.mean == pytest.approx(5e-6, rel=1e-13, abs=0.0)
    assert inlet.period == 0.8


@pytest.mark.parametrize("bad", [[1.0, -1.0], [1.0, np.nan], [0.0, 0.0]])
def test_bad_waveforms_are_refused(bad):
    with pytest.raises(InputError):
        shaped_inlet("n0", "flow_rate", 5e-6, 1.0, [0.0, 0.5], bad)


def test_inlet_samples_go_through_the_points_and_keep_the_mean():
    inlet = pulsating(6e-6, 1.0)
    table = sample_inlet(inlet, 300)
    assert table.mean() == pytest.approx(6e-6, rel=1e-14, abs=0.0)
    np.testing.assert_allclose(table[::3], inlet.values, rtol=1e-5)
    assert np.all(sample_inlet(Inlet("n0", "pressure", 1.0, np.array([9e3])), 7) == 9e3)


def test_stenosis_loss_vanishes_with_the_severity_and_grows():
    tree = single_vessel(outlet=Outlet(1e9))
    losses = [loss_coefficients(replace(tree, severity=np.array([s]))) for s in (0.0, 1e-6, 0.5, 0.9, 0.99)]
    viscous, turbulent = np.array(losses)[:, 0, 0], np.array(losses)[:, 1, 0]
    assert viscous[0] == turbulent[0] == 0.0
    assert np.all(np.diff(viscous) > 0.0)
    assert np.all(np.diff(turbulent) > 0.0)
    assert viscous[1] < 1e-4 * viscous[2]
    assert turbulent[4] / turbulent[3] == pytest.approx((99.0 / 9.0) ** 2, rel=1e-9)


def test_implicit_weight_goes_from_half_to_one():
    outlet = Outlet(1e8, 1e9, 1e-9)
    assert implicit_weight(outlet, 1e8, 1e-7) == pytest.approx(0.5, abs=1e-5)
    assert implicit_weight(outlet, 1e8, 1e3) == pytest.approx(1.0, abs=1e-3)
    near = [implicit_weight(outlet, 0.0, z * 1e-9 / (1e-9 + 1e-8)) for z in (0.99e-4, 1.01e-4)]
    assert near[1] - near[0] == pytest.approx(0.02e-4 / 12.0, rel=0.01, abs=0.0)


def test_impedance_limits():
    outlet = Outlet(1e8, 9e8, 1e-9)
    assert impedance(outlet, np.array([0.0]))[0] == 1e9
    assert abs(impedance(outlet, np.array([1e12]))[0] - 1e8) < 1e2
    assert impedance(Outlet(5e8), np.array([3.0]))[0] == 5e8


def test_divergence_free_is_a_projection():
    rng = np.random.default_rng(3)
    links = [(0, 1), (1, 2), (1, 3), (3, 2), (2, 4), (3, 5)]
    inlet = Inlet("n0", "flow_rate", 1.0, np.array([5e-6]))
    tree = network(links, np.full(6, 0.1), np.full(6, 2e-3), np.full(6, 8.0), inlet,
                   {"n4": Outlet(1e9), "n5": Outlet(1e9)})
    exact = 1e-6 * np.array([5.0, 2.0, 3.0, 0.5, 2.5, 2.5])
    np.testing.assert_allclose(divergence_free(tree, exact), exact, rtol=1e-14)
    off = exact * (1.0 + 0.01 * rng.normal(size=6))
    found = divergence_free(tree, off)
    np.testing.assert_allclose(found, exact, rtol=0.03)
    assert found[0] == pytest.approx(5e-6, rel=1e-14, abs=0.0)
    np.testing.assert_allclose(divergence_free(tree, found), found, rtol=1e-13)
    half_closed = {"n2": Outlet(1e9), "n3": CLOSED}
    closed = replace(fork([0.1] * 3, [2e-3] * 3, [8.0] * 3, inlet, Outlet(1e9)), outlets=half_closed)
    np.testing.assert_allclose(divergence_free(closed, np.array([4e-6, 4e-6, 1e-9])), [5e-6, 5e-6, 0.0], atol=1e-20)


@pytest.mark.parametrize(("radius", "half"), [(2e-3, False), (1e-3, True)])
def test_an_artery_of_high_impedance_leaves_half_of_the_resistance_to_the_capacitor(radius, half):
    """A proximal resistance of rho c / A would take more than the whole of a small bed's."""
    tree = single_vessel(0.01, radius, 10.0, pulsating(3e-6), Outlet(0.0, 1e9))
    fitted = calibrated(tree, {"n1": 3e-6}, 12e3)
    bed, impedance = fitted.outlets["n1"], characteristic_impedance(fitted, "n1")
    assert bool(impedance > 0.5 * bed.resistance) is half
    assert bed.proximal == pytest.approx(0.5 * bed.resistance if half else impedance, rel=1e-12, abs=0.0)
    assert bed.distal > 0.0
