"""Text tables of numbers."""

from __future__ import annotations

import re

from haiflow.errors import InputError
from haiflow.scenario.imports.findings import Findings
from haiflow.scenario.imports.keys import as_number


def two_columns(text: str, shown: str, findings: Findings) -> tuple[list[float], list[float]]:
    """Time and value of every line; blanks, commas or tabs between, ``#``, ``%`` and ``!`` start a comment."""
    times, values = [], []
    for number, line in enumerate(text.splitlines(), 1):
        words = [word for word in re.split(r"[\s,;]+", re.split(r"[#%!]", line)[0]) if word]
        if not words:
            continue
        read = [as_number(word) for word in words]
        if None in read or len(read) < 2:
            if number == 1 and not any(value is not None for value in read):
                findings.add("first line", line.strip(), "taken as a heading")
                continue
            rule = "a line has a time and a value"
            raise InputError(f"{shown}:{number}", f"'{line.strip()[:60]}'", rule, "write two numbers a line")
        if len(read) > 2:
            findings.add("columns", len(read), "only the first two, time and value, are read")
        times.append(read[0] or 0.0)
        values.append(read[1] or 0.0)
    return times, values
