"""Upwind exchange on any set of control volumes, implicit in time: the checked way into the compiled sweep."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from haiflow.errors import SolverStopped
from haiflow.kernels import kernel
from haiflow.ports import Floats

scalar = kernel("scalar")

TOLERANCE = 1e-14  # of the largest value: what a further sweep would change
MOST_SWEEPS = 2000


class _Rows:
    """Inflows in the order of the sweep, and which of them come from what is swept later."""

    def __init__(self, rows: csr_array, reverse: bool) -> None:
        rows.sort_indices()
        rows.indptr, rows.indices = rows.indptr.astype(np.int32), rows.indices.astype(np.int32)
        self.rows, self.reverse = rows, reverse
        own = np.repeat(np.arange(rows.shape[0]), np.diff(rows.indptr))
        late = np.flatnonzero(rows.indices < own if reverse else rows.indices > own)
        self.late, self.row = late.astype(np.int32), own[late].astype(np.int32)
        self.used = np.empty(late.size)


@dataclass(frozen=True)
class UpwindGraph:
    """Who gives to whom: ``inflow[k, i]`` (n, n) m3/s, positive, flows from control volume i into k.

    ``rank`` (n,): a sorting key that falls along the flow (a potential); control volumes are swept from the highest
    down, so that what flows with it is solved at once, and what flows against it by repeated sweeps.
    """

    inflow: csr_array
    rank: Floats

    def __post_init__(self) -> None:
        n = self.inflow.shape[0]
        if self.inflow.shape != (n, n) or self.rank.shape != (n,):
            raise ValueError(f"shapes {self.inflow.shape} and {self.rank.shape}: expected (n, n) and (n,)")
        if self.inflow.nnz and not self.inflow.data.min() >= 0.0:
            raise ValueError("an inflow is negative or not finite: turn it round")

    @cached_property
    def given(self) -> Floats:
        """(n,) m3/s that each control volume gives to others."""
        return np.asarray(self.inflow.sum(axis=0)).ravel()

    @cached_property
    def taken(self) -> Floats:
        """(n,) m3/s that each control volume takes from others."""
        return np.asarray(self.inflow.sum(axis=1)).ravel()

    @cached_property
    def order(self) -> NDArray[np.intp]:
        return np.argsort(-self.rank, kind="stable")

    @cached_property
    def _forward(self) -> _Rows:
        return _Rows(csr_array(self.inflow[self.order][:, self.order]), reverse=False)

    @cached_property
    def _backward(self) -> _Rows:
        return _Rows(csr_array(self._forward.rows.T), reverse=True)

    def solve(self, diagonal: Floats, right: Floats, h: float, guess: Floats | None = None) -> Floats:
        """c (n,) with ``diagonal c = right + h inflow c``; raises SolverStopped where sweeps do not settle."""
        return self._swept(self._forward, diagonal, right, h, guess)

    def solve_adjoint(self, diagonal: Floats, right: Floats, h: float, guess: Floats | None = None) -> Floats:
        """w (n,) with ``diagonal w = right + h inflow^T w``."""
        return self._swept(self._backward, diagonal, right, h, guess)

    def _swept(self, way: _Rows, diagonal: Floats, right: Floats, h: float, guess: Floats | None) -> Floats:
        order = self.order
        if diagonal.shape != order.shape or right.shape != order.shape:
            raise ValueError(f"diagonal {diagonal.shape} and right {right.shape}: expected {order.shape}")
        c = np.zeros(order.size) if guess is None else guess[order]
        rows = way.rows
        sweeps = scalar.sweep(
            c, way.used, right[order], 1.0 / diagonal[order], rows.indptr, rows.indices, rows.data, way.late, way.row,
            float(h), TOLERANCE, MOST_SWEEPS, way.reverse,
        )  # fmt: skip
        if sweeps < 0:
            raise SolverStopped(0.0, "liver, drug in the sinusoids", f"no solution after {MOST_SWEEPS} sweeps")
        result = np.empty_like(c)
        result[order] = c
        return result
