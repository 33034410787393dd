"""Random and low-discrepancy designs: a table of shares in (0, 1), a row a variant, a column a key.

One seed makes the whole table, so a variant's values do not depend on who runs it, or when. The table is drawn once and
kept with the batch (:mod:`haiflow.batch.plan`), so that a resumed run does not depend on the library that drew it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

from haiflow.errors import InputError
from haiflow.scenario.problems import Problems
from haiflow.scenario.read import KeyPath
from haiflow.scenario.schema.sweep import Sample, Sensitivity
from haiflow.scenario.sweeps.axes import Cell, Column, Setting
from haiflow.scenario.sweeps.distributions import Drawn, ready

if TYPE_CHECKING:
    from haiflow.ports import Floats

MORRIS_LEVELS = 4
NO_SALIB = "sensitivity designs need SALib"


@dataclass(frozen=True)
class Table:
    """How a table of shares is drawn: ``method``, ``rows`` (base points of a sensitivity design), ``columns``, seed."""

    method: str
    rows: int
    columns: int
    seed: int
    correlated: tuple[tuple[int, int, float], ...] = ()

    @property
    def count(self) -> int:
        """Rows that it has."""
        extra = {"saltelli": self.columns + 2, "morris": self.columns + 1}
        return self.rows * extra.get(self.method, 1)

    def draw(self) -> Floats:
        """(count, columns) shares."""
        import numpy as np

        shares = np.asarray(METHODS[self.method](self), dtype=float)
        return _together(shares, self.correlated) if self.correlated else shares


def _plain(table: Table) -> Floats:
    import numpy as np

    return np.random.default_rng(table.seed).random((table.rows, table.columns))


def _low_discrepancy(table: Table) -> Floats:
    import warnings

    from scipy.stats import qmc

    sampler = {"sobol": qmc.Sobol, "lhs": qmc.LatinHypercube, "halton": qmc.Halton}[table.method]
    with warnings.catch_warnings():  # a number of points that is no power of two is the user's to choose
        warnings.simplefilter("ignore", UserWarning)
        shares: Floats = sampler(table.columns, rng=table.seed).random(table.rows)
    return shares


def problem(columns: int) -> dict[str, Any]:
    """The unit cube as SALib names it."""
    return {"num_vars": columns, "names": [str(i) for i in range(columns)], "bounds": [[0.0, 1.0]] * columns}


def _saltelli(table: Table) -> Floats:
    import warnings

    from SALib.sample import sobol

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        shares: Floats = sobol.sample(problem(table.columns), table.rows, calc_second_order=False, seed=table.seed)
    return shares


def _morris(table: Table) -> Floats:
    from SALib.sample import morris

    shares: Floats = morris.sample(problem(table.columns), table.rows, num_levels=MORRIS_LEVELS, seed=table.seed)
    return 0.005 + 0.99 * shares  # the ends of a distribution without bounds lie at infinity


METHODS = {
    "random": _plain, "sobol": _low_discrepancy, "lhs": _low_discrepancy, "halton": _low_discrepancy,
    "saltelli": _saltelli, "morris": _morris,
}  # fmt: skip


def _together(shares: Floats, correlated: tuple[tuple[int, int, float], ...]) -> Floats:
    """The shares with the given correlations of their normal scores."""
    import numpy as np
    from scipy.special import ndtr, ndtri

    matrix = np.eye(shares.shape[1])
    for left, right, value in correlated:
        matrix[left, right] = matrix[right, left] = value
    scores = ndtri(np.clip(shares, 1e-12, 1.0 - 1e-12)) @ np.linalg.cholesky(matrix).T
    return np.asarray(ndtr(scores))


class Rows(Protocol):
    """What turns a row of shares into settings and cells."""

    columns: tuple[Column, ...]

    def settings(self, shares: Floats) -> list[Setting]: ...

    def cells(self, shares: Floats) -> dict[str, Cell]: ...


@dataclass(frozen=True)
class ByKey:
    """A distribution for each key."""

    keys: tuple[str, ...]
    drawn: tuple[Drawn, ...]
    place: KeyPath

    @property
    def columns(self) -> tuple[Column, ...]:
        return tuple(Column(key, drawn.unit) for key, drawn in zip(self.keys, self.drawn, strict=True))

    def values(self, shares: Floats) -> list[Any]:
        return [drawn.value(float(share)) for drawn, share in zip(self.drawn, shares, strict=True)]

    def settings(self, shares: Floats) -> list[Setting]:
        values = self.values(shares)
        return [Setting(key, value, (*self.place, key)) for key, value in zip(self.keys, values, strict=True)]

    def cells(self, shares: Floats) -> dict[str, Cell]:
        return {col.header: col.cell(value) for col, value in zip(self.columns, self.values(shares), strict=True)}


@dataclass
class Sampled:
    """An axis that is drawn: ``table`` says how, ``rows`` what the shares mean."""

    table: Table
    rows: Any  # Rows
    drawn: bool = True
    given: Floats | None = field(default=None, repr=False)  # the table, where it has been drawn before

    @cached_property
    def shares(self) -> Floats:
        return self.table.draw() if self.given is None else self.given

    @property
    def columns(self) -> tuple[Column, ...]:
        return tuple(self.rows.columns)

    @property
    def count(self) -> int:
        return self.table.count

    def settings(self, row: int) -> list[Setting]:
        return list(self.rows.settings(self.shares[row]))

    def cells(self, row: int) -> dict[str, Cell]:
        return dict(self.rows.cells(self.shares[row]))

    def name(self, row: int) -> str | None:
        return None


def sample_axis(problems: Problems, given: Sample, seed: int) -> Sampled | None:
    """The axis of ``sample:``; None where something is wrong with it."""
    rows = by_key(problems, given.of, ("sweep", "sample", "of"))
    pairs = _pairs(problems, given)
    if rows is None or pairs is None:
        return None
    return Sampled(Table(given.method, given.n, len(rows.keys), seed, pairs), rows)


def by_key(problems: Problems, given: Mapping[str, Any], place: KeyPath) -> ByKey | None:
    found = [ready(problems, (*place, key), distribution) for key, distribution in given.items()]
    drawn = tuple(each for each in found if each is not None)
    return ByKey(tuple(given), drawn, place) if len(drawn) == len(found) else None


def _pairs(problems: Problems, given: Sample) -> tuple[tuple[int, int, float], ...] | None:
    keys, pairs, sound = list(given.of), [], True
    for index, each in enumerate(given.correlated):
        path: KeyPath = ("sweep", "sample", "correlated", index, "between")
        for key in each.between:
            if key not in keys:
                problems.add(path, key, "not one of the sampled keys", f"use two of: {', '.join(keys)}")
                sound = False
        if each.between[0] == each.between[1]:
            problems.add(path, each.between[0], "a key correlates with another one", "name two keys")
            sound = False
        if sound:
            pairs.append((keys.index(each.between[0]), keys.index(each.between[1]), each.of))
    if sound and not _possible(len(keys), pairs):
        rule = "these correlations contradict each other"
        problems.add(("sweep", "sample", "correlated"), "given", rule, "weaken one of them")
        sound = False
    return tuple(pairs) if sound else None


def _possible(n: int, pairs: list[tuple[int, int, float]]) -> bool:
    """Whether a matrix of correlations is positive definite: Cholesky's own test."""
    matrix = [[float(row == col) for col in range(n)] for row in range(n)]
    for left, right, value in pairs:
        matrix[left][right] = matrix[right][left] = value
    factor = [[0.0] * n for _ in range(n)]
    for row in range(n):
        for col in range(row + 1):
            rest = matrix[row][col] - sum(factor[row][k] * factor[col][k] for k in range(col))
            if row == col and rest <= 1e-9:
                return False
            factor[row][col] = math.sqrt(rest) if row == col else rest / factor[col][col]
    return True


def sensitivity_axis(problems: Problems, given: Sensitivity, seed: int) -> Sampled | None:
    """The axis of ``sensitivity:``; None where something is wrong with it."""
    import importlib.util

    if importlib.util.find_spec("SALib") is None:
        raise InputError("sweep.sensitivity", given.method, NO_SALIB, "pip install 'haiflow[batch]'")
    rows = by_key(problems, given.of, ("sweep", "sensitivity", "of"))
    if rows is None:
        return None
    method = {"sobol": "saltelli", "morris": "morris"}[given.method]
    # Not independent draws: shares of its variants have no interval of a probability.
    return Sampled(Table(method, given.n, len(rows.keys), seed), rows, drawn=False)
