"""Every case of ``haiflow verify junction`` that does not take minutes; the others are marked slow."""

import pytest

from haiflow.verify.cases import JUNCTION

CASES = [pytest.param(case, id=case.name, marks=[pytest.mark.slow] if case.slow else []) for case in JUNCTION]


@pytest.mark.parametrize("case", CASES)
def test_case(case):
    for figure in case.run():
        assert figure.passed, f"{figure.quantity}: {figure.result} not in [{figure.low}, {figure.high}]"
