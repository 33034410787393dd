"""What network.vtp shows: means over the whole run, at the size that the arteries have in the living."""

import numpy as np
import pytest

RATE, DAY = 1.3e-6 / 86400.0, 86400.0
FILL = 0.12e-6 * 70.0 / 1.3e-6  # kg/m3
PER_MINUTE = 1.0 / 60.0


NUMERICS = {"macro_step": "10 min"}


@pytest.fixture(scope="module")
def stopped(chain, run):
    """Two days, and on the second the pump stands still and the right artery is shut."""
    faults = [
        {"kind": "stall", "onset": "1 d"},
        {"kind": "occlusion", "where": {"vessel": "right"}, "onset": "1 d"},
    ]
    return run(chain(faults=faults, run__duration="2 d", run__numerics=NUMERICS))


@pytest.fixture(scope="module")
def healthy(chain, run):
    return run(chain(run__duration="1 d", run__numerics=NUMERICS))


def points(results, name, values):
    network = results.network
    return getattr(network, values)[network.vessel == network.vessel_names.index(name)]


def summary_of(results, vessel):
    return results.summary["arteries"][vessel]


def test_a_vessels_flow_is_the_mean_of_before_and_after(stopped, healthy):
    before = points(healthy, "right", "flow_rate")[0]
    assert before == pytest.approx(200e-6 * PER_MINUTE, rel=0.01, abs=0.0)
    np.testing.assert_allclose(points(stopped, "right", "flow_rate"), 0.5 * before, rtol=1e-6)
    assert points(stopped, "left", "flow_rate")[0] == pytest.approx(
        summary_of(stopped, "left")["mean_flow_rate_m3_per_s"], rel=1e-9, abs=0.0
    )


def test_a_vessels_pressure_is_the_mean_over_the_run(stopped, healthy):
    """Shutting an artery brings the pressure of its stump to that at the fork and that of its bed to the veins'."""
    before, mean = (float(points(results, "right", "pressure")[-1]) for results in (healthy, stopped))
    venous = 5.0 * 133.322387415
    assert mean == pytest.approx(0.5 * (before + venous), rel=5e-3, abs=0.0)
    fork = float(points(stopped, "trunk", "pressure")[-1])
    assert fork == pytest.approx(float(points(healthy, "trunk", "pressure")[-1]), rel=0.01, abs=0.0)


@pytest.mark.parametrize(("vessel", "diameter"), [("trunk", 4.4e-3), ("gut", 3e-3), ("right", 3.2e-3)])
def test_arteries_are_drawn_as_wide_as_in_the_living(stopped, healthy, vessel, diameter):
    """The scenario's diameters hold at mean pressure; unloaded these vessels are 6 to 12 % narrower."""
    for results in (healthy, stopped):
        np.testing.assert_allclose(points(results, vessel, "radius"), 0.5 * diameter, rtol=0.01)


def test_the_lines_flow_is_the_mean_of_running_and_standing(stopped, healthy):
    for name in ("pump_line", "catheter"):
        np.testing.assert_allclose(points(healthy, name, "flow_rate"), RATE, rtol=1e-3)
        np.testing.assert_allclose(points(stopped, name, "flow_rate"), 0.5 * RATE, rtol=1e-3)


def test_the_lines_drug_is_the_mean_since_the_start(stopped, healthy):
    """At the tip it has been there since it arrived, a lumen's volume over the flow rate after the start."""
    lag = np.pi * 0.3e-3**2 * 0.5 / RATE
    for results, run_for in ((healthy, DAY), (stopped, 2 * DAY)):
        drug = np.concatenate([points(results, name, "concentration") for name in ("pump_line", "catheter")])
        assert drug[0] == pytest.approx(FILL, rel=0.01, abs=0.0)
        assert drug[-1] == pytest.approx(FILL * (1.0 - lag / run_for), rel=0.01, abs=0.0)


def test_the_lines_pressure_is_the_mean_of_two_tips(chain, run):
    """The tip slides from the ostium of the trunk into tissue half way: mean of the artery's pressure and the pocket's.

    In the pocket (1e-10 m3/Pa, 1e-12 m3/s/Pa) the pressure settles within minutes at flow rate over absorption, 15 Pa.
    """
    pocket = {"compliance": "1e-10 m3/Pa", "rest_pressure": "0 Pa", "absorption": "1e-12 m3/s/Pa"}
    before = run(chain(catheter__pocket=pocket))
    results = run(chain(
        catheter__pocket=pocket, faults=[{"kind": "dislodgement", "to": "tissue", "onset": "12 h"}],
    ))  # fmt: skip
    artery = float(points(before, "catheter", "pressure")[-1])
    assert artery == pytest.approx(95.0 * 133.322, rel=0.02, abs=0.0)
    assert float(points(results, "catheter", "pressure")[-1]) == pytest.approx(0.5 * (artery + 15.0), rel=0.01, abs=0.0)


def test_an_arterys_drug_is_the_mean_of_all_that_passed(stopped, healthy):
    """Behind the tip the trunk's mean level is the drug that it carried by its blood, and what came round with it."""
    for results in (healthy, stopped):
        trunk, run_for = summary_of(results, "trunk"), results.summary["duration_s"]
        body = results.summary["body"]["exposure_kg_s_per_m3"] / run_for
        flow = [summary_of(healthy, "trunk")["mean_flow_rate_m3_per_s"]]
        if results is stopped:  # nothing is given on the second day, so the first day's flow carried all
            assert trunk["mean_flow_rate_m3_per_s"] < flow[0]
        level = trunk["drug_carried_kg"] / flow[0] / run_for + body
        assert points(results, "trunk", "concentration")[-1] == pytest.approx(level, rel=5e-3, abs=0.0)


def test_an_artery_beside_the_tips_has_what_comes_round(chain, run):
    """With the tip in the right artery the left one's mean level is the body's."""
    results = run(chain(catheter__tip={"vessel": "right", "position": "10 mm"}))
    body = results.summary["body"]["exposure_kg_s_per_m3"] / results.summary["duration_s"]
    np.testing.assert_allclose(points(results, "left", "concentration"), body, rtol=2e-3)
