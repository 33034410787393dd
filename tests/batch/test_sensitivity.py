"""Indices against what is known of a linear response, and intervals that hold what they promise."""

import math

import numpy as np
import pytest
from SALib.test_functions import Ishigami

from haiflow.batch.plan import Batch, Recipe
from haiflow.batch.record import wilson
from haiflow.batch.sensitivity import effects, ranks
from haiflow.batch.table import Table
from haiflow.scenario.sweeps.swept import swept_text

BASE = """haiflow: 1
pump: {model: intera-3000, fill: {drug: floxuridine, concentration: 5 mg/mL}}
catheter: {model: intera-straight}
"""
FIGURE = "pump.mean_flow_rate_m3_per_s"
KEYS = {"pump.rate_error": (-0.1, 0.1), "patient.mass": (50, 90), "catheter.length": (40, 60)}
UNITS = ("", " kg", " cm")


def table_of(sweep, response):
    """The table of a sweep whose figure is ``response`` of the shares of the keys' ranges."""
    swept = swept_text(BASE + sweep, "s.yaml", None, {})
    rows = [swept.design.cells(index) for index in range(swept.count)]
    inputs = {key: np.array([row[key] for row in rows]) for key in rows[0]}
    spans = zip(inputs.values(), KEYS.values(), strict=True)
    shares = np.array([(values - low) / (high - low) for values, (low, high) in spans])
    names = [swept.design.name(index) for index in range(swept.count)]
    table = Table(names, ["complete"] * swept.count, inputs, {FIGURE: response(shares.T)}, {}, (), tuple(inputs))
    return Batch(Recipe("", "s.yaml", None, (), "."), swept), table


def uniform(kind, n):
    of = "\n".join(
        f"      {key}: {{kind: uniform, from: {low}{unit}, to: {high}{unit}}}"
        for (key, (low, high)), unit in zip(KEYS.items(), UNITS, strict=True)
    )
    head = {"random": "sample:\n    method: random", "sobol": "sensitivity:\n    method: sobol"}
    head["morris"] = "sensitivity:\n    method: morris"
    return f"sweep:\n  {head[kind]}\n    n: {n}\n    of:\n{of}\n"


def linear(shares):
    return 1.0 + shares @ np.array([3.0, 1.0, 0.0])


def test_sobol_indices_of_ishigamis_function():
    batch, table = table_of(uniform("sobol", 2048), lambda shares: Ishigami.evaluate((2 * shares - 1) * np.pi))
    found = {(e.key.split(" ")[0], e.measure): e for e in effects(batch, table)}
    alone, total = "Sobol' index, alone", "Sobol' index, with interactions"
    keys = list(KEYS)
    for key, first, whole in zip(keys, (0.3139, 0.4424, 0.0), (0.5576, 0.4424, 0.2437), strict=True):
        assert found[key, alone].value == pytest.approx(first, abs=0.03)
        assert found[key, total].value == pytest.approx(whole, abs=0.03)
        assert found[key, alone].low < first + 0.02
        assert found[key, alone].high > first - 0.02


def test_sobol_indices_of_a_linear_response_and_a_failed_variant():
    batch, table = table_of(uniform("sobol", 256), linear)
    table.values[FIGURE][7] = np.nan  # its block is left out
    found = {(e.key.split(" ")[0], e.measure): e.value for e in effects(batch, table)}
    for key, share in zip(KEYS, (0.9, 0.1, 0.0), strict=True):
        assert found[key, "Sobol' index, alone"] == pytest.approx(share, abs=0.03)


def test_morris_effects_of_a_linear_response():
    batch, table = table_of(uniform("morris", 20), linear)
    found = {e.key.split(" ")[0]: e.value for e in effects(batch, table) if "mean" in e.measure}
    assert found["pump.rate_error"] / found["patient.mass"] == pytest.approx(3.0, rel=1e-6)
    assert found["catheter.length"] == pytest.approx(0.0, abs=1e-9)


def test_rank_correlation_and_how_often_its_interval_holds():
    weight, within = 0.6, 0
    for seed in range(60):
        draw = np.random.default_rng(seed)
        noise = draw.standard_normal(200)

        def noisy(shares, noise=noise):
            return weight * shares[:, 0] * math.sqrt(12) + math.sqrt(1 - weight**2) * noise

        batch, table = table_of(uniform("random", 200).replace("sample:", f"seed: {seed}\n  sample:"), noisy)
        found = {e.key: e for e in effects(batch, table)}["pump.rate_error"]
        within += found.low < 0.585 < found.high
    assert within >= 52  # 57 of 60 at 95 %


def test_shares_of_variance_of_a_product():
    sweep = (
        "sweep:\n  pump.rate_error: [-0.1, 0.1]\n  patient.mass: [50 kg, 90 kg]\n  catheter.length: [40 cm, 60 cm]\n"
    )
    batch, table = table_of(sweep, linear)
    found = {e.key.split(" ")[0]: e.value for e in effects(batch, table)}
    assert found == pytest.approx(dict(zip(KEYS, (0.9, 0.1, 0.0), strict=True)), abs=1e-12)


def test_ranks_share_ties():
    assert ranks(np.array([3.0, 1.0, 3.0, 2.0])).tolist() == [2.5, 0.0, 2.5, 1.0]


@pytest.mark.parametrize(("passed", "n", "low", "high"), [(0, 10, 0.0, 0.2775), (5, 10, 0.2366, 0.7634)])
def test_interval_of_a_probability(passed, n, low, high):
    assert wilson(passed, n) == pytest.approx((low, high), abs=1e-4)
