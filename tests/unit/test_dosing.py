"""The dose table, cell by cell, with its restart and stop rules."""

import pytest

from haiflow.body.dosing import dose_fraction, dose_rule

AST, ALP, BILIRUBIN = "ast_u_per_l", "alp_u_per_l", "bilirubin_mg_per_dl"


@pytest.mark.parametrize(
    ("test", "reference", "ratio", "expected"),
    [
        (AST, 50, 2.99, 1.0), (AST, 50, 3.0, 0.8), (AST, 50, 3.99, 0.8), (AST, 50, 4.0, 0.5), (AST, 50, 5.0, 0.0),
        (AST, 51, 1.99, 1.0), (AST, 51, 2.0, 0.8), (AST, 51, 3.0, 0.5), (AST, 51, 4.0, 0.0),
        (ALP, 90, 1.49, 1.0), (ALP, 90, 1.5, 0.5), (ALP, 90, 2.0, 0.0),
        (ALP, 91, 1.19, 1.0), (ALP, 91, 1.2, 0.5), (ALP, 91, 1.5, 0.0),
        (BILIRUBIN, 1.2, 1.49, 1.0), (BILIRUBIN, 1.2, 1.5, 0.5), (BILIRUBIN, 1.2, 2.0, 0.0),
        (BILIRUBIN, 1.3, 1.19, 1.0), (BILIRUBIN, 1.3, 1.2, 0.5), (BILIRUBIN, 1.3, 1.5, 0.0),
    ],
)  # fmt: skip
def test_each_cell_of_the_table(test: str, reference: float, ratio: float, expected: float) -> None:
    assert dose_fraction({test: ratio * reference}, {test: reference}).fraction == expected


def test_the_most_cautious_test_decides() -> None:
    decision = dose_fraction({AST: 160, ALP: 140, BILIRUBIN: 0.5}, {AST: 50, ALP: 80, BILIRUBIN: 0.6})
    assert (decision.fraction, decision.decided_by) == (0.5, ALP)
    assert dose_fraction({AST: 20}, {AST: 30}).decided_by == ""
    assert dose_fraction({}, {}).fraction == 1.0


def test_bilirubin_of_three_stops_whatever_the_reference() -> None:
    decision = dose_fraction({BILIRUBIN: 3.0}, {BILIRUBIN: 2.9})
    assert (decision.fraction, decision.decided_by) == (0.0, BILIRUBIN)


@pytest.mark.parametrize(("alp", "expected"), [(1.69, 0.25), (1.7, 0.0), (1.71, 0.0)])
def test_a_held_dose_starts_again_at_a_quarter(alp: float, expected: float) -> None:
    decision = dose_fraction({AST: 100, ALP: 80 * alp}, {AST: 40, ALP: 80}, held=True)
    assert decision.fraction == expected


@pytest.mark.parametrize(
    ("tests", "reference"),
    [({AST: 1}, {}), ({AST: 1}, {AST: 0}), ({AST: -1}, {AST: 40}), ({AST: float("nan")}, {AST: 40})],
)
def test_missing_or_impossible_values_are_refused(tests: dict[str, float], reference: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=AST):
        dose_fraction(tests, reference)


def test_unknown_names_get_the_nearest() -> None:
    with pytest.raises(ValueError, match="did you mean 'ast_u_per_l'"):
        dose_fraction({"ast_u_per_ml": 1.0}, {"ast_u_per_ml": 1.0})
    with pytest.raises(ValueError, match="did you mean 'kemeny'"):
        dose_rule("kemney")


def test_the_rule_says_that_it_is_recalled() -> None:
    assert dose_rule().mark == "wk"
    assert "recalled" in dose_rule().source
