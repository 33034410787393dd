"""Long runs: the books stay closed to round-off however many the steps, and memory does not grow.

The default is short; ten years and ten million steps are slow.
"""

import gc
import tracemalloc

import numpy as np
import pytest
from scipy.sparse import csr_array

from haiflow.arteries.grid import make_grid
from haiflow.arteries.injection import Injection
from haiflow.arteries.pulsatile import PulsatileFlow
from haiflow.arteries.pulse_transport import PulseTransport
from haiflow.arteries.simple import network
from haiflow.arteries.tree import Inlet, Outlet
from haiflow.numerics.compensated import Holding, Totals
from haiflow.numerics.joint import JointSystem
from haiflow.ports import LinearTransport
from haiflow.scenario.load import loads
from haiflow.simulation.ledger import ACCOUNTS
from haiflow.simulation.run import run_scenario

# Each account is within a unit of the last place of what was filled, and so is each sum of two: no more, ever.
ROUND_OFF = 2 * len(ACCOUNTS) * np.finfo(float).eps

PUMP = """
haiflow: 1
pump: {model: intera-3000, fill: {drug: floxuridine, concentration: 5 mg/mL, volume: 30 mL}}"""
LINE = f"{PUMP}\ncatheter: {{model: intera-straight}}"
PARTS = f"""{PUMP}
catheter: {{model: intera-straight, tip: {{vessel: gastroduodenal}}}}
arteries: {{anatomy: michels-1}}
liver: {{model: standard}}
"""
WEAK, STRONG = "floxuridine, concentration: 0.1 mg/mL", "floxuridine, concentration: 5 mg/mL"


def therapy(days, parts=PARTS, macro_step="6 h"):
    """Refills every two weeks, strong and weak in turn."""
    refills = [
        f"  - {{at: {day} d, refill: {{drug: {STRONG if number % 2 else WEAK}, volume: 30 mL}}}}"
        for number, day in enumerate(range(14, days, 14))
    ]
    run = f"run: {{duration: {days} d, output_every: 1 d, numerics: {{macro_step: {macro_step}}}}}"
    return loads("\n".join([parts, "schedule:", *refills, run]))


def gone_through(years, macro_step="6 h"):
    """Steps, imbalances of drug and carrier, and what is held in memory when all is done (bytes)."""
    run_scenario(therapy(15), pictures=False, fields=False)  # what the first run of a process loads is not counted
    gc.collect()
    tracemalloc.start()
    results = run_scenario(therapy(int(365.25 * years), PARTS, macro_step), pictures=False, fields=False)
    gc.collect()
    held, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return results.summary["solver"]["steps"], imbalances(results), held, peak


def imbalances(results):
    """Of drug and carrier, relative."""
    return [abs(results.summary["ledger"][name]["relative_imbalance"]) for name in ("drug", "carrier")]


def _only_history_grows(short, long):
    """The books are as good after the long run as after the short one; history is all that is kept."""
    (steps, books, held, peak), (more, later, kept, top) = short, long
    ratio = more / steps
    assert max(books + later) <= ROUND_OFF
    assert kept <= 1.1 * ratio * held
    assert top <= 1.1 * ratio * peak


def test_memory_does_not_grow_with_the_steps():
    """The same outputs by six times as many steps."""
    (steps, books, held, peak), (more, later, kept, top) = gone_through(0.2), gone_through(0.2, "1 h")
    assert more > 4 * steps
    assert max(books + later) <= ROUND_OFF
    assert kept <= 1.05 * held + 2e5
    assert top <= 1.05 * peak + 5e5


def test_a_year_balances_as_a_month_does():
    _only_history_grows(gone_through(0.2), gone_through(0.8))


@pytest.mark.slow
def test_ten_years_balance_as_one_does():
    _only_history_grows(gone_through(1.0), gone_through(10.0))


def line_alone(days, macro_step):
    """Pump and line, ten minutes a step: what leaves the tip leaves the model."""
    results = run_scenario(therapy(days, LINE, macro_step), pictures=False, fields=False)
    return results.summary["solver"]["steps"], imbalances(results)


def test_pump_and_line_close_their_books_however_many_the_steps():
    steps, books = line_alone(35, "10 min")
    assert steps > 5000
    assert max(books) <= ROUND_OFF


@pytest.mark.slow
def test_pump_and_line_close_their_books_over_a_million_steps():
    steps, books = line_alone(6950, "10 min")
    assert steps > 1_000_000
    assert max(books) <= ROUND_OFF


class Dose(Totals):
    """What was infused (kg)."""

    def __init__(self):
        self.open(total=0.0)


