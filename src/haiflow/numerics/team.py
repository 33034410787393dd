"""Threads that work on one compiled loop together: how many, and a pool that keeps them.

A kernel that releases the interpreter is called once by each thread, with its number. Threads that wait for each other
many times a millisecond lose on a processor that others keep busy, so work goes on with one wherever that proves
faster. The user's wish is read from ``HAIFLOW_THREADS``, else ``OMP_NUM_THREADS`` (the workers of a batch set it to 1),
else all processors that this process may use.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from functools import cache
from threading import Lock
from typing import Any, TypeVar

T = TypeVar("T")
WISHES = ("HAIFLOW_THREADS", "OMP_NUM_THREADS")


def allowed() -> int:
    """Threads that the user, or else the machine, grants; at least one."""
    for name in WISHES:
        first = os.environ.get(name, "").partition(",")[0].strip()
        if first.isdecimal() and int(first) > 0:
            return int(first)
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def together(work: Callable[[int], T], threads: int) -> list[T]:
    """``work(0)``, ... ``work(threads - 1)`` at the same time, the first by the caller; returns what each gave."""
    if threads == 1:
        return [work(0)]
    pool, one_at_a_time = _pool(os.getpid(), threads - 1)
    with one_at_a_time:
        others: list[Future[T]] = [pool.submit(work, k) for k in range(1, threads)]
        return [work(0), *(other.result() for other in others)]


@cache
def _pool(process: int, size: int) -> tuple[ThreadPoolExecutor, Lock]:
    """One pool a process (a forked child has none of its parent's threads) and size, for one team at a time.

    Two teams in one pool could each hold a part of it and wait for the rest for ever.
    """
    return ThreadPoolExecutor(size, thread_name_prefix=f"haiflow-{process}"), Lock()


class Inline(Executor):
    """Does at once, in the caller's own thread, what it is given."""

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        done: Future[T] = Future()
        done.set_result(fn(*args, **kwargs))
        return done


def beside(name: str, threads: int = 0) -> Executor:
    """One thread beside the caller's where ``threads`` (0: as many as are :func:`allowed`) are two or more."""
    return ThreadPoolExecutor(1, name) if (threads or allowed()) > 1 else Inline()


class Pace:
    """Chooses between one thread and ``most`` by the seconds that each took for a unit of work, tried now and then."""

    AGAIN = 40  # pieces until the slower one is tried once more, twice as many each time

    def __init__(self, most: int) -> None:
        self.choices = (most, 1) if most > 1 else (1,)
        self.cost: dict[int, float] = {}
        self.next_look = self.AGAIN
        self.pieces = 0

    def choose(self) -> int:
        untried = [threads for threads in self.choices if threads not in self.cost]
        if untried:
            return untried[0]
        self.pieces += 1
        order = sorted(self.choices, key=self.cost.__getitem__)
        if self.pieces < self.next_look:
            return order[0]
        self.next_look *= 2
        return order[-1]

    def note(self, threads: int, seconds: float) -> None:
        """What a unit of work has just cost."""
        self.cost[threads] = seconds
