"""Names of other programs made haiflow's own."""

from haiflow.scenario.imports.draft import safe_names
from haiflow.scenario.imports.findings import Findings


def test_labels_that_are_plain_alike_are_numbered_and_none_is_taken_twice():
    made = safe_names(["a/b", "a_b", "a*b", "a_b-2", "a+b", "-c"], Findings(), "label")
    assert list(made.values()) == ["a_b", "a_b-2", "a_b-3", "a_b-2-2", "a+b", "v-c"]


def test_a_hundred_thousand_labels_alike_are_told_apart_without_trying_every_number():
    """Held each against all names before it they would take many minutes."""
    made = safe_names((f"{'x' * 90}{k}" for k in range(100_000)), Findings(), "label")
    assert len(set(made.values())) == 100_000
    assert max(map(len, made.values())) <= 80