def two_compartments(defect=0.0):
    """Nothing leaves, so that a balance that is off shows. ``defect``: what one exchange loses on its way."""
    rate = np.array([[-3e-6, 2e-6], [3e-6 * (1.0 - defect), -2e-6]])
    nothing = {"outlets": (), "outlet": csr_array((0, 2)), "loss": np.zeros(2)}
    return JointSystem(
        {
            "body": LinearTransport(
                names=("central", "peripheral"), volume=np.array([12e-3, 31e-3]), rate=csr_array(rate),
                inlets=("veins",), gain=csr_array([[1.0], [0.0]]), **nothing,
            )
        }
    )  # fmt: skip


def held_of_dose(system, steps):
    """What the body holds after a steady infusion of so many steps, each long against the exchange; of the dose."""
    holding, c, dose, step_dose = Holding(np.zeros(1)), np.zeros(system.n), Dose(), 1.1e-6
    for _ in range(steps):
        step = system.advance(c, 21600.0, {"body.veins": step_dose / 21600.0})
        dose.book("total", step_dose)
        (c,) = holding.settled([system], [step], np.array([step_dose]))
    return float(system.volume @ c) / dose.total


def test_two_compartments_hold_what_was_infused_however_many_the_steps():
    assert abs(held_of_dose(two_compartments(), 40_000) - 1.0) <= ROUND_OFF


@pytest.mark.slow
def test_two_compartments_hold_what_was_infused_over_ten_million_steps():
    assert abs(held_of_dose(two_compartments(), 10_000_000) - 1.0) <= ROUND_OFF


def test_what_an_exchange_loses_is_not_made_up_for():
    """Of 1e-9 that is lost on the way nothing is handed back: the books show it."""
    assert 1e-9 < 1.0 - held_of_dose(two_compartments(1e-9), 300) < 1e-6


class Crossed(Totals):
    """What has come into three arteries, net: blood (m3); drug of the blood and of the tip (kg). And what has passed
    their ends either way: the blood, at a concentration of one, and the drugs."""

    def __init__(self):
        self.open(blood=0.0, drug=np.zeros(2), passed=np.zeros(2))


def beaten(steps):
    """Of blood and of two drugs: what is held against what has come in, of what has passed, after so many steps; and
    the memory (bytes) that was held after a tenth of them and at the end. The inflow turns round in each beat."""
    wave = 5e-6 * (1.0 + 1.5 * np.sin(2.0 * np.pi * np.arange(16) / 16))
    ends = {"n2": Outlet(2e8, 2e9, 1e-10), "n3": Outlet(2e8, 3e9, 1e-10)}
    tree = network([(0, 1), (1, 2), (1, 3)], np.array([0.05, 0.04, 0.03]), np.array([2e-3, 1.6e-3, 1.2e-3]),
                   np.array([7.0, 8.0, 9.0]), Inlet("n0", "flow_rate", 0.8, wave), ends)  # fmt: skip
    flow = PulsatileFlow(tree, make_grid(tree))
    drug = PulseTransport(flow.grid, 2, (Injection("tip", tree.vessels[0]),))
    drug.volume, drug.c[0] = flow.area * flow.grid.cell_dx, 1.0
    held, mass, crossed, memory = flow.volume, drug.mass.copy(), Crossed(), []
    injected, block = np.array([[0.0], [2e-8]]), 2000
    tracemalloc.start()
    for number in range(1, steps // block + 1):
        flow.end_volume[:] = 0.0  # a running total of its own, whose last place grows with what has passed
        moved = flow.advance(block)
        did = drug.advance(moved, np.array([1.0, 0.0]), injected)
        crossed.book("blood", flow.end_volume[0::2].sum() - flow.end_volume[1::2].sum())
        given = moved.dt * len(moved.face_flux) * injected.sum(axis=1)
        crossed.book("drug", did.inlet - did.outflow.sum(axis=1) + given)
        crossed.book("passed", np.abs(did.inlet) + np.abs(did.outflow).sum(axis=1) + given)
        if number in (max(steps // block // 10, 1), steps // block):
            memory.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    off = np.array([flow.volume - held - crossed.blood, *(drug.mass - mass - crossed.drug)])
    return np.abs(off) / crossed.passed[[0, 0, 1]], memory


def _beats(steps):
    """What rounding leaves stays below units of the last place of what has passed, however long the run."""
    books, (first, last) = beaten(steps)
    assert max(books) <= 4.0 * np.finfo(float).eps
    assert last <= first + 1e5


def test_pulsating_arteries_close_their_books_and_keep_no_memory_of_their_steps():
    _beats(20_000)


@pytest.mark.slow
def test_pulsating_arteries_close_their_books_over_ten_million_steps():
    _beats(10_000_000)
