"""Finite-volume cells of an arterial network: equal cells along each vessel, geometry at centres and faces.

Vessel ``v`` has cells ``offset[v] .. offset[v + 1]`` and, since it has one face more than cells, faces
``face_offset[v] .. face_offset[v] + cells[v]`` (both included), all ordered from its start node to its end node.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from haiflow.arteries.gravity import column
from haiflow.arteries.tree import Tree
from haiflow.errors import InputError
from haiflow.ports import Floats


@dataclass(frozen=True)
class Grid:
    """The cells of ``tree``: counts, sizes, and the reference area and stiffness of each cell."""

    tree: Tree
    cells: NDArray[np.int32]  # (n_vessels,)
    offset: NDArray[np.int32]  # (n_vessels + 1,) first cell of each vessel
    dx: Floats  # (n_vessels,) m
    x: Floats  # (n_cells,) m, cell centre from the vessel's start
    A0: Floats  # (n_cells,) m2, at the centre
    beta: Floats  # (n_cells,) Pa m, at the centre

    @property
    def n_cells(self) -> int:
        return int(self.offset[-1])

    @property
    def n_faces(self) -> int:
        return self.n_cells + len(self.cells)

    @cached_property
    def face_offset(self) -> NDArray[np.int32]:
        """(n_vessels,) first face of each vessel."""
        return (self.offset[:-1] + np.arange(len(self.cells))).astype(np.int32)

    @cached_property
    def last_face(self) -> NDArray[np.int32]:
        """(n_vessels,) last face of each vessel."""
        return (self.face_offset + self.cells).astype(np.int32)

    @cached_property
    def vessel_of_cell(self) -> NDArray[np.int32]:
        return np.repeat(np.arange(len(self.cells)), self.cells).astype(np.int32)

    @cached_property
    def vessel_of_face(self) -> NDArray[np.int32]:
        return np.repeat(np.arange(len(self.cells)), self.cells + 1).astype(np.int32)

    @cached_property
    def cell_dx(self) -> Floats:
        """(n_cells,) m."""
        return self.dx[self.vessel_of_cell]

    @cached_property
    def face_x(self) -> Floats:
        """(n_faces,) m, from the vessel's start."""
        index = np.arange(self.n_faces) - self.face_offset[self.vessel_of_face]
        return index * self.dx[self.vessel_of_face]

    @cached_property
    def column(self) -> Floats:
        """(n_cells,) Pa, of blood up to the inlet's height, at the centres (:mod:`haiflow.arteries.gravity`)."""
        return column(self.tree, self.vessel_of_cell, self.x)

    @cached_property
    def slot(self) -> NDArray[np.int32]:
        """(n_cells,) index of each cell's left face: where the cell lies in an array that has one entry per face."""
        return (np.arange(self.n_cells) + self.vessel_of_cell).astype(np.int32)


def reference_area(tree: Tree, vessel: NDArray[np.int32], x: Floats) -> Floats:
    """Area (m2) at pressure zero, of a radius that runs linearly from start to end."""
    share = x / tree.length[vessel]
    radius = tree.radius_start[vessel] * (1.0 - share) + tree.radius_end[vessel] * share
    return np.pi * radius**2


def stiffness(tree: Tree, vessel: NDArray[np.int32], x: Floats) -> Floats:
    """Tube-law coefficient beta (Pa m), linear from start to end."""
    share = x / tree.length[vessel]
    return tree.beta_start[vessel] * (1.0 - share) + tree.beta_end[vessel] * share


def make_grid(tree: Tree, cell_length: float = 4e-3, min_cells: int = 2) -> Grid:
    """Cut every vessel into equal cells of about ``cell_length`` (m), at least ``min_cells`` (2 or more) a vessel."""
    if not cell_length > 0.0 or min_cells < 2:
        raise InputError(
            "arteries.grid", f"cell_length={cell_length}, min_cells={min_cells}",
            "cells need a positive length and a vessel at least two", "raise the two values",
        )
    return cut(tree, np.maximum(np.ceil(tree.length / cell_length - 1e-9), min_cells).astype(np.int32))


def cut(tree: Tree, cells: NDArray[np.int32]) -> Grid:
    """Every vessel in as many equal cells, two or more, as ``cells`` (n_vessels,) says."""
    if np.min(cells) < 2:
        raise InputError("arteries.grid", f"{np.min(cells)} cells", "a vessel needs at least two", "raise the number")
    offset = np.concatenate([[0], np.cumsum(cells)]).astype(np.int32)
    dx = tree.length / cells
    vessel = np.repeat(np.arange(len(cells)), cells).astype(np.int32)
    x = (np.arange(offset[-1]) - offset[vessel] + 0.5) * dx[vessel]
    return Grid(tree, cells, offset, dx, x, reference_area(tree, vessel, x), stiffness(tree, vessel, x))
