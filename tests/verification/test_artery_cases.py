"""What the cases of ``haiflow verify arteries`` stand on: exact solutions and networks that are themselves right."""

from dataclasses import replace

import numpy as np
import pytest

from haiflow.verify import arteries_random, arteries_riemann, riemann
from haiflow.verify.arteries_riemann import SPEED, side

PAIRS = [
    (side(1.5, 0.1), side(1.0, 0.0)), (side(1.2, -0.4), side(1.2, 0.4)), (side(1.2, 0.5), side(1.2, -0.5)),
    (side(1.0, 0.0), side(0.01, 0.0)), (side(2.0, 0.0), side(1.0, 0.0, speed=2.0 * SPEED)),
]  # fmt: skip


@pytest.mark.parametrize(("left", "right"), PAIRS)
def test_the_exact_solution_balances_mass_and_momentum(left, right):
    """What a control volume round both waves gains is what flows through its ends, with no use of wave curves."""
    solution = riemann.solve(left, right)
    reach = 1.1 * max(abs(edge) for edge in solution.edges)
    xi = np.linspace(-reach, reach, 400_001)
    middle = 0.5 * (xi[1:] + xi[:-1])
    area, velocity = solution.sample(middle)
    flow = lambda s: s.area * s.velocity**2 + s.force  # noqa: E731
    gained = np.sum(area) * (xi[1] - xi[0]) - reach * (left.area + right.area)
    assert gained == pytest.approx(left.flow_rate - right.flow_rate, abs=2e-5 * left.area)
    pushed = np.sum(area * velocity) * (xi[1] - xi[0]) - reach * (left.flow_rate + right.flow_rate)
    wall = solution.middle_left.force - solution.middle_right.force  # what a jump of the wall bears
    wall += solution.middle_left.area * solution.middle_left.velocity**2
    wall -= solution.middle_right.area * solution.middle_right.velocity**2
    if left.same_wall == right.same_wall:
        assert abs(wall) < 1e-9 * left.force
    assert pushed == pytest.approx(flow(left) - flow(right) - wall, abs=2e-5 * left.area)


def test_waves_that_cannot_be_are_refused():
    with pytest.raises(ValueError, match="dry"):
        riemann.solve(side(1.0, -5.0), side(1.0, 5.0))
    with pytest.raises(ValueError, match="subcritical"):
        riemann.solve(side(1.0, 1.5), side(1.0, 1.5, speed=1.1 * SPEED))


def test_momentum_that_is_not_conserved_shows_as_a_drifting_shock(monkeypatch):
    """Without the cubic part of the pressure force a shock runs at a wrong speed, and the case says so."""
    from haiflow.arteries import plan

    whole = plan._cell_table

    def without(*given):
        table = whole(*given)
        table[6] = 0.0
        return table

    monkeypatch.setattr(plan, "_cell_table", without)
    drift = next(f for f in arteries_riemann.transcritical() if "drift" in f.quantity)
    assert not drift.passed


def test_blood_that_is_lost_shows_in_the_ledger(monkeypatch):
    from haiflow.arteries.pulsatile import PulsatileFlow

    advance = PulsatileFlow.advance

    def leaking(self, steps):
        block = advance(self, steps)
        self._area *= 1.0 - 1e-11
        return replace(block, face_flux=block.face_flux)

    monkeypatch.setattr(PulsatileFlow, "advance", leaking)
    assert not arteries_random.ledger(1)[0].passed
