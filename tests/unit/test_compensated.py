"""Sums that do not drift: against exact sums, and what is never handed back."""

from math import fsum

import numpy as np
import pytest

from haiflow.numerics.compensated import ROUNDING, Holding, Totals

ULP = np.finfo(float).eps


class Account(Totals):
    def __init__(self, start):
        self.open(total=start)


@pytest.mark.parametrize("start", [0.0, 1e3, -1e-3])
def test_a_total_of_like_terms_is_the_exact_sum(start):
    account, terms = Account(start), np.full(200_000, 0.1)
    for term in terms:
        account.book("total", term)
    exact = fsum([start, *terms])
    assert abs(account.total - exact) <= ULP * abs(exact)
    plain = start + np.cumsum(terms)[-1]
    assert abs(plain - exact) > 1e3 * ULP * abs(exact)  # what the same sum drifts by otherwise


def test_terms_of_every_size_and_sign_sum_exactly_in_either_order():
    terms = np.random.default_rng(5).normal(size=4000) * 10.0 ** np.random.default_rng(6).uniform(-12, 12, 4000)
    for order in (terms, np.sort(np.abs(terms)), -np.sort(-np.abs(terms))):
        account = Account(0.0)
        for term in order:
            account.book("total", term)
        assert abs(account.total - fsum(order)) <= 4 * ULP * np.abs(order).max()


def test_what_was_read_of_a_total_stays_as_it_was_read():
    account = Account(np.zeros(2))
    before = account.total
    account.book("total", np.array([1.0, 2.0]))
    assert before.tolist() == [0.0, 0.0]
    assert account.total.tolist() == [1.0, 2.0]


def test_a_remainder_is_handed_back_until_rounding_cannot_explain_it():
    holding = Holding(np.array([1.0, 1.0]))
    moved = np.array([3.0, 3.0])
    small, large = 0.9 * ROUNDING * 4.0, 1.2 * ROUNDING * 4.0
    rest = holding.remainder(np.zeros(2), np.array([1.0 - small, 1.0 - large]), moved)
    assert rest[0] == pytest.approx(small, rel=1e-2, abs=0.0)
    assert rest[1] == 0.0
    # What was let go is not asked for again, and later remainders are found as before.
    rest = holding.remainder(np.zeros(2), np.array([1.0, 1.0 - large - small]), moved)
    assert rest[0] == 0.0
    assert rest[1] == pytest.approx(small, rel=1e-2, abs=0.0)
