"""Every case of ``haiflow verify`` that does not take minutes; the others are marked slow. A claim stands on each."""

import numpy as np
import pytest

from haiflow.junction.drug import DrugField
from haiflow.verify.cases import every, one
from haiflow.verify.claims import CLAIMS
from haiflow.verify.model import CODE, WEAK
from haiflow.verify.streaming import tee


def marks(case):
    return [pytest.mark.slow] if case.slow else []


@pytest.mark.parametrize(("group", "case"), [
    pytest.param(group, case, id=f"{group}/{case.name}", marks=marks(case)) for group, case in every()
])  # fmt: skip
def test_case(group, case):
    outcome = one(group, case)
    missed = [each for each in outcome.figures if not each.passed and not each.stated]
    off = [f"{each.quantity}: {each.result} not in [{each.low}, {each.high}]" for each in missed]
    assert outcome.passed, outcome.failure or "; ".join(off)
    if case.evidence != CODE:  # weak is what a wrong model passes, and nothing else
        assert any(figure.rivals for figure in outcome.figures)
        assert (case.evidence == WEAK) == bool(outcome.passing_rivals), outcome.passing_rivals
    for plot in outcome.plots:
        for curve in plot.curves:
            assert len(curve.x) == len(curve.y) > 0
            assert np.isfinite(curve.y).all(), curve.name


def test_every_case_backs_a_claim_and_every_claim_names_cases():
    names = {f"{group}/{case.name}" for group, case in every()}
    named = {name for claim in CLAIMS for name in claim.cases}
    assert {name for name in names if not {name, name.partition("/")[0]} & named} == set()
    assert {name for name in named if "/" in name} <= names
    assert all(claim.not_shown and claim.uncertainty for claim in CLAIMS)


def test_the_nozzle_says_of_each_place_where_the_laboratories_are():
    from haiflow.verify.nozzle import LABORATORIES, SOLUTION, standing

    places = zip(SOLUTION, LABORATORIES.values(), strict=True)
    notes = [standing(exact * 1.03, exact, spread) for exact, spread in places]
    above = [note for note in notes if "the solution" in note and note.endswith("above")]
    assert [note.partition("the solution ")[2] for note in above] == ["2.0 % above", "1.7 % above", "0.2 % above"]
    assert notes[0] == "laboratories 0.658 to 0.715: haiflow inside, the solution inside"
    assert standing(0.5, 0.5, (0.6, 0.7)).endswith("haiflow 16.7 % below, the solution 16.7 % below")


def test_the_laboratories_are_stated_and_three_places_of_the_nozzle_are_not_met():
    """By the equations' own solution; haiflow's own figures are within 1 % of it and are above at the same places."""
    from haiflow.verify.nozzle import LABORATORIES, SOLUTION, against_laboratories

    figures = [against_laboratories(z, exact) for z, exact in zip(LABORATORIES, SOLUTION, strict=True)]
    assert all(figure.stated for figure in figures)
    assert [figure.passed for figure in figures].count(True) == 8
    assert [figure.quantity.partition("z = ")[2] for figure in figures if not figure.passed] == [
        "24 mm (m/s)", "32 mm (m/s)", "40 mm (m/s)",
    ]  # fmt: skip


def test_the_steady_drug_is_bounded_and_balanced():
    mesh, flow, state = tee(0.3)
    entering = -flow.ends.through("hole:0", state.velocity)[:, None]
    field = DrugField(mesh, entering, {name: points for name, points, _ in flow.ends.outlets}, diffusivity=0.0)
    c, leaving = field.steady(state.flux, state.boundary_flux)
    assert c.min() > -1e-4
    assert c.max() < 1.0 + 1e-4
    assert leaving.sum() == pytest.approx(entering.sum(), rel=1e-6)
