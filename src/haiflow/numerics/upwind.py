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

TOLERANCE = 2e-16  # of the largest value: a sweep that changes no more has nothing left to say
MOST_SWEEPS = 2000


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
    def _forward(self) -> csr_array:
        return _sorted(csr_array(self.inflow[self.order][:, self.order]))

    @cached_property
    def _backward(self) -> csr_array:
        return _sorted(csr_array(self._forward.T))

    def solve(self, diagonal: Floats, right: Floats, h: float, guess: Floats | None = None) -> Floats:
        """c (n,) with ``diagonal c = right + h inflow c``; raises SolverStopped where sweeps do not settle."""
        return self._swept(self._forward, diagonal, right, h, guess, reverse=False)

    def solve_adjoint(self, diagonal: Floats, right: Floats, h: float, guess: Floats | None = None) -> Floats:
        """w (n,) with ``diagonal w = right + h inflow^T w``."""
        return self._swept(self._backward, diagonal, right, h, guess, reverse=True)

    def _swept(
        self, rows: csr_array, diagonal: Floats, right: Floats, h: float, guess: Floats | None, reverse: bool
    ) -> Floats:
        order = self.order
        if diagonal.shape != order.shape or right.shape != order.shape:
            raise ValueError(f"diagonal {diagonal.shape} and right {right.shape}: expected {order.shape}")
        c = np.zeros(order.size) if guess is None else guess[order]
        sweeps = scalar.sweep(
            c, right[order], diagonal[order], rows.indptr, rows.indices, rows.data, float(h), TOLERANCE, MOST_SWEEPS,
            reverse,
        )  # fmt: skip
        if sweeps < 0:
            raise SolverStopped(0.0, "liver, drug in the sinusoids", f"no solution after {MOST_SWEEPS} sweeps")
        result = np.empty_like(c)
        result[order] = c
        return result


def _sorted(rows: csr_array) -> csr_array:
    rows.sort_indices()
    rows.indptr, rows.indices = rows.indptr.astype(np.int32), rows.indices.astype(np.int32)
    return rows
