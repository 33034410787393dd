"""The timeline: what holds when, whichever way round it was written; levels of growing faults."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from haiflow.ports import Fluid, Surroundings
from haiflow.scenario.model import Leak, Occlusion
from haiflow.simulation.averages import cycles, mean_outlet_flow
from haiflow.simulation.events import levels
from haiflow.simulation.ledger import ACCOUNTS, HELD, Ledger, imbalance
from haiflow.simulation.parts import Change, Parts, Refill
from haiflow.simulation.stream import Metronome
from haiflow.simulation.timeline import Epoch, Timeline

WATER = Fluid(1000.0, 1e-3)
BASE = Parts((), Surroundings(310.0, 1e5), WATER, 12e3)
FILL = Refill(1e-6, np.zeros(1), WATER)


def to(pressure):
    return lambda parts: replace(parts, artery_pressure=pressure)


def times(factor):
    return lambda parts: replace(parts, artery_pressure=factor * parts.artery_pressure)


def pressure_at(timeline, *times):
    return [timeline.parts_at(time).artery_pressure for time in times]


def test_the_latest_change_of_a_key_takes_the_place_of_the_one_before():
    grown = tuple(Change(time, "fault", "", times(factor)) for time, factor in ((10.0, 0.5), (20.0, 0.25)))
    timeline = Timeline(BASE, 100.0, grown)
    assert pressure_at(timeline, 0.0, 9.99, 10.0, 19.0, 20.0, 99.0) == [12e3, 12e3, 6e3, 6e3, 3e3, 3e3]


def test_what_began_later_acts_on_what_began_before():
    first, second = Change(10.0, "a", "a", to(1.0)), Change(20.0, "b", "b", to(2.0))
    for changes in ((first, second), (second, first)):
        assert pressure_at(Timeline(BASE, 100.0, changes), 5.0, 15.0, 25.0) == [12e3, 1.0, 2.0]


def test_a_key_keeps_the_place_of_its_first_change():
    changes = (
        Change(10.0, "grows", "", to(1.0)),
        Change(20.0, "b", "", times(5.0)),
        Change(30.0, "grows", "", to(3.0)),
    )
    assert pressure_at(Timeline(BASE, 100.0, changes), 10.0, 20.0, 30.0) == [1.0, 5.0, 15.0]


def test_epochs_cover_the_run_without_a_gap():
    changes = (Change(30.0, "a", "", to(1.0)), Change(0.0, "b", "", to(2.0)), Change(100.0, "c", "", to(3.0)))
    timeline = Timeline(BASE, 100.0, changes, {0.0: FILL, 30.0: FILL, 70.0: FILL})
    epochs = list(timeline.epochs())
    assert timeline.events() == [30.0, 70.0]
    assert [(epoch.start, epoch.end) for epoch in epochs] == [(0.0, 30.0), (30.0, 70.0), (70.0, 100.0)]
    assert [epoch.refill is FILL for epoch in epochs] == [True, True, True]
    assert [epoch.parts.artery_pressure for epoch in epochs] == [2.0, 1.0, 1.0]


def test_the_twin_has_all_but_the_faults():
    changes = (Change(10.0, "fault 1", "", to(1.0)), Change(20.0, "patient", "", to(2.0)))
    twin = Timeline(BASE, 100.0, changes, {0.0: FILL}).without({"fault 1"})
    assert pressure_at(twin, 15.0, 25.0) == [12e3, 2.0]
    assert twin.refills == {0.0: FILL}


def occlusion(**keys):
    return Occlusion.model_construct(kind="occlusion", onset=100.0, **({"over": 0.0, "law": "linear"} | keys))


def test_a_sudden_fault_has_one_level():
    assert levels(occlusion(), 0.8, 12) == [(100.0, 0.8)]
    assert levels(occlusion(over=50.0, law="step"), 0.8, 12) == [(100.0, 0.8)]


def test_linear_growth_reaches_each_level_when_the_law_does():
    found = levels(occlusion(over=50.0), 0.8, 4)
    assert [level for _, level in found] == pytest.approx([0.2, 0.4, 0.6, 0.8])
    assert [time for time, _ in found] == pytest.approx([112.5, 125.0, 137.5, 150.0])


@pytest.mark.parametrize("law", ["linear", "logistic"])
def test_total_closure_is_followed_to_the_end(law):
    found = levels(occlusion(over=50.0, law=law), 1.0, 5)
    assert found[-1] == (150.0, 1.0)
    assert [level for _, level in found][-5:-1] == [0.97, 0.99, 0.997, 0.999]
    assert (np.diff(np.array(found), axis=0) > 0.0).all()


def test_a_leak_grows_to_its_whole_orifice():
    fault = Leak.model_construct(kind="leak", onset=0.0, over=10.0, law="linear")
    assert levels(fault, 1.0, 2)[-1] == (10.0, 1.0)


def test_imbalance_is_relative_to_what_was_filled():
    ledger = Ledger(3)
    ledger.filled = np.array([2.0, 4.0, 0.0])
    ledger.eliminated = np.array([0.5, 1.0, 0.0])
    held = {place: np.array([0.125, 0.5, 0.0]) for place in HELD}
    balance = ledger.balance(held)
    assert balance.shape == (3, len(ACCOUNTS))
    np.testing.assert_allclose(imbalance(balance), [0.25, -0.25, 0.0])


class Flow:
    """A stand-in for the pulsatile flow: one cell, whose area falls by what leaves it."""

    def __init__(self, dt):
        self.dt, self.area = dt, np.array([1.0])
        self.grid = SimpleNamespace(slot=np.array([0]), cell_dx=np.array([1.0]))
        self.step = 0

    def advance(self, n):
        from haiflow.arteries.pulsatile import FluxBlock

        flux = np.array([[0.0, 1.0 + self.step + k] for k in range(n)])
        block = FluxBlock(self.dt, flux, self.area.copy(), np.zeros((n, 2)))
        self.area = self.area - self.dt * flux[:, 1].sum()
        self.step += n
        return block


def test_blocks_end_on_any_time_and_lose_no_volume():
    flow = Flow(0.01)
    metronome, moved, area = Metronome(flow), 0.0, 1.0
    for time in (0.004, 0.005, 0.0171, 0.05, 0.0500001, 0.1, 0.123456):
        spent = 0.0
        start = metronome.time
        for block in metronome.until(time):
            assert block.area_start[0] == pytest.approx(area, rel=1e-12, abs=0.0)
            out = block.dt * block.face_flux[:, 1].sum()
            moved, area, spent = moved + out, area - out, spent + block.dt * len(block.face_flux)
        assert spent == pytest.approx(time - start, abs=1e-12)
        assert metronome.time == time
    steps = np.arange(1, 14)
    assert moved == pytest.approx(0.01 * steps[:12].sum() + 0.003456 * 13.0, rel=1e-9, abs=0.0)


def test_means_of_a_run_that_stopped_early_end_where_it_did():
    """An epoch of 10 s, and 10 s of one that was planned to take 30: each has half of the time."""
    epochs = [Epoch(0.0, 10.0, replace(BASE, tree="sound"), None), Epoch(10.0, 40.0, replace(BASE, tree="shut"), None)]
    run, outlet = SimpleNamespace(epochs=epochs, end=20.0), {"sound": 2.0, "shut": 1.0}
    flow = SimpleNamespace(cycle=lambda tree: SimpleNamespace(name=tree, outlet_flow={"n1": outlet[tree]}))
    assert [(cycle.name, share) for cycle, share in cycles(run, flow)] == [("sound", 0.5), ("shut", 0.5)]
    assert mean_outlet_flow(run, flow) == {"n1": 1.5}
