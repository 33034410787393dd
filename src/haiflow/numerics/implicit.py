"""One implicit time step of ``V dc/dt = R c + s``: L-stable, second order, factors kept for each step length.

SDIRK2 with ``gamma = 1 - 1/sqrt(2)`` (Alexander 1977, SIAM J. Numer. Anal. 14:1006, method of order 2):

    (V - gamma dt R) c1 = V c + gamma dt s
    (V - gamma dt R) c2 = V c + (1 - gamma) dt (R c1 + s) + gamma dt s,      c_new = c2

and ``integral of c dt = dt ((1 - gamma) c1 + gamma c2)`` with the same weights, so that
``V (c_new - c) = R (integral) + s dt`` holds exactly: what leaves one compartment enters another or a sink, and the
books close to round-off. Backward Euler, first order but never negative, has the same property.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.lapack import dgesv, dgetrf, dgetrs
from scipy.sparse import csc_array, csr_array, diags_array
from scipy.sparse.linalg import SuperLU, splu

from haiflow.ports import Floats

GAMMA = {"sdirk2": 1.0 - np.sqrt(0.5), "backward_euler": 1.0}
K = TypeVar("K")
T = TypeVar("T")

DENSE = 1000  # compartments: more of them, of which each exchanges with a few, are a sparse matrix
KEPT_FACTORS = 12  # the rungs of a ladder of step lengths that come back within an epoch


class Factors(NamedTuple):
    """LU factors of ``diag(volume) - shift * rate`` (LAPACK's getrf)."""

    lu: Floats
    pivots: NDArray[np.int32]

    def solve(self, right: Floats) -> Floats:
        return dgetrs(self.lu, self.pivots, right)[0]


class SparseFactors(NamedTuple):
    """The same of a large balance, whose factors are nearly as sparse as it is."""

    lu: SuperLU

    def solve(self, right: Floats) -> Floats:
        return np.asarray(self.lu.solve(np.asfortranarray(right)))


def held(matrix: csr_array, size: int) -> Floats | csr_array:
    """A matrix of a balance of ``size`` compartments as it is multiplied with: as it is only where it is large."""
    return matrix.toarray() if size <= DENSE else matrix


class FactorCache:
    """Factors of ``diag(volume) - shift * rate`` by ``shift``, the latest ones kept."""

    def __init__(self, volume: Floats, rate: csr_array) -> None:
        self.volume, self.rate = volume, held(rate, volume.size)
        self.kept: OrderedDict[float, Factors | SparseFactors] = OrderedDict()
        self.columns: OrderedDict[tuple[float, bytes], Floats] = OrderedDict()
        self.room = KEPT_FACTORS  # more where many runs go on with one balance

    def factors(self, shift: float) -> Factors | SparseFactors:
        found = self.kept.get(shift)
        if found is None:
            made = self._dense(shift) if isinstance(self.rate, np.ndarray) else self._sparse(shift)
            found = _keep(self.kept, shift, made, self.room)
        return found

    def _dense(self, shift: float) -> Factors:
        matrix = np.asfortranarray(-shift * self.rate)
        matrix.ravel("K")[:: self.volume.size + 1] += self.volume
        lu, pivots, info = dgetrf(matrix, overwrite_a=True)
        if info != 0:
            raise ValueError(f"singular balance: compartment {info - 1} has neither volume nor outflow")
        return Factors(lu, pivots)

    def _sparse(self, shift: float) -> SparseFactors:
        try:
            return SparseFactors(splu(csc_array(diags_array(self.volume) - shift * self.rate)))
        except RuntimeError:
            raise ValueError("singular balance: a compartment has neither volume nor outflow") from None

    def unit_columns(self, shift: float, where: NDArray[np.intp]) -> Floats:
        """Columns ``where`` of the inverse: the answer to a unit source in each of these compartments."""
        key = (shift, where.tobytes())
        found = self.columns.get(key)
        if found is None:
            units = np.zeros((self.volume.size, where.size), order="F")
            units[where, np.arange(where.size)] = 1.0
            found = _keep(self.columns, key, self.factors(shift).solve(units), self.room)
        return found


def _keep(store: OrderedDict[K, T], key: K, value: T, room: int) -> T:
    store[key] = value
    if len(store) > room:
        store.popitem(last=False)
    return value


@dataclass(frozen=True)
class Shifted:
    """Solver of ``(diag(volume) - shift * rate + shift * diag(extra)) x = right``.

    ``extra`` (m3/s) is a loss beyond that in ``rate`` on the few compartments ``where``; it enters by the Woodbury
    identity, so a loss that changes with concentration costs a system of its own size and not a new factorisation.
    """

    cache: FactorCache
    shift: float
    where: NDArray[np.intp]
    extra: Floats  # (where.size,)

    def exchange(self, c: Floats) -> Floats:
        """``rate @ c`` less the extra loss, (n,) kg/s."""
        flow = self.cache.rate @ c
        flow[self.where] -= self.extra * c[self.where]
        return flow

    def solve(self, right: Floats) -> Floats:
        plain = self.cache.factors(self.shift).solve(right)
        if self.where.size == 0:
            return plain
        columns = self.cache.unit_columns(self.shift, self.where)
        small = (self.shift * self.extra)[:, None] * columns[self.where]
        small[np.diag_indices_from(small)] += 1.0
        _, _, amount, info = dgesv(small, self.shift * self.extra * plain[self.where])
        if info != 0:
            raise ValueError("singular balance: the extra loss cancels all other exchange of a compartment")
        return plain - columns @ amount


class StageResult(NamedTuple):
    c_new: Floats  # (n,) kg/m3
    exposure: Floats  # (n,) integral of c over the step, kg s/m3
    first: Floats  # (n,) the first stage, for the error estimate


def sdirk2(solver: Shifted, c: Floats, dt: float, source: Floats) -> StageResult:
    """Two stages of SDIRK2; ``solver`` must have ``shift = gamma dt``; ``source`` (n,) kg/s."""
    gamma = GAMMA["sdirk2"]
    volume = solver.cache.volume
    start = volume * c
    pushed = (gamma * dt) * source
    first = solver.solve(start + pushed)
    # dt (R c1 + s) from the first stage's own equation: no product with R is needed.
    slope = (volume * first - start) / gamma
    second = solver.solve(start + (1.0 - gamma) * slope + pushed)
    return StageResult(second, dt * ((1.0 - gamma) * first + gamma * second), first)


def backward_euler(solver: Shifted, c: Floats, dt: float, source: Floats) -> StageResult:
    """One stage; ``solver`` must have ``shift = dt``."""
    new = solver.solve(solver.cache.volume * c + dt * source)
    return StageResult(new, dt * new, c)


SCHEMES = {"sdirk2": sdirk2, "backward_euler": backward_euler}


def embedded_error(solver: Shifted, result: StageResult, c: Floats, dt: float, source: Floats) -> Floats:
    """Local error (n,) kg/m3 of a step: the step against one of lower order, damped by one more solve.

    For SDIRK2 the lower order has all weight on the first stage: ``gamma dt (V - gamma dt R)^-1 (f2 - f1)``, damped
    so that stiff parts do not cry wolf (Shampine 1984). For backward Euler half the change of the slope.
    """
    gamma, volume = GAMMA["sdirk2"], solver.cache.volume
    if solver.shift == dt:
        return 0.5 * solver.solve(volume * (result.c_new - c) - dt * (solver.exchange(c) + source))
    slope1 = (volume * (result.first - c)) / gamma
    slope2 = (volume * (result.c_new - c) - (1.0 - gamma) * slope1) / gamma
    return gamma * solver.solve(slope2 - slope1)
