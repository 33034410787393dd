"""Figures show the numbers of the record, in the units on their axes, and leave out what a run does not have."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("matplotlib")

from haiflow.report import figures, timecourse
from haiflow.report.canvas import STYLE
from haiflow.results import Event, Results


def test_bars_are_the_dose_of_each_segment(results: Results) -> None:
    figure = figures.dose_by_segment(results)
    (axis,) = figure.axes
    assert axis.get_ylabel().endswith("/ mg")
    plan, now = axis.containers
    doses = [row["drug_delivered_kg"] * 1e6 for row in results.summary["segments"].values()]
    twin = [row["drug_delivered_kg"] * 1e6 for row in results.summary["twin"]["segments"].values()]
    np.testing.assert_allclose([bar.get_height() for bar in now], doses, rtol=1e-12)
    np.testing.assert_allclose([bar.get_height() for bar in plan], twin, rtol=1e-12)


def test_the_ledger_adds_up_to_what_was_filled(results: Results) -> None:
    (axis,) = figures.ledger(results).axes
    widths = [bar.get_width() for bar in axis.patches]
    assert sum(widths[1:]) == pytest.approx(widths[0], rel=1e-8)
    assert widths[0] == pytest.approx(results.summary["ledger"]["drug"]["filled_kg"] * 1e6)
    assert any("imbalance 3.0e-13" in text.get_text() for text in axis.texts)


def test_drug_that_is_missing_is_shown_as_missing(results: Results) -> None:
    results.summary["ledger"]["drug"]["eliminated_kg"] -= 1e-5
    (axis,) = figures.ledger(results).axes
    assert any(label.startswith("not found: 10.0 mg") for label in axis.get_legend_handles_labels()[1])


def test_pump_and_catheter_are_drawn_with_their_events(results: Results) -> None:
    figure = timecourse.pump_and_catheter(results)
    flow, pressure, volume = figure.axes
    assert [axis.get_ylabel() for axis in (flow, pressure, volume)] == [
        "flow rate / (mL/day)",
        "pressure / kPa",
        "volume / mL",
    ]
    drawn = {line.get_label(): line for line in flow.lines}
    expected = results.history_series["catheter_leak_flow_rate"].values * 8.64e10
    np.testing.assert_allclose(drawn["leaking"].get_ydata(), expected)
    np.testing.assert_allclose(drawn["leaking"].get_xdata()[[0, -1]], [0.0, 28.0])
    upright = [line.get_xdata()[0] for line in flow.lines if line.get_linestyle() == "--"]
    assert upright == [5.0, 8.0, 14.0]


def test_a_leak_of_nothing_is_not_drawn(results: Results) -> None:
    results.history_series["catheter_leak_flow_rate"].values[:] = 0.0
    labels = {line.get_label() for line in timecourse.pump_and_catheter(results).axes[0].lines}
    assert "leaking" not in labels
    assert "out of the tip" in labels


def test_waveforms_are_those_of_the_vessels_that_carry_most(results: Results) -> None:
    upper, lower = figures.arterial_waveforms(results).axes
    assert upper.lines[0].get_label() == "common hepatic"
    flow = results.cycle_series["flow_rate"].values[:, 0, 1] * 6e7
    np.testing.assert_allclose(upper.lines[0].get_ydata(), flow)
    assert "mmHg" in lower.get_ylabel()


def test_concentrations_have_a_line_per_segment_and_one_for_the_body(results: Results) -> None:
    (axis,) = timecourse.concentration(results).axes
    labels = [line.get_label() for line in axis.lines if not str(line.get_label()).startswith("_")]
    assert labels == [*results.summary["segments"], "systemic plasma"]
    assert axis.get_ylabel() == "concentration / (ng/mL)"
    series = results.history_series["segment_tissue_concentration"].values[:, 0, 3]
    seen = series * 1e6 > axis.get_ylim()[0]
    assert 300 < seen.sum() < len(series)
    np.testing.assert_allclose(axis.lines[3].get_ydata()[seen], series[seen] * 1e6)
    assert np.all(axis.lines[3].get_ydata()[~seen] < axis.get_ylim()[0])


def test_all_figures_are_written(sample: Any, tmp_path: Path) -> None:
    assert figures.draw(sample.spatial(), tmp_path) == [f"{name}.png" for name in figures.FIGURES]
    for name in figures.FIGURES:
        assert (tmp_path / f"{name}.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"


def test_a_run_with_arteries_only_has_waveforms_only(sample: Any, tmp_path: Path) -> None:
    assert figures.draw(sample.bare(), tmp_path) == ["arterial_waveforms.png"]


def test_events_that_crowd_do_not_write_over_each_other(results: Results) -> None:
    from matplotlib import rc_context

    results.events = [Event(86400.0 * (5 + 0.1 * step), f"event {step}", "leak") for step in range(4)]
    with rc_context(STYLE):
        axis = timecourse.pump_and_catheter(results).axes[0]
    lifts = [text.xyann[1] for text in axis.texts]
    assert lifts == sorted(set(lifts))
