"""The live view of a batch: done, failed, rate, time left, worst imbalance; one line on a terminal, lines in a log."""

from __future__ import annotations

import sys
import time
from collections import deque
from contextlib import suppress

from haiflow.batch.variant import Outcome

RECENT = 200  # outcomes that the rate is taken from
TOLD = 5  # failures that are told one by one


class View:
    """Told of every outcome; ``total`` variants are to be run, ``before`` were complete already."""

    def __init__(self, name: str, total: int, before: int, quiet: bool = False) -> None:
        self.name, self.total, self.before, self.quiet = name, total, before, quiet
        self.terminal = sys.stderr.isatty()
        self.begun = self.told = time.perf_counter()
        self.done = self.failed = 0
        self.worst = 0.0
        self.recent: deque[float] = deque([self.begun], maxlen=RECENT)

    def tell(self, outcome: Outcome, name: str) -> None:
        """One more variant is done."""
        now = time.perf_counter()
        self.done += 1
        self.failed += outcome.status != "complete"
        self.worst = max(self.worst, outcome.imbalance)
        self.recent.append(now)
        if outcome.status != "complete" and self.failed <= TOLD and not self.quiet:
            self._say(f"{name}: {outcome.status}: {outcome.message.splitlines()[0] if outcome.message else ''}", True)
        if not self.quiet and now - self.told > (0.2 if self.terminal else 10.0):
            self.told = now
            self._say(self.line(now), False)

    def line(self, now: float) -> str:
        """``tolerance study: 120 of 1000, 2 failed, 17.1 /s, 0:52 left, worst imbalance 3e-14``"""
        rate = (len(self.recent) - 1) / max(now - self.recent[0], 1e-9)
        left = f"{_clock((self.total - self.done) / rate)} left" if rate > 0.0 and self.done else "..."
        failed = f", {self.failed} failed" if self.failed else ""
        kept = f" ({self.before} before)" if self.before else ""
        return (
            f"{self.name}: {self.done} of {self.total}{kept}{failed}, {rate:.1f} /s, {left}, "
            f"worst imbalance {self.worst:.0e}"
        )

    def stage(self, text: str) -> None:
        """What is done after the variants."""
        if not self.quiet and (self.terminal or time.perf_counter() - self.begun > 2.0):
            self._say(f"{self.name}: {text}", not self.terminal)

    def end(self) -> None:
        """Clear the line."""
        if self.terminal and not self.quiet:
            with suppress(OSError):
                sys.stderr.write("\r\033[K")
                sys.stderr.flush()

    def _say(self, text: str, stays: bool) -> None:
        start, end = ("\r\033[K", "\n" if stays else "") if self.terminal else ("", "\n")
        with suppress(OSError):  # whoever read it has gone; the batch goes on
            sys.stderr.write(f"{start}{text}{end}")
            sys.stderr.flush()


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
