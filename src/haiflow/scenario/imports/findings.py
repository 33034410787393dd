"""What an import left out, changed or assumed: each named with key, value and consequence, like ones gathered."""

from __future__ import annotations

from dataclasses import dataclass, field

from haiflow.errors import one_line

OWN_NUMERICS = "not taken over: haiflow's own numerics (run.numerics) take its place"
OWN_START = "not taken over: haiflow starts from its own steady state"
LONGEST = 60  # letters of a value
MOST_NAMED = 4  # places and values told in full before they are only counted


@dataclass
class Findings:
    """Warnings by key and consequence, in the order in which they were met; ``places`` are vessels, nodes, lines."""

    _found: dict[tuple[str, str], list[tuple[str, str]]] = field(default_factory=dict)

    def add(self, key: str, value: object, consequence: str, where: str = "") -> None:
        """``key`` with its ``value`` (at ``where``, a vessel or node) is not what the deck meant; what follows."""
        self._found.setdefault((key, consequence), []).append((_short(value), where))

    @property
    def warnings(self) -> list[str]:
        """One line for each key and consequence."""
        return [_line(key, consequence, found) for (key, consequence), found in self._found.items()]


def _line(key: str, consequence: str, found: list[tuple[str, str]]) -> str:
    values = list(dict.fromkeys(value for value, _ in found))
    places = list(dict.fromkeys(where for _, where in found if where))
    shown = _listed(values)
    where = f" ({_listed(places)})" if places else ""
    return f"{key} = {shown}{where}: {consequence}"


def _listed(texts: list[str]) -> str:
    rest = len(texts) - MOST_NAMED
    return ", ".join(texts[:MOST_NAMED]) + (f" and {rest} more" if rest > 0 else "")


def _short(value: object) -> str:
    text = f"{value:.6g}" if isinstance(value, float) else "nothing" if value is None else str(value)
    return one_line(text, LONGEST)
