"""A row of the table: what was asked, what is reached, whether that is enough."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One figure. ``value`` is the bare number (or numbers) behind ``reached``; ``ok`` is None where none was asked.

    ``limit`` is the number that was asked for, in the unit of ``value``.
    """

    what: str
    asked: str
    reached: str
    ok: bool | None
    value: float | list[float] | dict[str, float] | None = None
    limit: float | None = None

    @property
    def ratio(self) -> float | None:
        """Reached over asked; None where either is no single number, or zero was asked."""
        if not self.limit or not isinstance(self.value, (int, float)):
            return None
        return self.value / self.limit

    @property
    def verdict(self) -> str:
        return {True: "yes", False: "NO", None: "-"}[self.ok]


def at_most(what: str, value: float, limit: float, unit: str = "", note: str = "") -> Row:
    """``value`` must not exceed ``limit``; a value that is not a number fails."""
    return Row(what, f"<= {limit:g}{unit}", f"{value:.3g}{unit}{note}", bool(value <= limit), float(value), limit)


def at_least(what: str, value: float, limit: float, note: str = "") -> Row:
    """``value`` must reach ``limit``."""
    return Row(what, f">= {limit:g}", f"{value:.3g}{note}", bool(value >= limit), float(value), limit)


def within(what: str, value: float, wanted: float, tolerance: float, unit: str = "") -> Row:
    """``value`` must lie within the relative ``tolerance`` of ``wanted``."""
    off = value / wanted - 1.0
    reached = f"{value:.5g}{unit} ({100 * off:+.2g} %)"
    asked = f"{wanted:g}{unit} +/- {100 * tolerance:g} %"
    return Row(what, asked, reached, bool(abs(off) <= tolerance), float(value), wanted)


def worst(values: Iterable[float]) -> float:
    """The largest magnitude; NaN where any value is none, so that it fails."""
    sizes = [abs(value) for value in values]
    return float("nan") if not sizes or any(size != size for size in sizes) else max(sizes)


def as_text(rows: list[Row]) -> str:
    """The rows under their heads, in columns; a table in Markdown too."""
    cells = [("what", "asked", "reached", "ok"), *((row.what, row.asked, row.reached, row.verdict) for row in rows)]
    width = [max(len(line[k]) for line in cells) for k in range(4)]
    lines = [" | ".join(text.ljust(size) for text, size in zip(line, width, strict=True)) for line in cells]
    lines.insert(1, " | ".join("-" * size for size in width))
    return "\n".join(f"| {line} |" for line in lines)
