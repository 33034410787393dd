"""Which of the swept keys matters, for which figure, and how sure that is.

- A ``sensitivity:`` design has indices of its own, by SALib: Sobol' first-order and total indices (Saltelli 2010,
  estimators of Jansen), Morris' mean absolute elementary effect and its standard deviation; intervals by bootstrap.
- Of keys that are drawn at random: Spearman's rank correlation, interval by Fisher's transformation with the
  variance of Bonett & Wright (2000); of a choice among names the correlation ratio of the ranks, interval by bootstrap.
- Of lists of values: the share of the figure's variance that lies between the values of the key. All combinations are
  there, so nothing is estimated and there is no interval.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from haiflow.batch.plan import Batch
from haiflow.batch.table import COMPLETE, Table
from haiflow.ports import Floats
from haiflow.scenario.sweeps.samples import MORRIS_LEVELS, Sampled, problem

LOOKED_AT = (
    "segments.sum_drug_delivered_kg", "segments.min_dose_fraction", "tumours.min_dose_fraction",
    "split.largest_branch_fraction", "off_target.sum_dose_fraction", "body.exposure_kg_s_per_m3",
    "pump.mean_flow_rate_m3_per_s", "detection.max_time_s", "segments.under_perfused",
)  # fmt: skip
MOST_FIGURES = 8
LEVEL = 0.95
RESAMPLES = 200
FLAT = 1e-4  # relative spread below which a figure is taken not to vary
FEWEST = 8  # variants that say something of an effect


@dataclass(frozen=True)
class Effect:
    """How much ``key`` moves ``figure``: ``value`` of ``measure``, between ``low`` and ``high`` at 95 % (NaN where
    nothing is estimated)."""

    figure: str
    key: str
    measure: str
    value: float
    low: float = math.nan
    high: float = math.nan


def effects(batch: Batch, table: Table) -> list[Effect]:
    """All effects on the criteria's figures and the usual ones, as far as these vary."""
    found: list[Effect] = []
    for figure in varying(table):
        values = table.values[figure]
        found += _designed(batch, table, figure, values) or _observed(batch, table, figure, values)
    return found


def varying(table: Table, fewest: int = FEWEST) -> list[str]:
    """Figures to look at: those that criteria ask for, and the usual ones; only what varies over ``fewest`` variants
    and is finite."""
    names = dict.fromkeys([*(criterion.name for criterion in table.criteria), *LOOKED_AT])
    return [name for name in names if name in table.values and _varies(table.values[name], fewest)][:MOST_FIGURES]


def _varies(values: Floats, fewest: int) -> bool:
    known = values[np.isfinite(values)]
    return known.size >= fewest and float(np.ptp(known)) > FLAT * float(np.abs(known).max())


def _designed(batch: Batch, table: Table, figure: str, values: Floats) -> list[Effect]:
    """Of a design for sensitivity that stands alone."""
    axes = batch.swept.design.axes
    if len(axes) != 1 or not isinstance(axes[0], Sampled) or axes[0].table.method not in ("saltelli", "morris"):
        return []
    axis = axes[0]
    block = axis.table.columns + (2 if axis.table.method == "saltelli" else 1)
    rows = values.reshape(-1, block)
    whole = np.isfinite(rows).all(axis=1)  # an index needs its whole block
    if whole.sum() < 2:
        return []
    keys = [column.header for column in axis.columns]
    analyse = _sobol if axis.table.method == "saltelli" else _morris
    return analyse(keys, figure, rows[whole].ravel(), axis.shares.reshape(-1, block, len(keys))[whole], axis.table.seed)


