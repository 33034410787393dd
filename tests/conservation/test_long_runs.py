"""Long runs: the books stay closed and memory does not grow. The default is short; ten years are slow."""

import gc
import tracemalloc

import pytest

from haiflow.scenario.load import loads
from haiflow.simulation.run import run_scenario

PARTS = """
haiflow: 1
pump: {model: intera-3000, fill: {drug: floxuridine, concentration: 5 mg/mL, volume: 30 mL}}
catheter: {model: intera-straight, tip: {vessel: gastroduodenal}}
arteries: {anatomy: michels-1}
liver: {model: standard}
"""
WEAK, STRONG = "floxuridine, concentration: 0.1 mg/mL", "floxuridine, concentration: 5 mg/mL"


def therapy(years):
    """Refills every two weeks, strong and weak in turn."""
    days = int(365.25 * years)
    refills = [
        f"  - {{at: {day} d, refill: {{drug: {STRONG if number % 2 else WEAK}, volume: 30 mL}}}}"
        for number, day in enumerate(range(14, days, 14))
    ]
    run = f"run: {{duration: {days} d, output_every: 1 d, numerics: {{macro_step: 6 h}}}}"
    return loads("\n".join([PARTS + "schedule:", *refills, run]))


def gone_through(years):
    """Steps, imbalances of drug and carrier, and what is held in memory when all is done (bytes)."""
    gc.collect()
    tracemalloc.start()
    results = run_scenario(therapy(years), pictures=False, fields=False)
    gc.collect()
    held, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    books = [abs(results.summary["ledger"][name]["relative_imbalance"]) for name in ("drug", "carrier")]
    return results.summary["solver"]["steps"], books, held, peak


def _grows_by_rounding_alone(short, long):
    """Round-off of every step in the same direction is the worst that there can be; history is all that is kept."""
    (steps, books, held, peak), (more, later, kept, top) = short, long
    ratio = more / steps
    for before, after in zip(books, later, strict=True):
        assert after <= 1.5 * ratio * max(before, 2.2e-16)
        assert after < 1e-14 * more
    assert kept <= 1.1 * ratio * held
    assert top - peak <= 1.5 * (kept - held) + 4e6  # no scratch space that grows


def test_a_year_balances_as_a_month_does():
    _grows_by_rounding_alone(gone_through(0.2), gone_through(0.8))


@pytest.mark.slow
def test_ten_years_balance_as_one_does():
    _grows_by_rounding_alone(gone_through(1.0), gone_through(10.0))
