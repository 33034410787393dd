"""Which Couinaud segment each tetrahedron is in: by number, by named group, or by the user's own map of either."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from haiflow.errors import InputError, nearest
from haiflow.mesh.files import OWN, Raw
from haiflow.mesh.model import NUMERALS

LABEL = "couinaud_segment"
NUMBERED = (LABEL, "gmsh:physical", "medit:ref", "cell_tags", "label", "labels", "region", "material")
NUMBER = re.compile(r"-?[0-9]+")


def couinaud(raw: Raw, place: str, labels: Mapping[str, str] | None = None) -> NDArray[np.int32]:
    """(m,) 1 to 8, or :class:`InputError`.

    ``labels``: the name of a group, or a number as text, -> segment ("I" to "VIII"). Without it the file needs integer
    cell data ``couinaud_segment``, or groups that are named I to VIII.
    """
    if labels:
        return _mapped(raw, place, labels)
    if LABEL in raw.numbers:
        return _whole(raw.numbers[LABEL], place)
    if "medit:ref" in raw.numbers and np.all(np.isin(raw.numbers["medit:ref"], np.arange(1, 9))):
        return _whole(raw.numbers["medit:ref"], place)  # the one number that such a file holds
    if raw.groups and set(raw.groups) <= set(NUMERALS):
        return _mapped(raw, place, {name: name for name in raw.groups})
    raise _missing(raw, place)


def _missing(raw: Raw, place: str) -> InputError:
    known = [*raw.numbers, *raw.groups]
    remedy = nearest(LABEL, known)
    if not remedy.startswith("did you mean"):
        remedy = "add it, 1 to 8 for the segments I to VIII"
    whole = [name for name in _whole_numbers(raw) if np.any(raw.numbers[name])]
    if raw.groups:
        remedy += f"; or map groups with 'labels: {{{next(iter(raw.groups))}: V, ...}}'"
    elif whole:
        first = int(raw.numbers[whole[0]].max())
        remedy += f"; or map the numbers in '{whole[0]}' with 'labels: {{{first}: V, ...}}'"
    return InputError(place, ", ".join(known) or "no cell data", f"the cell data '{LABEL}' is missing", remedy)


def _whole_numbers(raw: Raw) -> list[str]:
    """Arrays that hold whole numbers: those of well-known names first, gmsh's book-keeping not at all."""
    names = [name for name in NUMBERED if name in raw.numbers]
    names += [name for name in raw.numbers if name not in names and not name.startswith(OWN)]
    arrays = {name: raw.numbers[name] for name in names if np.issubdtype(raw.numbers[name].dtype, np.number)}
    return [name for name, values in arrays.items() if np.all(np.isfinite(values) & (np.rint(values) == values))]


def _numbered(raw: Raw, labels: Mapping[str, str]) -> NDArray[Any] | None:
    """The first array that holds all the numbers in ``labels``, or else the first of whole numbers."""
    wanted = {int(name) for name in labels if name not in raw.groups and NUMBER.fullmatch(name)}
    arrays = [raw.numbers[name] for name in _whole_numbers(raw)]
    return next((each for each in arrays if wanted <= set(np.unique(each).tolist())), next(iter(arrays), None))


def _whole(values: NDArray[Any], place: str) -> NDArray[np.int32]:
    rounded = np.rint(values) if np.issubdtype(values.dtype, np.number) else np.zeros(len(values))
    wrong = ~np.isfinite(rounded) | (rounded != values) | (rounded < 1) | (rounded > 8)
    if np.any(wrong):
        example = values[wrong][0]
        rule = f"{int(wrong.sum())} cells have no segment from 1 to 8 in '{LABEL}'"
        raise InputError(place, example, rule, "label every tetrahedron, 1 to 8 for the segments I to VIII")
    return rounded.astype(np.int32)


def _mapped(raw: Raw, place: str, labels: Mapping[str, str]) -> NDArray[np.int32]:
    found = np.zeros(len(raw.tetra), dtype=np.int32)
    numbered = _numbered(raw, labels)
    for name, segment in labels.items():
        if segment not in NUMERALS:
            remedy = nearest(str(segment), NUMERALS)
            raise InputError(f"{place}.labels.{name}", segment, "not a Couinaud segment", remedy)
        cells = raw.groups.get(name)
        if cells is None and numbered is not None and NUMBER.fullmatch(name):
            cells = np.flatnonzero(numbered == int(name))
        if cells is None or not len(cells):
            known = [*raw.groups, *([] if numbered is None else map(str, np.unique(numbered).astype(int)))]
            remedy = nearest(name, known[:30]) if known else "the file has neither groups nor numbers of cells"
            raise InputError(f"{place}.labels", name, "the mesh has no such group or number", remedy)
        number = NUMERALS.index(segment) + 1
        twice = int(np.count_nonzero((found[cells] != 0) & (found[cells] != number)))
        if twice:
            rule = f"{twice} of its tetrahedra are in another mapped group too"
            raise InputError(f"{place}.labels", name, rule, "map groups that do not overlap")
        found[cells] = number
    left = int((found == 0).sum())
    if left:
        rule = "tetrahedra are in none of the mapped groups"
        raise InputError(f"{place}.labels", f"{left} of {len(found)}", rule, "map every group of the volume")
    return found