def _sobol(keys: list[str], figure: str, values: Floats, shares: Floats, seed: int) -> list[Effect]:
    from SALib.analyze import sobol

    # Centred and scaled: the estimators lose digits to a mean that is large against the spread.
    scaled = (values - values.mean()) / values.std()
    found = sobol.analyze(
        problem(len(keys)), scaled, calc_second_order=False, num_resamples=RESAMPLES, conf_level=LEVEL, seed=seed
    )
    told = []
    for name, measure in (("S1", "Sobol' index, alone"), ("ST", "Sobol' index, with interactions")):
        for key, value, half in zip(keys, found[name], found[f"{name}_conf"], strict=True):
            told.append(Effect(figure, key, measure, float(value), float(value - half), float(value + half)))
    return told


def _morris(keys: list[str], figure: str, values: Floats, shares: Floats, seed: int) -> list[Effect]:
    from SALib.analyze import morris

    unit = (shares.reshape(-1, len(keys)) - 0.005) / 0.99
    found = morris.analyze(
        problem(len(keys)), unit, values, num_levels=MORRIS_LEVELS, num_resamples=RESAMPLES, conf_level=LEVEL, seed=seed
    )
    scale = float(np.ptp(values))
    told = []
    for i, key in enumerate(keys):
        value, half = float(found["mu_star"][i]) / scale, float(found["mu_star_conf"][i]) / scale
        told.append(
            Effect(figure, key, "Morris' mean effect, of the range", value, max(value - half, 0.0), value + half)
        )
        told.append(Effect(figure, key, "Morris' spread of effects, of the range", float(found["sigma"][i]) / scale))
    return told


def _observed(batch: Batch, table: Table, figure: str, values: Floats) -> list[Effect]:
    """Of any other design, key by key."""
    ran = np.array([status == COMPLETE for status in table.status]) & np.isfinite(values)
    told = []
    for axis in batch.swept.design.axes:
        for column in axis.columns:
            given = table.inputs[column.header]
            drawn = isinstance(axis, Sampled)
            if isinstance(given, list) or not drawn:
                told += _between(column.header, figure, _labels(given, ran), values[ran], drawn)
            else:
                told += _ranked(column.header, figure, given[ran], values[ran])
    return told


def _labels(given: Floats | list[str], ran: Any) -> list[str]:
    return [str(value) for value, kept in zip(given, ran, strict=True) if kept]


def _ranked(key: str, figure: str, given: Floats, values: Floats) -> list[Effect]:
    """Spearman's correlation."""
    known = np.isfinite(given)
    n = int(known.sum())
    if n < FEWEST or np.ptp(given[known]) == 0.0:
        return []
    value = float(np.corrcoef(ranks(given[known]), ranks(values[known]))[0, 1])
    half = 1.96 * math.sqrt((1.0 + 0.5 * value**2) / (n - 3))
    score = math.atanh(min(max(value, -1.0 + 1e-12), 1.0 - 1e-12))
    return [Effect(figure, key, "rank correlation", value, math.tanh(score - half), math.tanh(score + half))]


def ranks(values: Floats) -> Floats:
    """Ranks from 0; equal values share the mean of theirs."""
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(count) - 1.0
    return np.asarray((last - 0.5 * (count - 1))[place])


def _between(key: str, figure: str, labels: Sequence[str], values: Floats, drawn: bool) -> list[Effect]:
    """Share of the variance between the values of a key: of the ranks, with an interval, where it is drawn."""
    _, group = np.unique(labels, return_inverse=True)
    if group.size < 2 or group.max() == 0:
        return []
    if not drawn:
        return [Effect(figure, key, "share of the variance", _share(group, values))]
    ranked, draw = ranks(values), np.random.default_rng(1)
    again = [_share(group[rows], ranked[rows]) for rows in draw.integers(0, group.size, (RESAMPLES, group.size))]
    low, high = np.quantile(again, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return [Effect(figure, key, "share of the ranks' variance", _share(group, ranked), float(low), float(high))]


def _share(group: Any, values: Floats) -> float:
    count = np.bincount(group)
    mean = np.bincount(group, values) / np.maximum(count, 1)
    total = float(((values - values.mean()) ** 2).sum())
    return float((count * (mean - values.mean()) ** 2).sum()) / total if total > 0.0 else 0.0
