"""A fault campaign: each fault at each place, a variant each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any

from haiflow.scenario.read import KeyPath
from haiflow.scenario.sweeps.axes import Listed, column

KEY = "faults.+"  # one more in the list of the scenario's own faults
PLACES = ("where", "to")


def campaign(given: list[dict[str, Any]], sound: bool) -> Listed:
    """The axis of all combinations; ``sound``: one more, without any of them."""
    faults: list[dict[str, Any] | None] = [None] if sound else []
    places: list[KeyPath] = [("sweep", "faults")] if sound else []
    for index, template in enumerate(given):
        for fault in combinations(template):
            faults.append(fault)
            places.append(("sweep", "faults", "each of", index))
    labels = [label(fault) for fault in faults]
    keys = dict.fromkeys(key for each in labels for key in each)
    told = [key for key in keys if key in ("fault", "fault.place") or len({str(each.get(key)) for each in labels}) > 1]
    return Listed(
        columns=tuple(column(key, [each.get(key) for each in labels]) for key in told),
        rows=[{} if fault is None else {KEY: fault} for fault in faults],
        places=[{KEY: place} for place in places],
        labels=labels,
    )


def combinations(template: Any) -> Iterator[Any]:
    """``template`` with each list in it replaced by one of its items, in every combination."""
    if isinstance(template, list):
        for item in template:
            yield from combinations(item)
    elif isinstance(template, Mapping):
        keys = list(template)
        for values in product(*(list(combinations(template[key])) for key in keys)):
            yield dict(zip(keys, values, strict=True))
    else:
        yield template


def label(fault: Mapping[str, Any] | None) -> dict[str, Any]:
    """What the table says of a fault: its kind, its place in a few words, and its other keys."""
    if fault is None:
        return {"fault": "none", "fault.place": ""}
    where = next((fault[key] for key in PLACES if key in fault), "pump")
    place = ", ".join(str(value) for value in where.values()) if isinstance(where, Mapping) else str(where)
    others = {
        f"fault.{key}": value
        for key, value in fault.items()
        if key not in ("kind", *PLACES) and not isinstance(value, dict | list)
    }
    return {"fault": str(fault.get("kind", "")), "fault.place": place, **others}
